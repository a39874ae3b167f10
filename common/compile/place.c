// SPDX-License-Identifier: Apache-2.0
#include "common/compile/compiler.h"

static void add(struct compiler *compiler, struct place_in_file at, const char *advice,
                struct str sentence)
{
    compiler->problem_total++;
    /* What YAML itself stumbles over on a line makes every other complaint about that line noise.
     */
    for (uint32_t i = 0; i < compiler->yaml_problem_count; i++)
        if (compiler->problems.items[i].line == at.line)
            return;
    if (compiler->problems.count >= COMPILE_PROBLEMS_MAX)
        return;
    struct compile_problem found = { .file = compiler->filename,
                                     .line = at.line,
                                     .column = at.column,
                                     .sentence = sentence,
                                     .advice = str_copy(compiler->arena, str_of(advice)) };
    VEC_ADD(&compiler->problems, found);
}

bool is_worth_a_look(const struct compiler *compiler)
{
    return compiler->problem_total < COMPILE_PROBLEMS_MAX;
}

void problem(struct compiler *compiler, struct place_in_file at, const char *advice,
             const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct str sentence = str_formatv(compiler->arena, fmt, args);
    va_end(args);
    add(compiler, at, advice, sentence);
}

void problem_err(struct compiler *compiler, struct place_in_file at, const char *doing,
                 const struct err *err)
{
    add(compiler, at, err->hint,
        str_format(compiler->arena, "%s%s%s", doing, doing[0] == '\0' ? "" : ": ", err->sentence));
}

/* ---- from values back to the file ---- */

static void index_lines(struct compiler *compiler)
{
    VEC_ADD(&compiler->lines, 0);
    for (size_t i = 0; i < compiler->text.size; i++)
        if (compiler->text.bytes[i] == '\n')
            VEC_ADD(&compiler->lines, (uint32_t)i + 1);
}

/* The byte where a place begins; the text's size when there is none. */
static size_t offset_of(struct compiler *compiler, struct place_in_file at)
{
    if (compiler->lines.count == 0)
        index_lines(compiler);
    if (at.line == 0 || at.line > compiler->lines.count)
        return compiler->text.size;
    size_t i = compiler->lines.items[at.line - 1];
    for (uint32_t column = 1; column < at.column && i < compiler->text.size; column++)
        for (i++;
             i < compiler->text.size && ((unsigned char)compiler->text.bytes[i] & 0xC0) == 0x80;)
            i++;
    return i;
}

static bool begins_document(struct str text, uint32_t offset)
{
    return str_starts(str_slice(text, offset, text.size), "---");
}

/* From the `---` above the line to the next one. */
struct str place_document(struct compiler *compiler, uint32_t line)
{
    if (compiler->lines.count == 0)
        index_lines(compiler);
    struct str text = compiler->text;
    uint32_t first = line > 0 ? line - 1 : 0, end = first + 1;
    while (first > 0 && !begins_document(text, compiler->lines.items[first]))
        first--;
    while (end < compiler->lines.count && !begins_document(text, compiler->lines.items[end]))
        end++;
    return str_slice(text, compiler->lines.items[first],
                     end < compiler->lines.count ? compiler->lines.items[end] : text.size);
}

static struct place_in_file place_of_offset(struct compiler *compiler, size_t offset)
{
    uint32_t low = 0, high = compiler->lines.count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (compiler->lines.items[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    struct place_in_file place = { low + 1, 1 };
    for (size_t i = compiler->lines.items[low]; i < offset; i++)
        place.column += ((unsigned char)compiler->text.bytes[i] & 0xC0) != 0x80;
    return place;
}

/* The text's own bytes stand in the file from `from` on, at least up to byte `size`. */
static bool stands_there(struct compiler *compiler, size_t from, struct str text, size_t size)
{
    struct str there = str_slice(compiler->text, from, from + size);
    return str_eq(there, str_slice(text, 0, size));
}

static struct place_in_file inside_plain(struct compiler *compiler, const struct value *value,
                                         uint32_t at)
{
    size_t from = offset_of(compiler, PLACE_OF(value));
    char first = from < compiler->text.size ? compiler->text.bytes[from] : '\0';
    if ((first == '"' || first == '\'') && !stands_there(compiler, from, value->string, at))
        from++;
    return stands_there(compiler, from, value->string, at) ? place_of_offset(compiler, from + at)
                                                           : PLACE_OF(value);
}

/* Quotes, escapes, folding and indentation move bytes about, but no form of YAML text adds or drops
 * a "{{": the nth in the value is the nth in the file, counted from where the value begins. */
struct place_in_file place_inside(struct compiler *compiler, const struct value *value, uint32_t at)
{
    struct str text = value->string;
    size_t nth = 0, last = 0;
    if (value->line == 0 || !is_worth_a_look(compiler))
        return PLACE_OF(value);
    for (size_t i = 0; i + 1 < text.size && i <= at; i++) {
        if (text.bytes[i] == '{' && text.bytes[i + 1] == '{') {
            nth++;
            last = i++;
        }
    }
    if (nth == 0)
        return inside_plain(compiler, value, at);
    size_t i = offset_of(compiler, PLACE_OF(value));
    for (; i + 1 < compiler->text.size; i++) {
        if (compiler->text.bytes[i] != '{' || compiler->text.bytes[i + 1] != '{')
            continue;
        if (--nth == 0)
            break;
        i++;
    }
    if (nth > 0)
        return PLACE_OF(value);
    struct str behind = str_slice(text, last, text.size);
    size_t far = at - last;
    return place_of_offset(compiler, stands_there(compiler, i, behind, far) ? i + far : i);
}
