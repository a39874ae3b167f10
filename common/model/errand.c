// SPDX-License-Identifier: Apache-2.0
#include "common/model/errand.h"

#include "common/text/json.h"
#include "common/text/template.h"

enum { TEXT_MAX = 500, SUBJECT_MAX = 200 };

static const char *const kind_names[ERRAND_KIND_COUNT] = {
#define ERRAND_WORD(NAME, number, word) [number] = word,
    ERRANDS(ERRAND_WORD)
#undef ERRAND_WORD
};

static const char *const outcome_names[ERRAND_OUTCOME_COUNT] = {
    [ERRAND_DONE] = "done",
    [ERRAND_NOT_YET] = "not_yet",
    [ERRAND_UNREACHABLE] = "unreachable",
    [ERRAND_HOPELESS] = "hopeless",
};

const char *errand_kind_name(enum errand_kind kind)
{
    return (unsigned)kind < ERRAND_KIND_COUNT ? kind_names[kind] : "unknown";
}

const char *errand_outcome_name(enum errand_outcome outcome)
{
    return (unsigned)outcome < ERRAND_OUTCOME_COUNT ? outcome_names[outcome] : "unknown";
}

/* ---- payloads -------------------------------------------------------------------------------- */

/* The connection that the fields name, in its place. */
static int connection_put(struct context *context, struct value *fields, struct arena *arena,
                          struct err *err)
{
    struct str id = value_text(value_get(fields, "connection"), STR_EMPTY);
    const struct value *connection = NULL;
    if (id.size == 0)
        return 0;
    if (context->source.connection != NULL)
        connection = context->source.connection(context->source.owner, id);
    if (connection == NULL)
        return err_set(err, ERR_NOT_FOUND, "there is no connection %.*s", STR_ARG(id));
    value_put(arena, fields, STR("connection"), connection);
    return 0;
}

int errand_look(struct context *context, enum errand_kind kind, struct arena *arena,
                struct str *out, struct err *err)
{
    const char *name = errand_kind_name(kind);
    struct expr_scope scope = context_scope(context);
    const struct value *value = NULL;
    int rc = template_render_value(value_get(context->task->operator_args, name), &scope, 0, arena,
                                   &value, err);
    if (rc < 0)
        return err_wrap(err, rc, "wait_for.%s", name);
    struct value *fields = value_map(arena);
    if (value->type != VALUE_MAP)
        value_put(arena, fields, STR("path"), value);
    for (uint32_t i = 0; value->type == VALUE_MAP && i < value->count; i++)
        value_put(arena, fields, value->entries[i].key, value->entries[i].value);
    rc = connection_put(context, fields, arena, err);
    if (rc < 0)
        return err_wrap(err, rc, "wait_for.%s", name);
    *out = json_text(arena, fields);
    return 0;
}

static struct value *about(const struct context *context, const char *event, struct arena *arena)
{
    struct value *map = value_map(arena);
    value_put(arena, map, STR("event"), value_string(arena, str_of(event)));
    value_put(arena, map, STR("dag_id"), value_string(arena, context->dag->id));
    value_put(arena, map, STR("run_id"), value_string(arena, context->run_id));
    if (context->has_logical)
        value_put(arena, map, STR("logical_date"),
                  value_string(arena, context_time(arena, context->logical_ms)));
    if (context->task == NULL)
        return map;
    value_put(arena, map, STR("task_id"), value_string(arena, context->task->id));
    value_put(arena, map, STR("map_index"), value_int(arena, context->map_index));
    value_put(arena, map, STR("try_number"), value_int(arena, context->try_no));
    return map;
}

/* A subject is one line: what an output holds must not write headers. */
static struct str one_line(struct arena *arena, struct str text)
{
    text = str_slice(text, 0, SUBJECT_MAX);
    char *bytes = arena_copy(arena, text.bytes, text.size);
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)bytes[i] < ' ')
            bytes[i] = ' ';
    return (struct str) { bytes, text.size };
}

static struct str text_of(struct arena *arena, const struct value *value, struct str otherwise)
{
    return value == NULL || value->type == VALUE_NULL ? otherwise : template_text(arena, value);
}

int errand_notification(struct context *context, const struct value *fields, const char *event,
                        struct str otherwise, struct arena *arena, const struct value **out,
                        struct err *err)
{
    static const char *const targets[] = { "email", "webhook", "exec" };
    struct expr_scope scope = context_scope(context);
    const struct value *rendered = NULL;
    int rc = template_render_value(fields, &scope, 0, arena, &rendered, err);
    if (rc < 0)
        return err_wrap(err, rc, "%s", event);
    struct value *map = value_map(arena);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        if (value_get(rendered, targets[i]) != NULL)
            value_put(arena, map, str_of(targets[i]), value_get(rendered, targets[i]));
    struct str message = text_of(arena, value_get(rendered, "message"), otherwise);
    ptrdiff_t end = str_find(otherwise, '\n');
    struct str head = end < 0 ? otherwise : str_slice(otherwise, 0, (size_t)end);
    struct str subject = one_line(arena, text_of(arena, value_get(rendered, "subject"), head));
    value_put(arena, map, STR("subject"), value_string(arena, subject));
    value_put(arena, map, STR("message"), value_string(arena, message));
    value_put(arena, map, STR("about"), about(context, event, arena));
    *out = map;
    return 0;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static void head_write(struct id128 id, uint32_t number, const char *word, struct buf *out)
{
    char text[ID_TEXT_SIZE];
    id_text(id, text);
    buf_printf(out, "%s %u %s", text, number, word);
}

/* Cuts the next word off. */
static struct str word_of(struct str *rest)
{
    struct str word = STR_EMPTY;
    (void)str_split(rest, ' ', &word);
    return word;
}

static int head_read(struct str *rest, struct id128 *out_id, uint32_t *out_number)
{
    int64_t number = 0;
    if (id_parse(word_of(rest), out_id) < 0 ||
        str_to_int(word_of(rest), 0, UINT32_MAX, &number) < 0)
        return ERR_INVALID;
    *out_number = (uint32_t)number;
    return 0;
}

static int word_find(const char *const *words, int count, struct str word)
{
    for (int i = 0; i < count; i++)
        if (str_is(word, words[i]))
            return i;
    return -1;
}

void errand_write(const struct errand *errand, struct buf *out)
{
    head_write(errand->id, errand->number, errand_kind_name(errand->kind), out);
    buf_add_byte(out, ' ');
    buf_add_str(out, errand->payload);
    buf_add_byte(out, '\n');
}

int errand_read(struct str line, struct errand *out)
{
    struct errand errand = { 0 };
    if (head_read(&line, &errand.id, &errand.number) < 0)
        return ERR_INVALID;
    int kind = word_find(kind_names, ERRAND_KIND_COUNT, word_of(&line));
    if (kind < 0 || line.size == 0)
        return ERR_INVALID;
    errand.kind = (enum errand_kind)kind;
    errand.payload = line;
    *out = errand;
    return 0;
}

/* Control bytes would end the line, or the column. */
static void column_write(struct str text, size_t max, struct buf *out)
{
    buf_add_byte(out, '\t');
    for (size_t i = 0; i < text.size && i < max; i++)
        buf_add_byte(out, (unsigned char)text.bytes[i] < ' ' ? ' ' : text.bytes[i]);
}

void errand_answer_write(const struct errand_answer *answer, struct buf *out)
{
    head_write(answer->id, answer->number, errand_outcome_name(answer->outcome), out);
    column_write(answer->output, answer->output.size, out);
    column_write(answer->text, TEXT_MAX, out);
    buf_add_byte(out, '\n');
}

int errand_answer_read(struct str line, struct errand_answer *out)
{
    struct errand_answer answer = { .output = STR_EMPTY, .text = STR_EMPTY };
    struct str head = STR_EMPTY;
    if (!str_split(&line, '\t', &head) || head_read(&head, &answer.id, &answer.number) < 0)
        return ERR_INVALID;
    int outcome = word_find(outcome_names, ERRAND_OUTCOME_COUNT, word_of(&head));
    if (outcome < 0)
        return ERR_INVALID;
    answer.outcome = (enum errand_outcome)outcome;
    (void)str_split(&line, '\t', &answer.output);
    answer.text = line.bytes != NULL ? line : STR_EMPTY;
    *out = answer;
    return 0;
}
