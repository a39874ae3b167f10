// SPDX-License-Identifier: Apache-2.0
/* model - what the store is to do, said in the simplest way: arrays in memory, records applied one by one. */
#ifndef HEADRACE_MODEL_H
#define HEADRACE_MODEL_H

#include "common/base/buf.h"
#include "common/base/vec.h"
#include "common/model/record.h"

struct model_run {
    int64_t run_no;
    int32_t dag_no;
    int64_t version_no;
    char run_id[16];
    enum run_state state;
    int64_t started_ms, ended_ms;
    uint32_t succeeded;
    int32_t clear_number;
    bool is_live;
};

struct model_try {
    int64_t run_no;
    uint32_t task;
    int32_t map_index;
    uint32_t row_no;
    uint64_t attempt; /* the low half; 0 = none */
    enum task_state state;
    enum cause cause;
    bool cleared;
    int64_t started_ms, ended_ms, retry_ms, cpu_ms;
    bool has_exit_code;
    int32_t exit_code;
    char error[16];
};

struct model_output {
    int64_t run_no;
    uint32_t task;
    int32_t map_index;
    int64_t value; /* outputs are numbers here */
};

struct model_key {
    int32_t dag_no;
    char run_id[16];
    int64_t run_no;
};

struct model_answer {
    int64_t request_no;
    int code;
};

struct model_worker {
    int64_t worker_no;
    uint64_t incarnation;
    enum worker_state state;
};

struct model {
    VEC(struct model_run) runs;
    VEC(struct model_try) tries;
    VEC(struct model_output) outputs;
    VEC(struct model_key) keys;
    VEC(struct model_answer) answers;
    VEC(struct model_worker) workers;
    VEC(int64_t) inbox;
};

void model_clear(struct model *model);
void model_copy(struct model *to, const struct model *from); /* `to` is all-zero */

/* 0, or ERR_CONFLICT and the model is as it was. */
int model_apply(struct model *model, const struct record *records, uint32_t count);

struct model_run *model_find_run(const struct model *model, int64_t run_no);
struct model_try *model_find_try(const struct model *model, int64_t run_no, uint32_t task, int32_t map_index,
                                 uint32_t row_no);

/* Everything, one row a line, in an order of its own; and the query that says the same of the database. */
void model_dump(const struct model *model, struct buf *out);
extern const char model_dump_sql[];

#endif
