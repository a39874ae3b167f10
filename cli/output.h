// SPDX-License-Identifier: Apache-2.0
/* output - what a command shows: rows as a table that fits the terminal, JSON, YAML, or plain lines
 * for scripts.
 *
 * JSON and YAML give the whole objects as the server sent them; table and plain give the columns.
 * Plain has no head and a tab between cells. */
#ifndef HEADRACE_OUTPUT_H
#define HEADRACE_OUTPUT_H

#include "cli/cli.h"
#include "common/base/buf.h"

enum cell {
    CELL_TEXT,
    CELL_STATE,   /* coloured by what it says */
    CELL_TIME,    /* RFC 3339 text, or milliseconds since 1970 */
    CELL_SECONDS, /* a number, or milliseconds when the key ends in _ms */
};

struct column {
    const char *key; /* "dag_id"; "tags.name" looks into each of a list */
    const char *title;
    enum cell cell;
};

#define OUTPUT_ROWS(cli, columns, rows)                                                            \
    output_rows((cli), (columns), (uint32_t)(sizeof(columns) / sizeof(columns)[0]), (rows))

/* `rows` is a list of maps. */
void output_rows(struct cli *cli, const struct column *columns, uint32_t column_count,
                 const struct value *rows);

/* One object: its keys one a line. */
void output_object(struct cli *cli, const struct value *object);

/* A sentence about what was done; to stderr when stdout carries data for a program. */
void output_note(const struct cli *cli, const char *fmt, ...) FORMAT(2, 3);

/* The text of a cell, in `arena`. */
struct str output_cell(struct arena *arena, const struct value *value, enum cell cell, bool is_ms);

/* Colour of a state ("success" is green), empty without colours; output_plain() ends it. */
const char *output_colour(const struct cli *cli, struct str state);
const char *output_plain(const struct cli *cli);

void yaml_write(struct buf *buf, const struct value *value, uint32_t indent);

#endif
