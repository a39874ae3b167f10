// SPDX-License-Identifier: Apache-2.0
#include "common/model/retry.h"

#include "common/base/assert.h"
#include "common/text/duration.h"

#include <math.h>

int64_t retry_delay_ms(const struct task *task, uint32_t nth, double random)
{
    ASSERT(nth > 0 && random >= 0 && random < 1);
    double wait = (double)task->retry_delay_ms;
    double bound = (double)task->max_retry_delay_ms;
    if (task->retry_backoff > 0)
        wait *= pow(task->retry_backoff, (double)(nth - 1));
    /* The comparison is this way round so that an infinite product is bounded too. */
    if (!(wait < bound))
        wait = bound;
    if (task->retry_jitter == JITTER_FULL)
        wait *= random;
    return wait > 0 ? (int64_t)round(wait) : 0;
}

/* "ConnectionError: refused" -> "ConnectionError". */
static struct str error_name(struct str error)
{
    size_t size = 0;
    while (size < error.size && error.bytes[size] != ' ' && error.bytes[size] != ':' &&
           error.bytes[size] != '\n')
        size++;
    return str_slice(error, 0, size);
}

int64_t retry_asked_ms(const struct task *task, const struct result *result)
{
    static const char mark[] = " retry_after=";
    struct str rest = result->error, words;
    int64_t asked_ms = 0;
    rest = str_slice(rest, error_name(rest).size, rest.size);
    if (!str_starts(rest, mark))
        return 0;
    rest = str_slice(rest, sizeof mark - 1, rest.size);
    if (!str_split(&rest, ':', &words) || duration_parse(words, &asked_ms, NULL) < 0)
        return 0;
    return asked_ms < task->max_retry_delay_ms ? asked_ms : task->max_retry_delay_ms;
}

static bool list_names(const struct value *list, const struct result *result)
{
    if (list == NULL || list->type != VALUE_LIST)
        return false;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct value *item = list->items[i];
        if (item->type == VALUE_INT && result->outcome == OUTCOME_FAILED &&
            item->integer == result->exit_code)
            return true;
        if (item->type == VALUE_STRING &&
            (str_is(item->string, outcome_name(result->outcome)) ||
             (result->error.size > 0 && str_eq(item->string, error_name(result->error)))))
            return true;
    }
    return false;
}

bool retry_is_wanted(const struct task *task, const struct result *result)
{
    if (result->hard || list_names(task->no_retry_on, result))
        return false;
    return task->retry_on == NULL || list_names(task->retry_on, result);
}
