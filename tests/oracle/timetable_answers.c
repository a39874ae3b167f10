// SPDX-License-Identifier: Apache-2.0
/* Answers questions about zones and crons, one a line, for the oracles in timetable_test.py:
 *   "offset ZONE SECONDS"            -> seconds east of UTC
 *   "instants ZONE LOCAL_SECONDS"    -> count and the instants
 *   "cron ZONE AFTER_MS COUNT EXPR"  -> the next fire times in ms, or an error */
#include "common/model/timetable.h"
#include "common/base/map.h"

static struct map zones;

static const struct zone *zone_of(const char *name)
{
    uint64_t found;
    if (map_get_str(&zones, str_of(name), &found))
        return (const struct zone *)(uintptr_t)found;
    char path[256], bytes[65536];
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        exit(3);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    struct zone *zone;
    struct err err = { 0 };
    if (zone_new((struct str) { bytes, size }, &zone, &err) < 0)
        exit(4);
    map_put_str(&zones, str_of(name), (uint64_t)(uintptr_t)zone);
    return zone;
}

static void answer_cron(const struct zone *zone, long long after_ms, int count,
                        const char *expression)
{
    struct timetable timetable = { .kind = TIMETABLE_CRON,
                                   .cron_count = 1,
                                   .zone = zone,
                                   .start_ms = INT64_MIN,
                                   .end_ms = INT64_MAX };
    struct err err = { 0 };
    if (cron_parse(str_of(expression), &timetable.crons[0], &err) < 0) {
        printf("error %s\n", err.sentence);
        return;
    }
    for (int i = 0; i < count; i++) {
        struct firing firing;
        if (!timetable_next(&timetable, after_ms, &firing))
            break;
        printf("%lld ", (long long)firing.fire_ms);
        after_ms = firing.fire_ms;
    }
    printf("\n");
}

int main(void)
{
    char line[1024], zone[128], expression[512];
    long long number;
    int count;
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "offset %127s %lld", zone, &number) == 2) {
            printf("%d\n", zone_offset(zone_of(zone), number));
        } else if (sscanf(line, "instants %127s %lld", zone, &number) == 2) {
            int64_t out[2];
            int found = zone_instants(zone_of(zone), number, out);
            printf("%d %lld %lld\n", found, (long long)out[0], found == 2 ? (long long)out[1] : 0);
        } else if (sscanf(line, "cron %127s %lld %d %511[^\n]", zone, &number, &count,
                          expression) == 4) {
            answer_cron(zone_of(zone), number, count, expression);
        } else {
            return 2;
        }
    }
    for (uint32_t i = 0; i < zones.capacity; i++)
        if (zones.slots[i].hash != 0)
            zone_free((struct zone *)(uintptr_t)zones.slots[i].value);
    map_clear(&zones);
    return 0;
}
