// SPDX-License-Identifier: Apache-2.0
/* live - the stream of changes (docs/api/ui.md, "The stream"): the leader's notes, given names,
 * coalesced for up to 100 ms, and sent to whoever asked for their topic. The last events stay in a
 * ring, for clients that come back. */
#ifndef HEADRACE_LIVE_H
#define HEADRACE_LIVE_H

#include "common/wire/message.h"
#include "webserver/api/call.h"

struct live;

struct live *live_new(struct api *api);
void live_close(struct live *live, void (*done)(void *owner), void *owner);

void live_end_streams(struct live *live);

/* What the leader committed. */
void live_notes(struct live *live, const struct message_note *notes, uint32_t count,
                bool restarted);

/* A DAG was changed through this server. Told at once: a look from time to time (live_marks.c) does
 * not see what is taken back before the next one. */
void live_dag_changed(struct live *live, struct str dag_id);

/* The position that a snapshot read from now on reflects. It stays behind by 2 to 3 seconds: a task
 * is told to be running as soon as it is, but recorded as running only when it outlives a second,
 * and events since then are told again. */
int64_t live_seq(const struct live *live);

/* GET /api/headrace/v1/stream */
void live_stream(struct call *call);

#endif
