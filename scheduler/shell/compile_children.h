// SPDX-License-Identifier: Apache-2.0
/* compile_children - DAG files compiled by child processes of our own program (`headrace-scheduler
 * --compile`), so that a hostile file hurts nothing but itself.
 *
 * A child reads lines "HASH PATH" (HASH: hex of the content that is known, or -) and answers each
 * with one line of JSON. A child that dies or is silent for scheduler.parse_timeout has the file it
 * was at to blame: that file gets an import error, the others are given to the next child. */
#ifndef HEADRACE_COMPILE_CHILDREN_H
#define HEADRACE_COMPILE_CHILDREN_H

#include "common/conf/conf.h"
#include "common/loop/loop.h"
#include "common/store/dag_file.h"

struct compile_children;

struct compile_answer {
    struct arena arena; /* owns the rest */
    bool is_unchanged;  /* the content is the known one: only file.path is set */
    char hash[STORE_HASH_SIZE * 2 + 1];
    int8_t *paused; /* of each DAG: -1 as the setting says, 0, 1 */
    struct compiled_file file;
};
void compile_answer_free(struct compile_answer *result);

/* on_result takes its result. */
struct compile_children *
compile_children_new(struct loop *loop, const struct conf *conf,
                     void (*on_result)(void *owner, struct compile_answer *result), void *owner);
void compile_children_close(struct compile_children *children, void (*done)(void *owner),
                            void *owner);

void compile_children_add(struct compile_children *children, struct str path,
                          const char *known_hash);

/* Forgets what waits and ends the children. */
void compile_children_drop(struct compile_children *children);

/* The other side: what `headrace-scheduler --compile` does. Returns the exit status. */
int compile_child_main(const struct conf *conf);

#endif
