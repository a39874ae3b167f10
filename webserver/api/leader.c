// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/leader.h"

#include "common/base/assert.h"
#include "common/base/vec.h"
#include "common/log/log.h"
#include "common/loop/timer.h"

#include <unistd.h>

enum { ANSWER_DEADLINE_MS = 2000, PROBE_DEADLINE_MS = 50000, TICK_MS = 250 };

struct question {
    uint64_t question_no;
    int64_t deadline_ms;
    void (*on_end)(void *owner, int rc, struct str text);
    void *owner;
};

struct leader {
    struct loop *loop;
    struct leader_options options;
    VEC(struct wire_client *) clients;
    VEC(struct question) questions;
    uint64_t question_count;
    struct timer tick;
    void (*done)(void *owner);
    void *done_owner;
};

static void answer_at(struct leader *leader, uint32_t index, int rc, struct str text)
{
    struct question question = leader->questions.items[index];
    leader->questions.items[index] = VEC_LAST(&leader->questions);
    leader->questions.count--;
    question.on_end(question.owner, rc, text);
}

static void answer(struct leader *leader, uint64_t question_no, int rc, struct str text)
{
    for (uint32_t i = 0; i < leader->questions.count; i++)
        if (leader->questions.items[i].question_no == question_no) {
            answer_at(leader, i, rc, text);
            return;
        }
}

static void on_tick(struct timer *timer)
{
    struct leader *leader = timer->owner;
    int64_t now_ms = loop_now_ms();
    for (uint32_t i = leader->questions.count; i-- > 0;)
        if (i < leader->questions.count && leader->questions.items[i].deadline_ms <= now_ms)
            answer_at(leader, i, ERR_TIMEOUT, STR_EMPTY);
    if (leader->questions.count == 0)
        timer_stop(timer);
}

static void tell(struct wire_client *client, struct message *message)
{
    (void)!wire_client_send(
        client, message, NULL); /* the inbox is polled as well; subscribing is repeated when up */
}

static void subscribe(struct wire_client *client)
{
    struct message hello = message_hello(STR("webserver"));
    tell(client, &hello);
    tell(client, &(struct message) { .type = MESSAGE_SUBSCRIBE });
}

static void on_state(struct wire_client *client, bool is_up, const struct err *why)
{
    if (is_up) {
        log_info("scheduler_connected", LOG_STR("endpoint", wire_client_endpoint(client)));
        subscribe(client);
    } else {
        log_warn("scheduler_disconnected", LOG_STR("endpoint", wire_client_endpoint(client)),
                 LOG_STR("why", why == NULL ? "" : why->sentence));
    }
}

static void on_message(struct wire_client *client, const struct message *message)
{
    struct leader *leader = wire_client_owner(client);
    if (message->type == MESSAGE_NOTES)
        leader->options.on_notes(leader->options.owner, message->notes.notes, message->notes.count,
                                 message->notes.restarted);
    if (message->type == MESSAGE_WHY_ANSWER)
        answer(leader, message->why_answer.question_no, 0, message->why_answer.text);
    if (message->type == MESSAGE_FIGURES_ANSWER)
        answer(leader, message->figures_answer.question_no, 0, message->figures_answer.text);
    if (message->type == MESSAGE_WAITING_ANSWER)
        answer(leader, message->waiting_answer.question_no, 0, message->waiting_answer.text);
    if (message->type == MESSAGE_PROBE_ANSWER)
        answer(leader, message->probe_answer.question_no,
               message->probe_answer.ok ? 0 : ERR_CONFLICT, message->probe_answer.text);
}

static int open_client(struct leader *leader, struct str address, struct err *err)
{
    struct arena arena = { 0 };
    struct str endpoint;
    char sender[64], host[40] = "webserver";
    (void)!gethostname(host, sizeof host - 1);
    for (char *at = host; *at != 0; at++)
        if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", *at) ==
            NULL)
            *at = '-';
    snprintf(sender, sizeof sender, "web-%s-%d", host, (int)getpid());
    int rc = wire_endpoint(&arena, address, &endpoint, err);
    struct wire_client_options options = {
        .name = "leader",
        .endpoint = rc < 0 ? "" : str_cstr(&arena, endpoint),
        .sender = sender,
        .key = leader->options.key,
        .server_key = str_cstr(&arena, leader->options.server_key),
        .on_state = on_state,
        .on_message = on_message,
        .owner = leader,
    };
    struct wire_client *client;
    if (rc == 0)
        rc = wire_client_open(&client, leader->options.wire, &options, err);
    if (rc == 0)
        VEC_ADD(&leader->clients, client);
    arena_clear(&arena);
    return rc;
}

static void on_closed(void *owner)
{
    struct leader *leader = owner;
    void (*done)(void *owner) = leader->done;
    void *done_owner = leader->done_owner;
    VEC_CLEAR(&leader->clients);
    VEC_CLEAR(&leader->questions);
    free(leader);
    if (done != NULL)
        done(done_owner);
}

int leader_open(struct leader **out, struct loop *loop, const struct leader_options *options,
                struct err *err)
{
    struct leader *leader = calloc(1, sizeof *leader);
    ASSERT(leader != NULL);
    leader->loop = loop;
    leader->options = *options;
    timer_open(&leader->tick, loop, on_tick, leader);
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < options->address_count; i++)
        rc = open_client(leader, options->addresses[i], err);
    if (rc < 0) {
        leader_close(leader, NULL, NULL);
        return err_wrap(err, rc, "reaching the schedulers");
    }
    *out = leader;
    return 0;
}

void leader_close(struct leader *leader, void (*done)(void *owner), void *owner)
{
    leader->done = done;
    leader->done_owner = owner;
    while (leader->questions.count > 0)
        answer_at(leader, 0, ERR_UNAVAILABLE, STR_EMPTY);
    VEC_EACH (&leader->clients, i)
        wire_client_close(leader->clients.items[i]);
    timer_close(&leader->tick, on_closed);
}

bool leader_is_heard(const struct leader *leader)
{
    VEC_EACH (&leader->clients, i)
        if (wire_client_is_up(leader->clients.items[i]))
            return true;
    return false;
}

void leader_nudge(struct leader *leader)
{
    VEC_EACH (&leader->clients, i)
        tell(leader->clients.items[i], &(struct message) { .type = MESSAGE_NUDGE });
}

/* The number of a new question; 0 when there is nobody to ask, and on_end was told. */
static uint64_t question_new(struct leader *leader, int64_t patience_ms,
                             void (*on_end)(void *owner, int rc, struct str text), void *owner)
{
    if (!leader_is_heard(leader)) {
        on_end(owner, ERR_UNAVAILABLE, STR_EMPTY);
        return 0;
    }
    struct question question = { ++leader->question_count, loop_now_ms() + patience_ms, on_end,
                                 owner };
    VEC_ADD(&leader->questions, question);
    timer_every(&leader->tick, TICK_MS);
    return question.question_no;
}

static void tell_all(struct leader *leader, const struct message *message)
{
    VEC_EACH (&leader->clients, i) {
        struct message copy = *message; /* each client numbers its own */
        tell(leader->clients.items[i], &copy);
    }
}

void leader_ask_why(struct leader *leader, int64_t run_no, uint32_t task, int32_t map_index,
                    void (*on_end)(void *owner, int rc, struct str text), void *owner)
{
    uint64_t question_no = question_new(leader, ANSWER_DEADLINE_MS, on_end, owner);
    if (question_no != 0)
        tell_all(leader,
                 &(struct message) { .type = MESSAGE_WHY_QUESTION,
                                     .why_question = { question_no, run_no, task, map_index } });
}

void leader_ask_figures(struct leader *leader, void (*on_end)(void *owner, int rc, struct str text),
                        void *owner)
{
    uint64_t question_no = question_new(leader, ANSWER_DEADLINE_MS, on_end, owner);
    if (question_no != 0)
        tell_all(leader, &(struct message) { .type = MESSAGE_FIGURES_QUESTION,
                                             .figures_question = { question_no } });
}

void leader_ask_waiting(struct leader *leader, struct str queue, struct str pool, uint32_t limit,
                        void (*on_end)(void *owner, int rc, struct str text), void *owner)
{
    uint64_t question_no = question_new(leader, ANSWER_DEADLINE_MS, on_end, owner);
    if (question_no != 0)
        tell_all(leader,
                 &(struct message) { .type = MESSAGE_WAITING_QUESTION,
                                     .waiting_question = { question_no, queue, pool, limit } });
}

void leader_ask_probe(struct leader *leader, struct str connection_id, struct str given,
                      void (*on_end)(void *owner, int rc, struct str text), void *owner)
{
    uint64_t question_no = question_new(leader, PROBE_DEADLINE_MS, on_end, owner);
    if (question_no != 0)
        tell_all(leader,
                 &(struct message) { .type = MESSAGE_PROBE_QUESTION,
                                     .probe_question = { question_no, connection_id, given } });
}
