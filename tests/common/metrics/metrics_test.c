// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/metrics.h"

#include "tests/support/test.h"

static void assert_shows(const struct metrics *metrics, const char *expected)
{
    struct buf text = { 0 };
    metrics_render(metrics, NULL, &text);
    assert_str(buf_str(&text), expected);
    buf_clear(&text);
}

static void counters_and_gauges_show_as_prometheus_text(void **state)
{
    (void)state;
    struct metrics *metrics = metrics_new();
    struct metric *sent = metrics_counter(metrics, "sent_total", "Messages sent.");
    struct metric *depth = metrics_gauge(metrics, "depth", "How deep.");
    metric_add(sent, 2);
    metric_add(metrics_counter(metrics, "sent_total", "Messages sent."), 1);
    metric_set(depth, -0.5);
    assert_true(metric_value(sent) == 3);
    assert_shows(metrics,
                 "# HELP sent_total Messages sent.\n# TYPE sent_total counter\nsent_total 3\n"
                 "# HELP depth How deep.\n# TYPE depth gauge\ndepth -0.5\n");
    metrics_free(metrics);
}

static void a_program_shows_the_names_of_libraries_as_its_own(void **state)
{
    (void)state;
    struct metrics *metrics = metrics_new();
    struct metric *sent = metrics_counter(metrics, "headrace_sent_total", "Messages sent.");
    metric_add(metric_with(sent, "socket", STR("a")), 2);
    metric_add(metric_with(sent, "socket", STR("b")), 3);
    metric_add(metrics_counter(metrics, "airflow_ti_start", "Attempts."), 1);
    struct buf text = { 0 };
    metrics_render(metrics, "scheduler", &text);
    assert_str(buf_str(&text),
               "# HELP headrace_scheduler_sent_total Messages sent.\n"
               "# TYPE headrace_scheduler_sent_total counter\n"
               "headrace_scheduler_sent_total{socket=\"a\"} 2\n"
               "headrace_scheduler_sent_total{socket=\"b\"} 3\n"
               "# HELP airflow_ti_start Attempts.\n# TYPE airflow_ti_start counter\n"
               "airflow_ti_start 1\n");
    assert_true(metrics_sum(metrics, "headrace_sent_total") == 5);
    assert_true(metrics_sum(metrics, "headrace_unknown") == 0);
    struct metric *took = metrics_histogram(metrics, "headrace_took", "Seconds.", NULL, 0);
    metric_observe(took, 0.5);
    metric_observe(metric_with(took, "socket", STR("a")), 2);
    assert_true(metrics_sum(metrics, "headrace_took") == 2);
    assert_true(metrics_total(metrics, "headrace_took") == 2.5);
    buf_clear(&text);
    metrics_free(metrics);
}

static void series_have_labels_whose_values_are_escaped(void **state)
{
    (void)state;
    struct metrics *metrics = metrics_new();
    struct metric *open = metrics_gauge(metrics, "open_slots", "Slots.");
    metric_set(metric_with(open, "pool", STR("a\"b\\c\nd")), 1);
    metric_set(metric_with2(open, "pool", STR("x"), "queue", STR("q")), 2);
    metric_set(metric_with(open, "pool", STR("a\"b\\c\nd")), 3);
    assert_shows(metrics,
                 "# HELP open_slots Slots.\n# TYPE open_slots gauge\n"
                 "open_slots{pool=\"a\\\"b\\\\c\\nd\"} 3\nopen_slots{pool=\"x\",queue=\"q\"} 2\n");
    metric_forget_series(open);
    metric_set(metric_with(open, "pool", STR("new")), 7);
    assert_shows(metrics,
                 "# HELP open_slots Slots.\n# TYPE open_slots gauge\nopen_slots{pool=\"new\"} 7\n");
    metrics_free(metrics);
}

static void a_histogram_counts_cumulatively_with_bounds_included(void **state)
{
    (void)state;
    struct metrics *metrics = metrics_new();
    struct metric *took =
        metrics_histogram(metrics, "took_seconds", "Time.", (const double[]) { 0.1, 1 }, 2);
    metric_observe(took, 0.1);
    metric_observe(took, 0.5);
    metric_observe(took, 5);
    assert_true(metric_value(took) == 3);
    assert_shows(
        metrics,
        "# HELP took_seconds Time.\n# TYPE took_seconds histogram\n"
        "took_seconds_bucket{le=\"0.1\"} 1\ntook_seconds_bucket{le=\"1\"} 2\n"
        "took_seconds_bucket{le=\"+Inf\"} 3\ntook_seconds_sum 5.6\ntook_seconds_count 3\n");
    metrics_free(metrics);
}

static void endless_label_values_end_in_other(void **state)
{
    (void)state;
    struct metrics *metrics = metrics_new();
    struct metric *runs = metrics_counter(metrics, "runs_total", "Runs.");
    char name[16];
    for (int i = 0; i < 1500; i++) {
        snprintf(name, sizeof name, "dag%d", i);
        metric_add(metric_with(runs, "dag", str_of(name)), 1);
    }
    assert_true(metric_value(metric_with(runs, "dag", STR("dag999"))) == 1);
    assert_true(metric_value(metric_with(runs, "dag", STR("other"))) == 500);
    metrics_free(metrics);
}

static void without_a_table_counting_is_harmless(void **state)
{
    (void)state;
    struct metric *unseen = metrics_counter(NULL, "unseen_total", "Nobody looks.");
    metric_add(unseen, 1);
    assert_ptr_equal(unseen, metrics_counter(NULL, "unseen_total", "Nobody looks."));
}

TESTS(CASE(counters_and_gauges_show_as_prometheus_text),
      CASE(a_program_shows_the_names_of_libraries_as_its_own),
      CASE(series_have_labels_whose_values_are_escaped),
      CASE(a_histogram_counts_cumulatively_with_bounds_included),
      CASE(endless_label_values_end_in_other), CASE(without_a_table_counting_is_harmless))
