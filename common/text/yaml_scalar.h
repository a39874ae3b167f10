// SPDX-License-Identifier: Apache-2.0
/* yaml_scalar - the YAML 1.2 core schema (section 10.3.2): what a plain scalar means. Used by
 * yaml.c alone. */
#ifndef HEADRACE_YAML_SCALAR_H
#define HEADRACE_YAML_SCALAR_H

#include "common/text/value.h"

/* The value of a plain scalar. NULL when it is a number that cannot be kept; *out_why then says
 * why. Keeps `text`. */
const struct value *yaml_scalar(struct arena *arena, struct str text, const char **out_why);

#endif
