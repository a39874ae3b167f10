// SPDX-License-Identifier: Apache-2.0
/* The filters that read dates and times: RFC 3339 text, in UTC. */
#include "common/base/civil.h"
#include "common/text/expr_filter.h"

static const char *const day_names[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
                                         "Thursday", "Friday", "Saturday" };
static const char *const month_names[] = { "January",   "February", "March",    "April",
                                           "May",       "June",     "July",     "August",
                                           "September", "October",  "November", "December" };

static int read_time(struct expr_run *run, const struct value *in, int64_t *out_ms)
{
    bool has_zone;
    if (in->type == VALUE_STRING && civil_parse(str_trim(in->string), out_ms, &has_zone) == 0)
        return 0;
    struct str written =
        in->type == VALUE_STRING ? str_slice(in->string, 0, 60) : str_of(value_type_name(in->type));
    err_set(run->err, ERR_INVALID, "'%.*s' is not a date or time", STR_ARG(written));
    err_hint(run->err, "it takes text such as 2026-01-31 or 2026-01-31T06:00:00Z");
    return ERR_INVALID;
}

struct moment {
    struct civil civil;
    int64_t ms;
    int weekday;     /* 0 = Sunday */
    int day_of_year; /* 1.. */
};

static struct moment moment_of(int64_t ms)
{
    struct moment m = { .civil = civil_of_ms(ms), .ms = ms };
    int64_t days = civil_days(m.civil.year, m.civil.month, m.civil.day);
    m.weekday = civil_weekday(days);
    m.day_of_year = (int)(days - civil_days(m.civil.year, 1, 1)) + 1;
    return m;
}

/* ISO 8601: the week that holds the year's first Thursday is week 1. */
static void iso_week(const struct moment *m, int *out_year, int *out_week)
{
    int weekday = m->weekday == 0 ? 7 : m->weekday;
    int64_t thursday = civil_days(m->civil.year, m->civil.month, m->civil.day) + 4 - weekday;
    struct civil c = civil_of_ms(thursday * MS_PER_DAY);
    *out_year = c.year;
    *out_week = (int)((thursday - civil_days(c.year, 1, 1)) / 7) + 1;
}

static int hour12(int hour)
{
    return hour % 12 == 0 ? 12 : hour % 12;
}

static bool add_week_field(struct buf *buf, const struct moment *m, char field)
{
    int year, week;
    iso_week(m, &year, &week);
    if (field == 'G')
        buf_printf(buf, "%04d", year);
    else if (field == 'V')
        buf_printf(buf, "%02d", week);
    else
        return false;
    return true;
}

/* False when there is no such field. */
static bool add_field(struct buf *buf, const struct moment *m, char field)
{
    const struct civil *c = &m->civil;
    switch (field) {
    case 'Y':
        return buf_printf(buf, "%04d", c->year), true;
    case 'y':
        return buf_printf(buf, "%02d", c->year % 100), true;
    case 'm':
        return buf_printf(buf, "%02d", c->month), true;
    case 'd':
        return buf_printf(buf, "%02d", c->day), true;
    case 'e':
        return buf_printf(buf, "%2d", c->day), true;
    case 'H':
        return buf_printf(buf, "%02d", c->hour), true;
    case 'I':
        return buf_printf(buf, "%02d", hour12(c->hour)), true;
    case 'M':
        return buf_printf(buf, "%02d", c->minute), true;
    case 'S':
        return buf_printf(buf, "%02d", c->second), true;
    case 'f':
        return buf_printf(buf, "%06d", c->millisecond * 1000), true;
    case 'p':
        return buf_add_cstr(buf, c->hour < 12 ? "AM" : "PM"), true;
    case 'j':
        return buf_printf(buf, "%03d", m->day_of_year), true;
    case 'u':
        return buf_printf(buf, "%d", m->weekday == 0 ? 7 : m->weekday), true;
    case 'w':
        return buf_printf(buf, "%d", m->weekday), true;
    case 'A':
        return buf_add_cstr(buf, day_names[m->weekday]), true;
    case 'a':
        return buf_add(buf, day_names[m->weekday], 3), true;
    case 'B':
        return buf_add_cstr(buf, month_names[c->month - 1]), true;
    case 'b':
        return buf_add(buf, month_names[c->month - 1], 3), true;
    case 's':
        return buf_printf(buf, "%lld",
                          (long long)(m->ms / MS_PER_SECOND - (m->ms % MS_PER_SECOND < 0))),
               true;
    case 'F':
        return buf_printf(buf, "%04d-%02d-%02d", c->year, c->month, c->day), true;
    case 'T':
        return buf_printf(buf, "%02d:%02d:%02d", c->hour, c->minute, c->second), true;
    case 'z':
        return buf_add_cstr(buf, "+0000"), true;
    case 'Z':
        return buf_add_cstr(buf, "UTC"), true;
    case '%':
        return buf_add_byte(buf, '%'), true;
    default:
        return add_week_field(buf, m, field);
    }
}

static int format(struct expr_run *run, int64_t ms, struct str text, const struct value **out)
{
    struct moment m = moment_of(ms);
    struct buf buf;
    buf_init(&buf);
    int rc = expr_spend(run, 1 + text.size, text.size * 10);
    for (size_t i = 0; rc == 0 && i < text.size; i++) {
        if (text.bytes[i] != '%') {
            buf_add_byte(&buf, text.bytes[i]);
            continue;
        }
        i++;
        if (i == text.size || !add_field(&buf, &m, text.bytes[i])) {
            char field =
                i < text.size && text.bytes[i] > ' ' && text.bytes[i] < 127 ? text.bytes[i] : '?';
            rc = err_set(run->err, ERR_INVALID, "there is no field %%%c", field);
            err_hint(run->err,
                     "fields are Y y m d e H I M S f p j u w A a B b s F T z Z G V and %%%%");
        }
    }
    if (rc == 0)
        rc = expr_give_text(run, str_copy(run->arena, buf_str(&buf)), out);
    buf_clear(&buf);
    return rc;
}

static int format_fixed(struct expr_run *run, const struct value *in, struct str text,
                        const struct value **out)
{
    int64_t ms;
    int rc = read_time(run, in, &ms);
    return rc < 0 ? rc : format(run, ms, text, out);
}

FILTER(expr_filter_ds_add)
{
    (void)count;
    enum { DAYS_MAX = 4000000 };
    int64_t ms;
    int rc = read_time(run, in, &ms);
    if (rc < 0)
        return rc;
    if (args[0]->type != VALUE_INT)
        return err_set(run->err, ERR_INVALID, "the days must be a whole number, not %s",
                       value_type_name(args[0]->type));
    int64_t days = args[0]->integer;
    int32_t year =
        days < -DAYS_MAX || days > DAYS_MAX ? -1 : civil_of_ms(ms + days * MS_PER_DAY).year;
    if (year < 1 || year > 9999)
        return err_set(run->err, ERR_INVALID, "the date lies outside of the years 1 to 9999");
    return format(run, ms + days * MS_PER_DAY, STR("%F"), out);
}

FILTER(expr_filter_strftime)
{
    (void)count;
    if (args[0]->type != VALUE_STRING)
        return err_set(run->err, ERR_INVALID, "the format must be text, not %s",
                       value_type_name(args[0]->type));
    return format_fixed(run, in, args[0]->string, out);
}

FILTER(expr_filter_ds)
{
    UNUSED_ARGS();
    return format_fixed(run, in, STR("%F"), out);
}

FILTER(expr_filter_ds_nodash)
{
    UNUSED_ARGS();
    return format_fixed(run, in, STR("%Y%m%d"), out);
}

FILTER(expr_filter_ts)
{
    UNUSED_ARGS();
    return format_fixed(run, in, STR("%FT%T+00:00"), out);
}

FILTER(expr_filter_ts_nodash)
{
    UNUSED_ARGS();
    return format_fixed(run, in, STR("%Y%m%dT%H%M%S"), out);
}
