// SPDX-License-Identifier: Apache-2.0
/* place - where the parts of Headrace stand, seen from the running program: installed (PREFIX/bin,
 * PREFIX/share/headrace) or just built (SOURCE/build/PRESET/bin, SOURCE). */
#ifndef HEADRACE_PLACE_H
#define HEADRACE_PLACE_H

#include "common/base/str.h"

/* A program beside the running one: "/usr/bin/headrace-worker". Whether it is there is for the
 * caller to find out. */
struct str place_program(struct arena *arena, const char *name);

/* The folder of the examples, or of the built UI. False: it is not there. */
bool place_examples(struct arena *arena, struct str *out);
bool place_ui(struct arena *arena, struct str *out);

#endif
