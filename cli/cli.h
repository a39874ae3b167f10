// SPDX-License-Identifier: Apache-2.0
/* cli - `headrace`, the command line: a table of commands (cli.c), and what each command is given.
 *
 * A command is a row: group, verb, arguments, help, handler. Its line of arguments is the one
 * source for parsing, help and completion. Handlers return 0 or a negative code with a sentence;
 * cli.c prints it. Exit: 0 done, 1 failed, 2 wrong use. */
#ifndef HEADRACE_CLI_H
#define HEADRACE_CLI_H

#include "cli/args.h"
#include "common/conf/conf.h"
#include "common/text/value.h"

enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_WRONG_USE = 2 };
enum output_format { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_YAML, OUTPUT_PLAIN };

struct client;
struct cli;

struct cli_command {
    const char *group; /* "dags"; "" for a verb that stands alone */
    const char *verb;
    const char *args; /* see args.h */
    const char *help; /* one line */
    int (*run)(struct cli *cli, struct err *err);
    enum { CLI_NEEDS_NOTHING, CLI_NEEDS_CONF, CLI_TAKES_ALL } needs;
};

struct cli {
    struct arena *arena; /* until the program ends */
    const struct cli_command *command;
    struct args args;
    struct conf *conf;     /* NULL when the command needs none */
    struct client *client; /* opened at first use */
    struct str server;     /* the URL to ask, known better than by the settings; else empty */
    enum output_format format;
    int argc; /* what a CLI_TAKES_ALL command hands on */
    char **argv;
    int exit_status; /* what to exit with when the handler returns 0 */
    bool is_terminal, is_coloured;
};

int cli_main(int argc, char **argv);

/* Value of a positional argument ("DAG_ID") or an option ("--conf"); the empty str when it was not
 * given. */
struct str cli_arg(const struct cli *cli, const char *name);
bool cli_has(const struct cli *cli, const char *name);
/* Whole number of an option, or `otherwise`. */
MUST_USE int cli_number(struct cli *cli, const char *name, int64_t min, int64_t max,
                        int64_t otherwise, int64_t *out, struct err *err);

/* A time or a date that was given; without a zone it is UTC. */
MUST_USE int cli_time(struct cli *cli, const char *name, int64_t *out_ms, struct err *err);

/* ERR_INVALID, and exit 2 with the usage line. */
int cli_wrong_use(struct cli *cli, struct err *err, const char *fmt, ...) FORMAT(3, 4);

/* Asks on the terminal unless --yes was given. ERR_FORBIDDEN with a hint when there is no terminal
 * or the answer is no. */
MUST_USE int cli_confirm(const struct cli *cli, struct err *err, const char *fmt, ...) FORMAT(3, 4);

/* The commands, for help and completion; NULL after the last. */
const struct cli_command *cli_command_at(uint32_t index);
const char *cli_common_args(void);

/* The folder of this program, and another program's path in it. */
struct str cli_bin_folder(struct arena *arena);
const char *cli_program_path(struct arena *arena, const char *name);

/* $HEADRACE_HOME/name, zero-terminated. */
const char *cli_home_path(const struct cli *cli, const char *name);

#endif
