// SPDX-License-Identifier: Apache-2.0
#include "scheduler/shell/errands.h"

#include "common/base/assert.h"
#include "common/conf/place.h"
#include "common/helper/helper.h"
#include "common/store/errand_store.h"
#include "common/text/json.h"

struct errands {
    struct shell *shell;
    struct helper *helper;
};

/* A question on its way to the database. */
struct question {
    struct shell *shell;
    uint64_t epoch; /* of the leadership that asked */
    struct id128 id;
    uint32_t number;
};

static void tell(struct shell *shell, const struct errand_answer *answers, uint32_t count)
{
    if (shell->is_leading)
        shell_step(shell, &(struct core_event) { .type = CORE_ERRANDS_DONE,
                                                 .errands = { STR_EMPTY, answers, count } });
}

static void on_answers(void *owner, const struct errand_answer *answers, uint32_t count)
{
    tell(((struct errands *)owner)->shell, answers, count);
}

struct errands *errands_new(struct shell *shell)
{
    struct errands *errands = calloc(1, sizeof *errands);
    struct arena arena = { 0 };
    ASSERT(errands != NULL);
    errands->shell = shell;
    errands->helper =
        helper_new(shell->loop, place_program(&arena, "headrace-task").bytes, on_answers, errands);
    arena_clear(&arena);
    return errands;
}

void errands_close(struct errands *errands, void (*done)(void *owner), void *owner)
{
    struct helper *helper = errands->helper;
    free(errands);
    helper_close(helper, done, owner);
}

static void on_asked(void *owner, int rc, bool succeeded)
{
    struct question question = *(struct question *)owner;
    free(owner);
    struct errand_answer answer = { question.id, question.number,
                                    succeeded ? ERRAND_DONE : ERRAND_NOT_YET, STR_EMPTY,
                                    rc < 0 ? STR("the database did not answer") : STR_EMPTY };
    if (question.epoch == question.shell->epoch)
        tell(question.shell, &answer, 1);
}

static void ask_task(struct shell *shell, const struct value *map, struct question *question)
{
    int64_t logical_ms = 0;
    int rc = str_to_int(value_text(value_get(map, "logical_ms"), STR_EMPTY), INT64_MIN, INT64_MAX,
                        &logical_ms);
    ASSERT(rc == 0);
    store_task_succeeded(shell->store, value_text(value_get(map, "dag_id"), STR_EMPTY),
                         value_text(value_get(map, "task_id"), STR_EMPTY), logical_ms, on_asked,
                         question);
}

static void ask(struct shell *shell, const struct errand *errand)
{
    struct question *question = malloc(sizeof *question);
    struct arena arena = { 0 };
    const struct value *map = NULL;
    ASSERT(question != NULL);
    *question = (struct question) { shell, shell->epoch, errand->id, errand->number };
    int rc = json_parse(&arena, errand->payload, NULL, &map, NULL);
    ASSERT(rc == 0); /* the core wrote it */
    if (errand->kind == ERRAND_ASSET)
        store_asset_updated(shell->store, value_text(value_get(map, "asset"), STR_EMPTY),
                            value_integer(value_get(map, "since_ms"), 0), on_asked, question);
    else
        ask_task(shell, map, question);
    arena_clear(&arena);
}

void errands_run(struct errands *errands, const struct errand *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].kind == ERRAND_TASK || items[i].kind == ERRAND_ASSET)
            ask(errands->shell, &items[i]);
        else
            helper_give(errands->helper, &items[i], 1);
    }
}
