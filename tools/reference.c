// SPDX-License-Identifier: Apache-2.0
/* reference - writes one page of the reference to stdout, from the table that the programs are made
 * of. `reference PAGE`, where PAGE is a name in `pages` below; tools/reference.sh knows where each
 * belongs. */
#include "common/base/err.h"
#include "common/compile/compile.h"

#include <stdio.h>
#include <string.h>

#define WRITTEN "This page is written by `./dev docs` from "

struct row {
    const char *section, *key, *type, *fallback;
    int64_t min, max;
    const char *unit, *when, *secret, *help;
};

static const struct row settings[] = {
#define SETTING(section, key, type, fallback, min, max, unit, when, secret, help)                  \
    { #section, #key, #type, fallback, min, max, unit, #when, #secret, help },
#include "common/conf/settings.def"
#undef SETTING
};

static const struct row autoscales[] = {
#define AUTOSCALE(key, type, fallback, min, max, unit, when, secret, help)                         \
    { "autoscale.QUEUE", #key, #type, fallback, min, max, unit, #when, #secret, help },
#include "common/conf/autoscale.def"
#undef AUTOSCALE
};

static const char settings_intro[] =
    "# Settings\n\n" WRITTEN "`common/conf/settings.def` and `common/conf/autoscale.def`.\n\n"
    "Defaults, then `$HEADRACE_HOME/headrace.cfg` (`[section]`, `key = value`), then the "
    "environment\n"
    "(`HEADRACE__SECTION__KEY=value`), then flags (`--section.key=value`); the last one that "
    "speaks wins. `headrace config list`\n"
    "shows what holds and who said it. After a change a program is restarted, or, where the table "
    "says reload, sent SIGHUP.\n\n"
    "Durations are `250ms`, `15s`, `5m`, `24h`, `30d`, or a bare number of seconds; sizes `512Ki`, "
    "`64Mi`, `4Gi`, or bytes; lists have commas\n"
    "between. Relative paths begin at `$HEADRACE_HOME`, those of flags at the working folder.\n";

static const char errors_intro[] =
    "# Errors\n\n" WRITTEN "`common/base/err.def`.\n\n"
    "Each error of the programs has one of these kinds, whatever its sentence says beyond. Again "
    "says what a caller may do: *later*,\n"
    "the same call may succeed; *reconnect*, it may over a new connection; *never*, something else "
    "has to change first.\n\n"
    "| name | number | HTTP status | again | means |\n|---|---|---|---|---|\n";

/* A bar would end the cell. */
static void add_cell(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            buf_add_byte(out, '\\');
        buf_add_byte(out, *text);
    }
}

static void add_lower(struct buf *out, const char *word)
{
    for (; *word != '\0'; word++)
        buf_add_byte(out, (char)(*word >= 'A' && *word <= 'Z' ? *word + 'a' - 'A' : *word));
}

/* What fits: the words of a choice, else the type, with the limits of a number. */
static void add_values(struct buf *out, const struct row *row)
{
    bool is_choice = strcmp(row->type, "CHOICE") == 0;
    if (is_choice)
        add_cell(out, row->unit);
    else
        add_lower(out, row->type);
    if (!is_choice && row->unit[0] != '\0')
        buf_printf(out, ", %s", row->unit);
    if (row->max > row->min)
        buf_printf(out, ", %lld to %lld%s", (long long)row->min, (long long)row->max,
                   strcmp(row->type, "DURATION") == 0 ? " ms" : "");
}

static void add_row(struct buf *out, const struct row *row)
{
    buf_printf(out, "| `%s` | ", row->key);
    add_values(out, row);
    buf_add_cstr(out, row->fallback[0] != '\0' ? " | `" : " | ");
    buf_add_cstr(out, row->fallback);
    buf_add_cstr(out, row->fallback[0] != '\0' ? "` | " : " | ");
    add_lower(out, row->when);
    buf_add_cstr(out, " | ");
    add_cell(out, row->help);
    buf_add_cstr(out, strcmp(row->secret, "SECRET") == 0 ? " Shown as stars. |\n" : " |\n");
}

static void add_rows(struct buf *out, const struct row *rows, size_t count)
{
    const char *section = "";
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].section, section) != 0)
            buf_printf(out,
                       "\n## [%s]\n\n| key | takes | default | change by | meaning "
                       "|\n|---|---|---|---|---|\n",
                       rows[i].section);
        section = rows[i].section;
        add_row(out, &rows[i]);
    }
}

static void settings_page(struct buf *out)
{
    buf_add_cstr(out, settings_intro);
    add_rows(out, settings, sizeof settings / sizeof *settings);
    add_rows(out, autoscales, sizeof autoscales / sizeof *autoscales);
}

static void add_error(struct buf *out, const char *name, int number, int status, const char *again,
                      const char *sentence)
{
    buf_printf(out, "| %s | %d | %d | ", name, number, status);
    add_lower(out, again);
    buf_printf(out, " | %s |\n", sentence);
}

static void errors_page(struct buf *out)
{
    buf_add_cstr(out, errors_intro);
#define ERROR(name, number, status, retry, sentence)                                               \
    add_error(out, #name, number, status, #retry, sentence);
#include "common/base/err.def"
#undef ERROR
}

static const struct {
    const char *name;
    void (*write)(struct buf *out);
} pages[] = {
    { "settings", settings_page },
    { "errors", errors_page },
    { "dag-file", compile_reference },
    { "schema", compile_schema },
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof pages / sizeof *pages; i++) {
        if (strcmp(argv[1], pages[i].name) != 0)
            continue;
        struct buf out = { 0 };
        pages[i].write(&out);
        size_t written = fwrite(out.bytes, 1, out.size, stdout);
        bool is_whole = written == out.size && fflush(stdout) == 0;
        buf_clear(&out);
        return is_whole ? 0 : 1;
    }
    fprintf(stderr, "reference PAGE: settings, errors, dag-file or schema\n");
    return 2;
}
