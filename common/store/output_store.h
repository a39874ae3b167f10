// SPDX-License-Identifier: Apache-2.0
/* output_store - outputs (XCom) of tasks as the REST API changes them, and the rows of an instance
 * that it deletes. Only what no leader holds in memory may be written here: who calls looks at
 * `is_live` first. */
#ifndef HEADRACE_OUTPUT_STORE_H
#define HEADRACE_OUTPUT_STORE_H

#include "common/store/audit_store.h"

struct output_place {
    int64_t run_no;
    int32_t task, map_index;
    bool is_live; /* its run is under way */
    bool is_there;
};

enum output_change { OUTPUT_ADD, OUTPUT_CHANGE, OUTPUT_REMOVE };

/* ERR_NOT_FOUND: there is no such run or task. */
void output_find(struct store *store, struct str dag_id, struct str run_id, struct str task_id,
                 int32_t map_index, struct str key,
                 void (*on_end)(void *owner, int rc, const struct output_place *place,
                                const struct err *err),
                 void *owner);

/* `json` is ignored by OUTPUT_REMOVE. ERR_EXISTS, ERR_NOT_FOUND: somebody else was faster. */
void output_write(struct store *store, enum output_change change, const struct output_place *place,
                  struct str key, struct str json, const struct audit *audit,
                  void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

/* Every row of an instance of a run that has ended; the run's counts follow. ERR_NOT_FOUND: there
 * is none, or the run is under way again. */
void instance_delete(struct store *store, const struct output_place *place,
                     const struct audit *audit,
                     void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

#endif
