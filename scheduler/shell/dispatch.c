// SPDX-License-Identifier: Apache-2.0
#include "scheduler/shell/dispatch.h"

#include "common/base/assert.h"
#include "common/log/log.h"
#include "scheduler/shell/errands.h"
#include "scheduler/shell/find.h"
#include "scheduler/shell/scale.h"

static struct message grant_message(const struct core_send *send)
{
    return (struct message) {
        .type = MESSAGE_GRANT,
        .grant = { .attempt = send->grant.attempt,
                   .credit = send->grant.credit,
                   .stamp_ms = send->grant.stamp_ms,
                   .credit_ttl_ms = send->grant.credit_ttl_ms,
                   .lease_ms = send->grant.lease_ms,
                   .dag_id = send->grant.dag_id,
                   .run_id = send->grant.run_id,
                   .task_id = send->grant.task_id,
                   .map_index = send->grant.map_index,
                   .try_no = send->grant.try_no,
                   .fence = send->grant.fence,
                   .spec = *send->grant.spec },
    };
}

/* The message of a send that goes to a worker, or to a web server. */
static struct message message_of(const struct core_send *send)
{
    switch (send->type) {
    case SEND_GRANT:
        return grant_message(send);
    case SEND_ACK:
        return (struct message) { .type = MESSAGE_ACK,
                                  .ack = { send->ack.attempts, send->ack.count } };
    case SEND_KILL:
        return (struct message) { .type = MESSAGE_KILL,
                                  .kill = { send->kill.attempt, send->kill.cause } };
    case SEND_SYNC:
        return (struct message) { .type = MESSAGE_SYNC };
    case SEND_RENEWED:
        return (struct message) { .type = MESSAGE_RENEWED,
                                  .renewed = { send->renewed.stamp_ms, send->renewed.lease_ms } };
    case SEND_DRAIN:
        return (struct message) { .type = MESSAGE_DRAIN, .drain = { send->drain.drain } };
    case SEND_STOP:
        return (struct message) { .type = MESSAGE_STOP };
    case SEND_ERRANDS:
        return (struct message) { .type = MESSAGE_ERRANDS,
                                  .errands = { send->errands.items, send->errands.count } };
    case SEND_PROBED:
        return (struct message) { .type = MESSAGE_PROBE_ANSWER,
                                  .probe_answer = { send->probed.question_no, send->probed.ok,
                                                    send->probed.text } };
    case SEND_SCALE:
    case SEND_FIND:
        break;
    }
    UNREACHABLE();
}

_Static_assert(SPEC_BYTES_MAX + (256 << 10) < MESSAGE_SIZE_MAX, "a grant fits into a message");

void dispatch_send(struct shell *shell, const struct core_send *send)
{
    if (send->type == SEND_SCALE) {
        scale_want(shell->scale, send->scale.queue, send->scale.wanted, send->scale.reason);
        return;
    }
    if (send->type == SEND_FIND) {
        find_run(shell, &send->find);
        return;
    }
    if (send->type == SEND_ERRANDS && send->worker.size == 0) {
        errands_run(shell->errands, send->errands.items, send->errands.count);
        return;
    }
    struct message message = message_of(send);
    message.epoch = send->epoch;
    struct err err = { 0 };
    int rc = wire_server_send(shell->server, send->worker, &message, &err);
    if (rc == ERR_NOT_FOUND ||
        rc == ERR_LIMIT) /* a peer that is away or slow: the core says it again in time */
        log_debug("send_dropped", LOG_STR("message", message_name(message.type)),
                  LOG_STR("worker", send->worker), LOG_ERR(&err));
    else if (rc < 0)
        log_error("send_failed", LOG_STR("message", message_name(message.type)),
                  LOG_STR("worker", send->worker), LOG_ERR(&err));
}
