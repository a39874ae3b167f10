// SPDX-License-Identifier: Apache-2.0
/* dag_file - what compiling a file gave, recorded: its DAGs (a new version only where the content
 * is new), its errors, and which DAGs are gone. Written by the leader, under its epoch. */
#ifndef HEADRACE_DAG_FILE_H
#define HEADRACE_DAG_FILE_H

#include "common/store/store.h"

enum { STORE_HASH_SIZE = 32 };

/* BLAKE2b-256: of a file's bytes and of a version's IR. */
void store_hash(struct str bytes, uint8_t out[STORE_HASH_SIZE]);

struct compiled_dag {
    struct str dag_id;
    struct str ir;     /* canonical JSON */
    struct str source; /* of this DAG, for people */
    struct str description;
    struct str schedule; /* canonical JSON; empty = none */
    const struct str *owners, *tags;
    uint32_t owner_count, tag_count;
    bool is_paused; /* when it is new */
};

struct compile_error {
    struct str dag_id; /* empty when it is not known */
    uint32_t line, column;
    struct str message, advice, excerpt;
};

struct compiled_file {
    struct str path;
    struct str content_hash;
    int64_t size;
    int64_t parsed_ms; /* wall */
    int32_t parse_ms;  /* how long it took */
    const struct compiled_dag *dags;
    uint32_t dag_count;
    const struct compile_error *errors;
    uint32_t error_count;
};

/* A DAG as it stands after the recording. */
struct recorded_dag {
    struct str dag_id;
    int32_t dag_no;
    int64_t version_no;
    int32_t version_number;
    bool is_new_version; /* of content that was not the newest before */
    bool is_paused;
    bool has_last;
    int64_t last_fire_ms;
    struct str claimed_by; /* another file has this DAG already: recorded as an import error; dag_no
                              is 0 */
};

struct recorded_file {
    int rc;
    const struct err *err;
    const struct recorded_dag *dags; /* as many as the file's, in order */
    uint32_t dag_count;
    const int32_t *gone; /* dag_nos that are in no file any more */
    uint32_t gone_count;
};

/* Replaces what was recorded of the path. DAGs of the path that are not among its dags become
 * stale, unless the file has errors: a mistake takes no DAG away. When DAGs are gone, files with
 * errors are worth another compilation: one of them may have been refused because of a DAG that is
 * free now. */
void store_dag_file_put(struct store *store, uint64_t epoch, const struct compiled_file *file,
                        void (*on_end)(void *owner, const struct recorded_file *recorded),
                        void *owner);

/* Files that are there no longer. `dags` is empty, `gone` says whose DAGs became stale. */
void store_dag_files_gone(struct store *store, uint64_t epoch, const struct str *paths,
                          uint32_t path_count,
                          void (*on_end)(void *owner, const struct recorded_file *recorded),
                          void *owner);

struct known_file {
    struct str path;
    struct str content_hash;
    int64_t size;
    int64_t parsed_ms;
    bool has_errors;
};

void store_dag_files_read(struct store *store,
                          void (*on_file)(void *owner, const struct known_file *file),
                          void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

#endif
