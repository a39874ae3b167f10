// SPDX-License-Identifier: Apache-2.0
/* statsd - Airflow's figures by UDP to a StatsD, for who has dashboards on those: names and
 * settings (metrics.statsd_on, ..._host, ..._port, ..._prefix) are Airflow's. The leader sends them
 * every few seconds, as many lines a datagram as fit; nobody says whether they arrive. A host that
 * is not found is looked for again; meanwhile counts are kept and durations dropped. */
#ifndef HEADRACE_SHELL_STATSD_H
#define HEADRACE_SHELL_STATSD_H

#include "scheduler/shell/shell.h"

/* NULL when the settings say no. */
struct statsd *statsd_open(struct shell *shell);
/* One duration, with what is sent next. NULL allowed. */
void statsd_time(struct statsd *statsd, const char *name, double ms);

/* After the store is closed. NULL allowed. */
void statsd_close(struct statsd *statsd, void (*done)(void *owner), void *owner);

#endif
