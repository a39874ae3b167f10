// SPDX-License-Identifier: Apache-2.0
#include "scheduler/shell/publish.h"

#include "common/base/assert.h"
#include "common/log/log.h"

struct publish {
    struct shell *shell;
    uint64_t next_seq;
    VEC(char *) peers;
};

struct publish *publish_new(struct shell *shell)
{
    struct publish *publish = calloc(1, sizeof *publish);
    ASSERT(publish != NULL);
    publish->shell = shell;
    publish->next_seq = 1;
    return publish;
}

void publish_free(struct publish *publish)
{
    if (publish == NULL)
        return;
    VEC_EACH (&publish->peers, i)
        free(publish->peers.items[i]);
    VEC_CLEAR(&publish->peers);
    free(publish);
}

/* False: the peer is gone. A full queue is not: it will see the gap. */
static bool tell(struct publish *publish, const char *peer, const struct message_note *notes,
                 uint32_t count, bool restarted)
{
    struct message message = { .type = MESSAGE_NOTES,
                               .epoch = publish->shell->epoch,
                               .notes = { publish->next_seq, notes, count, restarted } };
    struct err err = { 0 };
    int rc = wire_server_send(publish->shell->server, str_of(peer), &message, &err);
    return rc != ERR_NOT_FOUND;
}

static void tell_all(struct publish *publish, const struct message_note *notes, uint32_t count,
                     bool restarted)
{
    for (uint32_t i = 0; i < publish->peers.count;) {
        if (tell(publish, publish->peers.items[i], notes, count, restarted)) {
            i++;
            continue;
        }
        log_info("subscriber_gone", LOG_STR("peer", publish->peers.items[i]));
        free(publish->peers.items[i]);
        publish->peers.items[i] = VEC_LAST(&publish->peers);
        publish->peers.count--;
    }
    publish->next_seq += count;
}

void publish_subscribe(struct publish *publish, struct str peer)
{
    bool known = false;
    VEC_EACH (&publish->peers, i)
        known = known || str_is(peer, publish->peers.items[i]);
    if (!known) {
        char *copy = strndup(peer.bytes, peer.size);
        ASSERT(copy != NULL);
        VEC_ADD(&publish->peers, copy);
        log_info("subscribed", LOG_STR("peer", peer));
    }
    struct arena arena = { 0 };
    (void)tell(publish, str_cstr(&arena, peer), NULL, 0, true);
    arena_clear(&arena);
}

void publish_restart(struct publish *publish)
{
    tell_all(publish, NULL, 0, true);
}

void publish_notes(struct publish *publish, const struct core_note *notes, uint32_t count)
{
    if (publish->peers.count == 0) {
        publish->next_seq += count;
        return;
    }
    struct arena arena = { 0 };
    for (uint32_t from = 0; from < count; from += MESSAGE_NOTES_MAX) {
        uint32_t part = count - from < MESSAGE_NOTES_MAX ? count - from : MESSAGE_NOTES_MAX;
        struct message_note *out = ARENA_ARRAY(&arena, struct message_note, part);
        for (uint32_t i = 0; i < part; i++) {
            const struct core_note *note = &notes[from + i];
            out[i] =
                (struct message_note) { note->run_no, note->dag_no, note->task,  note->map_index,
                                        note->try_no, note->state,  note->cause, note->at_ms };
        }
        tell_all(publish, out, part, false);
    }
    arena_clear(&arena);
}
