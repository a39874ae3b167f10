// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/metrics.h"

#include "common/base/assert.h"
#include "common/base/map.h"
#include "common/base/vec.h"

#include <math.h>

enum { SERIES_MAX = 1000 };

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric {
    const char *name, *help;
    enum metric_type type;
    struct metric *family; /* NULL for a family itself */
    struct metrics *metrics;
    char *labels; /* of a series: pool="x",state="y" */
    double value;
    const double *bounds;
    uint32_t bound_count;
    uint64_t *buckets; /* of a histogram: bound_count + 1, not cumulative */
    uint64_t observed;
    bool is_used; /* a family that only has series does not show itself */
    VEC(struct metric *) series;
    struct map by_labels;
};

struct metrics {
    VEC(struct metric *) families;
    struct map by_name;
};

static const double seconds_bounds[] = { 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                         0.5,   1,      2.5,   5,    10,    25,   60 };

/* Where metrics go that were asked for without a table. */
static struct metrics *nowhere(void)
{
    static struct metrics unseen;
    return &unseen;
}

struct metrics *metrics_new(void)
{
    struct metrics *metrics = calloc(1, sizeof *metrics);
    ASSERT(metrics != NULL);
    return metrics;
}

static void free_metric(struct metric *metric)
{
    VEC_EACH (&metric->series, i)
        free_metric(metric->series.items[i]);
    VEC_CLEAR(&metric->series);
    map_clear(&metric->by_labels);
    free(metric->labels);
    free(metric->buckets);
    free(metric);
}

void metrics_free(struct metrics *metrics)
{
    if (metrics == NULL)
        return;
    VEC_EACH (&metrics->families, i)
        free_metric(metrics->families.items[i]);
    VEC_CLEAR(&metrics->families);
    map_clear(&metrics->by_name);
    free(metrics);
}

static struct metric *make(struct metrics *metrics, const char *name, const char *help,
                           enum metric_type type, const double *bounds, uint32_t bound_count)
{
    struct metric *metric = calloc(1, sizeof *metric);
    ASSERT(metric != NULL);
    *metric = (struct metric) { .name = name,
                                .help = help,
                                .type = type,
                                .metrics = metrics,
                                .bounds = bounds,
                                .bound_count = bound_count };
    if (type == METRIC_HISTOGRAM) {
        metric->buckets = calloc(bound_count + 1, sizeof *metric->buckets);
        ASSERT(metric->buckets != NULL);
    }
    return metric;
}

static struct metric *family(struct metrics *metrics, const char *name, const char *help,
                             enum metric_type type, const double *bounds, uint32_t bound_count)
{
    uint64_t index;

    if (metrics == NULL)
        metrics = nowhere();
    if (map_get_str(&metrics->by_name, str_of(name), &index)) {
        struct metric *known = metrics->families.items[index];
        ASSERT(known->type == type);
        return known;
    }
    map_put_str(&metrics->by_name, str_of(name), metrics->families.count);
    struct metric *metric = make(metrics, name, help, type, bounds, bound_count);
    VEC_ADD(&metrics->families, metric);
    return metric;
}

struct metric *metrics_counter(struct metrics *metrics, const char *name, const char *help)
{
    return family(metrics, name, help, METRIC_COUNTER, NULL, 0);
}

struct metric *metrics_gauge(struct metrics *metrics, const char *name, const char *help)
{
    return family(metrics, name, help, METRIC_GAUGE, NULL, 0);
}

struct metric *metrics_histogram(struct metrics *metrics, const char *name, const char *help,
                                 const double *bounds, uint32_t bound_count)
{
    if (bounds == NULL) {
        bounds = seconds_bounds;
        bound_count = sizeof seconds_bounds / sizeof *seconds_bounds;
    }
    return family(metrics, name, help, METRIC_HISTOGRAM, bounds, bound_count);
}

/* ---- series ---------------------------------------------------------------------------------- */

static void add_label(struct buf *out, const char *label, struct str value)
{
    if (out->size > 0)
        buf_add_byte(out, ',');
    buf_add_cstr(out, label);
    buf_add_cstr(out, "=\"");
    for (size_t i = 0; i < value.size; i++) {
        char byte = value.bytes[i];
        if (byte == '\\' || byte == '"')
            buf_add_byte(out, '\\');
        if (byte == '\n')
            buf_add_cstr(out, "\\n");
        else
            buf_add_byte(out, byte);
    }
    buf_add_byte(out, '"');
}

static struct metric *series_of(struct metric *metric, const char *const *labels,
                                const struct str *values, uint32_t count)
{
    struct buf text = { 0 };
    uint64_t index;

    ASSERT(metric->family == NULL);
    for (uint32_t i = 0; i < count; i++)
        add_label(&text, labels[i], values[i]);
    if (map_get_str(&metric->by_labels, buf_str(&text), &index)) {
        buf_clear(&text);
        return metric->series.items[index];
    }
    if (metric->series.count >= SERIES_MAX && !str_is(values[0], "other")) {
        static const struct str others[] = { { "other", 5 }, { "other", 5 } };
        buf_clear(&text);
        return series_of(metric, labels, others, count);
    }

    struct metric *series = make(metric->metrics, metric->name, metric->help, metric->type,
                                 metric->bounds, metric->bound_count);
    series->family = metric;
    map_put_str(&metric->by_labels, buf_str(&text), metric->series.count);
    series->labels = text.bytes; /* taken from the buf */
    VEC_ADD(&metric->series, series);
    return series;
}

struct metric *metric_with(struct metric *metric, const char *label, struct str value)
{
    return series_of(metric, &label, &value, 1);
}

struct metric *metric_with2(struct metric *metric, const char *label, struct str value,
                            const char *label2, struct str value2)
{
    return series_of(metric, (const char *const[]) { label, label2 },
                     (const struct str[]) { value, value2 }, 2);
}

void metric_forget_series(struct metric *metric)
{
    VEC_EACH (&metric->series, i)
        free_metric(metric->series.items[i]);
    VEC_RESET(&metric->series);
    map_clear(&metric->by_labels);
}

/* ---- counting -------------------------------------------------------------------------------- */

void metric_add(struct metric *metric, double amount)
{
    ASSERT(metric->type == METRIC_GAUGE || (metric->type == METRIC_COUNTER && amount >= 0));
    metric->value += amount;
    metric->is_used = true;
}

void metric_set(struct metric *metric, double value)
{
    ASSERT(metric->type == METRIC_GAUGE);
    metric->value = value;
    metric->is_used = true;
}

void metric_observe(struct metric *metric, double value)
{
    uint32_t bucket = 0;

    ASSERT(metric->type == METRIC_HISTOGRAM);
    while (bucket < metric->bound_count && value > metric->bounds[bucket])
        bucket++;
    metric->buckets[bucket]++;
    metric->observed++;
    metric->value += value;
    metric->is_used = true;
}

double metric_value(const struct metric *metric)
{
    return metric->type == METRIC_HISTOGRAM ? (double)metric->observed : metric->value;
}

static double total_of(const struct metric *metric)
{
    return metric->value;
}

static double add_up(const struct metrics *metrics, const char *name,
                     double (*number)(const struct metric *metric))
{
    uint64_t index;

    if (!map_get_str(&metrics->by_name, str_of(name), &index))
        return 0;
    const struct metric *metric = metrics->families.items[index];
    double sum = number(metric);
    VEC_EACH (&metric->series, i)
        sum += number(metric->series.items[i]);
    return sum;
}

double metrics_sum(const struct metrics *metrics, const char *name)
{
    return add_up(metrics, name, metric_value);
}

double metrics_total(const struct metrics *metrics, const char *name)
{
    return add_up(metrics, name, total_of);
}

/* ---- showing --------------------------------------------------------------------------------- */

static void add_number(struct buf *out, double value)
{
    if (isnan(value))
        buf_add_cstr(out, "NaN");
    else if (isinf(value))
        buf_add_cstr(out, value > 0 ? "+Inf" : "-Inf");
    else if (value > -9e15 && value < 9e15 && value == (double)(int64_t)value)
        buf_printf(out, "%.0f", value);
    else
        buf_printf(out, "%.12g", value);
}

static void add_name(struct buf *out, const struct metric *metric, const char *program)
{
    struct str ours = STR("headrace_"), name = str_of(metric->name);

    if (program == NULL || !str_starts(name, ours.bytes))
        buf_add_str(out, name);
    else
        buf_printf(out, "headrace_%s_%s", program, metric->name + ours.size);
}

static void add_sample(struct buf *out, const struct metric *metric, const char *program,
                       const char *suffix, const char *extra, double value)
{
    const char *labels = metric->labels != NULL ? metric->labels : "";
    bool has_labels = labels[0] != 0 || extra[0] != 0;

    add_name(out, metric, program);
    buf_add_cstr(out, suffix);
    if (has_labels)
        buf_printf(out, "{%s%s%s}", labels, labels[0] != 0 && extra[0] != 0 ? "," : "", extra);
    buf_add_byte(out, ' ');
    add_number(out, value);
    buf_add_byte(out, '\n');
}

static void add_metric(struct buf *out, const struct metric *metric, const char *program)
{
    if (metric->type != METRIC_HISTOGRAM) {
        add_sample(out, metric, program, "", "", metric->value);
        return;
    }
    uint64_t below = 0;
    for (uint32_t i = 0; i <= metric->bound_count; i++) {
        char bound[48] = "le=\"+Inf\"";
        if (i < metric->bound_count)
            snprintf(bound, sizeof bound, "le=\"%.12g\"", metric->bounds[i]);
        below += metric->buckets[i];
        add_sample(out, metric, program, "_bucket", bound, (double)below);
    }
    add_sample(out, metric, program, "_sum", "", metric->value);
    add_sample(out, metric, program, "_count", "", (double)metric->observed);
}

void metrics_render(const struct metrics *metrics, const char *program, struct buf *out)
{
    static const char *const type_names[] = { "counter", "gauge", "histogram" };

    VEC_EACH (&metrics->families, i) {
        const struct metric *metric = metrics->families.items[i];
        buf_add_cstr(out, "# HELP ");
        add_name(out, metric, program);
        buf_printf(out, " %s\n# TYPE ", metric->help);
        add_name(out, metric, program);
        buf_printf(out, " %s\n", type_names[metric->type]);
        if (metric->is_used || metric->series.count == 0)
            add_metric(out, metric, program);
        VEC_EACH (&metric->series, k)
            add_metric(out, metric->series.items[k], program);
    }
}
