// SPDX-License-Identifier: Apache-2.0
/* file_watch - looks for the files that DAGs wait for (`schedule: {files: ...}`) and tells the core
 * of each that has settled.
 *
 * A thread lists what matches and reads what has not changed for the DAG's `settle`; the database
 * says whether that content has started a run before; the core decides. Only the leader looks, each
 * second. */
#ifndef HEADRACE_FILE_WATCH_H
#define HEADRACE_FILE_WATCH_H

#include "scheduler/shell/shell.h"

struct file_watch *file_watch_new(struct shell *shell);
void file_watch_close(struct file_watch *watch, void (*done)(void *owner), void *owner);

void file_watch_start(struct file_watch *watch); /* leading begins */
void file_watch_stop(struct file_watch *watch);  /* ... ends: what is under way is dropped */

#endif
