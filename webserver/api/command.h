// SPDX-License-Identifier: Apache-2.0
/* command - a change: recorded as a request with its audit row, told to the leader, and waited for.
 *
 * The web server decides nothing: what the leader answers is what the client is told. No answer in
 * time is not a failure of the request: it stands in the inbox and will be done when a scheduler
 * leads. */
#ifndef HEADRACE_COMMAND_H
#define HEADRACE_COMMAND_H

#include "webserver/api/call.h"

struct commands;

enum {
    COMMAND_WAIT_MS = 10000,
    COMMAND_LEADERLESS_MS = 1000, /* when nobody holds the lease: handing it over takes less */
};

struct commands *commands_new(struct api *api);
void commands_close(struct commands *commands, void (*done)(void *owner), void *owner);

/* Something was committed: perhaps answers. */
void commands_look(struct commands *commands);

/* Reads the Idempotency-Key of a call that is to make several requests; false after a 400. */
bool command_read_key(struct call *call);

/* `request` without actor; `audit` names the objects. on_done(call, answer) when the leader has
 * done it; every other end is answered here. `answer` (NULL: none) lives as long as the call. */
void command_send(struct call *call, struct request *request, struct audit *audit,
                  void (*on_done)(struct call *call, const struct value *answer));

/* Why one of several was not done. `ends_all`: the next would fare no better (nobody has done it
 * yet, nothing can be recorded, the key was used for another call). `sentence` is borrowed. */
struct refusal {
    int status; /* of HTTP */
    struct str sentence;
    bool ends_all;
};

/* The same for one of several, after command_read_key: what is refused is told too. */
void command_send_one(struct call *call, struct request *request, struct audit *audit,
                      void (*on_done)(struct call *call, const struct value *answer),
                      void (*on_refused)(struct call *call, const struct refusal *refusal));

#endif
