// SPDX-License-Identifier: Apache-2.0
/* waiting - what tasks that wait cost a scheduler's core: bytes each, and time of a processor for
 * an hour of looks once a minute. One worker answers every look with no. */
#include "common/base/assert.h"
#include "common/base/buf.h"
#include "common/base/vec.h"
#include "common/text/json.h"
#include "scheduler/core/core.h"

#include <malloc.h>
#include <stdio.h>
#include <time.h>

enum { RUNS = 100, INSTANCES = 1000, MINUTES = 10 };

struct bench {
    struct core *core;
    int64_t now_ms;
    VEC(struct errand) given;
    struct arena payloads;
};

static void step(struct bench *bench, struct core_event *event)
{
    struct core_out out;
    event->now_ms = bench->now_ms;
    event->wall_ms = 1767225600000 + bench->now_ms;
    core_step(bench->core, event, &out);
    for (uint32_t i = 0; i < out.send_count; i++)
        for (uint32_t k = 0; out.sends[i].type == SEND_ERRANDS && k < out.sends[i].errands.count;
             k++)
            VEC_ADD(&bench->given, out.sends[i].errands.items[k]);
    if (out.commit != NULL)
        step(bench, &(struct core_event) { .type = CORE_COMMITTED,
                                           .committed = { out.commit->batch_no } });
}

static void answer(struct bench *bench)
{
    VEC(struct errand_answer) answers = { 0 };
    VEC_EACH (&bench->given, i)
        VEC_ADD(&answers,
                ((struct errand_answer) { bench->given.items[i].id, bench->given.items[i].number,
                                          ERRAND_NOT_YET, STR_EMPTY, STR_EMPTY }));
    VEC_RESET(&bench->given);
    step(bench, &(struct core_event) { .type = CORE_ERRANDS_DONE,
                                       .errands = { STR("w"), answers.items, answers.count } });
    VEC_CLEAR(&answers);
}

static void inventory(struct bench *bench)
{
    struct core_inventory inventory = { .worker = STR("w"),
                                        .name = STR("w"),
                                        .host = STR("h"),
                                        .version = STR("1"),
                                        .queues = STR("default"),
                                        .incarnation = 1,
                                        .epoch = 1,
                                        .sent_ms = bench->now_ms,
                                        .next_seq = 1 };
    step(bench, &(struct core_event) { .type = CORE_INVENTORY, .inventory = &inventory });
}

static struct dag *dag_make(void)
{
    struct dag *dag = dag_new(1);
    struct buf list = { 0 };
    const struct value *value = NULL;
    dag->id = STR("d");
    dag->max_active_runs = RUNS;
    dag->tasks[0].id = STR("w");
    dag->tasks[0].operator_kind = OPERATOR_WAIT_FOR;
    int rc = json_parse(&dag->arena, STR("{\"file\": \"/data/{{ run_id }}/{{ item }}.json\"}"),
                        NULL, &value, NULL);
    dag->tasks[0].operator_args = value;
    for (int i = 0; i < INSTANCES; i++)
        buf_printf(&list, "%c%d", i == 0 ? '[' : ',', i);
    buf_add_byte(&list, ']');
    rc |= json_parse(&dag->arena, buf_str(&list), NULL, &value, NULL);
    dag->tasks[0].for_each = value;
    buf_clear(&list);
    rc |= dag_build(dag, NULL);
    ASSERT(rc == 0);
    return dag;
}

int main(void)
{
    struct core_limits limits = { .runs_max = 1000,
                                  .workers_max = 10,
                                  .batch_writes_max = 4096,
                                  .map_length_max = INSTANCES,
                                  .output_bytes_max = 1 << 20,
                                  .credit_ttl_ms = 30000,
                                  .lease_ms = 3600000,
                                  .lease_grace_ms = 1000,
                                  .amnesty_ms = 1000,
                                  .default_pool_slots = 128,
                                  .notify_give_up_ms = 86400000 };
    struct bench bench = { .core = core_new(&limits), .now_ms = 1000 };
    step(&bench, &(struct core_event) {
                     .type = CORE_LED,
                     .led = { .epoch = 1, .seed = 1, .run_no_next = 1, .worker_no_next = 1 } });
    step(&bench, &(struct core_event) {
                     .type = CORE_DAG,
                     .dag = { .dag_no = 1, .version_no = 1, .dag = dag_make(), .newest = true } });
    step(&bench, &(struct core_event) { .type = CORE_RECOVERED });
    inventory(&bench);
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    for (int i = 0; i < RUNS; i++) {
        char name[16];
        snprintf(name, sizeof name, "r%d", i);
        struct request request = { .request_no = i + 1,
                                   .kind = REQUEST_TRIGGER,
                                   .dag_id = STR("d"),
                                   .run_id = str_of(name),
                                   .actor = STR("u"),
                                   .note = STR_EMPTY };
        step(&bench, &(struct core_event) { .type = CORE_REQUEST, .request = &request });
        answer(&bench);
    }
    uint32_t waiting = core_stats(bench.core).waiting;
    size_t bytes = mallinfo2().uordblks + mallinfo2().hblkhd - before;
    uint64_t looks = core_stats(bench.core).looks;
    clock_t began = clock();
    for (int64_t end_ms = bench.now_ms + MINUTES * 60000; bench.now_ms < end_ms;) {
        bench.now_ms =
            core_wake_at_ms(bench.core) > bench.now_ms ? core_wake_at_ms(bench.core) : bench.now_ms;
        step(&bench, &(struct core_event) { .type = CORE_TICK });
        if (bench.given.count > 0)
            answer(&bench);
    }
    double seconds = (double)(clock() - began) / CLOCKS_PER_SEC;
    looks = core_stats(bench.core).looks - looks;
    printf("%u waiting tasks: %zu bytes each; %llu looks, %.2f us of a processor each: %.2f %% of "
           "one while all look once a minute\n",
           waiting, bytes / waiting, (unsigned long long)looks, seconds * 1e6 / (double)looks,
           seconds / (MINUTES * 60) * 100);
    VEC_CLEAR(&bench.given);
    core_free(bench.core);
    return 0;
}
