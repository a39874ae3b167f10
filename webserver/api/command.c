// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/command.h"

#include "common/base/assert.h"
#include "common/loop/timer.h"
#include "common/store/request_store.h"
#include "common/text/json.h"
#include "webserver/api/leader.h"

/* A note of the leader usually says that an answer is there; this is how often we look without one.
 */
enum { LOOK_MS = 100, LOOK_AT_MOST_MS = 5, KEY_SIZE_MAX = 200 };

struct waiting {
    int64_t request_no;
    int64_t deadline_ms;
    struct call *call;
    void (*on_done)(struct call *call, const struct value *answer);
    void (*on_refused)(struct call *call, const struct refusal *refusal); /* NULL: answered */
};

struct commands {
    struct api *api;
    VEC(struct waiting) waiting;
    struct timer timer;
    bool is_asking, wants_look, is_closing;
    void (*done)(void *owner);
    void *done_owner;
};

static void look(struct commands *commands);

static void on_timer(struct timer *timer)
{
    look(timer->owner);
}

struct commands *commands_new(struct api *api)
{
    struct commands *commands = calloc(1, sizeof *commands);
    ASSERT(commands != NULL);
    commands->api = api;
    timer_open(&commands->timer, api->options.loop, on_timer, commands);
    return commands;
}

static void on_timer_closed(void *owner)
{
    struct commands *commands = owner;
    void (*done)(void *owner) = commands->done;
    void *done_owner = commands->done_owner;
    VEC_CLEAR(&commands->waiting);
    free(commands);
    done(done_owner);
}

static void check_closed(struct commands *commands)
{
    if (commands->is_closing && !commands->is_asking)
        timer_close(&commands->timer, on_timer_closed);
}

static struct waiting take(struct commands *commands, uint32_t index)
{
    struct waiting waiting = commands->waiting.items[index];
    commands->waiting.items[index] = VEC_LAST(&commands->waiting);
    commands->waiting.count--;
    return waiting;
}

static void give_up(struct commands *commands, uint32_t index)
{
    struct waiting waiting = take(commands, index);
    struct call *call = waiting.call;
    struct str sentence = str_format(
        call->arena,
        "The request is recorded as number %lld, and no scheduler has done it yet. It will be done "
        "when a scheduler leads.",
        (long long)waiting.request_no);
    if (waiting.on_refused != NULL) {
        waiting.on_refused(call, &(struct refusal) { 503, sentence, .ends_all = true });
        return;
    }
    http_set_header(call->request, "Retry-After", STR("5"));
    call_refuse_reason(call, 503, "not_yet_done", "%.*s", STR_ARG(sentence));
}

void commands_close(struct commands *commands, void (*done)(void *owner), void *owner)
{
    commands->is_closing = true;
    commands->done = done;
    commands->done_owner = owner;
    while (commands->waiting.count > 0)
        give_up(commands, 0);
    timer_stop(&commands->timer);
    check_closed(commands);
}

/* ---- answers ---- */

static struct str sentence_of(const struct value *answer, int code)
{
    if (answer != NULL && answer->type == VALUE_STRING && answer->string.size > 0)
        return answer->string;
    struct str detail = value_text(value_get(answer, "detail"), STR_EMPTY);
    return detail.size > 0 ? detail : str_of(err_sentence(code));
}

static void on_answer(void *owner, const struct request_answer *answer)
{
    struct commands *commands = owner;
    uint32_t index = 0;
    while (index < commands->waiting.count &&
           commands->waiting.items[index].request_no != answer->request_no)
        index++;
    if (index == commands->waiting.count)
        return;
    struct waiting waiting = take(commands, index);
    struct call *call = waiting.call;
    const struct value *value = NULL;
    if (answer->answer.size > 0 && json_parse(call->arena, answer->answer, NULL, &value, NULL) < 0)
        value = NULL;
    if (answer->code == 0) {
        waiting.on_done(call, value);
        return;
    }
    int status = err_http_status(answer->code);
    struct str sentence = sentence_of(value, answer->code);
    if (waiting.on_refused != NULL)
        waiting.on_refused(call, &(struct refusal) { status, sentence, status >= 500 });
    else if (status == 422)
        call_refuse_body(call, sentence);
    else
        call_refuse(call, status, "%.*s", STR_ARG(sentence));
}

static void on_asked(void *owner, int rc, const struct err *err)
{
    struct commands *commands = owner;
    (void)rc, (void)err; /* the next look asks again */
    commands->is_asking = false;
    int64_t now_ms = loop_now_ms();
    for (uint32_t i = commands->waiting.count; i-- > 0;)
        if (i < commands->waiting.count && commands->waiting.items[i].deadline_ms <= now_ms)
            give_up(commands, i);
    if (commands->waiting.count > 0 && !commands->is_closing)
        timer_once(&commands->timer, commands->wants_look ? LOOK_AT_MOST_MS : LOOK_MS);
    commands->wants_look = false;
    check_closed(commands);
}

static void look(struct commands *commands)
{
    if (commands->is_asking || commands->waiting.count == 0)
        return;
    struct arena arena = { 0 };
    int64_t *numbers = ARENA_ARRAY(&arena, int64_t, commands->waiting.count);
    VEC_EACH (&commands->waiting, i)
        numbers[i] = commands->waiting.items[i].request_no;
    commands->is_asking = true;
    request_answers(commands->api->options.store, numbers, commands->waiting.count, on_answer,
                    on_asked, commands);
    arena_clear(&arena);
}

void commands_look(struct commands *commands)
{
    if (commands->waiting.count == 0)
        return;
    commands->wants_look = commands->is_asking;
    look(commands);
}

/* ---- asking ---- */

static void on_put(void *owner, int rc, int64_t request_no, bool is_led, const struct err *err)
{
    struct waiting *waiting = owner;
    struct call *call = waiting->call;
    struct commands *commands = call->api->commands;
    if (rc < 0 && waiting->on_refused != NULL) {
        int status = err_http_status(rc);
        bool is_of_key = rc == ERR_CONFLICT; /* it was used for another call */
        struct str sentence = str_of(is_of_key ? err->sentence : err_sentence(rc));
        waiting->on_refused(call,
                            &(struct refusal) { status, sentence, is_of_key || status >= 500 });
        return;
    }
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    waiting->request_no = request_no;
    waiting->deadline_ms = loop_now_ms() + (is_led ? COMMAND_WAIT_MS : COMMAND_LEADERLESS_MS);
    VEC_ADD(&commands->waiting, *waiting);
    if (commands->is_closing) {
        give_up(commands, commands->waiting.count - 1);
        return;
    }
    leader_nudge(call->api->leader);
    timer_once(&commands->timer, LOOK_AT_MOST_MS);
}

/* Of several requests that one call makes, each later one has a key of its own: the call's and what
 * it asks for. The first alone tells a call that is repeated from another one with its key. */
static struct request_key key_of(struct call *call, struct str body)
{
    struct request_key key = call->key;
    if (key.key.size == 0)
        return (struct request_key) { STR_EMPTY, STR_EMPTY };
    if (call->command_count++ > 0)
        key.key = str_format(call->arena, "%.*s %016llx", STR_ARG(key.key),
                             (unsigned long long)str_hash(body));
    return key;
}

bool command_read_key(struct call *call)
{
    const struct http_request *request = call->request;
    struct str key = http_header(request, "Idempotency-Key");
    if (key.size > KEY_SIZE_MAX) {
        call_refuse(call, 400, "an Idempotency-Key has at most %d letters", KEY_SIZE_MAX);
        return false;
    }
    /* Once: a call with many requests may have a large body. */
    if (key.size > 0 && call->key.key.size == 0)
        call->key = (struct request_key) {
            key, str_format(call->arena, "%.*s %.*s\n%.*s", STR_ARG(request->method),
                            STR_ARG(request->target), STR_ARG(buf_str(&request->body)))
        };
    return true;
}

void command_send(struct call *call, struct request *request, struct audit *audit,
                  void (*on_done)(struct call *call, const struct value *answer))
{
    if (command_read_key(call))
        command_send_one(call, request, audit, on_done, NULL);
}

void command_send_one(struct call *call, struct request *request, struct audit *audit,
                      void (*on_done)(struct call *call, const struct value *answer),
                      void (*on_refused)(struct call *call, const struct refusal *refusal))
{
    request->actor = call->person.name;
    struct str *const texts[] = { &request->dag_id, &request->run_id, &request->note,
                                  &request->pool, &request->what };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i]->bytes == NULL)
            *texts[i] = STR_EMPTY;
    struct str body = request_write(request, call->arena);
    audit->dag_id = request->dag_id;
    audit->run_id = request->run_id;
    if (request->task_count == 1) {
        audit->task_id = request->tasks[0].task_id;
        audit->map_index = request->tasks[0].map_index;
    }
    if (audit->detail.size == 0)
        audit->detail = call_body_text(call);
    struct waiting *waiting = ARENA_NEW(call->arena, struct waiting);
    *waiting = (struct waiting) { .call = call, .on_done = on_done, .on_refused = on_refused };
    struct request_key key = key_of(call, body);
    request_put(call->api->options.store, body, &key, audit, on_put, waiting);
}
