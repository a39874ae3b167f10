// SPDX-License-Identifier: Apache-2.0
#include "worker/shell/group.h"

#include <stdio.h>
#include <string.h>

enum { FILE_PATH_MAX = CGROUP_PATH_MAX + 64 };

/* Of the cache, what was not used lately can be had at any time. */
struct memory_files {
    const char *max, *used, *cache;
};

static const struct memory_files unified_memory = { "memory.max", "memory.current",
                                                    "inactive_file" };
static const struct memory_files version1_memory = { "memory.limit_in_bytes",
                                                     "memory.usage_in_bytes",
                                                     "total_inactive_file" };

static void folder_find(const char *controller, char *folder, size_t size)
{
    if (!cgroup_folder(controller, folder, size))
        folder[0] = '\0';
}

void group_init(struct group *group)
{
    folder_find("", group->unified, sizeof group->unified);
    folder_find("memory", group->memory, sizeof group->memory);
    folder_find("cpu", group->cpu, sizeof group->cpu);
    folder_find("cpuacct", group->cpuacct, sizeof group->cpuacct);
}

static int64_t number_at(const char *folder, const char *file, const char *key)
{
    char path[FILE_PATH_MAX];

    if (*folder == '\0')
        return -1;
    return cgroup_number(cgroup_path(path, sizeof path, "%s/%s", folder, file), key);
}

static void memory_level(const char *folder, const struct memory_files *files,
                         struct meter_group *out)
{
    int64_t max_bytes = number_at(folder, files->max, NULL);
    int64_t used_bytes = number_at(folder, files->used, NULL);
    int64_t cache_bytes = number_at(folder, "memory.stat", files->cache);

    if (max_bytes <= 0 || used_bytes < 0 ||
        (out->memory_max_bytes > 0 && out->memory_max_bytes <= max_bytes))
        return;
    out->memory_max_bytes = max_bytes;
    out->memory_used_bytes =
        cache_bytes > 0 && cache_bytes < used_bytes ? used_bytes - cache_bytes : used_bytes;
}

static void cpu_limit(struct meter_group *out, int64_t quota_us, int64_t period_us, int64_t used_us)
{
    int64_t milli = quota_us > 0 && period_us > 0 ? quota_us * 1000 / period_us : 0;

    if (milli <= 0 || used_us < 0 || (out->cpu_max_milli > 0 && out->cpu_max_milli <= milli))
        return;
    out->cpu_max_milli = milli;
    out->cpu_used_us = used_us;
}

/* "QUOTA PERIOD", or "max PERIOD". */
static void unified_cpu_level(const char *folder, struct meter_group *out)
{
    char path[FILE_PATH_MAX];
    struct buf text = { 0 };
    struct str word;
    int64_t quota_us, period_us;

    if (cgroup_file_read(cgroup_path(path, sizeof path, "%s/cpu.max", folder), &text)) {
        struct str rest = str_trim(buf_str(&text));
        if (str_split(&rest, ' ', &word) && str_to_int(word, 1, INT64_MAX / 1000, &quota_us) == 0 &&
            str_to_int(rest, 1, INT64_MAX, &period_us) == 0)
            cpu_limit(out, quota_us, period_us, number_at(folder, "cpu.stat", "usage_usec"));
    }
    buf_clear(&text);
}

static bool step_up(char *folder)
{
    char *slash = strrchr(folder, '/');

    if (slash == NULL || slash == folder)
        return false;
    *slash = '\0';
    return true;
}

/* A limit may stand on any level above; the tightest counts, with all that uses it. */
static void unified_read(const char *own, struct meter_group *out)
{
    char folder[CGROUP_PATH_MAX];

    snprintf(folder, sizeof folder, "%s", own);
    do {
        memory_level(folder, &unified_memory, out);
        unified_cpu_level(folder, out);
    } while (step_up(folder));
}

static void version1_read(const struct group *group, struct meter_group *out)
{
    char folder[CGROUP_PATH_MAX];
    int64_t used_ns = number_at(group->cpuacct, "cpuacct.usage", NULL);

    snprintf(folder, sizeof folder, "%s", group->memory);
    do {
        memory_level(folder, &version1_memory, out);
    } while (step_up(folder));
    cpu_limit(out, number_at(group->cpu, "cpu.cfs_quota_us", NULL),
              number_at(group->cpu, "cpu.cfs_period_us", NULL), used_ns < 0 ? -1 : used_ns / 1000);
}

void group_read(const struct group *group, struct meter_group *out)
{
    *out = (struct meter_group) { 0 };
    if (*group->unified != '\0')
        unified_read(group->unified, out);
    version1_read(group, out);
}
