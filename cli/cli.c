// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include "cli/client.h"
#include "cli/handlers.h"
#include "cli/help.h"
#include "cli/output.h"
#include "common/base/civil.h"
#include "common/text/suggest.h"

#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#define NEEDS_NOTHING CLI_NEEDS_NOTHING
#define NEEDS_CONF    CLI_NEEDS_CONF
#define NEEDS_ALL     CLI_TAKES_ALL
#define COMMAND(group, verb, args, handler, needs, help)                                           \
    { group, verb, args, help, cli_##handler, NEEDS_##needs },
static const struct cli_command commands[] = {
#include "cli/commands.def"
};
#undef COMMAND

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

extern char **environ;

const struct cli_command *cli_command_at(uint32_t index)
{
    return index < COMMAND_COUNT ? &commands[index] : NULL;
}

const char *cli_common_args(void)
{
    return "[-o|--output FORMAT] [--url URL] [--profile NAME] [--home FOLDER] [-h|--help]";
}

/* ---- what handlers ask ---- */

struct str cli_arg(const struct cli *cli, const char *name)
{
    const struct arg *arg = args_nth(&cli->args, name, 0);

    return arg == NULL ? STR_EMPTY : arg->value;
}

bool cli_has(const struct cli *cli, const char *name)
{
    return args_nth(&cli->args, name, 0) != NULL;
}

int cli_wrong_use(struct cli *cli, struct err *err, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int rc = err_setv(err, ERR_INVALID, fmt, args);
    va_end(args);
    cli->exit_status = CLI_WRONG_USE;
    return rc;
}

int cli_number(struct cli *cli, const char *name, int64_t min, int64_t max, int64_t otherwise,
               int64_t *out, struct err *err)
{
    if (!cli_has(cli, name)) {
        *out = otherwise;
        return 0;
    }
    if (str_to_int(cli_arg(cli, name), min, max, out) < 0)
        return cli_wrong_use(cli, err, "%s must be a whole number from %lld to %lld, not %.*s",
                             name, (long long)min, (long long)max, STR_ARG(cli_arg(cli, name)));
    return 0;
}

int cli_time(struct cli *cli, const char *name, int64_t *out_ms, struct err *err)
{
    bool has_zone;

    if (civil_parse(cli_arg(cli, name), out_ms, &has_zone) == 0)
        return 0;
    return cli_wrong_use(
        cli, err, "%s takes a date or a time, such as 2026-11-21 or 2026-11-21T06:00:00Z, not %.*s",
        name, STR_ARG(cli_arg(cli, name)));
}

int cli_confirm(const struct cli *cli, struct err *err, const char *fmt, ...)
{
    char answer[16] = "";
    va_list args;

    if (cli_has(cli, "--yes"))
        return 0;
    if (!isatty(STDIN_FILENO)) {
        int rc =
            err_set(err, ERR_FORBIDDEN, "this asks for a confirmation, and there is no terminal");
        err_hint(err, "say --yes if you mean it");
        return rc;
    }
    va_start(args, fmt);
    (void)vfprintf(stderr, fmt, args);
    va_end(args);
    (void)fputs(" [y/N] ", stderr);
    if (fgets(answer, sizeof answer, stdin) == NULL || (answer[0] != 'y' && answer[0] != 'Y'))
        return err_set(err, ERR_FORBIDDEN, "nothing was done");
    return 0;
}

struct str cli_bin_folder(struct arena *arena)
{
    char path[4096];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path);
    struct str folder = { path, size > 0 ? (size_t)size : 0 };

    while (folder.size > 0 && folder.bytes[folder.size - 1] != '/')
        folder.size--;
    return str_copy(arena, str_slice(folder, 0, folder.size > 1 ? folder.size - 1 : folder.size));
}

const char *cli_program_path(struct arena *arena, const char *name)
{
    return str_format(arena, "%.*s/%s", STR_ARG(cli_bin_folder(arena)), name).bytes;
}

const char *cli_home_path(const struct cli *cli, const char *name)
{
    return str_format(cli->arena, "%.*s/%s", STR_ARG(cli->conf->home), name).bytes;
}

/* ---- from words to a command ---- */

static bool is_group(const char *word)
{
    for (uint32_t i = 0; i < COMMAND_COUNT; i++)
        if (commands[i].group[0] != '\0' && strcmp(commands[i].group, word) == 0)
            return true;
    return false;
}

static const struct cli_command *find_command(const char *group, const char *verb)
{
    for (uint32_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].group, group) == 0 && strcmp(commands[i].verb, verb) == 0)
            return &commands[i];
    return NULL;
}

/* What Airflow calls otherwise, or has and Headrace has no need of. */
static const struct {
    const char *airflow, *here;
} airflow_commands[] = {
    { "api-server", "headrace webserver" },
    { "celery", "headrace worker: workers ask the scheduler for work, without a broker" },
    { "cheat-sheet", "headrace help" },
    { "dag-processor", "headrace scheduler: it reads DAG files itself" },
    { "dags backfill", "headrace backfill create" },
    { "dags report", "headrace dags check FOLDER, headrace dags list-import-errors" },
    { "dags reserialize", "nothing: a changed file is read within two seconds" },
    { "db init", "headrace db migrate" },
    { "db upgrade", "headrace db migrate" },
    { "info", "headrace doctor" },
    { "jobs", "headrace doctor, headrace workers list" },
    { "plugins", "nothing: there are no plugins" },
    { "providers", "nothing: operators are built in (docs/reference/dag-file.md)" },
    { "tasks run", "headrace tasks clear runs a task of a run again" },
    { "tasks test", "headrace dags test FILE" },
    { "triggerer",
      "headrace worker: tasks that wait are kept by workers, without a process of their own" },
};

/* Its row begins the words "GROUP VERB ..." that were typed; NULL: Airflow has no such command. */
static const char *instead_of(const char *words)
{
    for (size_t i = 0; i < sizeof airflow_commands / sizeof airflow_commands[0]; i++) {
        size_t size = strlen(airflow_commands[i].airflow);

        if (strncmp(words, airflow_commands[i].airflow, size) == 0 &&
            (words[size] == '\0' || words[size] == ' '))
            return airflow_commands[i].here;
    }
    return NULL;
}

static int unknown_word(const char *group, const char *word)
{
    struct suggestion near = suggestion_begin(str_of(word));
    char lead[64];

    (void)snprintf(lead, sizeof lead, "%s%s", group, group[0] != '\0' ? " " : "");
    for (uint32_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].group, group) == 0)
            suggestion_offer(&near, str_of(commands[i].verb));
        if (group[0] == '\0')
            suggestion_offer(&near, str_of(commands[i].group));
    }
    (void)fprintf(stderr, "headrace: there is no command %s%s\n", lead, word);
    char words[128];
    (void)snprintf(words, sizeof words, "%s%s", lead, word);
    if (instead_of(words) != NULL)
        (void)fprintf(stderr, "  Airflow's is here: %s\n", instead_of(words));
    else if (near.best.size > 0)
        (void)fprintf(stderr, "  did you mean: headrace %s%.*s\n", lead, STR_ARG(near.best));
    (void)fprintf(stderr, "  headrace %shelp lists what there is\n", lead);
    return CLI_WRONG_USE;
}

static void print_error(const struct cli *cli, const struct err *err)
{
    bool is_coloured = isatty(STDERR_FILENO) && getenv("NO_COLOR") == NULL;

    (void)cli;
    (void)fflush(stdout);
    (void)fprintf(stderr, "%sheadrace:%s %s\n", is_coloured ? "\033[31m" : "",
                  is_coloured ? "\033[0m" : "", err->sentence);
    if (err->hint[0] != '\0')
        (void)fprintf(stderr, "  %s\n", err->hint);
}

static int wrong_use(const struct cli *cli, const struct err *err)
{
    print_error(cli, err);
    (void)fprintf(stderr, "  usage: headrace %s%s%s %s\n", cli->command->group,
                  cli->command->group[0] != '\0' ? " " : "", cli->command->verb,
                  cli->command->args);
    return CLI_WRONG_USE;
}

/* --home counts before the settings are read, and for every program that is started from here. */
static int take_home(struct cli *cli, struct err *err)
{
    for (int i = 0; i < cli->argc && strcmp(cli->argv[i], "--") != 0; i++) {
        const char *home = strncmp(cli->argv[i], "--home=", 7) == 0 ? cli->argv[i] + 7 : NULL;
        int words = 1;

        if (strcmp(cli->argv[i], "--home") == 0) {
            if (i + 1 >= cli->argc)
                return err_set(err, ERR_INVALID, "--home needs a value: --home FOLDER");
            home = cli->argv[i + 1];
            words = 2;
        }
        if (home == NULL)
            continue;
        char *absolute = home[0] == '/' ? strdup(home) : NULL;
        if (absolute == NULL) {
            char *here = getcwd(NULL, 0);
            absolute =
                strdup(str_format(cli->arena, "%s/%s", here == NULL ? "" : here, home).bytes);
            free(here);
        }
        (void)setenv("HEADRACE_HOME", absolute, 1);
        free(absolute);
        memmove(&cli->argv[i], &cli->argv[i + words],
                sizeof(char *) * (size_t)(cli->argc - i - words + 1));
        cli->argc -= words;
        return 0;
    }
    return 0;
}

static int read_format(struct cli *cli, struct err *err)
{
    static const char *const names[] = { "table", "json", "yaml", "plain" };
    struct str name = cli_arg(cli, "--output");

    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (name.size == 0 || str_is(name, names[i])) {
            cli->format = (enum output_format)i;
            return 0;
        }
    return err_set(err, ERR_INVALID, "--output is table, json, yaml or plain, not %.*s",
                   STR_ARG(name));
}

/* Settings' flags go to conf, the rest is read by the command's own usage line. */
static int read_arguments(struct cli *cli, struct err *err)
{
    struct args_rules rules = args_rules(cli->arena, cli->command->args);
    struct args_rules common = args_rules(cli->arena, cli_common_args());
    char **words = ARENA_ARRAY(cli->arena, char *, cli->argc + 2);
    int count = cli->argc + 1;

    words[0] = (char *)"headrace";
    memcpy(words + 1, cli->argv, sizeof(char *) * (size_t)cli->argc);
    if (cli->command->needs == CLI_NEEDS_CONF) {
        struct conf_source source = { .env = (const char *const *)environ,
                                      .argc = count,
                                      .argv = words };
        int rc = conf_new(&cli->conf, &source, &count, err);

        if (rc < 0)
            return rc;
    }
    int rc = args_parse(&cli->args, &rules, &common, count - 1, words + 1, err);
    if (rc < 0)
        cli->exit_status = CLI_WRONG_USE;
    return rc;
}

static int run_command(struct cli *cli)
{
    struct err err = { 0 };
    int rc = take_home(cli, &err);

    if (rc == 0 && cli->command->needs != CLI_TAKES_ALL)
        rc = read_arguments(cli, &err);
    if (rc == 0 && cli_has(cli, "--help")) {
        help_command(cli, cli->command);
        return CLI_DONE;
    }
    if (rc == 0 && (rc = read_format(cli, &err)) < 0)
        cli->exit_status = CLI_WRONG_USE;
    if (rc == 0)
        rc = cli->command->run(cli, &err);
    if (rc < 0 && cli->exit_status == CLI_WRONG_USE)
        return wrong_use(cli, &err);
    if (rc < 0)
        print_error(cli, &err);
    return rc < 0 ? CLI_FAILED : cli->exit_status;
}

static bool asks_for_help(const char *word)
{
    return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* Options of every command may stand in front of it: they are moved behind it. */
static char **words_in_order(struct cli *cli, int argc, char **argv)
{
    struct args_rules common = args_rules(cli->arena, cli_common_args());
    char **words = ARENA_ARRAY(cli->arena, char *, argc + 1);
    int lead = 1, count = 1;

    while (lead < argc && argv[lead][0] == '-') {
        const struct args_rule *rule = args_option(&common, argv[lead]);
        bool takes_next = rule != NULL && rule->value.size > 0 && strchr(argv[lead], '=') == NULL;

        if (rule == NULL || str_is(rule->name, "--help") || lead + takes_next >= argc)
            break; /* of what follows, dispatch says what is wrong */
        lead += 1 + takes_next;
    }
    int after = lead + (lead < argc && is_group(argv[lead]) ? 2 : 1);
    words[0] = argv[0];
    for (int i = lead; i < argc && i < after; i++)
        words[count++] = argv[i];
    for (int i = 1; i < lead; i++)
        words[count++] = argv[i];
    for (int i = after; i < argc; i++)
        words[count++] = argv[i];
    return words;
}

/* Group and verb are the first words: what follows belongs to the command. */
static int dispatch(struct cli *cli, int argc, char **argv)
{
    const char *group = argc > 1 && is_group(argv[1]) ? argv[1] : "";
    int verb_at = group[0] != '\0' ? 2 : 1;

    if (argc > 1 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0))
        argv[1] = (char *)"version";
    if (argc <= verb_at || asks_for_help(argv[verb_at])) {
        const char *topic = group[0] == '\0' && argc > 2 ? argv[2] : group;
        help_group(cli, topic, argc > 3 && group[0] == '\0' ? argv[3] : NULL);
        return CLI_DONE;
    }
    cli->command = find_command(group, argv[verb_at]);
    if (cli->command == NULL)
        return unknown_word(group, argv[verb_at]);
    cli->argc = argc - verb_at - 1;
    cli->argv = argv + verb_at + 1;
    return run_command(cli);
}

int cli_main(int argc, char **argv)
{
    struct arena arena = { 0 };
    struct cli cli = { .arena = &arena, .is_terminal = isatty(STDOUT_FILENO) };

    cli.is_coloured = cli.is_terminal && getenv("NO_COLOR") == NULL;
    int status = dispatch(&cli, argc, words_in_order(&cli, argc, argv));
    if (fflush(stdout) != 0 && status == CLI_DONE && errno != EPIPE) {
        (void)fprintf(stderr, "headrace: writing the output: %s\n", strerror(errno));
        status = CLI_FAILED;
    }
    client_close(cli.client);
    args_clear(&cli.args);
    conf_free(cli.conf);
    arena_clear(&arena);
    return status;
}
