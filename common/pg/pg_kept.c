// SPDX-License-Identifier: Apache-2.0
/* Texts of pg_tx_add_kept that come again are prepared, once a session: parsing and planning a list
 * takes longer than reading it. A text has to come twice, so that a client that asks for something
 * else each time fills nothing, and there are at most PG_KEPT_MAX of them, because the server holds
 * the plan of each. */
#include "common/base/assert.h"
#include "common/pg/inside.h"

void pg_kept_name(uint32_t index, char name[PG_KEPT_NAME_SIZE])
{
    snprintf(name, PG_KEPT_NAME_SIZE, "kept_%u", index);
}

/* The types belong to what is prepared as much as the text does. */
static uint64_t hash_of(const struct step *step)
{
    uint64_t hash = str_fingerprint(str_of(step->text));
    for (uint32_t i = 0; i < step->params.count; i++)
        hash = (hash ^ step->params.items[i].type) * 0x9E3779B97F4A7C15ULL;
    return hash;
}

static void on_prepared(void *owner, const struct pg_outcome *outcome)
{
    struct pg_kept *kept = owner;
    if (outcome->rc == 0)
        kept->is_ready = true; /* else it stays as it is: nothing would be won by trying again */
}

static void prepare(struct pg *pg, const struct step *step, uint64_t hash)
{
    struct pg_kept *kept = &pg->keeper.kept[pg->keeper.count];
    *kept = (struct pg_kept) { .hash = hash, .text = strdup(step->text) };
    ASSERT(kept->text != NULL);
    struct pg_tx *tx = pg_tx_new();
    struct step *keep = pg_tx_step(tx, STEP_KEEP);
    keep->statement = pg->keeper.count++;
    keep->owned_text = strdup(step->text);
    ASSERT(keep->owned_text != NULL);
    keep->text = keep->owned_text;
    keep->params.count = step->params.count;
    for (uint32_t i = 0; i < step->params.count; i++)
        keep->params.items[i].type = step->params.items[i].type;
    tx->on_end = on_prepared;
    tx->owner = kept;
    pg_send_now(pg, tx);
}

void pg_kept_clear(struct pg *pg)
{
    for (uint32_t i = 0; i < pg->keeper.count; i++)
        free(pg->keeper.kept[i].text);
    pg->keeper = (struct pg_keeper) { .count = 0 };
}

void pg_keep(struct pg *pg, struct step *step)
{
    struct pg_keeper *keeper = &pg->keeper;
    uint64_t hash = hash_of(step);
    for (uint32_t i = 0; i < keeper->count; i++)
        if (keeper->kept[i].hash == hash && strcmp(keeper->kept[i].text, step->text) == 0) {
            step->is_prepared = keeper->kept[i].is_ready;
            step->statement = step->is_prepared ? i : 0;
            return;
        }
    uint64_t *seen = &keeper->seen[hash % PG_SEEN_MAX];
    if (*seen == hash && keeper->count < PG_KEPT_MAX)
        prepare(pg, step, hash);
    *seen = hash;
}
