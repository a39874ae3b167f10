// SPDX-License-Identifier: Apache-2.0
/* metrics - counters, gauges and histograms of a process, shown as Prometheus text.
 *
 *     struct metric *sent = metrics_counter(metrics, "headrace_wire_sent_total", "Messages sent to
 * workers."); metric_add(sent, 1); metric_set(metric_with(open_slots, "pool", name), 12);
 *
 * A metric lives as long as its table. Asking again for a known name gives the same metric. Loop
 * thread only. */
#ifndef HEADRACE_METRICS_H
#define HEADRACE_METRICS_H

#include "common/base/buf.h"
#include "common/base/str.h"

struct metrics;
struct metric;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics); /* NULL allowed */

/* `name` and `help` are kept (constants). Counters only grow; their names end in _total.
 * A NULL table gives a metric that nobody sees, so that rooms need not ask. */
struct metric *metrics_counter(struct metrics *metrics, const char *name, const char *help);
struct metric *metrics_gauge(struct metrics *metrics, const char *name, const char *help);

/* `bounds` rise; +Inf is added. NULL: bounds for seconds, 0.001 to 60 in steps of about 2.5. */
struct metric *metrics_histogram(struct metrics *metrics, const char *name, const char *help,
                                 const double *bounds, uint32_t bound_count);

/* The series of this metric for one value of a label (or of two), made at first use. At most 1000
 * series a metric: what comes later is counted in the series whose values are "other". */
struct metric *metric_with(struct metric *metric, const char *label, struct str value);
struct metric *metric_with2(struct metric *metric, const char *label, struct str value,
                            const char *label2, struct str value2);

/* Forgets all series, so that gauges of things that are gone (a deleted pool) vanish. Pointers to
 * series die. */
void metric_forget_series(struct metric *metric);

void metric_add(struct metric *metric, double amount);
void metric_set(struct metric *metric, double value);
void metric_observe(struct metric *metric, double value); /* histograms */
double metric_value(const struct metric *metric); /* of a histogram: how many were observed */
double metrics_sum(const struct metrics *metrics,
                   const char *name); /* over all series; 0 when unknown */

/* What a histogram has observed, added up, over all series; 0 when unknown. */
double metrics_total(const struct metrics *metrics, const char *name);

/* Text of the exposition format 0.0.4, in the order of first registration. Names of libraries are
 * the same in all programs: with `program` headrace_x is shown as headrace_PROGRAM_x, so that what
 * several say can stand in one answer. NULL: names as they are. */
void metrics_render(const struct metrics *metrics, const char *program, struct buf *out);

#endif
