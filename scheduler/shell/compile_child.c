// SPDX-License-Identifier: Apache-2.0
/* The child's side of compile_children.h: files in, lines of JSON out. */
#include "common/compile/compile.h"
#include "common/log/log.h"
#include "common/text/json.h"
#include "scheduler/shell/compile_children.h"
#include "scheduler/shell/zones.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MEMORY_MAX = 1 << 30, EXCERPT_MAX = 200 };

static bool zone_of(void *owner, struct str name, const struct zone **out)
{
    (void)owner;
    *out = zones_get(name, NULL);
    return *out != NULL;
}

/* Reads at most what a DAG file may have, and one byte more, so that the compiler can say that it
 * is too large. */
static int read_file(const char *path, struct arena *arena, struct str *out, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return err_set(err, ERR_IO, "the file cannot be opened: %s", strerror(errno));
    size_t size = 0;
    char *bytes = arena_alloc(arena, COMPILE_BYTES_MAX + 1);
    ssize_t got = 1;
    while (got > 0 && size <= COMPILE_BYTES_MAX) {
        got = read(fd, bytes + size, COMPILE_BYTES_MAX + 1 - size);
        size += got > 0 ? (size_t)got : 0;
    }
    int problem = got < 0 ? errno : 0;
    close(fd);
    if (problem != 0)
        return err_set(err, ERR_IO, "the file cannot be read: %s", strerror(problem));
    *out = (struct str) { bytes, size };
    return 0;
}

static void hash_text(struct str text, char out[STORE_HASH_SIZE * 2 + 1])
{
    uint8_t hash[STORE_HASH_SIZE];
    store_hash(text, hash);
    for (size_t i = 0; i < sizeof hash; i++)
        snprintf(out + i * 2, 3, "%02x", hash[i]);
}

/* The line of the problem, for people who have no editor open. */
static struct str excerpt_of(struct str text, uint32_t line)
{
    struct str rest = text, part = STR_EMPTY;
    for (uint32_t i = 0; i < line; i++)
        if (!str_split(&rest, '\n', &part))
            return STR_EMPTY;
    return str_slice(part, 0, EXCERPT_MAX);
}

static void put_text(struct arena *arena, struct value *map, const char *key, struct str text)
{
    value_put(arena, map, str_of(key), value_string(arena, text));
}

static const struct value *dag_value(struct arena *arena, const struct dag *dag, struct str source)
{
    struct value *map = value_map(arena);
    put_text(arena, map, "dag_id", dag->id);
    put_text(arena, map, "source", source);
    put_text(arena, map, "description", dag->description);
    const struct value *ir = NULL;
    struct err err = { 0 };
    if (json_parse(arena, dag_to_json(dag, arena), NULL, &ir, &err) < 0)
        ir = value_null(arena);
    value_put(arena, map, STR("ir"), ir);
    value_put(arena, map, STR("schedule"),
              dag->schedule != NULL ? dag->schedule : value_null(arena));
    struct value *owners = value_list(arena);
    if (dag->owner.size > 0)
        value_add(arena, owners, value_string(arena, dag->owner));
    value_put(arena, map, STR("owners"), owners);
    value_put(arena, map, STR("tags"), dag->tags != NULL ? dag->tags : value_list(arena));
    value_put(arena, map, STR("paused"), value_int(arena, dag->paused_upon_creation));
    return map;
}

static const struct value *problem_value(struct arena *arena, const struct compile_problem *problem,
                                         struct str source)
{
    struct value *map = value_map(arena);
    value_put(arena, map, STR("line"), value_int(arena, problem->line));
    value_put(arena, map, STR("column"), value_int(arena, problem->column));
    put_text(arena, map, "message", problem->sentence);
    put_text(arena, map, "advice", problem->advice);
    put_text(arena, map, "excerpt", excerpt_of(source, problem->line));
    return map;
}

/* "/data/dags/etl.yaml" -> "/data/dags" */
static struct str folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? STR_EMPTY : (struct str) { path, (size_t)(slash - path) };
}

/* The answer borrows from the DAGs of `out`. */
static struct value *compile(struct arena *arena, const struct conf *conf, const char *path,
                             struct str text, struct compile_result *out)
{
    int64_t began_ms = loop_now_ms();
    const struct compile_options options = { .zone = zone_of,
                                             .default_timezone = conf->core_default_timezone,
                                             .folder = folder_of(path),
                                             .map_length_max =
                                                 (uint32_t)conf->core_max_map_length };
    struct compile_result result;
    int rc = compile_file(arena, str_of(path), text, &options, &result);
    *out = result;
    struct value *answer = value_map(arena);
    struct value *dags = value_list(arena), *problems = value_list(arena);
    for (uint32_t i = 0; i < result.dag_count; i++)
        value_add(arena, dags, dag_value(arena, result.dags[i], result.sources[i]));
    for (uint32_t i = 0; rc < 0 && i < result.problem_count; i++)
        value_add(arena, problems, problem_value(arena, &result.problems[i], text));
    value_put(arena, answer, STR("size"), value_int(arena, (int64_t)text.size));
    value_put(arena, answer, STR("parse_ms"), value_int(arena, loop_now_ms() - began_ms));
    value_put(arena, answer, STR("dags"), dags);
    value_put(arena, answer, STR("problems"), problems);
    return answer;
}

static struct value *read_failure(struct arena *arena, const struct err *err)
{
    struct value *answer = value_map(arena), *problem = value_map(arena),
                 *problems = value_list(arena);
    put_text(arena, problem, "message", str_of(err->sentence));
    put_text(arena, problem, "advice", STR("let the scheduler's user read it"));
    value_add(arena, problems, problem);
    value_put(arena, answer, STR("problems"), problems);
    return answer;
}

/* One line of the parent: "HASH PATH". */
static void answer_line(const struct conf *conf, struct str line)
{
    struct arena arena = { 0 };
    struct str known_hash;
    if (!str_split(&line, ' ', &known_hash) || line.bytes == NULL)
        return;
    const char *path = str_cstr(&arena, line);
    char hash[STORE_HASH_SIZE * 2 + 1] = { 0 };
    struct err err = { 0 };
    struct str text;
    struct value *answer;
    struct compile_result result = { 0 };
    if (read_file(path, &arena, &text, &err) < 0) {
        answer = read_failure(&arena, &err);
        hash_text(STR_EMPTY, hash);
    } else {
        hash_text(text, hash);
        if (str_is(known_hash, hash)) {
            answer = value_map(&arena);
            value_put(&arena, answer, STR("unchanged"), value_bool(&arena, true));
        } else {
            answer = compile(&arena, conf, path, text, &result);
        }
    }
    put_text(&arena, answer, "hash", str_of(hash));
    struct buf out = { 0 };
    json_write(&out, answer);
    buf_add_byte(&out, '\n');
    fwrite(out.bytes, 1, out.size, stdout);
    fflush(stdout);
    buf_clear(&out);
    compile_clear(&result);
    arena_clear(&arena);
}

/* Nothing that a DAG file makes us do may hurt the host. Sanitizers need address space without end.
 */
static void limit_resources(void)
{
#ifndef __SANITIZE_ADDRESS__
    struct rlimit memory = { MEMORY_MAX, MEMORY_MAX };
    (void)setrlimit(RLIMIT_AS, &memory);
#endif
    struct rlimit none = { 0, 0 };
    (void)setrlimit(RLIMIT_CORE, &none);
}

int compile_child_main(const struct conf *conf)
{
    limit_resources();
    char *line = NULL;
    size_t capacity = 0;
    for (;;) {
        ssize_t size = getline(&line, &capacity, stdin);
        if (size <= 0)
            break;
        answer_line(conf, str_trim((struct str) { line, (size_t)size }));
    }
    free(line);
    zones_clear();
    return 0;
}
