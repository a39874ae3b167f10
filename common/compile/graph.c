// SPDX-License-Identifier: Apache-2.0
/* Dependencies: what ids mean, groups resolved to tasks, cycles shown. */
#include "common/compile/compiler.h"

#include "common/text/suggest.h"

/* ---- ids ---- */

static struct str group_prefix(struct compiler *compiler, int32_t group)
{
    if (group < 0)
        return STR_EMPTY;
    return str_format(&compiler->scratch, "%.*s.", STR_ARG(compiler->groups.items[group].id));
}

struct resolved resolve(struct compiler *compiler, struct str id, int32_t group)
{
    for (;;) {
        uint64_t number;
        struct str whole = group < 0
                               ? id
                               : str_format(&compiler->scratch, "%.*s%.*s",
                                            STR_ARG(group_prefix(compiler, group)), STR_ARG(id));
        if (map_get_str(&compiler->task_ids, whole, &number))
            return (struct resolved) { true, false, (uint32_t)number };
        if (map_get_str(&compiler->group_ids, whole, &number))
            return (struct resolved) { true, true, (uint32_t)number };
        if (group < 0)
            return (struct resolved) { 0 };
        group = compiler->groups.items[group].parent;
    }
}

enum { SUGGEST_MAX = 5000 };

struct str suggest_id(struct compiler *compiler, struct str id, int32_t group)
{
    struct suggestion suggestion = suggestion_begin(id);
    struct str prefix = group_prefix(compiler, group);
    struct str tail = str_format(&compiler->scratch, ".%.*s", STR_ARG(id));
    if (!is_worth_a_look(compiler))
        return STR_EMPTY;
    for (uint32_t i = 0; i < compiler->tasks.count && i < SUGGEST_MAX; i++) {
        struct str other = compiler->tasks.items[i].id;
        /* The same id in a group that was not named. */
        if (str_ends(other, tail.bytes))
            return other;
        suggestion_offer(&suggestion, other);
        if (prefix.size > 0 && str_starts(other, prefix.bytes))
            suggestion_offer(&suggestion, str_slice(other, prefix.size, other.size));
    }
    return suggestion.best;
}

void refuse_id(struct compiler *compiler, struct place_in_file at, struct str id, int32_t group)
{
    struct str near = suggest_id(compiler, id, group), advice = STR_EMPTY;
    if (near.size == 0 && is_worth_a_look(compiler)) {
        struct suggestion suggestion = suggestion_begin(id);
        for (uint32_t i = 0; i < compiler->groups.count && i < SUGGEST_MAX; i++)
            suggestion_offer(&suggestion, compiler->groups.items[i].id);
        near = suggestion.best;
    }
    if (near.size > 0)
        advice = str_format(&compiler->scratch, "did you mean '%.*s'?", STR_ARG(near));
    problem(compiler, at, advice.bytes, "there is no task or group '%.*s'",
            STR_ARG(str_slice(id, 0, 80)));
}

/* ---- depends_on as written ---- */

static bool is_inside(const struct compiler *compiler, uint32_t task, uint32_t group)
{
    const struct found_group *g = &compiler->groups.items[group];
    return task >= g->first_task && task < g->end_task;
}

/* Whether group `inner` is `outer` or stands in it. */
static bool group_is_inside(const struct compiler *compiler, uint32_t inner, uint32_t outer)
{
    for (int32_t g = (int32_t)inner; g >= 0; g = compiler->groups.items[g].parent)
        if ((uint32_t)g == outer)
            return true;
    return false;
}

static struct str edge_from_id(const struct compiler *compiler, const struct found_edge *edge)
{
    return edge->from_group ? compiler->groups.items[edge->from].id
                            : compiler->tasks.items[edge->from].id;
}

static bool check_edge(struct compiler *compiler, const struct found_edge *edge)
{
    struct place_in_file at = { edge->line, edge->column };
    struct str id = edge_from_id(compiler, edge);
    if (edge->from_group == edge->to_group && edge->from == edge->to) {
        problem(compiler, at, "remove it", "'%.*s' depends on itself", STR_ARG(id));
        return false;
    }
    bool on_own_group =
        edge->to_group && (edge->from_group ? group_is_inside(compiler, edge->from, edge->to)
                                            : is_inside(compiler, edge->from, edge->to));
    bool on_own_part = edge->from_group && !on_own_group &&
                       (edge->to_group ? group_is_inside(compiler, edge->to, edge->from)
                                       : is_inside(compiler, edge->to, edge->from));
    if (on_own_group)
        problem(compiler, at, "name tasks of the group instead",
                "'%.*s' depends on the group that it is part of", STR_ARG(id));
    if (on_own_part)
        problem(compiler, at, "write it in the tasks of the group",
                "the group '%.*s' depends on a part of itself", STR_ARG(id));
    return !on_own_group && !on_own_part;
}

static void find_edge(struct compiler *compiler, const struct value *item, bool from_group,
                      uint32_t from, int32_t group)
{
    struct str id;
    if (!scalar_text(item, &id)) {
        problem(compiler, PLACE_OF(item), "write depends_on: [first, second]",
                "depends_on takes ids, not %s", value_type_name(item->type));
        return;
    }
    struct resolved to = resolve(compiler, id, group);
    struct found_edge edge = { from_group, to.is_group, from, to.number, item->line, item->column };
    if (!to.found)
        refuse_id(compiler, PLACE_OF(item), id, group);
    else if (check_edge(compiler, &edge))
        VEC_ADD(&compiler->edges, edge);
}

static void find_edges_of(struct compiler *compiler, const struct value *list, bool from_group,
                          uint32_t from, int32_t group)
{
    if (list == NULL || list->type == VALUE_NULL)
        return;
    if (list->type != VALUE_LIST) {
        find_edge(compiler, list, from_group, from, group);
        return;
    }
    for (uint32_t i = 0; i < list->count; i++)
        find_edge(compiler, list->items[i], from_group, from, group);
}

static void find_edges(struct compiler *compiler, const struct value *map, bool from_group,
                       uint32_t from, int32_t group)
{
    find_edges_of(compiler, value_get(map, "depends_on"), from_group, from, group);
    /* A teardown waits for its setups without saying so. */
    if (!from_group)
        find_edges_of(compiler, value_get(map, "teardown"), false, from, group);
}

/* ---- first and last tasks of groups ---- */

/* A group's first tasks depend on nothing inside of it, its last ones have nothing depend on them
 * there but teardowns: who waits for a group waits for its work. An edge counts inside the
 * innermost group that holds both its ends, and in all groups around that one. So it is enough to
 * know for each task how deep the deepest such group lies. */
struct depths {
    uint32_t *of_group; /* 1 for groups at the top */
    uint32_t *of_edge;  /* of the group that holds both ends; 0: none does */
    uint32_t *waits, *awaited;
    uint32_t most;
};

static uint32_t depth_of_both(const struct compiler *compiler, const struct depths *depths,
                              const struct found_edge *edge)
{
    int32_t a = edge->from_group ? compiler->groups.items[edge->from].parent
                                 : compiler->tasks.items[edge->from].group;
    int32_t b = edge->to_group ? compiler->groups.items[edge->to].parent
                               : compiler->tasks.items[edge->to].group;
    while (a != b) {
        uint32_t depth_a = a < 0 ? 0 : depths->of_group[a],
                 depth_b = b < 0 ? 0 : depths->of_group[b];
        if (depth_a >= depth_b)
            a = compiler->groups.items[a].parent;
        else
            b = compiler->groups.items[b].parent;
    }
    return a < 0 ? 0 : depths->of_group[a];
}

static void mark(uint32_t *marks, const uint32_t *tasks, uint32_t count, uint32_t depth)
{
    for (uint32_t i = 0; i < count; i++)
        if (marks[tasks[i]] < depth)
            marks[tasks[i]] = depth;
}

static bool is_teardown(const struct compiler *compiler, uint32_t task)
{
    const struct value *list = value_get(compiler->tasks.items[task].entry->value, "teardown");
    return list != NULL && list->type != VALUE_NULL;
}

static void mark_edge(struct compiler *compiler, struct depths *depths, uint32_t number)
{
    const struct found_edge *edge = &compiler->edges.items[number];
    const struct found_group *from = edge->from_group ? &compiler->groups.items[edge->from] : NULL;
    const struct found_group *to = edge->to_group ? &compiler->groups.items[edge->to] : NULL;
    uint32_t depth = depths->of_edge[number];
    mark(depths->waits, from != NULL ? from->roots : &edge->from,
         from != NULL ? from->root_count : 1, depth);
    if (from == NULL && is_teardown(compiler, edge->from))
        return;
    mark(depths->awaited, to != NULL ? to->leaves : &edge->to, to != NULL ? to->leaf_count : 1,
         depth);
}

static void find_ends_of(struct compiler *compiler, const struct depths *depths, uint32_t number)
{
    struct found_group *group = &compiler->groups.items[number];
    uint32_t count = group->end_task - group->first_task;
    group->roots = ARENA_ARRAY(&compiler->scratch, uint32_t, count);
    group->leaves = ARENA_ARRAY(&compiler->scratch, uint32_t, count);
    for (uint32_t t = group->first_task; t < group->end_task; t++) {
        if (depths->waits[t] < depths->of_group[number])
            group->roots[group->root_count++] = t;
        if (depths->awaited[t] < depths->of_group[number] && !is_teardown(compiler, t))
            group->leaves[group->leaf_count++] = t;
    }
}

/* From the inside out: an edge of a whole group counts for that group's first or last tasks, which
 * depend only on edges that lie deeper. */
static void find_ends(struct compiler *compiler)
{
    uint32_t group_count = compiler->groups.count, edge_count = compiler->edges.count;
    struct depths depths = {
        .of_group = ARENA_ARRAY(&compiler->scratch, uint32_t, group_count),
        .of_edge = ARENA_ARRAY(&compiler->scratch, uint32_t, edge_count),
        .waits = ARENA_ARRAY(&compiler->scratch, uint32_t, compiler->tasks.count),
        .awaited = ARENA_ARRAY(&compiler->scratch, uint32_t, compiler->tasks.count),
    };
    for (uint32_t g = 0; g < group_count; g++) {
        int32_t parent = compiler->groups.items[g].parent;
        depths.of_group[g] = parent < 0 ? 1 : depths.of_group[parent] + 1;
        if (depths.of_group[g] > depths.most)
            depths.most = depths.of_group[g];
    }
    for (uint32_t e = 0; e < edge_count; e++)
        depths.of_edge[e] = depth_of_both(compiler, &depths, &compiler->edges.items[e]);
    for (uint32_t depth = depths.most; depth > 0; depth--) {
        for (uint32_t e = 0; e < edge_count; e++)
            if (depths.of_edge[e] == depth)
                mark_edge(compiler, &depths, e);
        for (uint32_t g = 0; g < group_count; g++)
            if (depths.of_group[g] == depth)
                find_ends_of(compiler, &depths, g);
    }
}

/* ---- edges between tasks ---- */

static bool expand(struct compiler *compiler, const struct found_edge *edge, uint64_t *total)
{
    const uint32_t *from = &edge->from, *to = &edge->to;
    uint32_t from_count = 1, to_count = 1;
    if (edge->from_group) {
        from = compiler->groups.items[edge->from].roots;
        from_count = compiler->groups.items[edge->from].root_count;
    }
    if (edge->to_group) {
        to = compiler->groups.items[edge->to].leaves;
        to_count = compiler->groups.items[edge->to].leaf_count;
    }
    *total += (uint64_t)from_count * to_count;
    if (*total > COMPILE_EDGES_MAX) {
        problem(compiler, (struct place_in_file) { edge->line, edge->column },
                "put an empty task between the two groups: {empty: {}}",
                "the DAG has more than %d dependencies between tasks", COMPILE_EDGES_MAX);
        return false;
    }
    for (uint32_t i = 0; i < from_count; i++)
        for (uint32_t k = 0; k < to_count; k++)
            VEC_ADD(&compiler->tasks.items[from[i]].upstream, to[k]);
    return true;
}

static int by_number(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static void sort_upstream(struct found_task *task)
{
    if (task->upstream.count == 0)
        return;
    qsort(task->upstream.items, task->upstream.count, sizeof *task->upstream.items, by_number);
    uint32_t kept = 1;
    for (uint32_t i = 1; i < task->upstream.count; i++)
        if (task->upstream.items[i] != task->upstream.items[i - 1])
            task->upstream.items[kept++] = task->upstream.items[i];
    task->upstream.count = kept;
}

bool is_direct_upstream(struct compiler *compiler, uint32_t task, uint32_t chosen)
{
    const struct found_task *found = &compiler->tasks.items[chosen];
    return found->upstream.count > 0 && bsearch(&task, found->upstream.items, found->upstream.count,
                                                sizeof *found->upstream.items, by_number) != NULL;
}

/* ---- cycles ---- */

/* Tarjan's strongly connected components, with a stack of its own: part[t] is the number of t's
 * component. Tasks of one component wait for each other. */
struct parts {
    uint32_t *part, *part_size, part_count;
    uint32_t *seen, *low,
        *next; /* order of discovery + 1, lowest reached, upstream edge to look at next */
    uint32_t *open, open_count; /* seen, but not yet in a component */
    uint32_t *path, path_count;
    uint32_t clock;
};

static void enter(struct parts *parts, uint32_t task)
{
    parts->seen[task] = parts->low[task] = ++parts->clock;
    parts->open[parts->open_count++] = task;
    parts->path[parts->path_count++] = task;
    parts->part[task] = UINT32_MAX;
}

/* All that is reached from `task` is known: what is still open above it is its component, if it
 * leads nowhere lower. */
static void leave(struct parts *parts, uint32_t task)
{
    parts->path_count--;
    if (parts->path_count > 0) {
        uint32_t before = parts->path[parts->path_count - 1];
        if (parts->low[task] < parts->low[before])
            parts->low[before] = parts->low[task];
    }
    if (parts->low[task] != parts->seen[task])
        return;
    uint32_t member;
    do {
        member = parts->open[--parts->open_count];
        parts->part[member] = parts->part_count;
        parts->part_size[parts->part_count]++;
    } while (member != task);
    parts->part_count++;
}

static void walk_from(const struct compiler *compiler, struct parts *parts, uint32_t first)
{
    enter(parts, first);
    while (parts->path_count > 0) {
        uint32_t task = parts->path[parts->path_count - 1];
        const struct found_task *found = &compiler->tasks.items[task];
        if (parts->next[task] == found->upstream.count) {
            leave(parts, task);
            continue;
        }
        uint32_t up = found->upstream.items[parts->next[task]++];
        if (parts->seen[up] == 0)
            enter(parts, up);
        else if (parts->part[up] == UINT32_MAX && parts->seen[up] < parts->low[task])
            parts->low[task] = parts->seen[up];
    }
}

enum { SHOWN_MAX = 12 };

/* path[i] waits for path[i + 1], the last for the first. Shown in the order of work, from the first
 * of the file. */
static void refuse_cycle(struct compiler *compiler, const uint32_t *path, uint32_t count)
{
    struct buf text;
    buf_init(&text);
    for (uint32_t i = 0; i <= count; i++) {
        if (i == SHOWN_MAX && count > SHOWN_MAX) {
            buf_printf(&text, " -> ... (%u more)", count - SHOWN_MAX);
            i = count;
        }
        buf_printf(&text, "%s%.*s", i == 0 ? "" : " -> ",
                   STR_ARG(compiler->tasks.items[path[(count - i) % count]].id));
    }
    const struct value_entry *entry = compiler->tasks.items[path[0]].entry;
    const struct value_entry *depends = value_entry(entry->value, STR("depends_on"));
    problem(compiler, depends != NULL ? PLACE_OF(depends) : PLACE_OF(entry),
            "remove one of these dependencies", "these tasks wait for each other: %.*s",
            STR_ARG(buf_str(&text)));
    buf_clear(&text);
}

/* A shortest way from `first` back to itself within its component, breadth first. */
static void find_cycle(struct compiler *compiler, const struct parts *parts, uint32_t first)
{
    uint32_t *from = parts->seen, *queue = parts->open, *path = parts->path;
    uint32_t count = 0, read = 0, length = 0;
    memset(from, 0, compiler->tasks.count * sizeof *from);
    queue[count++] = first;
    while (read < count) {
        uint32_t task = queue[read++];
        for (uint32_t i = 0; i < compiler->tasks.items[task].upstream.count; i++) {
            uint32_t up = compiler->tasks.items[task].upstream.items[i];
            if (parts->part[up] != parts->part[first] || from[up] != 0)
                continue;
            from[up] = task + 1;
            if (up != first) {
                queue[count++] = up;
                continue;
            }
            for (uint32_t at = task; at != first; at = from[at] - 1)
                path[length++] = at;
            path[length++] = first;
            for (uint32_t k = 0; k < length / 2; k++) {
                uint32_t swap = path[k];
                path[k] = path[length - 1 - k];
                path[length - 1 - k] = swap;
            }
            refuse_cycle(compiler, path, length);
            return;
        }
    }
}

enum { CYCLES_MAX = 20 };

static void refuse_cycles(struct compiler *compiler)
{
    uint32_t count = compiler->tasks.count, found = 0;
    struct arena *scratch = &compiler->scratch;
    struct parts parts = {
        .part = ARENA_ARRAY(scratch, uint32_t, count),
        .part_size = ARENA_ARRAY(scratch, uint32_t, count),
        .seen = ARENA_ARRAY(scratch, uint32_t, count),
        .low = ARENA_ARRAY(scratch, uint32_t, count),
        .next = ARENA_ARRAY(scratch, uint32_t, count),
        .open = ARENA_ARRAY(scratch, uint32_t, count),
        .path = ARENA_ARRAY(scratch, uint32_t, count + 1),
    };
    for (uint32_t t = 0; t < count; t++)
        if (parts.seen[t] == 0)
            walk_from(compiler, &parts, t);
    for (uint32_t t = 0; t < count && found < CYCLES_MAX; t++) {
        if (parts.part_size[parts.part[t]] < 2)
            continue;
        parts.part_size[parts.part[t]] = 0;
        find_cycle(compiler, &parts, t);
        found++;
    }
}

void read_graph(struct compiler *compiler)
{
    for (uint32_t i = 0; i < compiler->tasks.count; i++)
        find_edges(compiler, compiler->tasks.items[i].entry->value, false, i,
                   compiler->tasks.items[i].group);
    for (uint32_t i = 0; i < compiler->groups.count; i++)
        find_edges(compiler, compiler->groups.items[i].entry->value, true, i,
                   compiler->groups.items[i].parent);
    find_ends(compiler);
    uint64_t total = 0;
    for (uint32_t i = 0; i < compiler->edges.count; i++)
        if (!expand(compiler, &compiler->edges.items[i], &total))
            break;
    for (uint32_t i = 0; i < compiler->tasks.count; i++)
        sort_upstream(&compiler->tasks.items[i]);
    refuse_cycles(compiler);
}
