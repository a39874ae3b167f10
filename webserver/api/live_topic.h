// SPDX-License-Identifier: Apache-2.0
/* live_topic - what a stream asked for: "home,run:etl/manual__1,log:etl/manual__1/load/-1/2". */
#ifndef HEADRACE_LIVE_TOPIC_H
#define HEADRACE_LIVE_TOPIC_H

#include "common/base/id.h"
#include "common/base/vec.h"

enum topic_kind { TOPIC_HOME, TOPIC_DAGS, TOPIC_DAG, TOPIC_RUN, TOPIC_WORKERS, TOPIC_LOG };

struct topic {
    enum topic_kind kind;
    struct str dag_id, run_id; /* decoded */
    /* Of a log. */
    struct str task_id;
    int32_t map_index, try_no;
    struct str name; /* "etl/manual__1/load/-1/2", as it was asked for */
    struct id128 attempt;
    bool has_changed;
};

enum { TOPICS_MAX = 200 };

struct topics {
    struct topic *items;
    uint32_t count;
};

/* ERR_UNPROCESSABLE names the topic that is none. Everything lives in `arena`. */
MUST_USE int topics_parse(struct arena *arena, struct str text, struct topics *out,
                          struct err *err);

enum topic_event { EVENT_TASK, EVENT_RUN, EVENT_DAG, EVENT_WORKERS, EVENT_LOADS, EVENT_COUNT };

bool topics_want(const struct topics *topics, enum topic_event event, struct str dag_id,
                 struct str run_id);

#endif
