// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include "common/base/civil.h"
#include "common/text/json.h"

#include <math.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_UNKNOWN = 100000, CELL_WIDTH_MIN = 8, GAP = 2 };

static const struct {
    const char *state, *colour;
} colours[] = {
    { "success", "\033[32m" },
    { "healthy", "\033[32m" },
    { "ok", "\033[32m" },
    { "note", "\033[33m" },
    { "wrong", "\033[31m" },
    { "present", "\033[32m" },
    { "running", "\033[36m" },
    { "queued", "\033[33m" },
    { "scheduled", "\033[33m" },
    { "up_for_retry", "\033[33m" },
    { "draining", "\033[33m" },
    { "failed", "\033[31m" },
    { "upstream_failed", "\033[31m" },
    { "unhealthy", "\033[31m" },
    { "lost", "\033[31m" },
    { "skipped", "\033[35m" },
};

const char *output_colour(const struct cli *cli, struct str state)
{
    for (size_t i = 0; cli->is_coloured && i < sizeof colours / sizeof colours[0]; i++)
        if (str_is(state, colours[i].state))
            return colours[i].colour;
    return "";
}

const char *output_plain(const struct cli *cli)
{
    return cli->is_coloured ? "\033[0m" : "";
}

void output_note(const struct cli *cli, const char *fmt, ...)
{
    FILE *file = cli->format == OUTPUT_TABLE ? stdout : stderr;
    va_list args;

    va_start(args, fmt);
    (void)vfprintf(file, fmt, args);
    va_end(args);
    (void)fputc('\n', file);
}

/* ---- cells ---- */

static struct str duration_text(struct arena *arena, double seconds)
{
    if (seconds < 60)
        return str_format(arena, "%.1fs", seconds);
    if (seconds < 3600)
        return str_format(arena, "%dm%02ds", (int)seconds / 60, (int)seconds % 60);
    return str_format(arena, "%dh%02dm", (int)(seconds / 3600), (int)fmod(seconds, 3600) / 60);
}

static struct str time_text(struct arena *arena, const struct value *value)
{
    int64_t ms = value_integer(value, 0);
    bool has_zone;

    if (value->type == VALUE_STRING && civil_parse(value->string, &ms, &has_zone) < 0)
        return value->string;
    return civil_text(arena, ms - (ms % 1000 + 1000) % 1000);
}

static struct str list_text(struct arena *arena, const struct value *list)
{
    struct str text = STR_EMPTY;

    for (uint32_t i = 0; i < list->count; i++) {
        struct str item = output_cell(arena, list->items[i], CELL_TEXT, false);

        text = i == 0 ? item : str_format(arena, "%.*s, %.*s", STR_ARG(text), STR_ARG(item));
    }
    return text;
}

struct str output_cell(struct arena *arena, const struct value *value, enum cell cell, bool is_ms)
{
    if (value == NULL || value->type == VALUE_NULL)
        return STR_EMPTY;
    if (cell == CELL_TIME)
        return time_text(arena, value);
    if (cell == CELL_SECONDS && (value->type == VALUE_INT || value->type == VALUE_REAL)) {
        double number = value->type == VALUE_INT ? (double)value->integer : value->real;
        return duration_text(arena, is_ms ? number / 1000 : number);
    }
    switch (value->type) {
    case VALUE_STRING:
        return value->string;
    case VALUE_LIST:
        return list_text(arena, value);
    default:
        return json_text(arena, value);
    }
}

/* "a.b.c": through maps, and through each element of a list. */
static const struct value *follow(struct arena *arena, const struct value *value, struct str path)
{
    struct str key;

    while (value != NULL && path.bytes != NULL && str_split(&path, '.', &key)) {
        if (value->type == VALUE_LIST) {
            struct value *list = value_list(arena);

            for (uint32_t i = 0; i < value->count; i++) {
                const struct value *item = value_get_str(value->items[i], key);
                if (item != NULL)
                    value_add(arena, list, item);
            }
            return list;
        }
        value = value_get_str(value, key);
    }
    return value;
}

/* ---- tables ---- */

struct table {
    struct cli *cli;
    const struct column *columns;
    uint32_t column_count, row_count;
    struct str *cells; /* row by row; the first row holds the titles */
    uint32_t *widths;
};

/* Characters, not bytes: enough for the letters that names are made of. */
static uint32_t text_width(struct str text)
{
    uint32_t width = 0;

    for (size_t i = 0; i < text.size; i++)
        width += ((unsigned char)text.bytes[i] & 0xc0) != 0x80;
    return width;
}

/* One line, whatever the value holds. */
static struct str one_line(struct arena *arena, struct str text)
{
    char *bytes = arena_copy(arena, text.bytes, text.size);

    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)bytes[i] < ' ' || bytes[i] == 0x7f)
            bytes[i] = ' ';
    return (struct str) { bytes, text.size };
}

static void print_cut(struct str text, uint32_t width, bool is_last)
{
    uint32_t room = text_width(text) <= width ? width : width - 1;
    uint32_t used = 0;
    size_t size = 0;

    while (size < text.size && used < room) {
        size++;
        while (size < text.size && ((unsigned char)text.bytes[size] & 0xc0) == 0x80)
            size++;
        used++;
    }
    printf("%.*s%s", (int)size, text.bytes, room < width ? "\xe2\x80\xa6" : "");
    if (!is_last)
        printf("%*s", (int)(width - used - (room < width ? 1 : 0) + GAP), "");
}

static uint32_t terminal_width(const struct cli *cli)
{
    struct winsize size;

    if (!cli->is_terminal || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return WIDTH_UNKNOWN;
    return size.ws_col;
}

/* Takes from the widest column, again and again, until the row fits. */
static void fit_widths(struct table *table, uint32_t limit)
{
    for (;;) {
        uint32_t total = 0, widest = 0;

        for (uint32_t i = 0; i < table->column_count; i++) {
            total += table->widths[i] + (i > 0 ? GAP : 0);
            if (table->widths[i] > table->widths[widest])
                widest = i;
        }
        if (total <= limit || table->widths[widest] <= CELL_WIDTH_MIN)
            return;
        uint32_t excess = total - limit, spare = table->widths[widest] - CELL_WIDTH_MIN;
        uint32_t step = table->widths[widest] / 4 + 1;
        step = step > excess ? excess : step;
        table->widths[widest] -= step > spare ? spare : step;
    }
}

static void print_table(struct table *table)
{
    const struct cli *cli = table->cli;

    fit_widths(table, terminal_width(cli));
    for (uint32_t row = 0; row <= table->row_count; row++) {
        for (uint32_t i = 0; i < table->column_count; i++) {
            struct str cell = table->cells[row * table->column_count + i];
            bool is_state = row > 0 && table->columns[i].cell == CELL_STATE;

            printf("%s", row == 0 && cli->is_coloured ? "\033[1m"
                         : is_state                   ? output_colour(cli, cell)
                                                      : "");
            print_cut(cell, table->widths[i], i + 1 == table->column_count);
            printf("%s", row == 0 || is_state ? output_plain(cli) : "");
        }
        putchar('\n');
    }
}

static void print_plain(const struct table *table)
{
    for (uint32_t row = 1; row <= table->row_count; row++)
        for (uint32_t i = 0; i < table->column_count; i++)
            printf("%.*s%c", STR_ARG(table->cells[row * table->column_count + i]),
                   i + 1 == table->column_count ? '\n' : '\t');
}

static void print_value(const struct cli *cli, const struct value *value)
{
    struct buf buf = { 0 };

    if (cli->format == OUTPUT_JSON)
        json_write_pretty(&buf, value);
    else
        yaml_write(&buf, value, 0);
    (void)fwrite(buf.bytes, 1, buf.size, stdout);
    buf_clear(&buf);
}

static void fill_table(struct table *table, const struct value *rows)
{
    struct arena *arena = table->cli->arena;

    for (uint32_t row = 0; row <= rows->count; row++)
        for (uint32_t i = 0; i < table->column_count; i++) {
            const struct column *column = &table->columns[i];
            struct str *cell = &table->cells[row * table->column_count + i];
            bool is_ms = str_ends(str_of(column->key), "_ms");

            *cell = row == 0 ? str_of(column->title)
                             : output_cell(arena,
                                           follow(arena, rows->items[row - 1], str_of(column->key)),
                                           column->cell, is_ms);
            *cell = one_line(arena, *cell);
            if (text_width(*cell) > table->widths[i])
                table->widths[i] = text_width(*cell);
        }
}

void output_rows(struct cli *cli, const struct column *columns, uint32_t column_count,
                 const struct value *rows)
{
    struct table table = {
        .cli = cli, .columns = columns, .column_count = column_count, .row_count = rows->count
    };

    if (cli->format == OUTPUT_JSON || cli->format == OUTPUT_YAML) {
        print_value(cli, rows);
        return;
    }
    table.cells = ARENA_ARRAY(cli->arena, struct str, (size_t)column_count * (rows->count + 1));
    table.widths = ARENA_ARRAY(cli->arena, uint32_t, column_count);
    fill_table(&table, rows);
    if (cli->format == OUTPUT_PLAIN)
        print_plain(&table);
    else if (rows->count == 0)
        puts("none");
    else
        print_table(&table);
}

void output_object(struct cli *cli, const struct value *object)
{
    struct value *rows = value_list(cli->arena);
    static const struct column columns[] = {
        { "key", "KEY", CELL_TEXT },
        { "value", "VALUE", CELL_TEXT },
    };

    if (cli->format == OUTPUT_JSON || cli->format == OUTPUT_YAML || object->type != VALUE_MAP) {
        print_value(cli, object);
        return;
    }
    for (uint32_t i = 0; i < object->count; i++) {
        struct value *row = value_map(cli->arena);

        value_put(cli->arena, row, STR("key"), value_string(cli->arena, object->entries[i].key));
        value_put(cli->arena, row, STR("value"), object->entries[i].value);
        value_add(cli->arena, rows, row);
    }
    OUTPUT_ROWS(cli, columns, rows);
}
