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

/* `request` without actor; `audit` names the objects. on_done(call, answer) when the leader has
 * done it; every other end is answered here. `answer` (NULL: none) lives as long as the call. */
void command_send(struct call *call, struct request *request, struct audit *audit,
                  void (*on_done)(struct call *call, const struct value *answer));

/* The same for one of several: what is refused is told too, with its HTTP status. 5xx: it cannot be
 * recorded, or nobody has done it yet; that the next one fares better is not likely. */
void command_send_one(struct call *call, struct request *request, struct audit *audit,
                      void (*on_done)(struct call *call, const struct value *answer),
                      void (*on_refused)(struct call *call, int status, struct str sentence));

#endif
