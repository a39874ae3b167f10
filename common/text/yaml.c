// SPDX-License-Identifier: Apache-2.0
#include "common/text/yaml.h"

#include "common/base/assert.h"
#include "common/base/buf.h"
#include "common/base/map.h"
#include "common/base/vec.h"
#include "common/text/yaml_parts.h"

#include <libfyaml.h>

struct place {
    uint32_t line, column;
};

/* A node with what an alias to it would cost. `value` is NULL when it could not be made; the
 * problem is noted then. */
struct node {
    const struct value *value;
    uint64_t size;   /* nodes, aliases counted as often as they are seen */
    uint32_t height; /* collections from here down */
};

struct reader {
    struct arena *arena;
    struct yaml_limits limits;
    struct fy_parser *parser;
    struct fy_token_iter *iterator;
    struct buf pieces; /* of the token being read */
    bool shielded;     /* templates hide their signs: yaml_shield.c */
    bool stopped;      /* no more events wanted: a limit is reached */
    uint64_t alias_nodes;
    struct place key;   /* of the entry being read: where empty values are said to be */
    struct map anchors; /* name -> number in nodes */
    VEC(struct node) nodes;
    VEC(const struct value *) documents;
    VEC(struct yaml_problem) problems;
};

static void problem(struct reader *reader, struct place at, struct str sentence, const char *advice)
{
    if (reader->problems.count < reader->limits.problems_max)
        VEC_ADD(&reader->problems,
                (struct yaml_problem) { at.line, at.column, sentence, str_of(advice) });
    else
        reader->stopped = true;
}

static void stop(struct reader *reader, struct place at, struct str sentence, const char *advice)
{
    problem(reader, at, sentence, advice);
    reader->stopped = true;
}

/* ---- events to values ---- */

/* "\0" in double quotes passes the gate; JSON, PostgreSQL and C would each stumble over what it
 * means. */
static void refuse_nul(struct reader *reader, struct place at, struct str text)
{
    if (text.size > 0 && memchr(text.bytes, '\0', text.size) != NULL)
        problem(reader, at, STR("text cannot hold the character \\0"), "remove it");
}

static struct fy_event *next_event(struct reader *reader)
{
    return reader->stopped ? NULL : fy_parser_parse(reader->parser);
}

static struct place place_of_mark(struct reader *reader, const struct fy_mark *mark)
{
    if (mark == NULL || mark->line < 0 || mark->column < 0)
        return reader->key;
    return (struct place) { (uint32_t)mark->line + 1, (uint32_t)mark->column + 1 };
}

static struct place place_of_event(struct reader *reader, struct fy_event *event)
{
    struct place place = place_of_mark(reader, fy_event_start_mark(event));
    bool behind =
        event->type == FYET_ALIAS; /* libfyaml's mark stands behind the star, or the quote */
    if (event->type == FYET_SCALAR && event->scalar.value != NULL) {
        enum fy_scalar_style style = fy_token_scalar_style(event->scalar.value);
        behind = style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
    }
    if (behind && place.column > 1)
        place.column--;
    return place;
}

/* By the iterator, not fy_token_get_text: in libfyaml 0.7.12 that leaks for text of many pieces
 * (escapes, lines). */
static struct str token_text(struct reader *reader, struct fy_token *token)
{
    if (token == NULL)
        return STR_EMPTY;
    const struct fy_iter_chunk *chunk = NULL;
    buf_reset(&reader->pieces);
    fy_token_iter_start(token, reader->iterator);
    while ((chunk = fy_token_iter_chunk_next(reader->iterator, chunk, NULL)) != NULL)
        buf_add(&reader->pieces, chunk->str, chunk->len);
    fy_token_iter_finish(reader->iterator);
    struct str text = str_copy(reader->arena, buf_str(&reader->pieces));
    return reader->shielded ? yaml_unshield((char *)(uintptr_t)text.bytes, text.size) : text;
}

static struct node leaf(const struct value *value)
{
    return (struct node) { value, 1, 0 };
}

static void set_place(const struct value *value, struct place place)
{
    /* Values are const for those who read them; here they are still being built. */
    struct value *mutable_value = (struct value *)(uintptr_t)value;
    mutable_value->line = place.line;
    mutable_value->column = place.column;
}

static void keep_anchor(struct reader *reader, struct fy_token *anchor, struct node node)
{
    if (anchor == NULL || node.value == NULL)
        return;
    map_put_str(&reader->anchors, token_text(reader, anchor), reader->nodes.count);
    VEC_ADD(&reader->nodes, node);
}

enum tag { TAG_NONE, TAG_STR, TAG_CORE, TAG_OTHER };

static enum tag tag_of(struct reader *reader, struct fy_token *token)
{
    static const char *const core[] = { "null", "bool", "int", "float", "map", "seq" };
    if (token == NULL)
        return TAG_NONE;
    struct str tag = token_text(reader, token);
    if (str_is(tag, "!") || str_is(tag, "tag:yaml.org,2002:str"))
        return TAG_STR;
    for (size_t i = 0; i < sizeof core / sizeof core[0]; i++)
        if (str_starts(tag, "tag:yaml.org,2002:") &&
            str_is(str_slice(tag, strlen("tag:yaml.org,2002:"), tag.size), core[i]))
            return TAG_CORE;
    return TAG_OTHER;
}

static void refuse_other_tag(struct reader *reader, struct fy_token *tag)
{
    if (tag_of(reader, tag) == TAG_OTHER)
        problem(reader, place_of_mark(reader, fy_token_start_mark(tag)),
                str_format(reader->arena, "the tag '%.*s' is not known",
                           STR_ARG(str_slice(token_text(reader, tag), 0, 80))),
                "remove it: tags (words with !) have no meaning here");
}

static struct node read_scalar(struct reader *reader, struct fy_event *event)
{
    struct fy_token *token = event->scalar.value;
    struct place at = place_of_event(reader, event);
    struct str text = token_text(reader, token);
    bool plain = token == NULL || fy_token_scalar_style(token) == FYSS_PLAIN;
    refuse_other_tag(reader, event->scalar.tag);
    const struct value *value;
    if (!plain || tag_of(reader, event->scalar.tag) == TAG_STR) {
        value = value_string(reader->arena, text);
    } else {
        const char *why = "";
        value = yaml_scalar(reader->arena, text, &why);
        if (value == NULL) {
            problem(reader, at, str_of(why), "put it in quotes if it is meant as text");
            value = value_string(reader->arena, text);
        }
    }
    refuse_nul(reader, at, text);
    set_place(value, at);
    struct node node = leaf(value);
    keep_anchor(reader, event->scalar.anchor, node);
    return node;
}

static struct node read_alias(struct reader *reader, struct fy_event *event, uint32_t depth)
{
    struct place at = place_of_event(reader, event);
    struct str name = token_text(reader, event->alias.anchor);
    uint64_t number;
    if (!map_get_str(&reader->anchors, name, &number)) {
        problem(
            reader, at,
            str_format(reader->arena, "*%.*s refers to nothing", STR_ARG(str_slice(name, 0, 80))),
            "an anchor (&name) must stand above, in the same document, and be complete; if no "
            "alias is meant, put the text in quotes");
        return (struct node) { 0 };
    }
    struct node node = reader->nodes.items[number];
    reader->alias_nodes += node.size;
    if (reader->alias_nodes > reader->limits.alias_nodes_max) {
        stop(reader, at,
             str_format(reader->arena, "aliases repeat more than %u nodes",
                        reader->limits.alias_nodes_max),
             "write fewer aliases, or smaller anchors");
        return (struct node) { 0 };
    }
    if (depth + node.height > reader->limits.depth_max) {
        stop(reader, at,
             str_format(reader->arena, "nested deeper than %u levels", reader->limits.depth_max),
             "");
        return (struct node) { 0 };
    }
    return node;
}

static struct node read_node(struct reader *reader, struct fy_event *event, uint32_t depth);

/* Adds what a child costs to what its parent costs. */
static void add_cost(struct node *parent, struct node child)
{
    parent->size += child.size;
    if (child.height + 1 > parent->height)
        parent->height = child.height + 1;
}

static bool enter(struct reader *reader, struct place at, uint32_t depth)
{
    if (depth < reader->limits.depth_max)
        return true;
    stop(reader, at,
         str_format(reader->arena, "nested deeper than %u levels", reader->limits.depth_max), "");
    return false;
}

static struct node read_list(struct reader *reader, struct fy_event *start, uint32_t depth)
{
    struct value *list = value_list(reader->arena);
    struct place at = place_of_event(reader, start);
    struct node node = { list, 1, 1 };
    set_place(list, at);
    refuse_other_tag(reader, start->sequence_start.tag);
    if (!enter(reader, at, depth))
        return (struct node) { 0 };
    struct fy_event *event;
    while ((event = next_event(reader)) != NULL && event->type != FYET_SEQUENCE_END) {
        struct node item = read_node(reader, event, depth + 1);
        fy_parser_event_free(reader->parser, event);
        if (item.value != NULL) {
            value_add(reader->arena, list, item.value);
            add_cost(&node, item);
        }
    }
    if (event != NULL)
        fy_parser_event_free(reader->parser, event);
    keep_anchor(reader, start->sequence_start.anchor, node);
    return node;
}

struct key {
    struct str text;
    struct place at;
    bool usable;
    bool merge; /* a plain << */
};

static bool is_plain(struct fy_event *event)
{
    return event->type == FYET_SCALAR && event->scalar.value != NULL &&
           fy_token_scalar_style(event->scalar.value) == FYSS_PLAIN;
}

static struct key read_key(struct reader *reader, struct fy_event *event, uint32_t depth)
{
    struct key key = { .at = place_of_event(reader, event) };
    struct place outer = reader->key;
    reader->key = key.at;
    if (event->type == FYET_SCALAR) {
        key.text = token_text(reader, event->scalar.value);
        key.merge = is_plain(event) && str_is(key.text, "<<");
        key.usable = event->scalar.value != NULL;
        refuse_other_tag(reader, event->scalar.tag);
        refuse_nul(reader, key.at, key.text);
        keep_anchor(reader, event->scalar.anchor, leaf(value_string(reader->arena, key.text)));
        if (!key.usable)
            problem(reader, key.at, STR("a key is missing before the colon"), "");
        return key;
    }
    struct node node = read_node(reader, event, depth + 1);
    if (event->type == FYET_ALIAS && node.value != NULL && node.value->type == VALUE_STRING) {
        key.text = node.value->string;
        key.usable = true;
    } else if (event->type != FYET_ALIAS && !reader->stopped) {
        problem(reader, key.at, STR("a key must be text, not a list or a mapping"),
                "if this is a template, put the whole value in quotes: \"{{ ... }}\"");
    }
    if (!key.usable)
        reader->key = outer;
    return key;
}

static void put(struct reader *reader, struct value *map, struct key key, const struct value *value)
{
    const struct value_entry *known = value_entry(map, key.text);
    if (known != NULL) {
        problem(reader, key.at,
                str_format(reader->arena, "the key '%.*s' stands here twice; first on line %u",
                           STR_ARG(str_slice(key.text, 0, 80)), known->line),
                "remove one of the two, or rename it");
        return;
    }
    struct value_entry *entry = value_put_entry(reader->arena, map, key.text, value);
    entry->line = key.at.line;
    entry->column = key.at.column;
}

/* Adds what `map` does not have yet from `source`, a mapping or a list of them (YAML's merge key).
 */
static void merge(struct reader *reader, struct value *map, const struct value *source,
                  struct place at, struct node *cost)
{
    if (source->type == VALUE_LIST) {
        for (uint32_t i = 0; i < source->count; i++) {
            if (source->items[i]->type == VALUE_LIST)
                problem(reader, at, STR("<< takes a mapping or a list of mappings"), "");
            else
                merge(reader, map, source->items[i], at, cost);
        }
        return;
    }
    if (source->type != VALUE_MAP) {
        problem(reader, at, STR("<< takes a mapping or a list of mappings"),
                "write <<: *name, where &name stands before a mapping; put << in quotes if it is "
                "meant as a key");
        return;
    }
    reader->alias_nodes += source->count;
    cost->size += source->count;
    if (reader->alias_nodes > reader->limits.alias_nodes_max) {
        stop(reader, at,
             str_format(reader->arena, "merge keys repeat more than %u nodes",
                        reader->limits.alias_nodes_max),
             "merge smaller mappings");
        return;
    }
    for (uint32_t i = 0; i < source->count; i++) {
        const struct value_entry *from = &source->entries[i];
        if (value_entry(map, from->key) != NULL)
            continue;
        struct value_entry *to = value_put_entry(reader->arena, map, from->key, from->value);
        to->line = from->line;
        to->column = from->column;
    }
}

/* Reads the value behind a key. False when the events are over. */
static bool read_entry(struct reader *reader, struct fy_event *key_event, uint32_t depth,
                       struct value *map, struct node *node, const struct value **merged,
                       struct place *merged_at)
{
    struct key key = read_key(reader, key_event, depth);
    fy_parser_event_free(reader->parser, key_event);
    struct fy_event *event = next_event(reader);
    if (event == NULL)
        return false;
    struct node item = read_node(reader, event, depth + 1);
    fy_parser_event_free(reader->parser, event);
    if (item.value == NULL || !key.usable)
        return true;
    add_cost(node, item);
    if (!key.merge) {
        put(reader, map, key, item.value);
    } else if (*merged != NULL) {
        problem(reader, key.at, STR("<< stands here twice"), "write one <<: [*first, *second]");
    } else {
        *merged = item.value;
        *merged_at = key.at;
    }
    return true;
}

static struct node read_map(struct reader *reader, struct fy_event *start, uint32_t depth)
{
    struct value *map = value_map(reader->arena);
    struct place at = place_of_event(reader, start);
    struct node node = { map, 1, 1 };
    set_place(map, at);
    refuse_other_tag(reader, start->mapping_start.tag);
    if (!enter(reader, at, depth))
        return (struct node) { 0 };
    struct place outer = reader->key;
    const struct value *merged = NULL;
    struct place merged_at = { 0 };
    struct fy_event *event;
    while ((event = next_event(reader)) != NULL && event->type != FYET_MAPPING_END)
        if (!read_entry(reader, event, depth, map, &node, &merged, &merged_at))
            return node;
    if (event != NULL)
        fy_parser_event_free(reader->parser, event);
    if (merged != NULL)
        merge(reader, map, merged, merged_at, &node);
    reader->key = outer;
    keep_anchor(reader, start->mapping_start.anchor, node);
    return node;
}

/* `event` stays the caller's. */
static struct node read_node(struct reader *reader, struct fy_event *event, uint32_t depth)
{
    switch (event->type) {
    case FYET_SCALAR:
        return read_scalar(reader, event);
    case FYET_ALIAS:
        return read_alias(reader, event, depth);
    case FYET_SEQUENCE_START:
        return read_list(reader, event, depth);
    case FYET_MAPPING_START:
        return read_map(reader, event, depth);
    default:
        return (struct node) { 0 };
    }
}

/* ---- the stream ---- */

static void keep_diagnostics(struct reader *reader, struct fy_diag *diag)
{
    void *iterator = NULL;
    struct fy_diag_error *error;
    uint32_t before = reader->problems.count;
    while ((error = fy_diag_errors_iterate(diag, &iterator)) != NULL) {
        struct place at = { (uint32_t)(error->line > 0 ? error->line : 0),
                            (uint32_t)(error->column > 0 ? error->column : 0) };
        struct str sentence;
        const char *advice;
        yaml_saying(reader->arena, error->msg, &sentence, &advice);
        problem(reader, at, sentence, advice);
    }
    if (reader->problems.count == before)
        problem(reader, (struct place) { 0 }, STR("this is not YAML"), "");
}

static void read_document(struct reader *reader, struct fy_event *start)
{
    reader->key = place_of_event(reader, start);
    if (reader->key.line == 0)
        reader->key = (struct place) { 1, 1 };
    map_clear(&reader->anchors);
    VEC_RESET(&reader->nodes);
    struct fy_event *event = next_event(reader);
    if (event == NULL)
        return;
    struct node node = read_node(reader, event, 0);
    fy_parser_event_free(reader->parser, event);
    event = next_event(reader);
    if (event == NULL)
        return;
    if (event->type == FYET_DOCUMENT_END && node.value != NULL)
        VEC_ADD(&reader->documents, node.value);
    fy_parser_event_free(reader->parser, event);
}

static void read_stream(struct reader *reader)
{
    struct fy_event *event;
    while ((event = next_event(reader)) != NULL) {
        bool last = event->type == FYET_STREAM_END;
        if (event->type == FYET_DOCUMENT_START) {
            reader->key = (struct place) { 0 };
            read_document(reader, event);
        }
        fy_parser_event_free(reader->parser, event);
        if (last)
            return;
    }
}

static void run_parser(struct reader *reader, struct str text)
{
    struct fy_diag_cfg diag_cfg;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = NULL;
    diag_cfg.level = FYET_ERROR;
    struct fy_diag *diag = fy_diag_create(&diag_cfg);
    ASSERT(diag != NULL);
    fy_diag_set_collect_errors(diag, true);
    struct fy_parse_cfg cfg = {
        .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE,
        .diag = diag,
    };
    reader->parser = fy_parser_create(&cfg);
    reader->iterator = fy_token_iter_create(NULL);
    ASSERT(reader->parser != NULL && reader->iterator != NULL);
    if (fy_parser_set_string(reader->parser, text.bytes, text.size) == 0)
        read_stream(reader);
    if (!reader->stopped && fy_parser_get_stream_error(reader->parser))
        keep_diagnostics(reader, diag);
    buf_clear(&reader->pieces);
    fy_token_iter_destroy(reader->iterator);
    fy_parser_destroy(reader->parser);
    fy_diag_destroy(diag);
}

static int by_place(const void *a, const void *b)
{
    const struct yaml_problem *left = a, *right = b;
    if (left->line != right->line)
        return left->line < right->line ? -1 : 1;
    return (left->column > right->column) - (left->column < right->column);
}

static struct reader reader_new(struct arena *arena, const struct yaml_limits *limits)
{
    struct reader reader = {
        .arena = arena,
        .limits = { YAML_BYTES_MAX, YAML_DEPTH_MAX, YAML_ALIAS_NODES_MAX, YAML_PROBLEMS_MAX },
    };
    if (limits != NULL)
        reader.limits = *limits;
    return reader;
}

static void reader_clear(struct reader *reader)
{
    map_clear(&reader->anchors);
    VEC_CLEAR(&reader->nodes);
    VEC_CLEAR(&reader->documents);
    VEC_CLEAR(&reader->problems);
}

static bool line_has_braces(struct str text, uint32_t number)
{
    struct str rest = text, line = STR_EMPTY;
    for (uint32_t i = 0; i < number; i++)
        if (!str_split(&rest, '\n', &line))
            return false;
    return line.size > 1 && memmem(line.bytes, line.size, "{{", 2) != NULL;
}

/* Reads once more with templates shielded. The second reading counts when it is without problems,
 * or when the first one stumbled over a template. */
static void read_again(struct reader *reader, struct str text, const struct yaml_limits *limits)
{
    struct buf shielded;
    buf_init(&shielded);
    struct reader again = reader_new(reader->arena, limits);
    again.shielded = true;
    if (yaml_shield(text, &shielded)) {
        run_parser(&again, buf_str(&shielded));
        if (again.problems.count == 0 || line_has_braces(text, reader->problems.items[0].line)) {
            struct reader swap = *reader;
            *reader = again;
            again = swap;
        }
    }
    reader_clear(&again);
    buf_clear(&shielded);
}

int yaml_parse(struct arena *arena, struct str text, const struct yaml_limits *limits,
               struct yaml *out)
{
    struct reader reader = reader_new(arena, limits);
    if (str_starts(text, "\xEF\xBB\xBF"))
        text = str_slice(text, 3, text.size);
    struct yaml_problem refusal;
    if (!yaml_gate(arena, text, reader.limits.bytes_max, &refusal)) {
        VEC_ADD(&reader.problems, refusal);
    } else if (text.size > 0) {
        run_parser(&reader, text);
        if (reader.problems.count > 0)
            read_again(&reader, text, limits);
    }
    *out = (struct yaml) {
        .documents = arena_copy(arena, reader.documents.items,
                                reader.documents.count * sizeof *reader.documents.items),
        .document_count = reader.documents.count,
        .problems = arena_copy(arena, reader.problems.items,
                               reader.problems.count * sizeof *reader.problems.items),
        .problem_count = reader.problems.count,
    };
    qsort(out->problems, out->problem_count, sizeof *out->problems, by_place);
    reader_clear(&reader);
    return out->problem_count == 0 ? 0 : ERR_INVALID;
}
