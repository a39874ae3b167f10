// SPDX-License-Identifier: Apache-2.0
/* standalone - what the programs of `headrace standalone` are told by their environment. */
#ifndef HEADRACE_CLI_STANDALONE_H
#define HEADRACE_CLI_STANDALONE_H

#include "cli/cli.h"
#include "common/base/vec.h"

enum environment_port { PORT_API, PORT_SCHEDULER, PORT_LOGGING, PORT_COUNT };

struct environment {
    struct arena *arena;
    VEC(const char *) variables; /* "NAME=value" */
    int64_t ports[PORT_COUNT];
};

extern char **environ;

/* Ours without HEADRACE_HOME and HEADRACE_TOKEN, and this home. */
void environment_home(struct environment *env, struct str home);

/* Settings that were given as flags. */
void environment_flags(struct environment *env, const struct cli *cli);

/* One setting; and one that holds unless somebody set it. */
void environment_set(struct environment *env, const char *section, const char *key,
                     struct str value);
void environment_default(struct environment *env, const struct cli *cli, const char *section,
                         const char *key, struct str value);
const char *const *environment_list(struct environment *env);
void environment_clear(struct environment *env);

/* The three ports must be free. A port of 0 becomes a free one. ERR_CONFLICT with what to do. */
MUST_USE int environment_take_ports(struct environment *env, const struct cli *cli,
                                    struct err *err);

#endif
