// SPDX-License-Identifier: Apache-2.0
/* folder_watches - one watch for each folder that is there now. A folder that vanished, moved or
 * was made anew under its old name loses the watch it had: the kernel's belongs to the folder, not
 * to its path. */
#ifndef HEADRACE_FOLDER_WATCHES_H
#define HEADRACE_FOLDER_WATCHES_H

#include "common/loop/loop.h"
#include "scheduler/shell/dag_folder.h"

struct folder_watches;

struct folder_watches *folder_watches_new(struct loop *loop, void (*on_change)(void *owner),
                                          void *owner);

/* Watches `folders` and nothing else; borrows them. True when a watch was opened: what changed
 * between the reading of that folder and now was not told, so look again. */
bool folder_watches_follow(struct folder_watches *watches, const struct dag_folder_place *folders,
                           uint32_t count);

/* Closes all and frees; then done(owner). */
void folder_watches_close(struct folder_watches *watches, void (*done)(void *owner), void *owner);

#endif
