// SPDX-License-Identifier: Apache-2.0
/* ingest - from files in the DAG folder to DAG versions in the core.
 *
 * Look (a thread walks the folders), compile what changed (children, compile_child.h: a hostile
 * file hurts nothing but itself), record (one transaction a file), tell the core. A folder that
 * changes is looked at within a second; everything is looked at again each
 * scheduler.dag_dir_list_interval. Only the leader ingests. */
#ifndef HEADRACE_INGEST_H
#define HEADRACE_INGEST_H

#include "scheduler/shell/shell.h"

struct ingest *ingest_new(struct shell *shell);
void ingest_close(struct ingest *ingest, void (*done)(void *owner), void *owner);

void ingest_start(struct ingest *ingest); /* leading begins */
void ingest_stop(struct ingest *ingest);  /* ... ends: what is under way is dropped */

#endif
