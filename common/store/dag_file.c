// SPDX-License-Identifier: Apache-2.0
#include "common/store/dag_file.h"

#include "common/base/assert.h"
#include "common/base/vec.h"
#include "common/store/batch.h"
#include "common/store/statement.h"

#include <sodium.h>

void store_hash(struct str bytes, uint8_t out[STORE_HASH_SIZE])
{
    (void)crypto_generichash(out, STORE_HASH_SIZE, (const uint8_t *)bytes.bytes, bytes.size, NULL,
                             0);
}

/* One recording under way. Its transaction is: the fence, three statements for each DAG, then the
 * rest. */
struct recording {
    struct arena arena;
    struct str *dag_ids;
    uint32_t dag_count;
    void (*on_end)(void *owner, const struct recorded_file *recorded);
    void *owner;
};

enum { RESULTS_PER_DAG = 3, RESULT_NEWEST = 2 };

static struct recording *
recording_new(void (*on_end)(void *owner, const struct recorded_file *recorded), void *owner)
{
    struct recording *recording = calloc(1, sizeof *recording);

    ASSERT(recording != NULL);
    recording->on_end = on_end;
    recording->owner = owner;
    return recording;
}

enum {
    NEWEST_DAG,
    NEWEST_VERSION,
    NEWEST_NUMBER,
    NEWEST_IS_NEW,
    NEWEST_IS_PAUSED,
    NEWEST_LAST,
    NEWEST_CLAIMED
};

static struct recorded_dag recorded_dag_of(struct str dag_id, const struct pg_result *result)
{
    ASSERT(pg_row_count(result) == 1);
    return (struct recorded_dag) {
        .dag_id = dag_id,
        .dag_no = (int32_t)pg_get_int(result, 0, NEWEST_DAG),
        .version_no = pg_get_int(result, 0, NEWEST_VERSION),
        .version_number = (int32_t)pg_get_int(result, 0, NEWEST_NUMBER),
        .is_new_version = pg_get_bool(result, 0, NEWEST_IS_NEW),
        .is_paused = pg_get_bool(result, 0, NEWEST_IS_PAUSED),
        .has_last = !pg_is_null(result, 0, NEWEST_LAST),
        .last_fire_ms = pg_get_time_ms(result, 0, NEWEST_LAST),
        .claimed_by = pg_get_text(result, 0, NEWEST_CLAIMED),
    };
}

static void on_recorded(void *owner, const struct pg_outcome *outcome)
{
    struct recording *recording = owner;
    struct recorded_file file = { .rc = outcome->rc, .err = outcome->err };

    if (outcome->rc == 0) {
        /* The last statement of the transaction tells which DAGs are gone. */
        const struct pg_result *gone = outcome->results[outcome->result_count - 1];
        struct recorded_dag *dags =
            ARENA_ARRAY(&recording->arena, struct recorded_dag, recording->dag_count);
        int32_t *gone_nos = ARENA_ARRAY(&recording->arena, int32_t, pg_row_count(gone));

        for (uint32_t i = 0; i < recording->dag_count; i++)
            dags[i] = recorded_dag_of(recording->dag_ids[i],
                                      outcome->results[1 + i * RESULTS_PER_DAG + RESULT_NEWEST]);
        for (uint32_t i = 0; i < pg_row_count(gone); i++)
            gone_nos[i] = (int32_t)pg_get_int(gone, i, 0);
        file.dags = dags;
        file.dag_count = recording->dag_count;
        file.gone = gone_nos;
        file.gone_count = pg_row_count(gone);
    }
    recording->on_end(recording->owner, &file);
    arena_clear(&recording->arena);
    free(recording);
}

/* ---- the DAGs of a file ---------------------------------------------------------------------- */

static void add_dag(struct pg_tx *tx, int16_t shard, const struct compiled_file *file,
                    const struct compiled_dag *dag, struct batch *texts)
{
    uint8_t hash[STORE_HASH_SIZE];
    struct str hash_str = { (const char *)hash, sizeof hash };
    struct pg_params *params = pg_tx_add(tx, SQL_dag_put, NULL, NULL);

    store_hash(dag->ir, hash);
    pg_put_int2(params, shard);
    pg_put_text(params, dag->dag_id);
    pg_put_bool(params, dag->is_paused);
    pg_put_text(params, batch_text(texts, file->path));
    pg_put_text_array(params, dag->owners, dag->owner_count);
    pg_put_text_array(params, dag->tags, dag->tag_count);
    pg_put_text_or_null(params, batch_text(texts, dag->description));
    if (dag->schedule.size > 0)
        pg_put_jsonb(params, dag->schedule);
    else
        pg_put_null(params, PG_JSONB);
    pg_put_time_ms(params, file->parsed_ms);

    params = pg_tx_add(tx, SQL_dag_version_put, NULL, NULL);
    pg_put_text(params, dag->dag_id);
    pg_put_text(params, batch_text(texts, file->path));
    pg_put_bytea(params, hash_str);
    pg_put_jsonb(params, dag->ir);
    pg_put_text(params, batch_text(texts, dag->source));

    params = pg_tx_add(tx, SQL_dag_newest, NULL, NULL);
    pg_put_text(params, dag->dag_id);
    pg_put_text(params, batch_text(texts, file->path));
    pg_put_bytea(params, hash_str);
}

/* ---- its errors ------------------------------------------------------------------------------ */

#define ERROR_COLUMN(element, put, value)                                                          \
    do {                                                                                           \
        pg_put_array(params, PG_##element);                                                        \
        for (uint32_t i = 0; i < file->error_count; i++) {                                         \
            const struct compile_error *row = &file->errors[i];                                    \
            put(params, value);                                                                    \
        }                                                                                          \
        pg_put_array_end(params);                                                                  \
    } while (0)

static void add_errors(struct pg_tx *tx, const struct compiled_file *file,
                       const struct recording *recording, struct batch *texts)
{
    struct str path = batch_text(texts, file->path);
    struct pg_params *params = pg_tx_add(tx, SQL_import_error_drop, NULL, NULL);

    pg_put_text_array(params, &path, 1);
    if (file->error_count > 0) {
        params = pg_tx_add(tx, SQL_import_error_add, NULL, NULL);
        pg_put_text(params, path);
        pg_put_time_ms(params, file->parsed_ms);
        ERROR_COLUMN(TEXT, pg_put_text_or_null, batch_text(texts, row->dag_id));
        ERROR_COLUMN(INT4, pg_put_int4, (int32_t)row->line);
        ERROR_COLUMN(INT4, pg_put_int4, (int32_t)row->column);
        ERROR_COLUMN(TEXT, pg_put_text, batch_text(texts, row->message));
        ERROR_COLUMN(TEXT, pg_put_text, batch_text(texts, row->advice));
        ERROR_COLUMN(TEXT, pg_put_text, batch_text(texts, row->excerpt));
    }
    params = pg_tx_add(tx, SQL_import_error_claimed, NULL, NULL);
    pg_put_text(params, path);
    pg_put_time_ms(params, file->parsed_ms);
    pg_put_text_array(params, recording->dag_ids, recording->dag_count);
}

static void add_file(struct pg_tx *tx, const struct compiled_file *file,
                     const struct recording *recording, struct batch *texts)
{
    struct pg_params *params = pg_tx_add(tx, SQL_dag_file_put, NULL, NULL);

    pg_put_text(params, batch_text(texts, file->path));
    pg_put_bytea(params, file->content_hash);
    pg_put_int8(params, file->size);
    pg_put_time_ms(params, file->parsed_ms);
    pg_put_int4(params, file->parse_ms);
    pg_put_text_array(params, recording->dag_ids, recording->dag_count);
}

void store_dag_file_put(struct store *store, uint64_t epoch, const struct compiled_file *file,
                        void (*on_end)(void *owner, const struct recorded_file *recorded),
                        void *owner)
{
    struct recording *recording = recording_new(on_end, owner);
    struct pg_tx *tx = pg_tx_new();
    struct batch texts = { 0 };
    struct str path = batch_text(&texts, file->path);
    struct pg_params *params;

    recording->dag_count = file->dag_count;
    recording->dag_ids = ARENA_ARRAY(&recording->arena, struct str, file->dag_count);
    store_fence(store, tx, epoch);
    for (uint32_t i = 0; i < file->dag_count; i++) {
        recording->dag_ids[i] = str_copy(&recording->arena, file->dags[i].dag_id);
        add_dag(tx, store_shard(store), file, &file->dags[i], &texts);
    }
    add_errors(tx, file, recording, &texts);
    add_file(tx, file, recording, &texts);
    params = pg_tx_add(tx, SQL_dag_stale, NULL, NULL);
    pg_put_text_array(params, &path, file->error_count > 0 ? 0 : 1);
    pg_put_text_array(params, recording->dag_ids, recording->dag_count);
    batch_clear(&texts);
    store_send_write(store, tx, on_recorded, recording);
}

void store_dag_files_gone(struct store *store, uint64_t epoch, const struct str *paths,
                          uint32_t path_count,
                          void (*on_end)(void *owner, const struct recorded_file *recorded),
                          void *owner)
{
    static const uint32_t statements[] = { SQL_dag_file_drop, SQL_import_error_drop,
                                           SQL_dag_stale };
    struct pg_tx *tx = pg_tx_new();
    struct pg_params *params = NULL;

    store_fence(store, tx, epoch);
    for (uint32_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        params = pg_tx_add(tx, statements[i], NULL, NULL);
        pg_put_text_array(params, paths, path_count);
    }
    pg_put_text_array(params, NULL, 0);
    store_send_write(store, tx, on_recorded, recording_new(on_end, owner));
}

/* ---- what is known --------------------------------------------------------------------------- */

struct file_reading {
    void (*on_file)(void *owner, const struct known_file *file);
    void (*on_end)(void *owner, int rc, const struct err *err);
    void *owner;
};

enum { FILE_PATH, FILE_HASH, FILE_SIZE, FILE_PARSED, FILE_HAS_ERRORS };

static void on_files(void *owner, const struct pg_outcome *outcome)
{
    struct file_reading *reading = owner;

    for (uint32_t i = 0; outcome->rc == 0 && i < pg_row_count(outcome->results[0]); i++)
        reading->on_file(reading->owner,
                         &(struct known_file) {
                             .path = pg_get_text(outcome->results[0], i, FILE_PATH),
                             .content_hash = pg_get_text(outcome->results[0], i, FILE_HASH),
                             .size = pg_get_int(outcome->results[0], i, FILE_SIZE),
                             .parsed_ms = pg_get_time_ms(outcome->results[0], i, FILE_PARSED),
                             .has_errors = pg_get_bool(outcome->results[0], i, FILE_HAS_ERRORS),
                         });
    reading->on_end(reading->owner, outcome->rc, outcome->err);
    free(reading);
}

void store_dag_files_read(struct store *store,
                          void (*on_file)(void *owner, const struct known_file *file),
                          void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct file_reading *reading = malloc(sizeof *reading);
    struct pg_tx *tx = pg_tx_new();

    ASSERT(reading != NULL);
    *reading = (struct file_reading) { on_file, on_end, owner };
    (void)pg_tx_add(tx, SQL_dag_files_read, NULL, NULL);
    store_send(store, tx, on_files, reading);
}
