// SPDX-License-Identifier: Apache-2.0
#include "common/text/glob.h"

#include "common/base/vec.h"

/* Is `c` in the set that begins behind '[' at `at`? Gives the position behind ']', or 0 if the set
 * is not closed. */
static size_t match_set(struct str pattern, size_t at, char c, bool *out_in)
{
    size_t i = at;
    bool negated = i < pattern.size && (pattern.bytes[i] == '!' || pattern.bytes[i] == '^');
    if (negated)
        i++;
    bool in = false;
    for (size_t first = i; i < pattern.size; i++) {
        if (pattern.bytes[i] == ']' && i > first) {
            *out_in = in != negated;
            return i + 1;
        }
        if (pattern.bytes[i] == '\\' && i + 1 < pattern.size)
            i++;
        unsigned char low = (unsigned char)pattern.bytes[i], high = low;
        if (i + 2 < pattern.size && pattern.bytes[i + 1] == '-' && pattern.bytes[i + 2] != ']') {
            high = (unsigned char)pattern.bytes[i + 2];
            i += 2;
        }
        in = in || ((unsigned char)c >= low && (unsigned char)c <= high);
    }
    return 0;
}

/* Matches one pattern character other than a star; gives the position behind it, or 0 for no match.
 */
static size_t match_one(struct str pattern, size_t at, char c)
{
    char p = pattern.bytes[at];
    if (p == '?')
        return c == '/' ? 0 : at + 1;
    if (p == '[') {
        bool in;
        size_t behind = match_set(pattern, at + 1, c, &in);
        if (behind > 0)
            return in && c != '/' ? behind : 0;
    }
    if (p == '\\' && at + 1 < pattern.size)
        return pattern.bytes[at + 1] == c ? at + 2 : 0;
    return p == c ? at + 1 : 0;
}

/* "**" at `at`, standing alone between slashes or ends. */
static bool is_double_star(struct str pattern, size_t at)
{
    return at + 1 < pattern.size && pattern.bytes[at] == '*' && pattern.bytes[at + 1] == '*' &&
           (at == 0 || pattern.bytes[at - 1] == '/') &&
           (at + 2 == pattern.size || pattern.bytes[at + 2] == '/');
}

struct retry {
    bool set;
    size_t pattern, path; /* where to go on with one more byte swallowed */
};

/* The classic walk with one place to return to for the last `*` and one for the last `**`: never
 * more than pattern times path steps for each of the two. A `*` may be forgotten once a later `**`
 * was met, but not the other way round. */
bool glob_match(struct str pattern, struct str path)
{
    size_t p = 0, s = 0;
    struct retry star = { 0 }, stars = { 0 };
    for (;;) {
        if (p < pattern.size && is_double_star(pattern, p)) {
            p += 2;
            if (p == pattern.size)
                return s < path.size;
            p++; /* the slash: a double star may stand for no folder at all */
            stars = (struct retry) { true, p, s };
            star.set = false;
            continue;
        }
        if (p < pattern.size && pattern.bytes[p] == '*') {
            star = (struct retry) { true, ++p, s };
            continue;
        }
        if (p == pattern.size && s == path.size)
            return true;
        size_t behind =
            p < pattern.size && s < path.size ? match_one(pattern, p, path.bytes[s]) : 0;
        if (behind > 0) {
            p = behind;
            s++;
            continue;
        }
        if (star.set && star.path < path.size && path.bytes[star.path] != '/') {
            p = star.pattern;
            s = ++star.path;
            continue;
        }
        /* Let the double star swallow one folder more. */
        ptrdiff_t slash = stars.set ? str_find(str_slice(path, stars.path, path.size), '/') : -1;
        if (slash < 0)
            return false;
        stars.path += (size_t)slash + 1;
        p = stars.pattern;
        s = stars.path;
        star.set = false;
    }
}

/* Blanks at the end of a line do not count, unless the last is behind a backslash. */
static struct str strip_line(struct str line)
{
    if (line.size > 0 && line.bytes[line.size - 1] == '\r')
        line.size--;
    while (line.size > 0 && line.bytes[line.size - 1] == ' ' &&
           !(line.size > 1 && line.bytes[line.size - 2] == '\\'))
        line.size--;
    return line;
}

struct globs globs_parse(struct arena *arena, struct str text)
{
    VEC(struct glob_rule) rules = { 0 };
    struct str rest = text, line;
    while (str_split(&rest, '\n', &line)) {
        line = strip_line(line);
        if (line.size == 0 || line.bytes[0] == '#')
            continue;
        struct glob_rule rule = { 0 };
        if (line.bytes[0] == '!') {
            rule.negated = true;
            line = str_slice(line, 1, line.size);
        }
        if (line.size > 0 && line.bytes[line.size - 1] == '/') {
            rule.folders_only = true;
            line.size--;
        }
        rule.anchored = str_find(line, '/') >= 0;
        if (line.size > 0 && line.bytes[0] == '/')
            line = str_slice(line, 1, line.size);
        if (line.size == 0)
            continue;
        rule.pattern = str_copy(arena, line);
        VEC_ADD(&rules, rule);
    }
    struct globs globs = { .count = rules.count };
    globs.rules = arena_copy(arena, rules.items, rules.count * sizeof *rules.items);
    VEC_CLEAR(&rules);
    return globs;
}

static bool rule_matches(const struct glob_rule *rule, struct str path, bool is_folder)
{
    if (rule->folders_only && !is_folder)
        return false;
    if (!rule->anchored) {
        const char *slash = path.size == 0 ? NULL : memrchr(path.bytes, '/', path.size);
        if (slash != NULL)
            path = str_slice(path, (size_t)(slash - path.bytes) + 1, path.size);
    }
    return glob_match(rule->pattern, path);
}

/* The last rule that matches decides. */
static bool ignores_itself(const struct globs *globs, struct str path, bool is_folder)
{
    for (uint32_t i = globs->count; i > 0; i--)
        if (rule_matches(&globs->rules[i - 1], path, is_folder))
            return !globs->rules[i - 1].negated;
    return false;
}

bool globs_ignore(const struct globs *globs, struct str path, bool is_folder)
{
    for (size_t i = 0; i < path.size; i++)
        if (path.bytes[i] == '/' && ignores_itself(globs, str_slice(path, 0, i), true))
            return true;
    return ignores_itself(globs, path, is_folder);
}
