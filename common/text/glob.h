// SPDX-License-Identifier: Apache-2.0
/* glob - patterns for paths, with the meaning they have in a .gitignore file.
 *
 * `*` and `?` stop at a slash, `**` does not, [a-z] and [!a-z] are sets, \ takes the next character
 * as it is. A pattern with a slash at the start or in the middle is anchored to the file's folder,
 * others match at any depth; a slash at the end means folders only; `!` takes back what an earlier
 * line ignored. Matching is linear in pattern times path. */
#ifndef HEADRACE_GLOB_H
#define HEADRACE_GLOB_H

#include "common/base/str.h"

/* Does the whole of `path` match? `**` works as between slashes in .gitignore. */
bool glob_match(struct str pattern, struct str path);

struct glob_rule {
    struct str pattern;
    bool negated, anchored, folders_only;
};

struct globs {
    struct glob_rule *rules;
    uint32_t count;
};

/* Reads the lines of an ignore file: comments (#) and blank lines are passed over. Keeps copies in
 * `arena`. */
struct globs globs_parse(struct arena *arena, struct str text);

/* Is `path` (relative to the ignore file's folder, no leading slash) ignored, itself or because a
 * folder above it is? */
bool globs_ignore(const struct globs *globs, struct str path, bool is_folder);

#endif
