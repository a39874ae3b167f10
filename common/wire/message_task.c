// SPDX-License-Identifier: Apache-2.0
/* Translation of what is about attempts: inventories, grants, specs, results. */
#include "common/base/assert.h"
#include "common/wire/message_inside.h"

#include <endian.h>

/* ---- small things ---------------------------------------------------------------------------- */

ProtobufCBinaryData message_bytes(struct str bytes)
{
    return (ProtobufCBinaryData) { bytes.size, (uint8_t *)bytes.bytes };
}

ProtobufCBinaryData message_id(struct id128 id, struct arena *arena)
{
    uint64_t wire[2] = { htobe64(id.high), htobe64(id.low) };
    return (ProtobufCBinaryData) { sizeof wire, arena_copy(arena, wire, sizeof wire) };
}

char *message_text(struct str text, struct arena *arena)
{
    return (char *)str_cstr(arena, text);
}

struct str message_view(ProtobufCBinaryData bytes)
{
    return bytes.len > 0 ? (struct str) { (const char *)bytes.data, bytes.len } : STR_EMPTY;
}

int message_read_id(ProtobufCBinaryData bytes, const char *field, struct id128 *out,
                    struct err *err)
{
    uint64_t wire[2];

    if (bytes.len != sizeof wire)
        return err_set(err, ERR_PROTOCOL, "%s has %zu bytes, not 16", field, bytes.len);
    memcpy(wire, bytes.data, sizeof wire);
    *out = (struct id128) { be64toh(wire[0]), be64toh(wire[1]) };
    return 0;
}

int message_read_text(const char *text, size_t max, const char *field, struct str *out,
                      struct err *err)
{
    struct str view = str_of(text); /* absent strings are "", and a NUL byte ends one */

    if (view.size > max)
        return err_set(err, ERR_PROTOCOL, "%s has %zu bytes, the limit is %zu", field, view.size,
                       max);
    if (!str_is_utf8(view))
        return err_set(err, ERR_PROTOCOL, "%s is not UTF-8", field);
    *out = view;
    return 0;
}

static Headrace__V1__Credit *pack_credit(struct credit credit, struct arena *arena)
{
    Headrace__V1__Credit *out = ARENA_NEW(arena, Headrace__V1__Credit);
    headrace__v1__credit__init(out);
    out->incarnation = credit.incarnation;
    out->seq = credit.seq;
    return out;
}

static int read_credit(const Headrace__V1__Credit *in, struct credit *out, struct err *err)
{
    if (in == NULL)
        return err_set(err, ERR_PROTOCOL, "the credit is missing");
    *out = (struct credit) { in->incarnation, in->seq };
    return 0;
}

/* ---- results --------------------------------------------------------------------------------- */

static Headrace__V1__Result *pack_result(const struct result *result, struct arena *arena)
{
    Headrace__V1__Result *out = ARENA_NEW(arena, Headrace__V1__Result);
    headrace__v1__result__init(out);
    out->outcome = result->outcome;
    out->exit_code = result->exit_code;
    out->started_unix_ms = result->started_unix_ms;
    out->ended_unix_ms = result->ended_unix_ms;
    out->output = message_bytes(result->output);
    out->error = message_text(result->error, arena);
    out->hard = result->hard;
    out->cpu_ms = result->cpu_ms;
    out->memory_peak_bytes = result->memory_peak_bytes;
    out->log_bytes = result->log_bytes;
    return out;
}

static int read_result(const Headrace__V1__Result *in, struct arena *arena, struct result *out,
                       struct err *err)
{
    if (in == NULL)
        return err_set(err, ERR_PROTOCOL, "an ended attempt has no result");
    *out = (struct result) {
        /* A later release may know more outcomes: whatever they mean, the attempt did not succeed.
         */
        .outcome = in->outcome < OUTCOME_COUNT ? (enum outcome)in->outcome : OUTCOME_FAILED,
        .exit_code = in->exit_code,
        .started_unix_ms = in->started_unix_ms,
        .ended_unix_ms = in->ended_unix_ms,
        .output = message_view(in->output),
        .hard = in->hard,
        .cpu_ms = in->cpu_ms,
        .memory_peak_bytes = in->memory_peak_bytes,
        .log_bytes = in->log_bytes,
    };
    /* One result that is not as it should be must not keep the others of its inventory away. */
    out->output = str_is_utf8(out->output) ? out->output : str_clean(arena, out->output);
    out->error = str_clean(arena, str_cut(str_of(in->error), ERROR_TEXT_MAX));
    return 0;
}

/* ---- inventories ----------------------------------------------------------------------------- */

static Headrace__V1__Load *pack_load(const struct machine_load *load, struct arena *arena)
{
    if (load->memory_total_bytes == 0)
        return NULL;
    Headrace__V1__Load *out = ARENA_NEW(arena, Headrace__V1__Load);
    headrace__v1__load__init(out);
    out->cpu_permille = (uint32_t)load->cpu_permille;
    out->memory_used_bytes = load->memory_used_bytes;
    out->memory_total_bytes = load->memory_total_bytes;
    return out;
}

/* It is for people: what cannot be is not told, and the rest of the inventory counts. */
static struct machine_load read_load(const Headrace__V1__Load *in)
{
    if (in == NULL || in->cpu_permille > 1000 || in->memory_total_bytes <= 0 ||
        in->memory_used_bytes < 0)
        return (struct machine_load) { 0 };
    return (struct machine_load) { in->memory_total_bytes, in->memory_used_bytes,
                                   (int32_t)in->cpu_permille };
}

Headrace__V1__Inventory *message_pack_inventory(const struct message_inventory *inventory,
                                                struct arena *arena)
{
    Headrace__V1__Inventory *out = ARENA_NEW(arena, Headrace__V1__Inventory);
    headrace__v1__inventory__init(out);
    out->name = message_text(inventory->name, arena);
    out->host = message_text(inventory->host, arena);
    out->release = message_text(inventory->release, arena);
    out->queues = message_text(inventory->queues, arena);
    out->boot = message_id(inventory->boot, arena);
    out->incarnation = inventory->incarnation;
    out->sent_ms = inventory->sent_ms;
    out->slots = inventory->slots;
    out->next_seq = inventory->next_seq;
    out->n_open_seqs = inventory->open_count;
    out->open_seqs = (uint64_t *)inventory->open_seqs;
    out->leaving = inventory->leaving;
    out->load = pack_load(&inventory->load, arena);
    out->n_attempts = inventory->attempt_count;
    out->attempts = ARENA_ARRAY(arena, Headrace__V1__AttemptReport *, inventory->attempt_count);
    for (uint32_t i = 0; i < inventory->attempt_count; i++) {
        const struct message_attempt *attempt = &inventory->attempts[i];
        Headrace__V1__AttemptReport *report = out->attempts[i] =
            ARENA_NEW(arena, Headrace__V1__AttemptReport);
        headrace__v1__attempt_report__init(report);
        report->attempt = message_id(attempt->attempt, arena);
        report->credit = pack_credit(attempt->credit, arena);
        report->ended = attempt->ended;
        if (attempt->ended)
            report->result = pack_result(&attempt->result, arena);
    }
    return out;
}

static int read_attempt(const Headrace__V1__AttemptReport *in, struct arena *arena,
                        struct message_attempt *out, struct err *err)
{
    int rc = message_read_id(in->attempt, "inventory.attempt", &out->attempt, err);
    if (rc == 0)
        rc = read_credit(in->credit, &out->credit, err);
    out->ended = in->ended;
    if (rc == 0 && in->ended)
        rc = read_result(in->result, arena, &out->result, err);
    return rc;
}

int message_read_inventory(const Headrace__V1__Inventory *in, struct arena *arena,
                           struct message_inventory *out, struct err *err)
{
    *out = (struct message_inventory) { .incarnation = in->incarnation,
                                        .sent_ms = in->sent_ms,
                                        .slots = in->slots,
                                        .next_seq = in->next_seq,
                                        .open_seqs = in->open_seqs,
                                        .open_count = (uint32_t)in->n_open_seqs,
                                        .attempt_count = (uint32_t)in->n_attempts,
                                        .leaving = in->leaving,
                                        .load = read_load(in->load) };
    if (in->n_attempts > MESSAGE_ATTEMPTS_MAX || in->n_open_seqs > MESSAGE_ATTEMPTS_MAX)
        return err_set(err, ERR_PROTOCOL, "an inventory of %zu attempts and %zu credits",
                       in->n_attempts, in->n_open_seqs);

    int rc = message_read_text(in->name, TEXT_MAX, "inventory.name", &out->name, err);
    if (rc == 0)
        rc = message_read_text(in->host, TEXT_MAX, "inventory.host", &out->host, err);
    if (rc == 0)
        rc = message_read_text(in->release, TEXT_MAX, "inventory.release", &out->release, err);
    if (rc == 0)
        rc = message_read_text(in->queues, TEXT_MAX, "inventory.queues", &out->queues, err);
    if (rc == 0)
        rc = message_read_id(in->boot, "inventory.boot", &out->boot, err);
    struct message_attempt *attempts = ARENA_ARRAY(arena, struct message_attempt, in->n_attempts);
    for (size_t i = 0; rc == 0 && i < in->n_attempts; i++)
        rc = read_attempt(in->attempts[i], arena, &attempts[i], err);
    out->attempts = attempts;
    return rc;
}

/* ---- specs and grants ------------------------------------------------------------------------ */

static ProtobufCBinaryData *pack_list(const struct str *items, uint32_t count, struct arena *arena)
{
    ProtobufCBinaryData *out = ARENA_ARRAY(arena, ProtobufCBinaryData, count);
    for (uint32_t i = 0; i < count; i++)
        out[i] = message_bytes(items[i]);
    return out;
}

static Headrace__V1__Spec *pack_spec(const struct spec *spec, struct arena *arena)
{
    Headrace__V1__Spec *out = ARENA_NEW(arena, Headrace__V1__Spec);
    headrace__v1__spec__init(out);
    out->n_argv = spec->argv_count;
    out->argv = pack_list(spec->argv, spec->argv_count, arena);
    out->n_env = spec->env_count;
    out->env = pack_list(spec->env, spec->env_count, arena);
    out->input = message_bytes(spec->input);
    out->cwd = message_bytes(spec->cwd);
    out->run_as_user = message_text(spec->run_as_user, arena);
    out->n_secrets = spec->secret_count;
    out->secrets = pack_list(spec->secrets, spec->secret_count, arena);
    out->output_rule = spec->output_rule;
    out->max_output_bytes = spec->max_output_bytes;
    out->timeout_ms = spec->timeout_ms;
    out->kill_grace_ms = spec->kill_grace_ms;
    out->skip_exit_code = spec->skip_exit_code;
    out->cpu_milli = spec->cpu_milli;
    out->memory_bytes = spec->memory_bytes;
    out->pids_max = spec->pids_max;
    return out;
}

/* Words of a process: no NUL may hide in them. They are copied with a zero behind, for exec. */
static int read_words(const ProtobufCBinaryData *in, size_t count, const char *field,
                      struct arena *arena, struct str **out, uint32_t *out_count, struct err *err)
{
    if (count > SPEC_ITEMS_MAX)
        return err_set(err, ERR_PROTOCOL, "%s has %zu items", field, count);
    struct str *items = ARENA_ARRAY(arena, struct str, count);
    for (size_t i = 0; i < count; i++) {
        struct str item = message_view(in[i]);
        if (memchr(item.bytes, 0, item.size) != NULL)
            return err_set(err, ERR_PROTOCOL, "%s[%zu] holds a zero byte", field, i);
        items[i] = str_copy(arena, item);
    }
    *out = items;
    *out_count = (uint32_t)count;
    return 0;
}

static int read_spec(const Headrace__V1__Spec *in, struct arena *arena, struct spec *out,
                     struct err *err)
{
    *out = (struct spec) { .input = message_view(in->input),
                           .max_output_bytes = in->max_output_bytes,
                           .output_rule =
                               in->output_rule == OUTPUT_LAST_LINE ? OUTPUT_LAST_LINE : OUTPUT_NONE,
                           .timeout_ms = in->timeout_ms,
                           .kill_grace_ms = in->kill_grace_ms,
                           .skip_exit_code = in->skip_exit_code,
                           .cpu_milli = in->cpu_milli,
                           .memory_bytes = in->memory_bytes,
                           .pids_max = in->pids_max };
    struct str *cwd;
    uint32_t one;

    if (in->n_argv == 0)
        return err_set(err, ERR_PROTOCOL, "spec.argv is empty");
    int rc =
        read_words(in->argv, in->n_argv, "spec.argv", arena, &out->argv, &out->argv_count, err);
    if (rc == 0)
        rc = read_words(in->env, in->n_env, "spec.env", arena, &out->env, &out->env_count, err);
    if (rc == 0)
        rc = read_words(&in->cwd, 1, "spec.cwd", arena, &cwd, &one, err);
    if (rc == 0)
        rc = read_words(in->secrets, in->n_secrets, "spec.secrets", arena, &out->secrets,
                        &out->secret_count, err);
    if (rc == 0)
        rc = message_read_text(in->run_as_user, TEXT_MAX, "spec.run_as_user", &out->run_as_user,
                               err);
    if (rc == 0)
        out->cwd = *cwd;
    return rc;
}

Headrace__V1__Grant *message_pack_grant(const struct message_grant *grant, struct arena *arena)
{
    Headrace__V1__Grant *out = ARENA_NEW(arena, Headrace__V1__Grant);
    headrace__v1__grant__init(out);
    out->attempt = message_id(grant->attempt, arena);
    out->credit = pack_credit(grant->credit, arena);
    out->stamp_ms = grant->stamp_ms;
    out->credit_ttl_ms = grant->credit_ttl_ms;
    out->lease_ms = grant->lease_ms;
    out->dag_id = message_text(grant->dag_id, arena);
    out->run_id = message_text(grant->run_id, arena);
    out->task_id = message_text(grant->task_id, arena);
    out->map_index = grant->map_index;
    out->try_no = grant->try_no;
    out->fence = grant->fence;
    out->spec = pack_spec(&grant->spec, arena);
    return out;
}

int message_read_grant(const Headrace__V1__Grant *in, struct arena *arena,
                       struct message_grant *out, struct err *err)
{
    *out = (struct message_grant) { .stamp_ms = in->stamp_ms,
                                    .credit_ttl_ms = in->credit_ttl_ms,
                                    .lease_ms = in->lease_ms,
                                    .map_index = in->map_index,
                                    .try_no = (uint16_t)in->try_no,
                                    .fence = in->fence };
    if (in->try_no > UINT16_MAX)
        return err_set(err, ERR_PROTOCOL, "grant.try_no is %u", in->try_no);
    if (in->spec == NULL)
        return err_set(err, ERR_PROTOCOL, "a grant has no spec");
    int rc = message_read_id(in->attempt, "grant.attempt", &out->attempt, err);
    if (rc == 0)
        rc = read_credit(in->credit, &out->credit, err);
    if (rc == 0)
        rc = message_read_text(in->dag_id, TEXT_MAX, "grant.dag_id", &out->dag_id, err);
    if (rc == 0)
        rc = message_read_text(in->run_id, TEXT_MAX, "grant.run_id", &out->run_id, err);
    if (rc == 0)
        rc = message_read_text(in->task_id, TEXT_MAX, "grant.task_id", &out->task_id, err);
    if (rc == 0)
        rc = read_spec(in->spec, arena, &out->spec, err);
    return rc;
}

/* ---- alone, for the journal ------------------------------------------------------------------ */

static void append(const ProtobufCMessage *message, struct buf *out)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    buf_reserve(out, size);
    size_t packed = protobuf_c_message_pack(message, (uint8_t *)out->bytes + out->size);
    ASSERT(packed == size);
    out->size += size;
}

void message_pack_spec(const struct spec *spec, struct buf *out)
{
    struct arena arena = { 0 };
    append(&pack_spec(spec, &arena)->base, out);
    arena_clear(&arena);
}

int message_unpack_spec(struct str bytes, struct arena *arena, struct spec *out, struct err *err)
{
    struct message_budget budget;
    message_budget_init(&budget, arena, bytes.size);
    const Headrace__V1__Spec *in =
        headrace__v1__spec__unpack(&budget.allocator, bytes.size, (const uint8_t *)bytes.bytes);
    if (in == NULL)
        return err_set(err, ERR_PROTOCOL, "these %zu bytes are no spec", bytes.size);
    return read_spec(in, arena, out, err);
}

void message_pack_result(const struct result *result, struct buf *out)
{
    struct arena arena = { 0 };
    append(&pack_result(result, &arena)->base, out);
    arena_clear(&arena);
}

int message_unpack_result(struct str bytes, struct arena *arena, struct result *out,
                          struct err *err)
{
    struct message_budget budget;
    message_budget_init(&budget, arena, bytes.size);
    const Headrace__V1__Result *in =
        headrace__v1__result__unpack(&budget.allocator, bytes.size, (const uint8_t *)bytes.bytes);
    if (in == NULL)
        return err_set(err, ERR_PROTOCOL, "these %zu bytes are no result", bytes.size);
    return read_result(in, arena, out, err);
}
