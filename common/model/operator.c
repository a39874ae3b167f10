// SPDX-License-Identifier: Apache-2.0
#include "common/model/operator.h"

#include "common/base/assert.h"
#include "common/text/json.h"
#include "common/text/template.h"

/* What a python task runs. Reads what to call from stdin, writes the return value as JSON. The
 * reason of a failure goes to $HEADRACE_OUTPUT.error (sdk/README.md), so that retry_on can name the
 * exception. */
static const char python_bootstrap[] =
    "import importlib, json, os, sys\n"
    "def fail(error, hard):\n"
    "    path = os.environ.get('HEADRACE_OUTPUT')\n"
    "    if path:\n"
    "        with open(path + '.error', 'w') as f:\n"
    "            f.write('HEADRACE_%sERROR %s: %s' % ('HARD_' if hard else '', "
    "type(error).__name__, error))\n"
    "call = json.load(sys.stdin)\n"
    "sys.path[:0] = call['path']\n"
    "module, _, name = call['callable'].partition(':')\n"
    "try:\n"
    "    function = importlib.import_module(module)\n"
    "    for part in name.split('.'):\n"
    "        function = getattr(function, part)\n"
    "    result = function(*call['args'], **call['kwargs'])\n"
    "except Exception as error:\n"
    "    names = [c.__name__ for c in type(error).__mro__]\n"
    "    if 'AirflowSkipException' in names or 'SkipTask' in names:\n"
    "        print(error)\n"
    "        sys.exit(99)\n"
    "    fail(error, 'AirflowFailException' in names or 'FailTask' in names)\n"
    "    raise\n"
    "if result is not None and 'HEADRACE_OUTPUT' in os.environ:\n"
    "    with open(os.environ['HEADRACE_OUTPUT'], 'w') as f:\n"
    "        json.dump(result, f, default=str)\n";

bool operator_needs_worker(enum operator_kind kind)
{
    return kind == OPERATOR_BASH || kind == OPERATOR_EXEC || kind == OPERATOR_PYTHON ||
           kind == OPERATOR_SQL || kind == OPERATOR_HTTP || kind == OPERATOR_NOTIFY;
}

struct maker {
    struct context *context;
    struct expr_scope scope;
    struct arena *arena;
    struct spec *spec;
    struct err *err;
};

/* A field of the operator, rendered; NULL when it is not given. */
static int field_render(struct maker *maker, const char *name, const struct value **out)
{
    const struct task *task = maker->context->task;
    const struct value *raw = value_get(task->operator_args, name);
    *out = NULL;
    if (raw == NULL || raw->type == VALUE_NULL)
        return 0;
    int rc = template_render_value(raw, &maker->scope, 0, maker->arena, out, maker->err);
    return rc < 0 ? err_wrap(maker->err, rc, "%s.%s", operator_name(task->operator_kind), name) : 0;
}

static int text_render(struct maker *maker, const char *name, struct str otherwise, struct str *out)
{
    const struct value *value = NULL;
    int rc = field_render(maker, name, &value);
    if (rc == 0)
        *out = value != NULL ? template_text(maker->arena, value) : otherwise;
    return rc;
}

static int missing(const struct maker *maker, const char *name)
{
    return err_set(maker->err, ERR_INVALID, "%s needs %s",
                   operator_name(maker->context->task->operator_kind), name);
}

static void argv_set(struct maker *maker, const struct str *argv, uint32_t count)
{
    maker->spec->argv = arena_copy(maker->arena, argv, count * sizeof *argv);
    maker->spec->argv_count = count;
}

static int bash_make(struct maker *maker)
{
    struct str command = STR_EMPTY;
    int rc = text_render(maker, "command", STR_EMPTY, &command);
    if (rc < 0)
        return rc;
    if (command.size == 0)
        return missing(maker, "a command");
    struct str argv[] = { STR("/bin/bash"), STR("-e"), STR("-o"),
                          STR("pipefail"),  STR("-c"), command };
    argv_set(maker, argv, 6);
    maker->spec->output_rule = OUTPUT_LAST_LINE;
    return 0;
}

static int exec_make(struct maker *maker, const char *field)
{
    const struct value *list = NULL;
    int rc = field_render(maker, field, &list);
    if (rc < 0)
        return rc;
    if (list == NULL || list->type != VALUE_LIST || list->count == 0)
        return missing(maker, "argv, a list that begins with a program");
    struct str *argv = ARENA_ARRAY(maker->arena, struct str, list->count);
    for (uint32_t i = 0; i < list->count; i++)
        argv[i] = template_text(maker->arena, list->items[i]);
    maker->spec->argv = argv;
    maker->spec->argv_count = list->count;
    maker->spec->output_rule = OUTPUT_LAST_LINE;
    return 0;
}

/* "python3.12" and "/opt/v/bin/python" are interpreters, anything else with a slash is a venv. */
static struct str interpreter_of(struct arena *arena, struct str python)
{
    size_t slash = python.size;
    while (slash > 0 && python.bytes[slash - 1] != '/')
        slash--;
    if (slash == 0 || str_starts(str_slice(python, slash, python.size), "python"))
        return python;
    while (python.size > 1 && python.bytes[python.size - 1] == '/')
        python.size--;
    return str_format(arena, "%.*s/bin/python", STR_ARG(python));
}

static int python_make(struct maker *maker)
{
    const struct value *args = NULL, *kwargs = NULL, *path = NULL;
    struct str callable = STR_EMPTY, python = STR_EMPTY;
    int rc = text_render(maker, "callable", STR_EMPTY, &callable);
    if (rc == 0)
        rc = text_render(maker, "python", STR("python3"), &python);
    if (rc == 0)
        rc = field_render(maker, "args", &args);
    if (rc == 0)
        rc = field_render(maker, "kwargs", &kwargs);
    if (rc == 0)
        rc = field_render(maker, "path", &path);
    if (rc < 0)
        return rc;
    if (str_find(callable, ':') <= 0)
        return missing(maker, "callable: module:function");
    struct value *call = value_map(maker->arena);
    value_put(maker->arena, call, STR("callable"), value_string(maker->arena, callable));
    value_put(maker->arena, call, STR("args"), args != NULL ? args : value_list(maker->arena));
    value_put(maker->arena, call, STR("kwargs"), kwargs != NULL ? kwargs : value_map(maker->arena));
    struct value *folders = value_list(maker->arena);
    if (path != NULL && path->type == VALUE_STRING)
        value_add(maker->arena, folders, path);
    value_put(maker->arena, call, STR("path"),
              path != NULL && path->type == VALUE_LIST ? path : folders);
    struct str argv[] = { interpreter_of(maker->arena, python),
                          STR("-u"),
                          STR("-c"),
                          { python_bootstrap, sizeof python_bootstrap - 1 } };
    argv_set(maker, argv, 4);
    maker->spec->input = json_text(maker->arena, call);
    return 0;
}

static void secrets_collect(struct context *context, const struct value *map)
{
    for (uint32_t i = 0; map != NULL && map->type == VALUE_MAP && i < map->count; i++) {
        const struct value *value = map->entries[i].value;
        if (value->type == VALUE_STRING && context_name_is_secret(map->entries[i].key))
            context_secret(context, value->string);
        secrets_collect(context, value);
    }
}

/* Puts the connection that field `connection` names into the payload as a map. */
static int connection_add(struct maker *maker, struct value *payload, bool required)
{
    struct context *context = maker->context;
    struct str id = STR_EMPTY;
    int rc = text_render(maker, "connection", STR_EMPTY, &id);
    if (rc < 0)
        return rc;
    if (id.size == 0)
        return required ? missing(maker, "a connection") : 0;
    const struct value *connection = NULL;
    if (context->source.connection != NULL)
        connection = context->source.connection(context->source.owner, id);
    if (connection == NULL) {
        rc = err_set(maker->err, ERR_NOT_FOUND, "there is no connection %.*s", STR_ARG(id));
        (void)err_hint(maker->err, "headrace connections add %.*s", STR_ARG(id));
        return rc;
    }
    secrets_collect(context, connection);
    value_put(maker->arena, payload, STR("connection"), connection);
    return 0;
}

static int payload_make(struct maker *maker, const char *verb, const char *const *fields,
                        bool needs_connection)
{
    struct value *payload = value_map(maker->arena);
    const struct value *mail = NULL;
    for (; *fields != NULL; fields++) {
        const struct value *value = NULL;
        int rc = field_render(maker, *fields, &value);
        if (rc < 0)
            return rc;
        if (value != NULL)
            value_put(maker->arena, payload, str_of(*fields), value);
    }
    int rc = connection_add(maker, payload, needs_connection);
    if (rc < 0)
        return rc;
    /* E-mail goes through the settings' section [smtp], which stands among the connections. */
    if (value_get(payload, "email") != NULL && maker->context->source.connection != NULL)
        mail = maker->context->source.connection(maker->context->source.owner, STR("smtp_default"));
    if (mail != NULL)
        value_put(maker->arena, payload, STR("connection"), mail);
    secrets_collect(maker->context, payload);
    struct str argv[] = { STR("headrace-task"), str_of(verb) };
    argv_set(maker, argv, 2);
    maker->spec->input = json_text(maker->arena, payload);
    return 0;
}

static int sql_make(struct maker *maker)
{
    static const char *const fields[] = { "statement", "file", "parameters", "limit", NULL };
    return payload_make(maker, "sql", fields, true);
}

static int http_make(struct maker *maker)
{
    static const char *const fields[] = {
        "method", "url", "headers", "body", "json", "expect", NULL
    };
    return payload_make(maker, "http", fields, false);
}

static int notify_make(struct maker *maker)
{
    static const char *const fields[] = { "email", "webhook", "subject", "message", NULL };
    if (value_get(maker->context->task->operator_args, "exec") != NULL)
        return exec_make(maker, "exec");
    return payload_make(maker, "notify", fields, false);
}

/* ---- what all have --------------------------------------------------------------------------- */

static int env_add_map(struct maker *maker, const struct value *map, const struct value *but_not)
{
    for (uint32_t i = 0; map != NULL && map->type == VALUE_MAP && i < map->count; i++) {
        struct str name = map->entries[i].key;
        if (value_get_str(but_not, name) != NULL)
            continue;
        const struct value *value = NULL;
        int rc = template_render_value(map->entries[i].value, &maker->scope, 0, maker->arena,
                                       &value, maker->err);
        if (rc < 0)
            return err_wrap(maker->err, rc, "env.%.*s", STR_ARG(name));
        struct str text = template_text(maker->arena, value);
        if (context_name_is_secret(name))
            context_secret(maker->context, text);
        maker->spec->env[maker->spec->env_count++] =
            str_format(maker->arena, "%.*s=%.*s", STR_ARG(name), STR_ARG(text));
    }
    return 0;
}

static void env_add(struct maker *maker, const char *headrace, const char *airflow,
                    struct str value)
{
    struct spec *spec = maker->spec;
    if (headrace != NULL)
        spec->env[spec->env_count++] =
            str_format(maker->arena, "%s=%.*s", headrace, STR_ARG(value));
    if (airflow != NULL)
        spec->env[spec->env_count++] = str_format(maker->arena, "%s=%.*s", airflow, STR_ARG(value));
}

enum { ENV_CONTEXT_MAX = 20 };

static void env_add_context(struct maker *maker)
{
    const struct context *context = maker->context;
    struct arena *arena = maker->arena;
    char attempt[ID_TEXT_SIZE];
    id_text(context->attempt, attempt);
    env_add(maker, "HEADRACE_CTX_DAG_ID", "AIRFLOW_CTX_DAG_ID", context->dag->id);
    env_add(maker, "HEADRACE_CTX_RUN_ID", "AIRFLOW_CTX_DAG_RUN_ID", context->run_id);
    env_add(maker, "HEADRACE_CTX_TASK_ID", "AIRFLOW_CTX_TASK_ID", context->task->id);
    env_add(maker, "HEADRACE_CTX_MAP_INDEX", "AIRFLOW_CTX_MAP_INDEX",
            str_format(arena, "%d", context->map_index));
    env_add(maker, "HEADRACE_CTX_TRY_NUMBER", "AIRFLOW_CTX_TRY_NUMBER",
            str_format(arena, "%u", context->try_no));
    env_add(maker, NULL, "AIRFLOW_CTX_DAG_OWNER", context->dag->owner);
    if (context->has_logical) {
        struct str logical = context_time(arena, context->logical_ms);
        env_add(maker, "HEADRACE_CTX_LOGICAL_DATE", "AIRFLOW_CTX_LOGICAL_DATE", logical);
        env_add(maker, NULL, "AIRFLOW_CTX_EXECUTION_DATE", logical);
    }
    env_add(maker, "HEADRACE_ATTEMPT_ID", NULL, str_of(attempt));
    env_add(maker, "HEADRACE_FENCE", NULL,
            str_format(arena, "%llu", (unsigned long long)context->fence));
}

static int common_make(struct maker *maker, int64_t max_output_bytes)
{
    const struct task *task = maker->context->task;
    const struct value *dag_env = maker->context->dag->env;
    struct spec *spec = maker->spec;
    uint32_t room = ENV_CONTEXT_MAX + (dag_env != NULL ? dag_env->count : 0) +
                    (task->env != NULL ? task->env->count : 0);
    spec->env = ARENA_ARRAY(maker->arena, struct str, room);
    int rc = env_add_map(maker, dag_env, task->env);
    if (rc == 0)
        rc = env_add_map(maker, task->env, NULL);
    if (rc < 0)
        return rc;
    env_add_context(maker);
    ASSERT(spec->env_count <= room);
    struct rendered {
        const char *name;
        struct str from, *to;
    } texts[] = { { "cwd", task->cwd, &spec->cwd },
                  { "run_as_user", task->run_as_user, &spec->run_as_user } };
    for (int i = 0; i < 2; i++) {
        const struct template *template = NULL;
        rc = template_compile(maker->arena, texts[i].from, &template, NULL, maker->err);
        if (rc == 0)
            rc = template_render(template, &maker->scope, 0, maker->arena, texts[i].to, maker->err);
        if (rc < 0)
            return err_wrap(maker->err, rc, "%s", texts[i].name);
    }
    spec->max_output_bytes = max_output_bytes;
    spec->timeout_ms = task->execution_timeout_ms;
    spec->kill_grace_ms = task->kill_grace_ms;
    spec->cpu_milli = task->cpu_milli;
    spec->memory_bytes = task->memory_bytes;
    spec->pids_max = task->pids_max;
    spec->skip_exit_code =
        (int32_t)value_integer(value_get(task->operator_args, "skip_on_exit_code"), SKIP_EXIT_CODE);
    return 0;
}

static int operator_make(struct maker *maker)
{
    switch (maker->context->task->operator_kind) {
    case OPERATOR_BASH:
        return bash_make(maker);
    case OPERATOR_EXEC:
        return exec_make(maker, "argv");
    case OPERATOR_PYTHON:
        return python_make(maker);
    case OPERATOR_SQL:
        return sql_make(maker);
    case OPERATOR_HTTP:
        return http_make(maker);
    case OPERATOR_NOTIFY:
        return notify_make(maker);
    default:
        UNREACHABLE(); /* operator_needs_worker */
    }
}

static size_t texts_size(const struct str *texts, uint32_t count)
{
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++)
        size += texts[i].size + 8;
    return size;
}

static int check_size(const struct spec *spec, struct err *err)
{
    size_t size = texts_size(spec->argv, spec->argv_count) +
                  texts_size(spec->env, spec->env_count) +
                  texts_size(spec->secrets, spec->secret_count) + spec->input.size;
    if (size <= SPEC_BYTES_MAX)
        return 0;
    return err_set(err, ERR_TOO_LARGE,
                   "its fields, rendered, have %zu bytes; a worker is sent %d at most: pass the "
                   "path of a file, or fewer elements",
                   size, SPEC_BYTES_MAX);
}

int operator_spec(struct context *context, int64_t max_output_bytes, struct arena *arena,
                  struct spec *out, struct err *err)
{
    struct spec spec = { .input = STR_EMPTY, .cwd = STR_EMPTY, .run_as_user = STR_EMPTY };
    struct maker maker = { context, context_scope(context), arena, &spec, err };
    int rc = common_make(&maker, max_output_bytes);
    if (rc == 0)
        rc = operator_make(&maker);
    if (rc < 0)
        return rc;
    spec.secrets = context->secrets;
    spec.secret_count = context->secret_count;
    rc = check_size(&spec, err);
    if (rc == 0)
        *out = spec;
    return rc;
}
