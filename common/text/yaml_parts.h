// SPDX-License-Identifier: Apache-2.0
/* yaml_parts - what yaml.c is helped by: the gate before the parser, the meaning of plain words
 * behind it, and the parser's complaints in words that its users know. */
#ifndef HEADRACE_YAML_PARTS_H
#define HEADRACE_YAML_PARTS_H

#include "common/base/buf.h"
#include "common/text/yaml.h"

/* True when libfyaml may see the text: not too long, UTF-8, no control bytes. (An invalid byte in
 * an unknown % directive sends libfyaml 0.7.12 into an endless loop.) Else *out says what is wrong
 * and where. */
bool yaml_gate(struct arena *arena, struct str text, size_t bytes_max, struct yaml_problem *out);

/* The value of a plain scalar by the YAML 1.2 core schema (section 10.3.2). NULL when it is a
 * number that cannot be kept; *out_why then says why. Keeps `text`. */
const struct value *yaml_scalar(struct arena *arena, struct str text, const char **out_why);

/* What libfyaml's message means. */
void yaml_saying(struct arena *arena, const char *message, struct str *out_sentence,
                 const char **out_advice);

/* A copy of `text` in which templates outside of quotes hide their signs from YAML; false when
 * there are none (or when the text has the stand-ins in it already). `text` has passed the gate. */
bool yaml_shield(struct str text, struct buf *out);

/* Puts the signs back, in place; one byte must be left behind for the zero. */
struct str yaml_unshield(char *bytes, size_t size);

#endif
