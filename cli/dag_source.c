// SPDX-License-Identifier: Apache-2.0
#include "cli/dag_source.h"

#include "cli/files.h"

#include <unistd.h>

static bool find_zone(void *owner, struct str name, const struct zone **out)
{
    struct dag_source *source = owner;
    struct arena scratch = { 0 };
    struct str tzif;
    struct zone *zone = NULL;

    VEC_EACH (&source->zones, i)
        if (str_eq(source->zone_names.items[i], name)) {
            *out = source->zones.items[i];
            return true;
        }
    const char *path = str_format(&scratch, "/usr/share/zoneinfo/%.*s", STR_ARG(name)).bytes;
    bool is_good = zone_name_is_safe(name) && file_read(&scratch, path, &tzif, NULL) == 0 &&
                   zone_new(tzif, &zone, NULL) == 0;
    arena_clear(&scratch);
    if (!is_good)
        return false;
    char *kept = strndup(name.bytes, name.size);
    VEC_ADD(&source->zones, zone);
    VEC_ADD(&source->zone_names, (struct str) { kept, name.size });
    *out = zone;
    return true;
}

static bool has_file(void *owner, struct str path)
{
    struct arena scratch = { 0 };
    bool has = file_exists(str_cstr(&scratch, path));

    (void)owner;
    arena_clear(&scratch);
    return has;
}

const struct zone *dag_source_zone(struct dag_source *source, struct str name)
{
    const struct zone *zone = NULL;

    (void)find_zone(source, name, &zone);
    return zone;
}

int dag_source_text(struct cli *cli, struct str name, struct str text, struct dag_source *out,
                    struct err *err)
{
    struct compile_options options = {
        .owner = out, .zone = find_zone, .folder = out->folder, .has_file = has_file
    };
    if (cli->conf != NULL)
        options.default_timezone = cli->conf->core_default_timezone;
    int rc = compile_file(cli->arena, name, text, &options, &out->result);

    if (rc < 0)
        return err_set(err, ERR_INVALID, "%.*s: %u problem%s", STR_ARG(name),
                       out->result.problem_count, out->result.problem_count == 1 ? "" : "s");
    return 0;
}

/* What a DAG reads beside its file is meant from there; standard input stands where we do. */
static struct str folder_of(struct cli *cli, const char *path)
{
    char *whole = realpath(strcmp(path, "-") == 0 ? "." : path, NULL);
    struct str folder = whole == NULL ? STR_EMPTY : str_copy(cli->arena, str_of(whole));

    free(whole);
    while (strcmp(path, "-") != 0 && folder.size > 0 && folder.bytes[folder.size - 1] != '/')
        folder.size--;
    if (folder.size > 1 && folder.bytes[folder.size - 1] == '/')
        folder.size--;
    return folder;
}

int dag_source_read(struct cli *cli, const char *path, struct dag_source *out, struct err *err)
{
    struct str text;
    int rc = file_read(cli->arena, path, &text, err);

    if (rc < 0)
        return rc;
    out->folder = folder_of(cli, path);
    rc = dag_source_text(cli, str_of(path), text, out, err);
    if (rc < 0)
        dag_source_print_problems(cli, out, text);
    return rc;
}

void dag_source_clear(struct dag_source *source)
{
    compile_clear(&source->result);
    VEC_EACH (&source->zones, i) {
        zone_free(source->zones.items[i]);
        free((void *)source->zone_names.items[i].bytes);
    }
    VEC_CLEAR(&source->zones);
    VEC_CLEAR(&source->zone_names);
}

static struct str line_of(struct str text, uint32_t number)
{
    struct str line = STR_EMPTY;

    for (uint32_t at = 1; at <= number; at++)
        if (!str_split(&text, '\n', &line))
            return STR_EMPTY;
    return line;
}

void dag_source_print_problems(struct cli *cli, const struct dag_source *source, struct str text)
{
    bool is_coloured = isatty(STDERR_FILENO) && getenv("NO_COLOR") == NULL;

    (void)fflush(stdout);
    for (uint32_t i = 0; i < source->result.problem_count; i++) {
        const struct compile_problem *problem = &source->result.problems[i];
        struct str line = line_of(text, problem->line);

        fprintf(stderr, "%s%.*s%s\n", is_coloured ? "\033[31m" : "",
                STR_ARG(compile_problem_text(cli->arena, problem)), is_coloured ? "\033[0m" : "");
        if (problem->line > 0 && line.size > 0 && line.size < 200)
            fprintf(stderr, "  %4u | %.*s\n       | %*s^\n", problem->line, STR_ARG(line),
                    problem->column > 0 ? (int)problem->column - 1 : 0, "");
    }
}

bool dag_source_is_file(struct str word)
{
    return str_find(word, '/') >= 0 || str_ends(word, ".yaml") || str_ends(word, ".yml") ||
           str_is(word, "-");
}
