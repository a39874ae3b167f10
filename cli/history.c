// SPDX-License-Identifier: Apache-2.0
#include "cli/history.h"

#include "common/base/vec.h"

/* Above it the lines between the first and the last difference are no longer paired. */
enum { PAIRS_MAX = 4 << 20 };

struct lines {
    VEC(struct str) at;
};

static void lines_split(struct lines *lines, struct str text)
{
    struct str line;

    while (text.size > 0 && str_split(&text, '\n', &line))
        VEC_ADD(&lines->at, line);
}

/* What is left when the first `head` lines and the last ones have been set aside as equal. */
struct middle {
    const struct str *expected, *happened;
    uint32_t expected_count, happened_count;
};

/* table[i][k]: how many lines the rests from i and from k on have in common, in order. */
static uint32_t *table_make(const struct middle *m)
{
    uint64_t width = m->happened_count + 1u;
    uint32_t *table = calloc((m->expected_count + 1u) * width, sizeof *table);

    for (uint32_t i = m->expected_count; table != NULL && i-- > 0;) {
        for (uint32_t k = m->happened_count; k-- > 0;) {
            uint32_t without_i = table[(i + 1) * width + k], without_k = table[i * width + k + 1];
            table[i * width + k] = str_eq(m->expected[i], m->happened[k])
                                       ? table[(i + 1) * width + k + 1] + 1
                                   : without_i > without_k ? without_i
                                                           : without_k;
        }
    }
    return table;
}

static void print_line(FILE *out, char mark, struct str line)
{
    fprintf(out, "%c %.*s\n", mark, STR_ARG(line));
}

static uint32_t print_middle(const struct middle *m, FILE *out)
{
    uint64_t width = m->happened_count + 1u;
    bool can_pair = (uint64_t)(m->expected_count + 1u) * width <= PAIRS_MAX;
    uint32_t *table = can_pair ? table_make(m) : NULL;
    uint32_t i = 0, k = 0, different = 0;

    while (i < m->expected_count || k < m->happened_count) {
        bool has_both = i < m->expected_count && k < m->happened_count;
        if (has_both && str_eq(m->expected[i], m->happened[k])) {
            print_line(out, ' ', m->expected[i++]);
            k++;
            continue;
        }
        different++;
        if (!has_both ? i < m->expected_count
                      : table == NULL || table[(i + 1) * width + k] >= table[i * width + k + 1])
            print_line(out, '-', m->expected[i++]);
        else
            print_line(out, '+', m->happened[k++]);
    }
    free(table);
    return different;
}

uint32_t history_diff(struct str expected, struct str happened, FILE *out)
{
    struct lines a = { 0 }, b = { 0 };
    uint32_t head = 0, tail = 0, different = 0;

    lines_split(&a, expected);
    lines_split(&b, happened);
    uint32_t least = a.at.count < b.at.count ? a.at.count : b.at.count;
    while (head < least && str_eq(a.at.items[head], b.at.items[head]))
        head++;
    while (tail < least - head &&
           str_eq(a.at.items[a.at.count - 1 - tail], b.at.items[b.at.count - 1 - tail]))
        tail++;
    struct middle middle = { a.at.items + head, b.at.items + head, a.at.count - head - tail,
                             b.at.count - head - tail };
    bool is_same = middle.expected_count + middle.happened_count == 0;
    for (uint32_t i = 0; !is_same && i < head; i++)
        print_line(out, ' ', a.at.items[i]);
    if (!is_same)
        different = print_middle(&middle, out);
    for (uint32_t i = a.at.count - tail; !is_same && i < a.at.count; i++)
        print_line(out, ' ', a.at.items[i]);
    VEC_CLEAR(&a.at);
    VEC_CLEAR(&b.at);
    return different;
}
