// SPDX-License-Identifier: Apache-2.0
/* What the server says of itself: health, version, metrics, settings, audit; and of what Airflow
 * has and we have not. */
#include "common/text/json.h"
#include "webserver/api/handlers.h"
#include "webserver/api/leader.h"

/* ---- health and version ---- */

/* The database's view of the parts that write to it; without the database, what can be said without
 * it. */
static void on_health(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    (void)err;
    if (rc == 0) {
        call_json(call, 200, json);
        return;
    }
    call_json(
        call, 200,
        STR("{\"metadatabase\":{\"status\":\"unhealthy\"},"
            "\"scheduler\":{\"status\":\"unhealthy\",\"latest_scheduler_heartbeat\":null},"
            "\"dag_processor\":{\"status\":\"unhealthy\",\"latest_dag_processor_heartbeat\":null},"
            "\"triggerer\":{\"status\":\"unhealthy\",\"latest_triggerer_heartbeat\":null}}"));
}

void health_get(struct call *call)
{
    struct bind ttl = BIND_NUMBER(call->api->options.conf->scheduler_lease_ttl_ms);
    document_read(call->api->options.store, DOCUMENT_api_health, &ttl, 1, on_health, call);
}

void version_get(struct call *call)
{
    call_json(call, 200, STR("{\"version\":\"" HEADRACE_VERSION "\",\"git_version\":null}"));
}

/* Metrics keep the names that they are given: the few of the query live as long as the api. */
static const char *known_name(struct api *api, struct str name)
{
    uint64_t index;
    if (!map_get_str(&api->metric_index, name, &index)) {
        index = api->metric_names.count;
        map_put_str(&api->metric_index, name, index);
        VEC_ADD(&api->metric_names, str_cstr(&api->metric_arena, name));
    }
    return api->metric_names.items[index];
}

/* Gauges of the whole system come from the database, at each scrape; their help is their name. */
static void set_gauges(struct call *call, const struct value *rows)
{
    struct metrics *metrics = call->api->options.metrics;
    struct str last = STR_EMPTY;
    struct metric *gauge = NULL;
    for (uint32_t i = 0; rows != NULL && rows->type == VALUE_LIST && i < rows->count; i++) {
        const struct value *row = rows->items[i];
        struct str name = value_text(row->items[0], STR_EMPTY),
                   label = value_text(row->items[1], STR_EMPTY);
        const struct value *number = row->items[3];
        if (!str_eq(name, last)) {
            gauge = metrics_gauge(metrics, known_name(call->api, name),
                                  "State of the system, from the database.");
            metric_forget_series(gauge);
            last = name;
        }
        double amount = number->type == VALUE_INT ? (double)number->integer : number->real;
        struct metric *series = label.size == 0 ? gauge
                                                : metric_with(gauge, known_name(call->api, label),
                                                              value_text(row->items[2], STR_EMPTY));
        metric_set(series, amount);
    }
}

/* The leader's own figures follow ours; a standby answers nothing. */
static void on_figures(void *owner, int rc, struct str figures)
{
    struct call *call = owner;
    struct metrics *metrics = call->api->options.metrics;
    struct buf text = { 0 };
    metric_set(
        metrics_gauge(metrics, "headrace_scheduler_up", "Whether the leading scheduler answers."),
        rc == 0);
    metrics_render(metrics, NULL, &text);
    buf_add_str(&text, figures);
    http_answer(call->request, 200, "text/plain; version=0.0.4; charset=utf-8", buf_str(&text));
    buf_clear(&text);
}

static void on_gauges(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    struct metrics *metrics = call->api->options.metrics;
    const struct value *rows = NULL;
    (void)err;
    if (rc == 0)
        rc = json_parse(call->arena, json, NULL, &rows, NULL);
    metric_set(
        metrics_gauge(metrics, "headrace_database_up", "Whether the metadata database answers."),
        rc == 0);
    if (rc == 0)
        set_gauges(call, rows);
    leader_ask_figures(call->api->leader, on_figures, call);
}

static void answer_metrics(struct call *call)
{
    document_read(call->api->options.store, DOCUMENT_api_metrics, NULL, 0, on_gauges, call);
}

static void on_person(struct http_request *request, int rc, const struct person *person,
                      const struct err *err)
{
    (void)person;
    if (rc < 0)
        call_fail(request->context, rc, err);
    else
        answer_metrics(request->context);
}

void metrics_get(struct call *call)
{
    const struct conf *conf = call->api->options.conf;
    if (!conf->metrics_enabled)
        call_refuse(call, 404, "metrics are off: metrics.enabled");
    else if (conf->metrics_public)
        answer_metrics(call);
    else
        auth_check(call->api->options.auth, call->request, on_person);
}

/* ---- lists that are always empty here, and what is not there ---- */

void empty_list(struct call *call)
{
    static const char *const KEYS[] = { "dag_warnings",  "",          "",
                                        "hitl_details",  "providers", "plugins",
                                        "import_errors", "",          "",
                                        "asset_aliases" };
    if (call->route->aux == 2) {
        call_json(call, 200, STR("{\"extra_links\":{},\"total_entries\":0}"));
        return;
    }
    call_json(call, 200,
              str_format(call->arena, "{\"%s\":[],\"total_entries\":0}", KEYS[call->route->aux]));
}

/* What Airflow need not have either: as it says then. */
void absent(struct call *call)
{
    static const struct {
        int status;
        const char *why;
    } THINGS[] = {
        { 400, "logs are kept by Headrace itself: they have no address elsewhere" },
        { 404, "there are no asset aliases; a task names the assets that it writes" },
        { 404, "no task waits for a person; a note on it, or marking it, is what a person can do" },
    };
    call_refuse(call, THINGS[call->route->aux].status, "%s", THINGS[call->route->aux].why);
}

void unsupported(struct call *call)
{
    call_refuse(call, 501, "there are no default connections; add those that you need");
}

/* ---- audit and jobs ---- */

void audit_list(struct call *call)
{
    struct list_query query;
    if (call_list(call, &query, LIST_AUDIT))
        call_list_read(call, &query);
}

void audit_get(struct call *call)
{
    struct list_query query;
    (void)call_param_int(call, "event_log_id", 0, INT32_MAX);
    if (call_refuse_problems(call))
        return;
    list_query_init(&query, LIST_AUDIT, call->arena, 1);
    list_query_only(&query, "event_log_id", call_param(call, "event_log_id"));
    call_list_one(call, &query);
}

void jobs_list(struct call *call)
{
    struct list_query query;
    if (call_list(call, &query, LIST_JOBS))
        call_list_read(call, &query);
}

/* What was to be told, newest first. */
void notifications_list(struct call *call)
{
    struct list_query query;
    if (call_list(call, &query, LIST_NOTIFICATIONS))
        call_list_read(call, &query);
}

/* ---- settings ---- */

static bool wants_text(struct call *call)
{
    struct str accept = http_header(call->request, "Accept");
    return accept.bytes != NULL && http_accepts(accept, "text/plain") &&
           !http_accepts(accept, "application/json");
}

static void write_sections(struct call *call, struct buf *out, struct str wanted)
{
    struct conf_item item;
    struct str section = STR_EMPTY;
    for (uint32_t i = 0; conf_item(call->api->options.conf, i, &item); i++) {
        if (wanted.size > 0 && !str_eq(item.section, wanted))
            continue;
        bool is_new = !str_eq(section, item.section);
        if (is_new) {
            buf_add_cstr(out, section.size == 0 ? "{\"name\":" : "]},{\"name\":");
            json_write_string(out, item.section);
            buf_add_cstr(out, ",\"options\":[");
            section = item.section;
        }
        buf_add_cstr(out, is_new ? "{\"key\":" : ",{\"key\":");
        json_write_string(out, item.key);
        buf_add_cstr(out, ",\"value\":");
        json_write_string(out, item.value);
        buf_add_byte(out, '}');
    }
    if (section.size > 0)
        buf_add_cstr(out, "]}");
}

static void write_ini(struct call *call, struct buf *out, struct str wanted)
{
    struct conf_item item;
    struct str section = STR_EMPTY;
    for (uint32_t i = 0; conf_item(call->api->options.conf, i, &item); i++) {
        if (wanted.size > 0 && !str_eq(item.section, wanted))
            continue;
        if (!str_eq(section, item.section))
            buf_printf(out, "%s[%.*s]\n", section.size == 0 ? "" : "\n", STR_ARG(item.section));
        section = item.section;
        buf_printf(out, "%.*s = %.*s\n", STR_ARG(item.key), STR_ARG(item.value));
    }
}

void config_get(struct call *call)
{
    struct buf out = { 0 };
    struct str section = call_query(call, "section", STR_EMPTY);
    if (wants_text(call)) {
        write_ini(call, &out, section);
        http_answer(call->request, 200, "text/plain; charset=utf-8", buf_str(&out));
        buf_clear(&out);
        return;
    }
    buf_add_cstr(&out, "{\"sections\":[");
    size_t empty = out.size;
    write_sections(call, &out, section);
    bool is_found = out.size > empty || section.size == 0;
    buf_add_cstr(&out, "]}");
    if (is_found)
        call_json(call, 200, buf_str(&out));
    else
        call_refuse(call, 404, "Section %.*s not found.", STR_ARG(section));
    buf_clear(&out);
}

void config_value_get(struct call *call)
{
    struct conf_item item;
    struct err err = { 0 };
    struct str section = call_param(call, "section"), option = call_param(call, "option");
    if (conf_find(call->api->options.conf, section, option, &item, &err) < 0) {
        call_refuse(call, 404, "Option [%.*s/%.*s] not found.", STR_ARG(section), STR_ARG(option));
        return;
    }
    struct buf out = { 0 };
    buf_add_cstr(&out, "{\"sections\":[{\"name\":");
    json_write_string(&out, item.section);
    buf_add_cstr(&out, ",\"options\":[{\"key\":");
    json_write_string(&out, item.key);
    buf_add_cstr(&out, ",\"value\":");
    json_write_string(&out, item.value);
    buf_add_cstr(&out, "}]}]}");
    call_json(call, 200, buf_str(&out));
    buf_clear(&out);
}

void settings_get(struct call *call)
{
    struct conf_item item;
    struct buf out = { 0 };
    buf_add_cstr(&out, "{\"settings\":[");
    for (uint32_t i = 0; conf_item(call->api->options.conf, i, &item); i++) {
        struct str texts[] = { item.section,  item.key,         item.value,
                               item.fallback, item.origin_text, str_of(item.help) };
        static const char *const NAMES[] = {
            "section", "key", "value", "default", "origin", "help"
        };
        buf_add_cstr(&out, i == 0 ? "{" : ",{");
        for (size_t k = 0; k < sizeof NAMES / sizeof *NAMES; k++) {
            buf_printf(&out, "\"%s\":", NAMES[k]);
            json_write_string(&out, texts[k]);
            buf_add_byte(&out, ',');
        }
        buf_printf(&out, "\"restart\":%s,\"secret\":%s}", item.needs_restart ? "true" : "false",
                   item.is_secret ? "true" : "false");
    }
    buf_add_cstr(&out, "]}");
    call_json(call, 200, buf_str(&out));
    buf_clear(&out);
}
