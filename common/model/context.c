// SPDX-License-Identifier: Apache-2.0
#include "common/model/context.h"

#include "common/base/buf.h"
#include "common/base/civil.h"
#include "common/text/json.h"
#include "common/text/template.h"

#include <strings.h>

enum { SECRET_BYTES_MIN = 3, ENV_DEPTH_MAX = 4 };

struct asked {
    struct context *context;
    const struct expr_part *parts;
    uint32_t count;
    struct arena *arena;
    uint32_t *out_used;
    struct err *err;
};

typedef int name_function(const struct asked *asked, const struct value **out);

/* ---- times ----------------------------------------------------------------------------------- */

struct str context_time(struct arena *arena, int64_t unix_ms)
{
    struct civil c = civil_of_ms(unix_ms);
    if (c.millisecond != 0)
        return str_format(arena, "%04d-%02d-%02dT%02d:%02d:%02d.%03d000+00:00", c.year, c.month,
                          c.day, c.hour, c.minute, c.second, c.millisecond);
    return str_format(arena, "%04d-%02d-%02dT%02d:%02d:%02d+00:00", c.year, c.month, c.day, c.hour,
                      c.minute, c.second);
}

static int text_out(const struct asked *asked, struct str text, const struct value **out)
{
    *out = value_string(asked->arena, text);
    return 0;
}

static int logical_civil(const struct asked *asked, struct civil *out)
{
    if (!asked->context->has_logical)
        return err_set(asked->err, ERR_NOT_FOUND,
                       "this run has no logical date, so %.*s has no value",
                       STR_ARG(asked->parts[0].name));
    *out = civil_of_ms(asked->context->logical_ms);
    return 0;
}

static int name_ds(const struct asked *asked, const struct value **out)
{
    struct civil c;
    int rc = logical_civil(asked, &c);
    return rc < 0
               ? rc
               : text_out(asked, str_format(asked->arena, "%04d-%02d-%02d", c.year, c.month, c.day),
                          out);
}

static int name_ds_nodash(const struct asked *asked, const struct value **out)
{
    struct civil c;
    int rc = logical_civil(asked, &c);
    return rc < 0 ? rc
                  : text_out(asked,
                             str_format(asked->arena, "%04d%02d%02d", c.year, c.month, c.day), out);
}

static int name_ts(const struct asked *asked, const struct value **out)
{
    struct civil c;
    int rc = logical_civil(asked, &c);
    return rc < 0 ? rc
                  : text_out(asked, context_time(asked->arena, asked->context->logical_ms), out);
}

static int name_ts_nodash(const struct asked *asked, const struct value **out)
{
    struct civil c;
    int rc = logical_civil(asked, &c);
    return rc < 0 ? rc
                  : text_out(asked,
                             str_format(asked->arena, "%04d%02d%02dT%02d%02d%02d", c.year, c.month,
                                        c.day, c.hour, c.minute, c.second),
                             out);
}

static int interval_out(const struct asked *asked, int64_t ms, const struct value **out)
{
    const struct context *context = asked->context;
    if (context->interval_start_ms == 0 && context->interval_end_ms == 0) {
        if (!context->has_logical)
            return err_set(asked->err, ERR_NOT_FOUND,
                           "this run has no data interval, so %.*s has no value",
                           STR_ARG(asked->parts[0].name));
        ms = context->logical_ms;
    }
    return text_out(asked, context_time(asked->arena, ms), out);
}

static int name_data_interval_start(const struct asked *asked, const struct value **out)
{
    return interval_out(asked, asked->context->interval_start_ms, out);
}

static int name_data_interval_end(const struct asked *asked, const struct value **out)
{
    return interval_out(asked, asked->context->interval_end_ms, out);
}

static int name_prev_data_interval_end_success(const struct asked *asked, const struct value **out)
{
    if (asked->context->has_prev_success)
        return text_out(asked, context_time(asked->arena, asked->context->prev_success_end_ms),
                        out);
    *out = value_null(asked->arena);
    return 0;
}

/* ---- the run, the dag, the task -------------------------------------------------------------- */

static int name_run_id(const struct asked *asked, const struct value **out)
{
    return text_out(asked, asked->context->run_id, out);
}

static int name_dag(const struct asked *asked, const struct value **out)
{
    const struct dag *dag = asked->context->dag;
    struct value *map = value_map(asked->arena);
    value_put(asked->arena, map, STR("dag_id"), value_string(asked->arena, dag->id));
    value_put(asked->arena, map, STR("owner"), value_string(asked->arena, dag->owner));
    value_put(asked->arena, map, STR("description"), value_string(asked->arena, dag->description));
    value_put(asked->arena, map, STR("timezone"), value_string(asked->arena, dag->timezone));
    *out = map;
    return 0;
}

static int name_task(const struct asked *asked, const struct value **out)
{
    const struct task *task = asked->context->task;
    if (task == NULL)
        return err_set(asked->err, ERR_NOT_FOUND,
                       "there is no task here: this belongs to the run as a whole");
    struct value *map = value_map(asked->arena);
    value_put(asked->arena, map, STR("task_id"), value_string(asked->arena, task->id));
    value_put(asked->arena, map, STR("retries"), value_int(asked->arena, task->retries));
    value_put(asked->arena, map, STR("pool"), value_string(asked->arena, task->pool));
    value_put(asked->arena, map, STR("queue"), value_string(asked->arena, task->queue));
    *out = map;
    return 0;
}

static int name_ti(const struct asked *asked, const struct value **out)
{
    const struct context *context = asked->context;
    if (context->task == NULL)
        return err_set(asked->err, ERR_NOT_FOUND,
                       "there is no task here: this belongs to the run as a whole");
    struct value *map = value_map(asked->arena);
    value_put(asked->arena, map, STR("task_id"), value_string(asked->arena, context->task->id));
    value_put(asked->arena, map, STR("dag_id"), value_string(asked->arena, context->dag->id));
    value_put(asked->arena, map, STR("run_id"), value_string(asked->arena, context->run_id));
    value_put(asked->arena, map, STR("try_number"), value_int(asked->arena, context->try_no));
    value_put(asked->arena, map, STR("map_index"), value_int(asked->arena, context->map_index));
    value_put(asked->arena, map, STR("max_tries"), value_int(asked->arena, context->task->retries));
    *out = map;
    return 0;
}

static int map_out(const struct asked *asked, const struct value *map, const struct value **out)
{
    *out = map != NULL ? map : value_map(asked->arena);
    return 0;
}

static int name_params(const struct asked *asked, const struct value **out)
{
    return map_out(asked, asked->context->params, out);
}

static int name_conf(const struct asked *asked, const struct value **out)
{
    return map_out(asked, asked->context->conf, out);
}

static int name_item(const struct asked *asked, const struct value **out)
{
    if (asked->context->item == NULL)
        return err_set(asked->err, ERR_NOT_FOUND, "item exists only in a task with for_each");
    *out = asked->context->item;
    return 0;
}

/* ---- outside of the run ---------------------------------------------------------------------- */

/* The name at parts[at], or empty when the path ends or goes on with an index. */
static struct str part_name(const struct asked *asked, uint32_t at)
{
    if (at >= asked->count || asked->parts[at].kind != EXPR_PART_NAME)
        return STR_EMPTY;
    return asked->parts[at].name;
}

static int var_read(const struct asked *asked, struct str form, struct str key,
                    const struct value **out)
{
    struct context *context = asked->context;
    bool secret = false;
    const struct value *value = NULL;
    if (context->source.variable != NULL)
        value = context->source.variable(context->source.owner, key, &secret);
    if (value == NULL)
        return err_set(asked->err, ERR_NOT_FOUND, "there is no variable %.*s", STR_ARG(key));
    if (secret || context_name_is_secret(key))
        context_secret(context, template_text(asked->arena, value));
    *out = value;
    if (str_is(form, "json") && value->type == VALUE_STRING) {
        int rc = json_parse(asked->arena, value->string, NULL, out, asked->err);
        if (rc < 0)
            return err_wrap(asked->err, ERR_INVALID, "reading variable %.*s as JSON", STR_ARG(key));
    }
    return 0;
}

static int name_var(const struct asked *asked, const struct value **out)
{
    struct str form = part_name(asked, 1), key = part_name(asked, 2);
    if (!str_is(form, "value") && !str_is(form, "json"))
        return err_set(asked->err, ERR_NOT_FOUND,
                       "write var.value.NAME, or var.json.NAME for one that holds JSON");
    if (key.size == 0)
        return err_set(asked->err, ERR_NOT_FOUND, "var.%.*s needs the name of a variable",
                       STR_ARG(form));
    *asked->out_used = 3;
    return var_read(asked, form, key, out);
}

static void secrets_inside(struct context *context, const struct value *value, bool all)
{
    if (value == NULL)
        return;
    if (value->type == VALUE_STRING && all)
        context_secret(context, value->string);
    for (uint32_t i = 0; value->type == VALUE_LIST && i < value->count; i++)
        secrets_inside(context, value->items[i], all);
    for (uint32_t i = 0; value->type == VALUE_MAP && i < value->count; i++)
        secrets_inside(context, value->entries[i].value,
                       all || context_name_is_secret(value->entries[i].key));
}

static int name_conn(const struct asked *asked, const struct value **out)
{
    struct context *context = asked->context;
    struct str id = part_name(asked, 1);
    const struct value *connection = NULL;
    if (id.size > 0 && context->source.connection != NULL)
        connection = context->source.connection(context->source.owner, id);
    if (connection == NULL)
        return err_set(asked->err, ERR_NOT_FOUND, "there is no connection %.*s", STR_ARG(id));
    secrets_inside(context, connection, false);
    *asked->out_used = 2;
    *out = connection;
    return 0;
}

/* The longest run of names that is a task id: ids of tasks in groups hold dots themselves. */
static int32_t task_of_path(const struct asked *asked, uint32_t *out_used, struct str *out_name)
{
    int32_t found = -1;
    struct buf id = { 0 };
    for (uint32_t i = 1; i < asked->count && asked->parts[i].kind == EXPR_PART_NAME; i++) {
        if (i > 1)
            buf_add_byte(&id, '.');
        buf_add_str(&id, asked->parts[i].name);
        int32_t task = dag_find_task(asked->context->dag, buf_str(&id));
        if (task >= 0) {
            found = task;
            *out_used = i + 1;
        }
    }
    *out_name = str_copy(asked->arena, buf_str(&id));
    buf_clear(&id);
    return found;
}

static int name_xcom(const struct asked *asked, const struct value **out)
{
    const struct context_source *source = &asked->context->source;
    uint32_t used = 0;
    struct str name = STR_EMPTY;
    int32_t task = task_of_path(asked, &used, &name);
    if (task < 0)
        return err_set(asked->err, ERR_NOT_FOUND, "this DAG has no task %.*s", STR_ARG(name));
    *asked->out_used = used;
    int rc = ERR_NOT_FOUND;
    if (source->output != NULL)
        rc = source->output(source->owner, (uint32_t)task, asked->arena, out, asked->err);
    if (rc == ERR_NOT_FOUND && (asked->err == NULL || asked->err->code == 0))
        return err_set(asked->err, rc, "task %.*s has no output",
                       STR_ARG(asked->context->dag->tasks[task].id));
    return rc;
}

static int name_env(const struct asked *asked, const struct value **out)
{
    struct context *context = asked->context;
    struct str name = part_name(asked, 1);
    const struct value *value =
        context->task != NULL ? value_get_str(context->task->env, name) : NULL;
    if (value == NULL)
        value = value_get_str(context->dag->env, name);
    if (value == NULL)
        return err_set(asked->err, ERR_NOT_FOUND, "the task's env has no %.*s", STR_ARG(name));
    if (context->depth == ENV_DEPTH_MAX)
        return err_set(asked->err, ERR_INVALID, "values of env read each other without end: %.*s",
                       STR_ARG(name));
    context->depth++;
    struct expr_scope scope = context_scope(context);
    int rc = template_render_value(value, &scope, 0, asked->arena, out, asked->err);
    context->depth--;
    *asked->out_used = 2;
    return rc;
}

/* ---- the table ------------------------------------------------------------------------------- */

#define NAMES(NAME)                                                                                \
    NAME(ds, name_ds)                                                                              \
    NAME(ds_nodash, name_ds_nodash)                                                                \
    NAME(ts, name_ts)                                                                              \
    NAME(ts_nodash, name_ts_nodash)                                                                \
    NAME(logical_date, name_ts)                                                                    \
    NAME(data_interval_start, name_data_interval_start)                                            \
    NAME(data_interval_end, name_data_interval_end)                                                \
    NAME(prev_data_interval_end_success, name_prev_data_interval_end_success)                      \
    NAME(run_id, name_run_id)                                                                      \
    NAME(dag, name_dag)                                                                            \
    NAME(task, name_task)                                                                          \
    NAME(ti, name_ti)                                                                              \
    NAME(params, name_params)                                                                      \
    NAME(conf, name_conf)                                                                          \
    NAME(item, name_item)                                                                          \
    NAME(var, name_var)                                                                            \
    NAME(conn, name_conn)                                                                          \
    NAME(xcom, name_xcom)                                                                          \
    NAME(env, name_env)

static const struct str names[] = {
#define NAME_STR(name, function) { #name, sizeof #name - 1 },
    NAMES(NAME_STR)
#undef NAME_STR
};

static name_function *const functions[] = {
#define NAME_FUNCTION(name, function) function,
    NAMES(NAME_FUNCTION)
#undef NAME_FUNCTION
};

enum { NAME_COUNT = sizeof names / sizeof *names };

const struct str *context_names(uint32_t *out_count)
{
    *out_count = NAME_COUNT;
    return names;
}

static int lookup(void *owner, const struct expr_part *parts, uint32_t count, struct arena *arena,
                  const struct value **out, uint32_t *out_used, struct err *err)
{
    struct asked asked = { owner, parts, count, arena, out_used, err };
    for (uint32_t i = 0; i < NAME_COUNT; i++) {
        if (str_eq(parts[0].name, names[i])) {
            *out_used = 1;
            return functions[i](&asked, out);
        }
    }
    return ERR_NOT_FOUND;
}

struct expr_scope context_scope(struct context *context)
{
    return (struct expr_scope) {
        .owner = context, .lookup = lookup, .names = names, .name_count = NAME_COUNT
    };
}

void context_secret(struct context *context, struct str text)
{
    if (text.size < SECRET_BYTES_MIN)
        return;
    for (uint32_t i = 0; i < context->secret_count; i++)
        if (str_eq(context->secrets[i], text))
            return;
    if (context->secret_count == context->secret_capacity) {
        uint32_t capacity = context->secret_capacity > 0 ? 2 * context->secret_capacity : 8;
        struct str *grown = ARENA_ARRAY(context->arena, struct str, capacity);
        if (context->secret_count > 0)
            memcpy(grown, context->secrets, context->secret_count * sizeof *grown);
        context->secrets = grown;
        context->secret_capacity = capacity;
    }
    context->secrets[context->secret_count++] = str_copy(context->arena, text);
}

bool context_name_is_secret(struct str name)
{
    static const char *const words[] = { "password",    "passwd",        "passphrase", "secret",
                                         "token",       "apikey",        "api_key",    "access_key",
                                         "private_key", "authorization", "credential" };
    for (size_t i = 0; i < name.size; i++) {
        for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
            size_t size = strlen(words[w]);
            if (name.size - i >= size && strncasecmp(name.bytes + i, words[w], size) == 0)
                return true;
        }
    }
    return false;
}
