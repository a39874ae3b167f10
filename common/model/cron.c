// SPDX-License-Identifier: Apache-2.0
#include "common/model/cron.h"

#include "common/base/civil.h"

struct field {
    const char *name;
    int min, max;
    const char *words; /* three letters each */
    int first_word;
};

enum { MINUTE, HOUR_FIELD, DAY_FIELD, MONTH, WEEKDAY, FIELD_COUNT };

static const struct field fields[FIELD_COUNT] = {
    { "minute", 0, 59, "", 0 },
    { "hour", 0, 23, "", 0 },
    { "day of month", 1, 31, "", 0 },
    { "month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec", 1 },
    { "day of week", 0, 7, "sunmontuewedthufrisat", 0 },
};

static const struct {
    const char *name, *text;
} macros[] = {
    { "@hourly", "0 * * * *" }, { "@daily", "0 0 * * *" },    { "@midnight", "0 0 * * *" },
    { "@weekly", "0 0 * * 0" }, { "@monthly", "0 0 1 * *" },  { "@quarterly", "0 0 1 */3 *" },
    { "@yearly", "0 0 1 1 *" }, { "@annually", "0 0 1 1 *" },
};

static int wrong(const struct field *field, struct str part, struct err *err)
{
    if (field->words[0] != '\0')
        return err_set(err, ERR_INVALID, "'%.*s' is no %s: write %d to %d or a name such as %.3s",
                       STR_ARG(part), field->name, field->min, field->max, field->words + 3);
    return err_set(err, ERR_INVALID, "'%.*s' is no %s: write %d to %d", STR_ARG(part), field->name,
                   field->min, field->max);
}

static int read_number(const struct field *field, struct str text, int *out)
{
    int64_t value;
    if (str_to_int(text, field->min, field->max, &value) == 0) {
        *out = (int)value;
        return 0;
    }
    if (text.size != 3)
        return ERR_INVALID;
    for (int i = 0; field->words[i * 3] != '\0'; i++) {
        const char *word = field->words + (size_t)i * 3;
        if ((text.bytes[0] | 0x20) == word[0] && (text.bytes[1] | 0x20) == word[1] &&
            (text.bytes[2] | 0x20) == word[2]) {
            *out = i + field->first_word;
            return 0;
        }
    }
    return ERR_INVALID;
}

static void set_bit(struct cron *cron, int which, int value)
{
    switch (which) {
    case MINUTE:
        cron->minutes |= 1ULL << value;
        break;
    case HOUR_FIELD:
        cron->hours |= 1U << value;
        break;
    case DAY_FIELD:
        cron->days |= 1U << value;
        break;
    case MONTH:
        cron->months |= 1U << value;
        break;
    default:
        cron->weekdays |= 1U << (value % 7);
        break;
    }
}

/* L, 5L, fri#2: what only the day fields know. 1 if it was one of them, 0 if not, or an error. */
static int read_special(struct cron *cron, int which, struct str part, struct err *err)
{
    const struct field *field = &fields[which];
    if (which == DAY_FIELD && (str_is(part, "L") || str_is(part, "l"))) {
        cron->last_day = true;
        return 1;
    }
    if (which != WEEKDAY)
        return 0;
    int day;
    if (part.size >= 2 && (str_ends(part, "L") || str_ends(part, "l"))) {
        if (read_number(field, str_slice(part, 0, part.size - 1), &day) < 0)
            return wrong(field, part, err);
        cron->nth[day % 7] |= 0x80;
        cron->has_nth = true;
        return 1;
    }
    ptrdiff_t hash = str_find(part, '#');
    if (hash < 0)
        return 0;
    int64_t nth;
    if (read_number(field, str_slice(part, 0, (size_t)hash), &day) < 0 ||
        str_to_int(str_slice(part, (size_t)hash + 1, part.size), 1, 5, &nth) < 0)
        return err_set(err, ERR_INVALID,
                       "'%.*s' is no day of week: write DAY#N with N from 1 to 5, as in mon#2",
                       STR_ARG(part));
    cron->nth[day % 7] |= (uint8_t)(1U << (nth - 1));
    cron->has_nth = true;
    return 1;
}

/* "*", "5", "1-5", each perhaps with "/step". */
static int read_range(struct cron *cron, int which, struct str part, struct err *err)
{
    const struct field *field = &fields[which];
    int64_t step = 1;
    struct str range = part;
    ptrdiff_t slash = str_find(part, '/');
    if (slash >= 0) {
        range = str_slice(part, 0, (size_t)slash);
        if (str_to_int(str_slice(part, (size_t)slash + 1, part.size), 1, field->max, &step) < 0)
            return err_set(err, ERR_INVALID, "'%.*s' has no step from 1 to %d behind the slash",
                           STR_ARG(part), field->max);
    }
    int low = field->min, high = which == WEEKDAY ? 6 : field->max;
    ptrdiff_t dash = str_find(range, '-');
    bool any =
        str_is(range, "*") || (str_is(range, "?") && (which == DAY_FIELD || which == WEEKDAY));
    if (!any) {
        struct str first = dash > 0 ? str_slice(range, 0, (size_t)dash) : range;
        if (read_number(field, first, &low) < 0)
            return wrong(field, part, err);
        if (dash > 0 &&
            read_number(field, str_slice(range, (size_t)dash + 1, range.size), &high) < 0)
            return wrong(field, part, err);
        if (dash <= 0 && slash < 0)
            high = low;
    }
    if (low <= high) {
        for (int value = low; value <= high; value += (int)step)
            set_bit(cron, which, value);
        return 0;
    }
    /* "fri-mon" and "22-2" go round the end. */
    int size = (which == WEEKDAY ? 6 : field->max) - field->min + 1;
    for (int value = low; value <= high + size; value += (int)step)
        set_bit(cron, which, (value - field->min) % size + field->min);
    return 0;
}

static int read_field(struct cron *cron, int which, struct str text, struct err *err)
{
    struct str part;
    while (str_split(&text, ',', &part)) {
        if (part.size == 0)
            return err_set(err, ERR_INVALID, "the %s has an empty part between commas",
                           fields[which].name);
        int rc = read_special(cron, which, part, err);
        if (rc == 0)
            rc = read_range(cron, which, part, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int cron_parse(struct str text, struct cron *out, struct err *err)
{
    text = str_trim(text);
    for (size_t i = 0; i < sizeof macros / sizeof *macros; i++)
        if (str_is(text, macros[i].name))
            text = str_of(macros[i].text);
    struct cron cron = { 0 };
    struct str rest = text, word, words[FIELD_COUNT];
    int count = 0;
    while (str_split(&rest, ' ', &word)) {
        word = str_trim(word);
        if (word.size == 0)
            continue;
        if (count < FIELD_COUNT)
            words[count] = word;
        count++;
    }
    if (count != FIELD_COUNT)
        return err_set(
            err, ERR_INVALID,
            "a cron expression has 5 fields (minute hour day month weekday); '%.*s' has %d",
            STR_ARG(text), count);
    for (int i = 0; i < FIELD_COUNT; i++) {
        int rc = read_field(&cron, i, words[i], err);
        if (rc < 0)
            return rc;
    }
    /* A full range is as good as a star, if the other field has a star in it: croniter's reading.
     */
    bool star_in_day = str_find(words[DAY_FIELD], '*') >= 0,
         star_in_weekday = str_find(words[WEEKDAY], '*') >= 0;
    cron.any_day = str_is(words[DAY_FIELD], "*") || str_is(words[DAY_FIELD], "?") ||
                   (cron.days == 0xFFFFFFFEU && star_in_weekday);
    cron.any_weekday = str_is(words[WEEKDAY], "*") || str_is(words[WEEKDAY], "?") ||
                       (cron.weekdays == 0x7FU && star_in_day);
    cron.every_hour = str_is(words[HOUR_FIELD], "*");
    *out = cron;
    return 0;
}

static bool day_matches(const struct cron *cron, const struct civil *c)
{
    if ((cron->months >> c->month & 1) == 0)
        return false;
    int weekday = civil_weekday(civil_days(c->year, c->month, c->day));
    int last = civil_days_in_month(c->year, c->month);
    bool by_day = (cron->days >> c->day & 1) != 0 || (cron->last_day && c->day == last);
    bool by_weekday = (cron->weekdays >> weekday & 1) != 0 ||
                      (cron->nth[weekday] >> ((c->day - 1) / 7) & 1) != 0 ||
                      ((cron->nth[weekday] & 0x80) != 0 && c->day + 7 > last);
    if (cron->any_day && cron->any_weekday)
        return true;
    if (cron->any_day)
        return by_weekday;
    if (cron->any_weekday)
        return by_day;
    return cron->has_nth ? by_weekday : by_day || by_weekday;
}

/* Lowest set bit at or above `from`, or -1. */
static int next_bit(uint64_t bits, int from)
{
    bits = from > 63 ? 0 : bits >> from << from;
    return bits == 0 ? -1 : __builtin_ctzll(bits);
}

int64_t cron_next(const struct cron *cron, int64_t local_ms)
{
    int64_t minute = local_ms / MS_PER_MINUTE;
    if (local_ms < 0 && local_ms % MS_PER_MINUTE != 0)
        minute--;
    struct civil c = civil_of_ms((minute + 1) * MS_PER_MINUTE);
    int32_t last_year = c.year + 50;
    while (c.year <= last_year) {
        if (!day_matches(cron, &c)) {
            /* A month that does not match is skipped whole. */
            int64_t days = (cron->months >> c.month & 1) == 0
                               ? civil_days(c.year, c.month, civil_days_in_month(c.year, c.month))
                               : civil_days(c.year, c.month, c.day);
            c = civil_of_ms((days + 1) * MS_PER_DAY);
            continue;
        }
        int hour = next_bit(cron->hours, c.hour);
        if (hour == c.hour) {
            int found = next_bit(cron->minutes, c.minute);
            if (found >= 0) {
                c.minute = found;
                return civil_to_ms(&c);
            }
            hour = next_bit(cron->hours, c.hour + 1);
        }
        if (hour < 0) {
            c = civil_of_ms((civil_days(c.year, c.month, c.day) + 1) * MS_PER_DAY);
            continue;
        }
        c.hour = hour;
        c.minute = 0;
    }
    return INT64_MAX;
}
