// SPDX-License-Identifier: Apache-2.0
#include "common/model/zone.h"

#include "common/base/assert.h"
#include "common/base/civil.h"

enum { DAY = 86400, HOUR = 3600 };

/* "M3.5.0/2", "J60" or "59": when a year's daylight-saving time begins or ends, on the local clock.
 */
struct rule {
    char kind; /* 'M', 'J', '0' */
    int month, week, weekday, day;
    int32_t time;
};

/* What the footer says: std offset, and perhaps daylight-saving time with its two rules. */
struct footer {
    bool present, has_dst;
    int32_t std_offset, dst_offset;
    struct rule begin, end;
};

struct zone {
    uint32_t change_count;
    int64_t *changes; /* instants, ascending */
    int32_t *offsets; /* from changes[i] on */
    int32_t first_offset;
    struct footer footer;
};

/* ---- reading --------------------------------------------------------------------------------- */

struct reader {
    const unsigned char *at;
    size_t left;
    bool failed;
};

static const unsigned char *take(struct reader *reader, size_t size)
{
    if (reader->failed || reader->left < size) {
        reader->failed = true;
        return NULL;
    }
    const unsigned char *bytes = reader->at;
    reader->at += size;
    reader->left -= size;
    return bytes;
}

static uint64_t take_big_endian(struct reader *reader, size_t size)
{
    const unsigned char *bytes = take(reader, size);
    uint64_t value = 0;
    for (size_t i = 0; bytes != NULL && i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

struct counts {
    uint32_t isut, isstd, leap, time, type, chars;
    char version;
};

static struct counts take_header(struct reader *reader)
{
    struct counts counts = { 0 };
    const unsigned char *magic = take(reader, 5);
    if (magic == NULL || memcmp(magic, "TZif", 4) != 0) {
        reader->failed = true;
        return counts;
    }
    counts.version = (char)magic[4];
    (void)take(reader, 15);
    uint32_t *fields[] = { &counts.isut, &counts.isstd, &counts.leap,
                           &counts.time, &counts.type,  &counts.chars };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        *fields[i] = (uint32_t)take_big_endian(reader, 4);
        if (*fields[i] > 100000) /* no zone is near it; keeps the sums below small */
            reader->failed = true;
    }
    return counts;
}

static void take_changes(struct reader *reader, const struct counts *counts, struct zone *zone)
{
    zone->changes = calloc(counts->time + 1, sizeof *zone->changes);
    zone->offsets = calloc(counts->time + 1, sizeof *zone->offsets);
    int32_t *type_offsets = calloc(counts->type + 1, sizeof *type_offsets);
    ASSERT(zone->changes != NULL && zone->offsets != NULL && type_offsets != NULL);
    zone->change_count = counts->time;
    for (uint32_t i = 0; i < counts->time; i++)
        zone->changes[i] = (int64_t)take_big_endian(reader, 8);
    const unsigned char *types = take(reader, counts->time);
    for (uint32_t i = 0; i < counts->type; i++) {
        type_offsets[i] = (int32_t)take_big_endian(reader, 4);
        (void)take(reader, 2);
    }
    for (uint32_t i = 0; types != NULL && i < counts->time; i++) {
        if (types[i] >= counts->type)
            reader->failed = true;
        else
            zone->offsets[i] = type_offsets[types[i]];
    }
    zone->first_offset = counts->type > 0 ? type_offsets[0] : 0;
    free(type_offsets);
    (void)take(reader, counts->chars + counts->leap * 12 + counts->isstd + counts->isut);
}

/* ---- the footer: a POSIX TZ string ----------------------------------------------------------- */

static bool skip_name(struct str *s)
{
    size_t i = 0;
    if (s->size > 0 && s->bytes[0] == '<') {
        ptrdiff_t end = str_find(*s, '>');
        if (end < 0)
            return false;
        i = (size_t)end + 1;
    } else {
        while (i < s->size && ((s->bytes[i] | 0x20) >= 'a' && (s->bytes[i] | 0x20) <= 'z'))
            i++;
    }
    *s = str_slice(*s, i, s->size);
    return i > 0;
}

static bool take_digits(struct str *s, int *out)
{
    int value = 0;
    size_t i = 0;
    while (i < s->size && i < 4 && s->bytes[i] >= '0' && s->bytes[i] <= '9')
        value = value * 10 + (s->bytes[i++] - '0');
    *s = str_slice(*s, i, s->size);
    *out = value;
    return i > 0;
}

static bool take_char(struct str *s, char c)
{
    if (s->size == 0 || s->bytes[0] != c)
        return false;
    *s = str_slice(*s, 1, s->size);
    return true;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool take_hms(struct str *s, int32_t *out)
{
    int sign = take_char(s, '-') ? -1 : 1;
    if (sign > 0)
        (void)take_char(s, '+');
    int hours, minutes = 0, seconds = 0;
    if (!take_digits(s, &hours))
        return false;
    if (take_char(s, ':') && !take_digits(s, &minutes))
        return false;
    if (take_char(s, ':') && !take_digits(s, &seconds))
        return false;
    *out = sign * (hours * HOUR + minutes * 60 + seconds);
    return hours <= 167 && minutes < 60 && seconds < 60;
}

static bool take_rule(struct str *s, struct rule *rule)
{
    *rule = (struct rule) { .kind = '0', .time = 2 * HOUR };
    bool ok;
    if (take_char(s, 'M')) {
        rule->kind = 'M';
        ok = take_digits(s, &rule->month) && take_char(s, '.') && take_digits(s, &rule->week) &&
             take_char(s, '.') && take_digits(s, &rule->weekday) && rule->month >= 1 &&
             rule->month <= 12 && rule->week >= 1 && rule->week <= 5 && rule->weekday <= 6;
    } else {
        if (take_char(s, 'J'))
            rule->kind = 'J';
        ok = take_digits(s, &rule->day) && rule->day <= 365;
    }
    return ok && (!take_char(s, '/') || take_hms(s, &rule->time));
}

static bool read_footer(struct str s, struct footer *footer)
{
    int32_t west;
    footer->present = true;
    if (!skip_name(&s) || !take_hms(&s, &west))
        return false;
    footer->std_offset = -west;
    if (s.size == 0)
        return true;
    footer->has_dst = true;
    footer->dst_offset = footer->std_offset + HOUR;
    if (!skip_name(&s))
        return false;
    if (s.size > 0 && s.bytes[0] != ',') {
        if (!take_hms(&s, &west))
            return false;
        footer->dst_offset = -west;
    }
    return take_char(&s, ',') && take_rule(&s, &footer->begin) && take_char(&s, ',') &&
           take_rule(&s, &footer->end) && s.size == 0;
}

int zone_new(struct str tzif, struct zone **out, struct err *err)
{
    struct reader reader = { (const unsigned char *)tzif.bytes, tzif.size, false };
    struct counts counts = take_header(&reader);
    if (reader.failed || counts.version < '2')
        return err_set(err, ERR_INVALID, "not a TZif file of version 2 or later");
    /* The first block has 32-bit times and is there for old readers only. */
    (void)take(&reader, counts.time * 5 + counts.type * 6 + counts.chars + counts.leap * 8 +
                            counts.isstd + counts.isut);
    counts = take_header(&reader);
    struct zone *zone = calloc(1, sizeof *zone);
    ASSERT(zone != NULL);
    if (!reader.failed)
        take_changes(&reader, &counts, zone);
    struct str footer =
        str_trim((struct str) { (const char *)reader.at, reader.failed ? 0 : reader.left });
    if (reader.failed || (footer.size > 0 && !read_footer(footer, &zone->footer))) {
        zone_free(zone);
        return err_set(err, ERR_INVALID, "the TZif file is damaged");
    }
    *out = zone;
    return 0;
}

void zone_free(struct zone *zone)
{
    if (zone == NULL)
        return;
    free(zone->changes);
    free(zone->offsets);
    free(zone);
}

bool zone_name_is_safe(struct str name)
{
    if (name.size == 0 || name.size > 64 || name.bytes[0] == '/' ||
        name.bytes[name.size - 1] == '/')
        return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.bytes[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        bool slash = c == '/' && name.bytes[i + 1] != '/';
        if (!letter && !slash && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '+')
            return false;
    }
    return true;
}

/* ---- answering ------------------------------------------------------------------------------- */

/* Local seconds since 1970 at which a rule of the footer fires in a year. */
static int64_t rule_local(const struct rule *rule, int32_t year)
{
    int64_t first = civil_days(year, 1, 1);
    if (rule->kind == 'M') {
        int64_t month = civil_days(year, rule->month, 1);
        int ahead = (rule->weekday - civil_weekday(month) + 7) % 7 + (rule->week - 1) * 7;
        if (ahead >= civil_days_in_month(year, rule->month))
            ahead -= 7;
        return (month + ahead) * DAY + rule->time;
    }
    int64_t day = first + rule->day;
    if (rule->kind == 'J' && (rule->day < 60 || civil_days_in_month(year, 2) == 28))
        day--; /* J counts 1..365 and never sees 29 February */
    return day * DAY + rule->time;
}

static int32_t year_of(int64_t seconds)
{
    return civil_of_ms(seconds * 1000).year;
}

static int32_t footer_offset(const struct footer *footer, int64_t instant)
{
    if (!footer->has_dst)
        return footer->std_offset;
    int32_t year = year_of(instant + footer->std_offset);
    int64_t begin = rule_local(&footer->begin, year) - footer->std_offset;
    int64_t end = rule_local(&footer->end, year) - footer->dst_offset;
    bool dst = begin < end ? instant >= begin && instant < end : instant >= begin || instant < end;
    return dst ? footer->dst_offset : footer->std_offset;
}

/* Number of changes at or before the instant. */
static uint32_t changes_until(const struct zone *zone, int64_t instant)
{
    uint32_t low = 0, high = zone->change_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (zone->changes[middle] <= instant)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int32_t zone_offset(const struct zone *zone, int64_t instant)
{
    uint32_t passed = changes_until(zone, instant);
    if (passed == zone->change_count && zone->footer.present)
        return footer_offset(&zone->footer, instant);
    return passed == 0 ? zone->first_offset : zone->offsets[passed - 1];
}

int64_t zone_next_change(const struct zone *zone, int64_t instant)
{
    int32_t offset = zone_offset(zone, instant);
    for (uint32_t i = changes_until(zone, instant); i < zone->change_count; i++)
        if (zone->offsets[i] != offset)
            return zone->changes[i];
    const struct footer *footer = &zone->footer;
    if (!footer->has_dst)
        return INT64_MAX;
    int32_t year = year_of(instant + footer->std_offset) - 1;
    int64_t best = INT64_MAX;
    for (int32_t y = year; y < year + 4; y++) {
        int64_t edges[2] = { rule_local(&footer->begin, y) - footer->std_offset,
                             rule_local(&footer->end, y) - footer->dst_offset };
        for (int i = 0; i < 2; i++)
            if (edges[i] > instant && edges[i] < best && zone_offset(zone, edges[i]) != offset)
                best = edges[i];
    }
    return best;
}

int zone_instants(const struct zone *zone, int64_t local, int64_t out[2])
{
    /* Offsets that were or will be in force within two days; an instant is right if its own offset
     * leads back. */
    int count = 0;
    int32_t tried[2] = { zone_offset(zone, local - 2 * DAY), zone_offset(zone, local + 2 * DAY) };
    int32_t more[2] = { zone_offset(zone, local - tried[0]), zone_offset(zone, local - tried[1]) };
    int32_t offsets[4] = { tried[0], tried[1], more[0], more[1] };
    for (int i = 0; i < 4 && count < 2; i++) {
        int64_t instant = local - offsets[i];
        if (zone_offset(zone, instant) == offsets[i] && (count == 0 || out[0] != instant))
            out[count++] = instant;
    }
    if (count == 2 && out[0] > out[1]) {
        int64_t later = out[0];
        out[0] = out[1];
        out[1] = later;
    }
    if (count == 0) { /* before the gap the local clock was behind: its change is the answer */
        int32_t largest = offsets[0];
        for (int i = 1; i < 4; i++)
            if (offsets[i] > largest)
                largest = offsets[i];
        out[0] = zone_next_change(zone, local - largest - 1);
    }
    return count;
}
