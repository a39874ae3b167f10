// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/live_topic.h"

#include "webserver/http/http_text.h"

enum { PARTS_MAX = 5 };

static const struct {
    const char *word;
    enum topic_kind kind;
    uint32_t part_count;
} KINDS[] = {
    { "home", TOPIC_HOME, 0 }, { "dags", TOPIC_DAGS, 0 }, { "workers", TOPIC_WORKERS, 0 },
    { "dag", TOPIC_DAG, 1 },   { "run", TOPIC_RUN, 2 },   { "log", TOPIC_LOG, 5 },
};

static int read_parts(struct arena *arena, struct str text, uint32_t count, struct topic *topic)
{
    struct str parts[PARTS_MAX] = { STR_EMPTY, STR_EMPTY, STR_EMPTY, STR("-1"), STR("0") }, part;
    uint32_t got = 0;
    int64_t map_index = -1, try_no = 0;
    topic->name = text;
    while (count > 0 && str_split(&text, '/', &part)) {
        if (got == count || part.size == 0 || http_decode(arena, part, false, &parts[got++]) < 0)
            return ERR_INVALID;
    }
    topic->dag_id = parts[0];
    topic->run_id = parts[1];
    topic->task_id = parts[2];
    if (got != count || str_to_int(parts[3], -1, INT32_MAX, &map_index) < 0 ||
        str_to_int(parts[4], 0, INT16_MAX, &try_no) < 0)
        return ERR_INVALID;
    topic->map_index = (int32_t)map_index;
    topic->try_no = (int32_t)try_no;
    return 0;
}

static int read_topic(struct arena *arena, struct str text, struct topic *topic)
{
    struct str rest = text, word;
    (void)str_split(&rest, ':', &word);
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if (!str_is(word, KINDS[i].word))
            continue;
        topic->kind = KINDS[i].kind;
        if (KINDS[i].part_count == 0 && rest.bytes != NULL)
            return ERR_INVALID;
        return read_parts(arena, rest.bytes == NULL ? STR_EMPTY : rest, KINDS[i].part_count, topic);
    }
    return ERR_INVALID;
}

int topics_parse(struct arena *arena, struct str text, struct topics *out, struct err *err)
{
    struct topics topics = { ARENA_ARRAY(arena, struct topic, TOPICS_MAX), 0 };
    struct str part;
    while (str_split(&text, ',', &part)) {
        if (part.size == 0)
            continue;
        if (topics.count == TOPICS_MAX)
            return err_set(err, ERR_UNPROCESSABLE, "more than %d topics", TOPICS_MAX);
        if (read_topic(arena, part, &topics.items[topics.count++]) < 0)
            return err_set(err, ERR_UNPROCESSABLE,
                           "%.*s is no topic: home, dags, dag:DAG, run:DAG/RUN, workers, "
                           "log:DAG/RUN/TASK/MAP/TRY",
                           STR_ARG(str_slice(part, 0, 200)));
    }
    *out = topics;
    return 0;
}

bool topics_want(const struct topics *topics, enum topic_event event, struct str dag_id,
                 struct str run_id)
{
    for (uint32_t i = 0; i < topics->count; i++) {
        const struct topic *topic = &topics->items[i];
        bool is_its_dag = topic->kind == TOPIC_DAG && str_eq(topic->dag_id, dag_id);
        bool is_its_run = topic->kind == TOPIC_RUN && str_eq(topic->dag_id, dag_id) &&
                          str_eq(topic->run_id, run_id);
        bool wants = false;
        switch (event) {
        case EVENT_TASK:
            wants = is_its_dag || is_its_run;
            break;
        case EVENT_RUN:
            wants =
                topic->kind == TOPIC_HOME || topic->kind == TOPIC_DAGS || is_its_dag || is_its_run;
            break;
        case EVENT_DAG:
            wants = topic->kind == TOPIC_HOME || topic->kind == TOPIC_DAGS || is_its_dag;
            break;
        case EVENT_WORKERS:
            wants = topic->kind == TOPIC_HOME || topic->kind == TOPIC_WORKERS;
            break;
        case EVENT_LOADS:
            wants = topic->kind == TOPIC_WORKERS;
            break;
        case EVENT_COUNT:
            break;
        }
        if (wants)
            return true;
    }
    return false;
}
