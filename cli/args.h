// SPDX-License-Identifier: Apache-2.0
/* args - a command's arguments, read as its own usage line says.
 *
 *     DAG_ID [RUN_ID] FILE... [-c|--conf JSON] [--wait] [--tag TAG]...
 *
 * Capitals are positional, `...` may come again, brackets make optional, an option with a word
 * behind it takes a value
 * (`--conf X` or `--conf=X`). `--` ends options. */
#ifndef HEADRACE_ARGS_H
#define HEADRACE_ARGS_H

#include "common/base/str.h"
#include "common/base/vec.h"

struct args_rule {
    struct str name;  /* "DAG_ID" or "--conf" */
    struct str alias; /* "-c" or empty */
    struct str value; /* "JSON"; empty: a flag */
    bool is_option, is_optional, is_repeated;
};

struct args_rules {
    struct args_rule *items;
    uint32_t count;
};

struct arg {
    struct str name; /* of its rule */
    struct str value;
};

struct args {
    VEC(struct arg) given;
};

/* Rules of a usage line, in `arena`. A line that cannot be read is our own bug. */
struct args_rules args_rules(struct arena *arena, const char *usage);

/* Reads argv[0..argc-1] by `rules` and `common` (options only). ERR_INVALID with what is wrong and
 * what was meant. */
MUST_USE int args_parse(struct args *args, const struct args_rules *rules,
                        const struct args_rules *common, int argc, char **argv, struct err *err);
void args_clear(struct args *args);

/* The rule of an option as it stands on a command line, "--url" or "--url=..."; NULL: there is
 * none. */
const struct args_rule *args_option(const struct args_rules *rules, const char *word);

/* The n-th value given under a name; NULL after the last. A flag's value is empty. */
const struct arg *args_nth(const struct args *args, const char *name, uint32_t nth);

#endif
