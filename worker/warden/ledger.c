// SPDX-License-Identifier: Apache-2.0
#include "worker/warden/ledger.h"

#include "common/base/assert.h"

enum { RECORD_BOOT = 1, RECORD_STARTED = 2, RECORD_ENDED = 3, RECORD_FORGOTTEN = 4 };

/* Read by the same machine only, so in its own byte order. */
struct started_bytes {
    int64_t session, from_ms, to_ms, started_unix_ms;
};

struct ledger_entry *ledger_find(struct ledger *ledger, struct id128 attempt)
{
    uint64_t index;

    if (!map_get(&ledger->by_attempt, attempt.low, &index))
        return NULL;
    return &ledger->entries.items[index];
}

static struct ledger_entry *entry_add(struct ledger *ledger, struct id128 attempt)
{
    struct ledger_entry *known = ledger_find(ledger, attempt);

    if (known != NULL)
        return known;
    map_put(&ledger->by_attempt, attempt.low, ledger->entries.count);
    VEC_ADD(&ledger->entries, (struct ledger_entry) { .attempt = attempt, .sent = true });
    return &VEC_LAST(&ledger->entries);
}

static void entry_remove(struct ledger *ledger, struct ledger_entry *entry)
{
    uint32_t index = (uint32_t)(entry - ledger->entries.items);
    struct ledger_entry last = VEC_LAST(&ledger->entries);

    if (entry->ended && !entry->sent)
        ledger->unsent--;
    map_remove(&ledger->by_attempt, entry->attempt.low);
    if (!id_eq(last.attempt, entry->attempt)) {
        map_put(&ledger->by_attempt, last.attempt.low, index);
        *entry = last;
    }
    ledger->entries.count--;
}

static void entry_ended(struct ledger *ledger, struct ledger_entry *entry,
                        const struct journal_record *record)
{
    if (entry->started_size > 0)
        journal_dead(&ledger->journal, entry->started_size);
    entry->started_size = 0;
    entry->ended = true;
    entry->offset = record->offset;
    entry->ended_size = record->size;
    entry->sent = false;
    ledger->unsent++;
}

static void entry_forget(struct ledger *ledger, struct ledger_entry *entry)
{
    journal_dead(&ledger->journal, entry->started_size + entry->ended_size);
    entry_remove(ledger, entry);
}

static void take_started(struct ledger *ledger, const struct journal_record *record)
{
    struct ledger_entry *entry = entry_add(ledger, record->attempt);
    struct started_bytes bytes;

    memcpy(&bytes, record->bytes.bytes, sizeof bytes);
    entry->process = (struct tree_leftover) { (pid_t)bytes.session, bytes.from_ms, bytes.to_ms };
    entry->started_unix_ms = bytes.started_unix_ms;
    entry->started_size = record->size;
    entry->this_boot = ledger->replay_this_boot;
}

static void on_replay(void *owner, const struct journal_record *record)
{
    struct ledger *ledger = owner;
    struct ledger_entry *entry = ledger_find(ledger, record->attempt);

    switch (record->type) {
    case RECORD_BOOT:
        ledger->replay_this_boot = id_eq(record->attempt, ledger->boot);
        journal_dead(&ledger->journal, record->size);
        break;
    case RECORD_STARTED:
        if (record->bytes.size == sizeof(struct started_bytes) && entry == NULL)
            take_started(ledger, record);
        break;
    case RECORD_ENDED:
        entry = entry_add(ledger, record->attempt);
        if (!entry->ended)
            entry_ended(ledger, entry, record);
        break;
    case RECORD_FORGOTTEN:
        journal_dead(&ledger->journal, record->size);
        if (entry != NULL)
            entry_forget(ledger, entry);
        break;
    default:
        break;
    }
}

static void add_dead(struct journal *journal, uint8_t type, struct id128 key)
{
    struct journal_record record;

    journal_add(journal, type, key, STR_EMPTY, &record);
    journal_dead(journal, record.size);
}

int ledger_open(struct ledger *ledger, int dir_fd, struct id128 boot, struct err *err)
{
    *ledger = (struct ledger) { .boot = boot };
    int rc = journal_open(&ledger->journal, dir_fd, "warden.journal", on_replay, ledger, err);
    if (rc < 0)
        return rc;
    add_dead(&ledger->journal, RECORD_BOOT, boot);
    return 0;
}

void ledger_close(struct ledger *ledger)
{
    journal_close(&ledger->journal);
    VEC_CLEAR(&ledger->entries);
    VEC_CLEAR(&ledger->fresh_offsets);
    map_clear(&ledger->by_attempt);
}

void ledger_started(struct ledger *ledger, struct id128 attempt,
                    const struct tree_leftover *process, int64_t started_unix_ms)
{
    struct started_bytes bytes = { process->session, process->from_ms, process->to_ms,
                                   started_unix_ms };
    struct ledger_entry *entry = entry_add(ledger, attempt);
    struct journal_record record;

    journal_add(&ledger->journal, RECORD_STARTED, attempt,
                (struct str) { (char *)&bytes, sizeof bytes }, &record);
    entry->started_size = record.size;
    entry->process = *process;
    entry->started_unix_ms = started_unix_ms;
    entry->this_boot = true;
}

void ledger_ended(struct ledger *ledger, struct id128 attempt, struct str frame, bool sent)
{
    struct ledger_entry *entry = entry_add(ledger, attempt);
    struct journal_record record;

    ASSERT(!entry->ended);
    journal_add(&ledger->journal, RECORD_ENDED, attempt, frame, &record);
    entry_ended(ledger, entry, &record);
    entry->sent = sent;
    ledger->unsent -= sent;
}

void ledger_forget(struct ledger *ledger, struct id128 attempt)
{
    struct ledger_entry *entry = ledger_find(ledger, attempt);

    if (entry == NULL || !entry->ended)
        return;
    add_dead(&ledger->journal, RECORD_FORGOTTEN, attempt);
    entry_forget(ledger, entry);
}

static void on_live(void *owner, struct journal *fresh)
{
    struct ledger *ledger = owner;
    struct buf buf = { 0 };
    struct err err;

    add_dead(fresh, RECORD_BOOT, ledger->boot);
    VEC_RESET(&ledger->fresh_offsets);
    VEC_EACH (&ledger->entries, i) {
        struct ledger_entry *entry = &ledger->entries.items[i];
        struct journal_record record = { 0 }, added = { 0 };
        if (!entry->ended) {
            struct started_bytes bytes = { entry->process.session, entry->process.from_ms,
                                           entry->process.to_ms, entry->started_unix_ms };
            journal_add(fresh, RECORD_STARTED, entry->attempt,
                        (struct str) { (char *)&bytes, sizeof bytes }, NULL);
        } else if (journal_read(&ledger->journal, entry->offset, &buf, &record, &err) == 0) {
            journal_add(fresh, RECORD_ENDED, entry->attempt, record.bytes, &added);
            (void)!journal_flush(fresh, &err);
        }
        VEC_ADD(&ledger->fresh_offsets, added.offset);
    }
    buf_clear(&buf);
}

int ledger_flush(struct ledger *ledger, struct err *err)
{
    int rc = journal_flush(&ledger->journal, err);

    if (rc < 0 || !journal_wants_rewrite(&ledger->journal))
        return rc;
    /* A rewrite that fails leaves the old file as it was: worth a try again, not worth an error. */
    if (journal_rewrite(&ledger->journal, on_live, ledger, err) == 0) {
        VEC_EACH (&ledger->entries, i)
            ledger->entries.items[i].offset = ledger->fresh_offsets.items[i];
    }
    return journal_flush(&ledger->journal, err);
}

void ledger_send_again(struct ledger *ledger)
{
    ledger->unsent = 0;
    VEC_EACH (&ledger->entries, i) {
        struct ledger_entry *entry = &ledger->entries.items[i];
        entry->sent = !entry->ended;
        ledger->unsent += entry->ended;
    }
}

bool ledger_next_unsent(struct ledger *ledger, struct buf *out)
{
    struct buf buf = { 0 };
    struct journal_record record;
    struct err err;
    bool found = false;

    for (uint32_t i = ledger->entries.count; ledger->unsent > 0 && i-- > 0 && !found;) {
        struct ledger_entry *entry = &ledger->entries.items[i];
        if (!entry->ended || entry->sent)
            continue;
        entry->sent = true;
        ledger->unsent--;
        found = journal_read(&ledger->journal, entry->offset, &buf, &record, &err) == 0;
        if (found)
            buf_add_str(out, record.bytes);
    }
    buf_clear(&buf);
    return found;
}
