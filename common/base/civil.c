// SPDX-License-Identifier: Apache-2.0
#include "common/base/civil.h"

int64_t civil_days(int32_t year, int month, int day)
{
    int64_t y = month <= 2 ? (int64_t)year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

int64_t civil_to_ms(const struct civil *civil)
{
    return civil_days(civil->year, civil->month, civil->day) * MS_PER_DAY +
           civil->hour * MS_PER_HOUR + civil->minute * MS_PER_MINUTE +
           civil->second * MS_PER_SECOND + civil->millisecond;
}

struct civil civil_of_ms(int64_t unix_ms)
{
    int64_t days = unix_ms / MS_PER_DAY;
    int64_t rest = unix_ms % MS_PER_DAY;
    if (rest < 0) {
        rest += MS_PER_DAY;
        days--;
    }
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    int month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    return (struct civil) {
        .year = (int32_t)(year_of_era + era * 400 + (month <= 2 ? 1 : 0)),
        .month = month,
        .day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1),
        .hour = (int)(rest / MS_PER_HOUR),
        .minute = (int)(rest / MS_PER_MINUTE % 60),
        .second = (int)(rest / MS_PER_SECOND % 60),
        .millisecond = (int)(rest % MS_PER_SECOND),
    };
}

int civil_weekday(int64_t days)
{
    return (int)(((days + 4) % 7 + 7) % 7);
}

int civil_days_in_month(int32_t year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

struct str civil_text(struct arena *arena, int64_t unix_ms)
{
    struct civil c = civil_of_ms(unix_ms);
    if (c.millisecond != 0)
        return str_format(arena, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", c.year, c.month, c.day,
                          c.hour, c.minute, c.second, c.millisecond);
    return str_format(arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year, c.month, c.day, c.hour,
                      c.minute, c.second);
}

/* Takes exactly `digits` digits off the front. */
static bool take_number(struct str *s, size_t digits, int *out)
{
    int64_t value;
    if (s->size < digits || s->bytes[0] == '-' || s->bytes[0] == '+' ||
        str_to_int(str_slice(*s, 0, digits), 0, 9999, &value) < 0)
        return false;
    *out = (int)value;
    *s = str_slice(*s, digits, s->size);
    return true;
}

static bool take_byte(struct str *s, char byte)
{
    if (s->size == 0 || s->bytes[0] != byte)
        return false;
    *s = str_slice(*s, 1, s->size);
    return true;
}

static bool take_time(struct str *s, struct civil *c)
{
    if (!take_number(s, 2, &c->hour) || !take_byte(s, ':') || !take_number(s, 2, &c->minute))
        return false;
    if (!take_byte(s, ':'))
        return true;
    if (!take_number(s, 2, &c->second))
        return false;
    if (!take_byte(s, '.') && !take_byte(s, ','))
        return true;
    int scale = 100;
    size_t digits = 0;
    while (s->size > 0 && s->bytes[0] >= '0' && s->bytes[0] <= '9') {
        c->millisecond += (s->bytes[0] - '0') * scale;
        scale /= 10;
        digits++;
        *s = str_slice(*s, 1, s->size);
    }
    return digits > 0;
}

/* "Z", "+02:00", "+0200" or nothing. */
static bool take_zone(struct str *s, int64_t *out_offset_ms, bool *out_has_zone)
{
    *out_offset_ms = 0;
    *out_has_zone = s->size > 0;
    if (s->size == 0 || take_byte(s, 'Z') || take_byte(s, 'z'))
        return true;
    int sign = s->bytes[0] == '-' ? -1 : 1;
    int hours, minutes;
    if (!take_byte(s, '+') && !take_byte(s, '-'))
        return false;
    if (!take_number(s, 2, &hours))
        return false;
    (void)take_byte(s, ':');
    if (!take_number(s, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *out_offset_ms = sign * (hours * MS_PER_HOUR + minutes * MS_PER_MINUTE);
    return true;
}

/* 0001-01-01 to the end of 9999, in UTC: what has four digits everywhere. */
#define FIRST_MS (-62135596800000LL)
#define LAST_MS  253402300799999LL

int civil_parse(struct str text, int64_t *out_ms, bool *out_has_zone)
{
    struct civil c = { 0 };
    int year = 0;
    int64_t offset_ms;
    bool has_zone;
    if (!take_number(&text, 4, &year) || !take_byte(&text, '-') ||
        !take_number(&text, 2, &c.month) || !take_byte(&text, '-') ||
        !take_number(&text, 2, &c.day))
        return ERR_INVALID;
    c.year = year;
    bool timed = take_byte(&text, 'T') || take_byte(&text, 't') || take_byte(&text, ' ');
    if (timed && !take_time(&text, &c))
        return ERR_INVALID;
    if (!take_zone(&text, &offset_ms, &has_zone) || text.size > 0)
        return ERR_INVALID;
    if (c.month < 1 || c.month > 12 || c.day < 1 || c.day > civil_days_in_month(c.year, c.month) ||
        c.hour > 23 || c.minute > 59 || c.second > 59)
        return ERR_INVALID;
    int64_t ms = civil_to_ms(&c) - offset_ms;
    if (ms < FIRST_MS || ms > LAST_MS)
        return ERR_INVALID;
    *out_ms = ms;
    *out_has_zone = has_zone;
    return 0;
}
