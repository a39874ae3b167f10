// SPDX-License-Identifier: Apache-2.0
/* Thompson's construction, run as Pike's machine: all ways through the pattern walk the text side
 * by side. */
#include "common/model/pattern.h"

#include "common/base/assert.h"

enum step_kind { STEP_SET, STEP_SPLIT, STEP_JUMP, STEP_BEGIN, STEP_END, STEP_MATCH };

struct step {
    enum step_kind kind;
    uint32_t to, other; /* of JUMP and SPLIT */
    uint64_t set[4];    /* of SET: one bit for each byte */
};

struct pattern {
    struct step *steps;
    uint32_t count;
};

struct compiler {
    struct str text;
    size_t at;
    struct step *steps;
    uint32_t count;
    int depth;
    struct err *err;
};

static int compile_choice(struct compiler *c);

static int fail(struct compiler *c, const char *what)
{
    return err_set(c->err, ERR_INVALID, "pattern \"%.*s\", position %zu: %s", STR_ARG(c->text),
                   c->at + 1, what);
}

static int emit(struct compiler *c, struct step step)
{
    if (c->count == PATTERN_STEPS_MAX)
        return fail(c, "the pattern is too large");
    c->steps[c->count++] = step;
    return 0;
}

static bool at_end(const struct compiler *c)
{
    return c->at >= c->text.size;
}

static char peek(const struct compiler *c)
{
    return at_end(c) ? '\0' : c->text.bytes[c->at];
}

static void set_add(uint64_t *set, unsigned low, unsigned high)
{
    for (unsigned b = low; b <= high; b++)
        set[b / 64] |= (uint64_t)1 << (b % 64);
}

static void set_merge(uint64_t *set, const uint64_t *more, bool negate)
{
    for (int i = 0; i < 4; i++)
        set[i] |= negate ? ~more[i] : more[i];
}

/* After a backslash. A class like \d gives its whole set and -1, anything else one byte. */
static int escape_parse(struct compiler *c, uint64_t *set, int *out_byte)
{
    if (at_end(c))
        return fail(c, "it ends in a backslash");
    char byte = c->text.bytes[c->at++];
    uint64_t class[4] = { 0 };
    *out_byte = -1;
    switch (byte) {
    case 'd':
    case 'D':
        set_add(class, '0', '9');
        break;
    case 'w':
    case 'W':
        set_add(class, '0', '9'), set_add(class, 'a', 'z'), set_add(class, 'A', 'Z'),
            set_add(class, '_', '_');
        break;
    case 's':
    case 'S':
        set_add(class, '\t', '\r'), set_add(class, ' ', ' ');
        break;
    case 'n':
        *out_byte = '\n';
        return 0;
    case 't':
        *out_byte = '\t';
        return 0;
    case 'r':
        *out_byte = '\r';
        return 0;
    default:
        if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
            (byte >= '0' && byte <= '9'))
            return fail(c, "this escape is not supported");
        *out_byte = (unsigned char)byte;
        return 0;
    }
    set_merge(set, class, byte >= 'A' && byte <= 'Z');
    return 0;
}

static int class_item(struct compiler *c, uint64_t *set, int *out_byte)
{
    char byte = c->text.bytes[c->at++];
    if (byte == '\\')
        return escape_parse(c, set, out_byte);
    *out_byte = (unsigned char)byte;
    return 0;
}

static int compile_class(struct compiler *c)
{
    struct step step = { .kind = STEP_SET };
    uint64_t set[4] = { 0 };
    bool negate = peek(c) == '^';
    c->at += negate;
    while (!at_end(c) && peek(c) != ']') {
        int low = 0, high = 0;
        int rc = class_item(c, set, &low);
        if (rc < 0)
            return rc;
        high = low;
        if (low >= 0 && peek(c) == '-' && c->at + 1 < c->text.size &&
            c->text.bytes[c->at + 1] != ']') {
            c->at++;
            rc = class_item(c, set, &high);
            if (rc < 0)
                return rc;
            if (high < low)
                return fail(c, "this range is upside down");
        }
        if (low >= 0)
            set_add(set, (unsigned)low, (unsigned)high);
    }
    if (at_end(c))
        return fail(c, "a ] is missing");
    c->at++;
    set_merge(step.set, set, negate);
    return emit(c, step);
}

static int compile_group(struct compiler *c)
{
    if (++c->depth > 50)
        return fail(c, "too many groups inside each other");
    if (peek(c) == '?') {
        if (c->at + 1 >= c->text.size || c->text.bytes[c->at + 1] != ':')
            return fail(c, "look-around and named groups are not supported");
        c->at += 2;
    }
    int rc = compile_choice(c);
    if (rc < 0)
        return rc;
    if (peek(c) != ')')
        return fail(c, "a ) is missing");
    c->at++;
    c->depth--;
    return 0;
}

static int compile_atom(struct compiler *c)
{
    struct step step = { .kind = STEP_SET };
    int byte = 0, rc = 0;
    char first = c->text.bytes[c->at++];
    switch (first) {
    case '(':
        return compile_group(c);
    case '[':
        return compile_class(c);
    case '^':
        step.kind = STEP_BEGIN;
        return emit(c, step);
    case '$':
        step.kind = STEP_END;
        return emit(c, step);
    case '.':
        set_add(step.set, 0, 255);
        step.set[0] &= ~((uint64_t)1 << '\n');
        return emit(c, step);
    case '*':
    case '+':
    case '?':
    case '{':
        c->at--;
        return fail(c, "there is nothing to repeat");
    case '\\':
        rc = escape_parse(c, step.set, &byte);
        if (rc < 0)
            return rc;
        if (byte >= 0)
            set_add(step.set, (unsigned)byte, (unsigned)byte);
        return emit(c, step);
    default:
        byte = (unsigned char)first;
        set_add(step.set, (unsigned)byte, (unsigned)byte);
        return emit(c, step);
    }
}

static int number_parse(struct compiler *c, int *out)
{
    int number = 0, digits = 0;
    while (peek(c) >= '0' && peek(c) <= '9' && digits++ < 4)
        number = number * 10 + (c->text.bytes[c->at++] - '0');
    if (digits == 0 || number > 1000)
        return fail(c, "a count from 0 to 1000 is expected");
    *out = number;
    return 0;
}

/* *max -1: without end. */
static int repeat_parse(struct compiler *c, int *min, int *max)
{
    *min = *max = 1;
    switch (peek(c)) {
    case '*':
        *min = 0, *max = -1;
        break;
    case '+':
        *min = 1, *max = -1;
        break;
    case '?':
        *min = 0, *max = 1;
        break;
    case '{': {
        c->at++;
        int rc = number_parse(c, min);
        if (rc < 0)
            return rc;
        *max = *min;
        if (peek(c) == ',') {
            c->at++;
            *max = -1;
            if (peek(c) != '}' && number_parse(c, max) < 0)
                return ERR_INVALID;
        }
        if (peek(c) != '}' || (*max >= 0 && *max < *min))
            return fail(c, "a repetition looks like {2}, {2,} or {2,5}");
        break;
    }
    default:
        return 0;
    }
    c->at++;
    if (peek(c) == '?')
        c->at++; /* lazy or greedy makes no difference to whether it matches */
    return 0;
}

/* Copies of the atom: `min` plain ones, then optional ones or a loop. The first copy stands at
 * `from`. */
static int compile_repeat(struct compiler *c, uint32_t from, int min, int max)
{
    uint32_t size = c->count - from;
    struct step split = { .kind = STEP_SPLIT };
    int rc = 0;
    if (size > 0 && (uint64_t)size * (uint64_t)(max > min ? max + 1 : min + 1) > PATTERN_STEPS_MAX)
        return fail(c, "the pattern is too large");
    struct step saved[64];
    if (size > 64)
        return fail(c, "what is repeated is too large");
    memcpy(saved, c->steps + from, size * sizeof *saved);
    c->count = from;
    for (int i = 0; rc == 0 && i < min; i++) {
        uint32_t base = c->count;
        for (uint32_t k = 0; rc == 0 && k < size; k++) {
            struct step step = saved[k];
            step.to += base - from, step.other += base - from;
            rc = emit(c, step);
        }
    }
    for (int i = min; rc == 0 && i < (max < 0 ? min + 1 : max); i++) {
        uint32_t at = c->count;
        rc = emit(c, split);
        if (rc < 0)
            break;
        for (uint32_t k = 0; rc == 0 && k < size; k++) {
            struct step step = saved[k];
            step.to += at + 1 - from, step.other += at + 1 - from;
            rc = emit(c, step);
        }
        if (rc == 0 && max < 0)
            rc = emit(c, (struct step) { .kind = STEP_JUMP, .to = at });
        c->steps[at].to = at + 1;
        c->steps[at].other = c->count;
    }
    return rc;
}

static int compile_sequence(struct compiler *c)
{
    while (!at_end(c) && peek(c) != '|' && peek(c) != ')') {
        uint32_t from = c->count;
        int min = 1, max = 1;
        int rc = compile_atom(c);
        if (rc == 0)
            rc = repeat_parse(c, &min, &max);
        if (rc == 0 && (min != 1 || max != 1))
            rc = compile_repeat(c, from, min, max);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int compile_choice(struct compiler *c)
{
    uint32_t from = c->count;
    int rc = compile_sequence(c);
    if (rc < 0 || peek(c) != '|')
        return rc;
    c->at++;
    /* Room for the split before the first way; what it holds moves by one. */
    rc = emit(c, (struct step) { .kind = STEP_JUMP });
    if (rc < 0)
        return rc;
    for (uint32_t i = c->count - 1; i > from; i--) {
        c->steps[i] = c->steps[i - 1];
        c->steps[i].to++;
        c->steps[i].other++;
    }
    uint32_t jump = c->count;
    rc = emit(c, (struct step) { .kind = STEP_JUMP });
    if (rc < 0)
        return rc;
    c->steps[from] = (struct step) { .kind = STEP_SPLIT, .to = from + 1, .other = jump + 1 };
    rc = compile_choice(c);
    c->steps[jump].to = c->count;
    return rc;
}

int pattern_compile(struct arena *arena, struct str text, const struct pattern **out,
                    struct err *err)
{
    struct compiler c = { .text = text,
                          .err = err,
                          .steps = malloc(PATTERN_STEPS_MAX * sizeof(struct step)) };
    ASSERT(c.steps != NULL);
    int rc = compile_choice(&c);
    if (rc == 0 && !at_end(&c))
        rc = fail(&c, "this ) opens nowhere");
    if (rc == 0)
        rc = emit(&c, (struct step) { .kind = STEP_MATCH });
    if (rc == 0) {
        struct pattern *pattern = ARENA_NEW(arena, struct pattern);
        pattern->steps = arena_copy(arena, c.steps, c.count * sizeof *c.steps);
        pattern->count = c.count;
        *out = pattern;
    }
    free(c.steps);
    return rc;
}

/* The steps that wait for the next byte; `mark` tells which are in already. */
struct threads {
    uint32_t *steps, *stack, *mark;
    uint32_t count, turn;
};

/* Follows jumps from `start` at `position`. True when the match is reached. */
static bool threads_add(const struct pattern *pattern, struct threads *threads, uint32_t start,
                        size_t position, size_t size)
{
    uint32_t depth = 0;
    threads->stack[depth++] = start;
    while (depth > 0) {
        uint32_t at = threads->stack[--depth];
        if (threads->mark[at] == threads->turn)
            continue;
        threads->mark[at] = threads->turn;
        const struct step *step = &pattern->steps[at];
        switch (step->kind) {
        case STEP_MATCH:
            return true;
        case STEP_SET:
            threads->steps[threads->count++] = at;
            break;
        case STEP_JUMP:
            threads->stack[depth++] = step->to;
            break;
        case STEP_SPLIT:
            threads->stack[depth++] = step->to;
            threads->stack[depth++] = step->other;
            break;
        case STEP_BEGIN:
            if (position == 0)
                threads->stack[depth++] = at + 1;
            break;
        case STEP_END:
            if (position == size)
                threads->stack[depth++] = at + 1;
            break;
        }
    }
    return false;
}

bool pattern_matches(const struct pattern *pattern, struct str text, struct arena *arena)
{
    uint32_t *now = ARENA_ARRAY(arena, uint32_t, pattern->count);
    struct threads threads = {
        .steps = ARENA_ARRAY(arena, uint32_t, pattern->count),
        .stack = ARENA_ARRAY(arena, uint32_t, 2 * pattern->count + 2),
        .mark = ARENA_ARRAY(arena, uint32_t, pattern->count),
        .turn = 1,
    };
    if (threads_add(pattern, &threads, 0, 0, text.size))
        return true;
    for (size_t i = 0; i < text.size; i++) {
        unsigned byte = (unsigned char)text.bytes[i];
        uint32_t *swap = now;
        uint32_t count = threads.count;
        now = threads.steps;
        threads.steps = swap;
        threads.count = 0;
        threads.turn++;
        for (uint32_t k = 0; k < count; k++)
            if ((pattern->steps[now[k]].set[byte / 64] >> (byte % 64)) & 1)
                if (threads_add(pattern, &threads, now[k] + 1, i + 1, text.size))
                    return true;
        if (threads_add(pattern, &threads, 0, i + 1, text.size)) /* it may begin here too */
            return true;
    }
    return false;
}
