// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dags.h"

#include "common/base/assert.h"
#include "common/base/vec.h"
#include "common/text/json.h"

const struct value *dag_value(struct dag *dag, const char *json)
{
    const struct value *value = NULL;
    int rc = json_parse(&dag->arena, str_of(json), NULL, &value, NULL);
    ASSERT(rc == 0);
    return value;
}

struct task *dag_task(struct dag *dag, const char *id)
{
    for (uint32_t i = 0; i < dag->task_count; i++)
        if (str_is(dag->tasks[i].id, id))
            return &dag->tasks[i];
    ASSERT(!"no such task");
    return NULL;
}

struct word {
    struct str id, upstream, rule, kind;
};

static struct str cut(struct str *from, char sign)
{
    ptrdiff_t at = str_find(*from, sign);
    if (at < 0)
        return STR_EMPTY;
    struct str tail = str_slice(*from, (size_t)at + 1, from->size);
    *from = str_slice(*from, 0, (size_t)at);
    return tail;
}

static void upstream_set(struct dag *dag, struct task *task, struct str list)
{
    struct str part = STR_EMPTY;
    if (list.size == 0)
        return;
    bool *marks = ARENA_ARRAY(&dag->arena, bool, dag->task_count);
    while (list.bytes != NULL && str_split(&list, ',', &part))
        for (uint32_t i = 0; i < dag->task_count; i++)
            marks[i] |= str_eq(dag->tasks[i].id, part);
    task->upstream = ARENA_ARRAY(&dag->arena, uint32_t, dag->task_count);
    for (uint32_t i = 0; i < dag->task_count; i++)
        if (marks[i])
            task->upstream[task->upstream_count++] = i;
}

struct dag *dag_words(const char *text)
{
    VEC(struct word) words = { 0 };
    struct str rest = str_of(text), part = STR_EMPTY;
    while (rest.bytes != NULL && str_split(&rest, ' ', &part)) {
        struct word word = { .id = part };
        if (part.size == 0)
            continue;
        word.kind = cut(&word.id, '=');
        word.rule = cut(&word.id, '?');
        word.upstream = cut(&word.id, ':');
        VEC_ADD(&words, word);
    }
    struct dag *dag = dag_new(words.count);
    dag->id = STR("d");
    VEC_EACH (&words, i) {
        dag->tasks[i].id = str_copy(&dag->arena, words.items[i].id);
        dag->tasks[i].operator_kind = OPERATOR_BASH;
        dag->tasks[i].operator_args = dag_value(dag, "{\"command\":\"true\"}");
        int rc = words.items[i].rule.size > 0
                     ? trigger_rule_parse(words.items[i].rule, &dag->tasks[i].trigger_rule)
                     : 0;
        if (rc == 0 && words.items[i].kind.size > 0)
            rc = operator_parse(words.items[i].kind, &dag->tasks[i].operator_kind);
        ASSERT(rc == 0);
    }
    VEC_EACH (&words, i)
        upstream_set(dag, &dag->tasks[i], words.items[i].upstream);
    VEC_CLEAR(&words);
    int rc = dag_build(dag, NULL);
    ASSERT(rc == 0);
    return dag;
}

struct dag *dag_chain(uint32_t count)
{
    char words[26 * 4 + 1] = "";
    size_t size = 0;
    ASSERT(count <= 26);
    for (uint32_t i = 0; i < count; i++)
        size += (size_t)snprintf(words + size, sizeof words - size, i == 0 ? "%c" : " %c:%c",
                                 (int)('a' + i), (int)('a' + i - 1));
    return dag_words(words);
}
