// SPDX-License-Identifier: Apache-2.0
/* A stream outlives the request that opened it, but not the right to it: every other second we ask
 * which of the sessions and tokens that streams were opened with are still good, and whether their
 * users still are what they were. The others' streams end; whoever may comes back, and is asked
 * again. A database that does not answer says nothing against anybody. */
#include "common/store/owner.h"
#include "common/text/json.h"
#include "webserver/api/live_inside.h"

#define RETRY_AFTER_S "10"

struct str live_holder(struct call *call)
{
    if (call->person.user_no == 0)
        return STR_EMPTY;
    struct str hash = auth_secret_hash(call->api->options.auth, call->request);
    return str_format(call->arena, "%.*s %s", STR_ARG(hash), role_name(call->person.role));
}

bool live_refuse_one_more(struct stream_client *client, struct call *call)
{
    const struct live *live = client->live;
    int64_t most = live->api->options.conf->api_streams_per_user, count = 0;

    for (const struct stream_client *other = live->first; other != NULL; other = other->next)
        count += str_eq(other->person, client->person);
    if (most == 0 || count < most)
        return false;
    map_clear(&client->dags);
    http_set_header(call->request, "Retry-After", STR(RETRY_AFTER_S));
    call_refuse(call, 429, "you listen to %lld streams already: close one", (long long)count);
    return true;
}

static void end_others(struct live *live, const struct value *good)
{
    struct map holders = { 0 };

    for (uint32_t i = 0; i < good->count; i++)
        map_put_str(&holders, value_text(good->items[i], STR_EMPTY), 1);
    for (struct stream_client *client = live->first, *next; client != NULL; client = next) {
        next = client->next;
        /* Who came meanwhile was not asked about. */
        if (client->is_asked_about && !map_get_str(&holders, client->holder, NULL))
            live_drop(client);
    }
    map_clear(&holders);
}

static void on_holders(void *owner, int rc, struct str json, const struct err *err)
{
    struct live *live = owner;
    struct arena arena = { 0 };
    const struct value *good = NULL;

    (void)err;
    live->is_reading_holders = false;
    if (rc == 0)
        rc = json_parse(&arena, json, NULL, &good, NULL);
    if (rc == 0)
        end_others(live, good);
    arena_clear(&arena);
}

/* The part of a holder that the database knows. */
static struct str hash_of(const struct stream_client *client)
{
    return str_slice(client->holder, 0, 2 * STORE_TOKEN_HASH_SIZE);
}

void live_look_at_holders(struct live *live)
{
    VEC(struct str) hashes = { 0 };

    if (live->is_reading_holders)
        return;
    for (struct stream_client *client = live->first; client != NULL; client = client->next) {
        client->is_asked_about = client->holder.size > 0;
        if (client->is_asked_about)
            VEC_ADD(&hashes, hash_of(client));
    }
    if (hashes.count > 0) {
        struct bind binds[] = { BIND_TEXTS(hashes.items, hashes.count),
                                BIND_NUMBER(live->api->options.conf->api_session_idle_ms) };
        live->is_reading_holders = true;
        document_read(live->api->options.store, DOCUMENT_live_holders, binds, 2, on_holders, live);
    }
    VEC_CLEAR(&hashes);
}
