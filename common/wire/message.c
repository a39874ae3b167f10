// SPDX-License-Identifier: Apache-2.0
#include "common/wire/message.h"

#include "common/base/assert.h"
#include "common/wire/message_inside.h"

enum { SENDER_MAX = 64, ANSWER_MAX = 1 << 20, BUDGET_FACTOR = 12, BUDGET_BASE = 1 << 20 };

const char *message_name(enum message_type type)
{
    switch (type) {
    case MESSAGE_HELLO:
        return "hello";
    case MESSAGE_INVENTORY:
        return "inventory";
    case MESSAGE_STARTED:
        return "started";
    case MESSAGE_GRANT:
        return "grant";
    case MESSAGE_ACK:
        return "ack";
    case MESSAGE_KILL:
        return "kill";
    case MESSAGE_SYNC:
        return "sync";
    case MESSAGE_RENEWED:
        return "renewed";
    case MESSAGE_DRAIN:
        return "drain";
    case MESSAGE_STOP:
        return "stop";
    case MESSAGE_ERRANDS:
        return "errands";
    case MESSAGE_ERRANDS_DONE:
        return "errands_done";
    case MESSAGE_SUBSCRIBE:
        return "subscribe";
    case MESSAGE_NUDGE:
        return "nudge";
    case MESSAGE_NOTES:
        return "notes";
    case MESSAGE_PROBE_QUESTION:
        return "probe_question";
    case MESSAGE_PROBE_ANSWER:
        return "probe_answer";
    case MESSAGE_WHY_QUESTION:
        return "why_question";
    case MESSAGE_WHY_ANSWER:
        return "why_answer";
    case MESSAGE_FIGURES_QUESTION:
        return "figures_question";
    case MESSAGE_FIGURES_ANSWER:
        return "figures_answer";
    case MESSAGE_WAITING_QUESTION:
        return "waiting_question";
    case MESSAGE_WAITING_ANSWER:
        return "waiting_answer";
    case MESSAGE_LOG_CHUNK:
        return "log_chunk";
    case MESSAGE_LOG_ACK:
        return "log_ack";
    }
    return "unknown";
}

/* ---- versions -------------------------------------------------------------------------------- */

struct message message_hello(struct str program)
{
    return (struct message) { .type = MESSAGE_HELLO,
                              .hello = { MESSAGE_VERSION_LOWEST, MESSAGE_VERSION, program,
                                         STR(HEADRACE_VERSION) } };
}

int message_hello_check(const struct message *hello, struct err *err)
{
    uint32_t lowest = hello->hello.lowest_version, highest = hello->hello.highest_version;

    if (lowest <= MESSAGE_VERSION && highest >= MESSAGE_VERSION_LOWEST)
        return 0;
    int rc =
        err_set(err, ERR_UNSUPPORTED,
                "%.*s %.*s speaks versions %u to %u of the protocol, and this program %d to %d",
                STR_ARG(hello->hello.program), STR_ARG(hello->hello.release), lowest, highest,
                MESSAGE_VERSION_LOWEST, MESSAGE_VERSION);
    err_hint(err, "releases next to each other understand each other: upgrade step by step");
    return rc;
}

/* ---- the budget ------------------------------------------------------------------------------ */

static void *budget_alloc(void *data, size_t size)
{
    struct message_budget *budget = data;
    if (size > budget->left)
        return NULL;
    budget->left -= size;
    return arena_alloc(budget->arena, size);
}

static void budget_free(void *data, void *pointer)
{
    (void)data;
    (void)pointer; /* goes with the arena */
}

/* The densest honest message, an inventory of running attempts, takes about 5 bytes of memory for
 * each on the wire. */
void message_budget_init(struct message_budget *budget, struct arena *arena, size_t frame_size)
{
    *budget = (struct message_budget) { .arena = arena,
                                        .left = frame_size * BUDGET_FACTOR + BUDGET_BASE };
    budget->allocator = (ProtobufCAllocator) { budget_alloc, budget_free, budget };
}

/* ---- packing --------------------------------------------------------------------------------- */

/* Makes the body's message and puts it into the envelope. */
#define BODY(Type, type, member)                                                                   \
    Headrace__V1__##Type *body = ARENA_NEW(arena, Headrace__V1__##Type);                           \
    headrace__v1__##type##__init(body);                                                            \
    envelope->member = body

static void pack_hello(const struct message *in, Headrace__V1__Envelope *envelope,
                       struct arena *arena)
{
    BODY(Hello, hello, hello);
    body->lowest_version = in->hello.lowest_version;
    body->highest_version = in->hello.highest_version;
    body->program = message_text(in->hello.program, arena);
    body->release = message_text(in->hello.release, arena);
}

static void pack_inventory(const struct message *in, Headrace__V1__Envelope *envelope,
                           struct arena *arena)
{
    envelope->inventory = message_pack_inventory(&in->inventory, arena);
}

static void pack_started(const struct message *in, Headrace__V1__Envelope *envelope,
                         struct arena *arena)
{
    BODY(Started, started, started);
    body->attempt = message_id(in->started.attempt, arena);
    body->started_unix_ms = in->started.started_unix_ms;
}

static void pack_grant(const struct message *in, Headrace__V1__Envelope *envelope,
                       struct arena *arena)
{
    envelope->grant = message_pack_grant(&in->grant, arena);
}

static void pack_ack(const struct message *in, Headrace__V1__Envelope *envelope,
                     struct arena *arena)
{
    BODY(Ack, ack, ack);
    body->n_attempts = in->ack.count;
    body->attempts = ARENA_ARRAY(arena, ProtobufCBinaryData, in->ack.count);
    for (uint32_t i = 0; i < in->ack.count; i++)
        body->attempts[i] = message_id(in->ack.attempts[i], arena);
}

static void pack_kill(const struct message *in, Headrace__V1__Envelope *envelope,
                      struct arena *arena)
{
    BODY(Kill, kill, kill);
    body->attempt = message_id(in->kill.attempt, arena);
    body->cause = in->kill.cause;
}

static void pack_sync(const struct message *in, Headrace__V1__Envelope *envelope,
                      struct arena *arena)
{
    (void)in;
    BODY(Sync, sync, sync);
}

static void pack_renewed(const struct message *in, Headrace__V1__Envelope *envelope,
                         struct arena *arena)
{
    BODY(Renewed, renewed, renewed);
    body->stamp_ms = in->renewed.stamp_ms;
    body->lease_ms = in->renewed.lease_ms;
}

static void pack_drain(const struct message *in, Headrace__V1__Envelope *envelope,
                       struct arena *arena)
{
    BODY(Drain, drain, drain);
    body->drain = in->drain.drain;
}

static void pack_stop(const struct message *in, Headrace__V1__Envelope *envelope,
                      struct arena *arena)
{
    (void)in;
    BODY(Stop, stop, stop);
}

static void pack_errands(const struct message *in, Headrace__V1__Envelope *envelope,
                         struct arena *arena)
{
    BODY(Errands, errands, errands);
    body->n_errands = in->errands.count;
    body->errands = ARENA_ARRAY(arena, Headrace__V1__Errand *, in->errands.count);
    for (uint32_t i = 0; i < in->errands.count; i++) {
        const struct errand *errand = &in->errands.items[i];
        Headrace__V1__Errand *out = body->errands[i] = ARENA_NEW(arena, Headrace__V1__Errand);
        headrace__v1__errand__init(out);
        out->id = message_id(errand->id, arena);
        out->number = errand->number;
        out->kind = errand->kind;
        out->payload = message_bytes(errand->payload);
    }
}

static void pack_errands_done(const struct message *in, Headrace__V1__Envelope *envelope,
                              struct arena *arena)
{
    BODY(ErrandsDone, errands_done, errands_done);
    body->n_answers = in->errands_done.count;
    body->answers = ARENA_ARRAY(arena, Headrace__V1__ErrandAnswer *, in->errands_done.count);
    for (uint32_t i = 0; i < in->errands_done.count; i++) {
        const struct errand_answer *answer = &in->errands_done.answers[i];
        Headrace__V1__ErrandAnswer *out = body->answers[i] =
            ARENA_NEW(arena, Headrace__V1__ErrandAnswer);
        headrace__v1__errand_answer__init(out);
        out->id = message_id(answer->id, arena);
        out->number = answer->number;
        out->outcome = answer->outcome;
        out->output = message_bytes(answer->output);
        out->text = message_text(answer->text, arena);
    }
}

static void pack_subscribe(const struct message *in, Headrace__V1__Envelope *envelope,
                           struct arena *arena)
{
    (void)in;
    BODY(Subscribe, subscribe, subscribe);
}

static void pack_nudge(const struct message *in, Headrace__V1__Envelope *envelope,
                       struct arena *arena)
{
    (void)in;
    BODY(Nudge, nudge, nudge);
}

static void pack_notes(const struct message *in, Headrace__V1__Envelope *envelope,
                       struct arena *arena)
{
    BODY(Notes, notes, notes);
    body->first_seq = in->notes.first_seq;
    body->restarted = in->notes.restarted;
    body->n_notes = in->notes.count;
    body->notes = ARENA_ARRAY(arena, Headrace__V1__Note *, in->notes.count);
    for (uint32_t i = 0; i < in->notes.count; i++) {
        const struct message_note *note = &in->notes.notes[i];
        Headrace__V1__Note *out = body->notes[i] = ARENA_NEW(arena, Headrace__V1__Note);
        headrace__v1__note__init(out);
        out->run_no = note->run_no;
        out->dag_no = note->dag_no;
        out->task = note->task;
        out->map_index = note->map_index;
        out->try_no = note->try_no;
        out->state = note->state;
        out->cause = note->cause;
        out->at_ms = note->at_ms;
    }
}

static void pack_why_question(const struct message *in, Headrace__V1__Envelope *envelope,
                              struct arena *arena)
{
    BODY(WhyQuestion, why_question, why_question);
    body->question_no = in->why_question.question_no;
    body->run_no = in->why_question.run_no;
    body->task = in->why_question.task;
    body->map_index = in->why_question.map_index;
}

static void pack_why_answer(const struct message *in, Headrace__V1__Envelope *envelope,
                            struct arena *arena)
{
    BODY(WhyAnswer, why_answer, why_answer);
    body->question_no = in->why_answer.question_no;
    body->text = message_text(in->why_answer.text, arena);
}

static void pack_figures_question(const struct message *in, Headrace__V1__Envelope *envelope,
                                  struct arena *arena)
{
    BODY(FiguresQuestion, figures_question, figures_question);
    body->question_no = in->figures_question.question_no;
}

static void pack_figures_answer(const struct message *in, Headrace__V1__Envelope *envelope,
                                struct arena *arena)
{
    BODY(FiguresAnswer, figures_answer, figures_answer);
    body->question_no = in->figures_answer.question_no;
    body->text = message_text(in->figures_answer.text, arena);
}

static void pack_waiting_question(const struct message *in, Headrace__V1__Envelope *envelope,
                                  struct arena *arena)
{
    BODY(WaitingQuestion, waiting_question, waiting_question);
    body->question_no = in->waiting_question.question_no;
    body->queue = message_text(in->waiting_question.queue, arena);
    body->pool = message_text(in->waiting_question.pool, arena);
    body->limit = in->waiting_question.limit;
}

static void pack_waiting_answer(const struct message *in, Headrace__V1__Envelope *envelope,
                                struct arena *arena)
{
    BODY(WaitingAnswer, waiting_answer, waiting_answer);
    body->question_no = in->waiting_answer.question_no;
    body->text = message_text(in->waiting_answer.text, arena);
}

static void pack_probe_question(const struct message *in, Headrace__V1__Envelope *envelope,
                                struct arena *arena)
{
    BODY(ProbeQuestion, probe_question, probe_question);
    body->question_no = in->probe_question.question_no;
    body->connection_id = message_text(in->probe_question.connection_id, arena);
    body->connection = message_bytes(in->probe_question.connection);
}

static void pack_probe_answer(const struct message *in, Headrace__V1__Envelope *envelope,
                              struct arena *arena)
{
    BODY(ProbeAnswer, probe_answer, probe_answer);
    body->question_no = in->probe_answer.question_no;
    body->ok = in->probe_answer.ok;
    body->text = message_text(in->probe_answer.text, arena);
}

static void pack_log_chunk(const struct message *in, Headrace__V1__Envelope *envelope,
                           struct arena *arena)
{
    BODY(LogChunk, log_chunk, log_chunk);
    body->attempt = message_id(in->log_chunk.attempt, arena);
    body->offset = in->log_chunk.offset;
    body->content = message_bytes(in->log_chunk.content);
    body->complete = in->log_chunk.complete;
}

static void pack_log_ack(const struct message *in, Headrace__V1__Envelope *envelope,
                         struct arena *arena)
{
    BODY(LogAck, log_ack, log_ack);
    body->attempt = message_id(in->log_ack.attempt, arena);
    body->offset = in->log_ack.offset;
}

/* ---- reading --------------------------------------------------------------------------------- */

static enum cause cause_of(uint32_t number)
{
    return number < CAUSE_COUNT ? (enum cause)number
                                : CAUSE_NONE; /* a later release may know more */
}

static int read_hello(const Headrace__V1__Envelope *in, struct arena *arena, struct message *out,
                      struct err *err)
{
    (void)arena;
    out->hello.lowest_version = in->hello->lowest_version;
    out->hello.highest_version = in->hello->highest_version;
    int rc =
        message_read_text(in->hello->program, TEXT_MAX, "hello.program", &out->hello.program, err);
    if (rc == 0)
        rc = message_read_text(in->hello->release, TEXT_MAX, "hello.release", &out->hello.release,
                               err);
    return rc;
}

static int read_inventory(const Headrace__V1__Envelope *in, struct arena *arena,
                          struct message *out, struct err *err)
{
    return message_read_inventory(in->inventory, arena, &out->inventory, err);
}

static int read_started(const Headrace__V1__Envelope *in, struct arena *arena, struct message *out,
                        struct err *err)
{
    (void)arena;
    out->started.started_unix_ms = in->started->started_unix_ms;
    return message_read_id(in->started->attempt, "started.attempt", &out->started.attempt, err);
}

static int read_grant(const Headrace__V1__Envelope *in, struct arena *arena, struct message *out,
                      struct err *err)
{
    return message_read_grant(in->grant, arena, &out->grant, err);
}

static int read_ack(const Headrace__V1__Envelope *in, struct arena *arena, struct message *out,
                    struct err *err)
{
    int rc = 0;
    if (in->ack->n_attempts > MESSAGE_ATTEMPTS_MAX)
        return err_set(err, ERR_PROTOCOL, "an ack of %zu attempts", in->ack->n_attempts);
    struct id128 *attempts = ARENA_ARRAY(arena, struct id128, in->ack->n_attempts);
    for (size_t i = 0; rc == 0 && i < in->ack->n_attempts; i++)
        rc = message_read_id(in->ack->attempts[i], "ack.attempts", &attempts[i], err);
    out->ack.attempts = attempts;
    out->ack.count = (uint32_t)in->ack->n_attempts;
    return rc;
}

static int read_kill(const Headrace__V1__Envelope *in, struct arena *arena, struct message *out,
                     struct err *err)
{
    (void)arena;
    out->kill.cause = cause_of(in->kill->cause);
    return message_read_id(in->kill->attempt, "kill.attempt", &out->kill.attempt, err);
}

static int read_nothing(const Headrace__V1__Envelope *in, struct arena *arena, struct message *out,
                        struct err *err)
{
    (void)in;
    (void)arena;
    (void)out;
    (void)err;
    return 0;
}

static int read_renewed(const Headrace__V1__Envelope *in, struct arena *arena, struct message *out,
                        struct err *err)
{
    (void)arena;
    (void)err;
    out->renewed.stamp_ms = in->renewed->stamp_ms;
    out->renewed.lease_ms = in->renewed->lease_ms;
    return 0;
}

static int read_drain(const Headrace__V1__Envelope *in, struct arena *arena, struct message *out,
                      struct err *err)
{
    (void)arena;
    (void)err;
    out->drain.drain = in->drain->drain;
    return 0;
}

/* What a later release asks for cannot be done by this one, and is left out: it is asked again. */
static int read_errands(const Headrace__V1__Envelope *in, struct arena *arena, struct message *out,
                        struct err *err)
{
    const Headrace__V1__Errands *errands = in->errands;
    uint32_t count = 0;
    int rc = 0;

    if (errands->n_errands > MESSAGE_ERRANDS_MAX)
        return err_set(err, ERR_PROTOCOL, "%zu errands in one message", errands->n_errands);
    struct errand *items = ARENA_ARRAY(arena, struct errand, errands->n_errands);
    for (size_t i = 0; rc == 0 && i < errands->n_errands; i++) {
        const Headrace__V1__Errand *errand = errands->errands[i];
        struct errand *item = &items[count];
        rc = message_read_id(errand->id, "errands.id", &item->id, err);
        item->number = errand->number;
        item->kind = (enum errand_kind)errand->kind;
        item->payload = message_view(errand->payload);
        count += errand->kind < ERRAND_KIND_COUNT;
    }
    out->errands.items = items;
    out->errands.count = count;
    return rc;
}

static int read_errands_done(const Headrace__V1__Envelope *in, struct arena *arena,
                             struct message *out, struct err *err)
{
    const Headrace__V1__ErrandsDone *done = in->errands_done;
    int rc = 0;

    if (done->n_answers > MESSAGE_ERRANDS_MAX)
        return err_set(err, ERR_PROTOCOL, "%zu answers in one message", done->n_answers);
    struct errand_answer *answers = ARENA_ARRAY(arena, struct errand_answer, done->n_answers);
    for (size_t i = 0; rc == 0 && i < done->n_answers; i++) {
        const Headrace__V1__ErrandAnswer *answer = done->answers[i];
        rc = message_read_id(answer->id, "errands_done.id", &answers[i].id, err);
        answers[i].number = answer->number;
        answers[i].outcome = answer->outcome < ERRAND_OUTCOME_COUNT
                                 ? (enum errand_outcome)answer->outcome
                                 : ERRAND_NOT_YET;
        answers[i].output = message_view(answer->output);
        if (rc == 0 && !str_is_utf8(answers[i].output))
            rc = err_set(err, ERR_PROTOCOL, "errands_done.output is not UTF-8");
        if (rc == 0)
            rc = message_read_text(answer->text, TEXT_MAX, "errands_done.text", &answers[i].text,
                                   err);
    }
    out->errands_done.answers = answers;
    out->errands_done.count = (uint32_t)done->n_answers;
    return rc;
}

static int read_notes(const Headrace__V1__Envelope *in, struct arena *arena, struct message *out,
                      struct err *err)
{
    const Headrace__V1__Notes *notes = in->notes;

    if (notes->n_notes > MESSAGE_NOTES_MAX)
        return err_set(err, ERR_PROTOCOL, "%zu notes in one message", notes->n_notes);
    struct message_note *items = ARENA_ARRAY(arena, struct message_note, notes->n_notes);
    for (size_t i = 0; i < notes->n_notes; i++) {
        const Headrace__V1__Note *note = notes->notes[i];
        if (note->try_no > UINT16_MAX || note->state > UINT8_MAX)
            return err_set(err, ERR_PROTOCOL, "a note of try %u, state %u", note->try_no,
                           note->state);
        items[i] = (struct message_note) { note->run_no,
                                           note->dag_no,
                                           note->task,
                                           note->map_index,
                                           (uint16_t)note->try_no,
                                           (uint8_t)note->state,
                                           cause_of(note->cause),
                                           note->at_ms };
    }
    out->notes.first_seq = notes->first_seq;
    out->notes.notes = items;
    out->notes.count = (uint32_t)notes->n_notes;
    out->notes.restarted = notes->restarted;
    return 0;
}

static int read_why_question(const Headrace__V1__Envelope *in, struct arena *arena,
                             struct message *out, struct err *err)
{
    (void)arena;
    (void)err;
    out->why_question.question_no = in->why_question->question_no;
    out->why_question.run_no = in->why_question->run_no;
    out->why_question.task = in->why_question->task;
    out->why_question.map_index = in->why_question->map_index;
    return 0;
}

static int read_why_answer(const Headrace__V1__Envelope *in, struct arena *arena,
                           struct message *out, struct err *err)
{
    (void)arena;
    out->why_answer.question_no = in->why_answer->question_no;
    return message_read_text(in->why_answer->text, ANSWER_MAX, "why_answer.text",
                             &out->why_answer.text, err);
}

static int read_figures_question(const Headrace__V1__Envelope *in, struct arena *arena,
                                 struct message *out, struct err *err)
{
    (void)arena;
    (void)err;
    out->figures_question.question_no = in->figures_question->question_no;
    return 0;
}

static int read_figures_answer(const Headrace__V1__Envelope *in, struct arena *arena,
                               struct message *out, struct err *err)
{
    (void)arena;
    out->figures_answer.question_no = in->figures_answer->question_no;
    return message_read_text(in->figures_answer->text, ANSWER_MAX, "figures_answer.text",
                             &out->figures_answer.text, err);
}

static int read_waiting_question(const Headrace__V1__Envelope *in, struct arena *arena,
                                 struct message *out, struct err *err)
{
    (void)arena;
    out->waiting_question.question_no = in->waiting_question->question_no;
    out->waiting_question.limit = in->waiting_question->limit;
    int rc = message_read_text(in->waiting_question->queue, TEXT_MAX, "waiting_question.queue",
                               &out->waiting_question.queue, err);
    if (rc == 0)
        rc = message_read_text(in->waiting_question->pool, TEXT_MAX, "waiting_question.pool",
                               &out->waiting_question.pool, err);
    return rc;
}

static int read_waiting_answer(const Headrace__V1__Envelope *in, struct arena *arena,
                               struct message *out, struct err *err)
{
    (void)arena;
    out->waiting_answer.question_no = in->waiting_answer->question_no;
    return message_read_text(in->waiting_answer->text, ANSWER_MAX, "waiting_answer.text",
                             &out->waiting_answer.text, err);
}

static int read_log_chunk(const Headrace__V1__Envelope *in, struct arena *arena,
                          struct message *out, struct err *err)
{
    (void)arena;
    out->log_chunk.offset = in->log_chunk->offset;
    out->log_chunk.content = message_view(in->log_chunk->content);
    out->log_chunk.complete = in->log_chunk->complete;
    if (out->log_chunk.offset < 0)
        return err_set(err, ERR_PROTOCOL, "a chunk of a log at offset %lld",
                       (long long)out->log_chunk.offset);
    return message_read_id(in->log_chunk->attempt, "log_chunk.attempt", &out->log_chunk.attempt,
                           err);
}

static int read_probe_question(const Headrace__V1__Envelope *in, struct arena *arena,
                               struct message *out, struct err *err)
{
    (void)arena;
    out->probe_question.question_no = in->probe_question->question_no;
    out->probe_question.connection = message_view(in->probe_question->connection);
    return message_read_text(in->probe_question->connection_id, TEXT_MAX,
                             "probe_question.connection_id", &out->probe_question.connection_id,
                             err);
}

static int read_probe_answer(const Headrace__V1__Envelope *in, struct arena *arena,
                             struct message *out, struct err *err)
{
    (void)arena;
    out->probe_answer.question_no = in->probe_answer->question_no;
    out->probe_answer.ok = in->probe_answer->ok;
    return message_read_text(in->probe_answer->text, TEXT_MAX, "probe_answer.text",
                             &out->probe_answer.text, err);
}

static int read_log_ack(const Headrace__V1__Envelope *in, struct arena *arena, struct message *out,
                        struct err *err)
{
    (void)arena;
    out->log_ack.offset = in->log_ack->offset;
    return message_read_id(in->log_ack->attempt, "log_ack.attempt", &out->log_ack.attempt, err);
}

/* ---- the envelope ---------------------------------------------------------------------------- */

static const struct translation {
    enum message_type type;
    void (*pack)(const struct message *in, Headrace__V1__Envelope *envelope, struct arena *arena);
    int (*read)(const Headrace__V1__Envelope *in, struct arena *arena, struct message *out,
                struct err *err);
} translations[] = {
    { MESSAGE_HELLO, pack_hello, read_hello },
    { MESSAGE_INVENTORY, pack_inventory, read_inventory },
    { MESSAGE_STARTED, pack_started, read_started },
    { MESSAGE_GRANT, pack_grant, read_grant },
    { MESSAGE_ACK, pack_ack, read_ack },
    { MESSAGE_KILL, pack_kill, read_kill },
    { MESSAGE_SYNC, pack_sync, read_nothing },
    { MESSAGE_RENEWED, pack_renewed, read_renewed },
    { MESSAGE_DRAIN, pack_drain, read_drain },
    { MESSAGE_STOP, pack_stop, read_nothing },
    { MESSAGE_ERRANDS, pack_errands, read_errands },
    { MESSAGE_ERRANDS_DONE, pack_errands_done, read_errands_done },
    { MESSAGE_SUBSCRIBE, pack_subscribe, read_nothing },
    { MESSAGE_NUDGE, pack_nudge, read_nothing },
    { MESSAGE_NOTES, pack_notes, read_notes },
    { MESSAGE_WHY_QUESTION, pack_why_question, read_why_question },
    { MESSAGE_WHY_ANSWER, pack_why_answer, read_why_answer },
    { MESSAGE_FIGURES_QUESTION, pack_figures_question, read_figures_question },
    { MESSAGE_FIGURES_ANSWER, pack_figures_answer, read_figures_answer },
    { MESSAGE_PROBE_QUESTION, pack_probe_question, read_probe_question },
    { MESSAGE_PROBE_ANSWER, pack_probe_answer, read_probe_answer },
    { MESSAGE_WAITING_QUESTION, pack_waiting_question, read_waiting_question },
    { MESSAGE_WAITING_ANSWER, pack_waiting_answer, read_waiting_answer },
    { MESSAGE_LOG_CHUNK, pack_log_chunk, read_log_chunk },
    { MESSAGE_LOG_ACK, pack_log_ack, read_log_ack },
};

static const struct translation *translation_of(uint32_t type)
{
    for (size_t i = 0; i < sizeof translations / sizeof *translations; i++)
        if ((uint32_t)translations[i].type == type)
            return &translations[i];
    return NULL;
}

int message_pack(const struct message *message, struct buf *out, struct err *err)
{
    const struct translation *translation = translation_of(message->type);
    Headrace__V1__Envelope envelope;
    struct arena arena = { 0 };

    ASSERT(translation != NULL);
    headrace__v1__envelope__init(&envelope);
    envelope.version = MESSAGE_VERSION;
    envelope.sender = message_text(message->sender, &arena);
    envelope.epoch = message->epoch;
    envelope.message_no = message->message_no;
    envelope.body_case = (Headrace__V1__Envelope__BodyCase)message->type;
    translation->pack(message, &envelope, &arena);

    size_t size = headrace__v1__envelope__get_packed_size(&envelope);
    int rc = 0;
    if (size > MESSAGE_SIZE_MAX) {
        rc = err_set(err, ERR_TOO_LARGE, "the message %s has %zu bytes, the limit is %d",
                     message_name(message->type), size, MESSAGE_SIZE_MAX);
    } else {
        buf_reserve(out, size);
        out->size += headrace__v1__envelope__pack(&envelope, (uint8_t *)out->bytes + out->size);
    }
    arena_clear(&arena);
    return rc;
}

static int read_sender(const char *text, struct str *out, struct err *err)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t size = strspn(text, allowed);

    if (size == 0 || size > SENDER_MAX || text[size] != 0)
        return err_set(err, ERR_PROTOCOL,
                       "the sender's name is not 1 to %d of letters, digits, . _ -", SENDER_MAX);
    *out = (struct str) { text, size };
    return 0;
}

int message_unpack(struct str bytes, struct arena *arena, struct message *out, struct err *err)
{
    struct message_budget budget;

    if (bytes.size > MESSAGE_SIZE_MAX)
        return err_set(err, ERR_PROTOCOL, "a frame of %zu bytes, the limit is %d", bytes.size,
                       MESSAGE_SIZE_MAX);
    message_budget_init(&budget, arena, bytes.size);
    const Headrace__V1__Envelope *in =
        headrace__v1__envelope__unpack(&budget.allocator, bytes.size, (const uint8_t *)bytes.bytes);
    if (in == NULL)
        return err_set(err, ERR_PROTOCOL, "these %zu bytes are no message", bytes.size);
    if ((in->version < MESSAGE_VERSION_LOWEST || in->version > MESSAGE_VERSION) &&
        (uint32_t)in->body_case != MESSAGE_HELLO)
        return err_set(err, ERR_UNSUPPORTED,
                       "version %u of the protocol, and this program speaks %d to %d", in->version,
                       MESSAGE_VERSION_LOWEST, MESSAGE_VERSION);
    const struct translation *translation = translation_of((uint32_t)in->body_case);
    if (translation == NULL)
        return err_set(err, ERR_UNSUPPORTED, "a kind of message that this release does not know");

    struct message message = { .type = translation->type,
                               .epoch = in->epoch,
                               .message_no = in->message_no };
    int rc = read_sender(in->sender, &message.sender, err);
    if (rc == 0)
        rc = translation->read(in, arena, &message, err);
    if (rc < 0)
        return err_wrap(err, rc, "message %s", message_name(translation->type));
    *out = message;
    return 0;
}
