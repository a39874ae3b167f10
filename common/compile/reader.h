// SPDX-License-Identifier: Apache-2.0
/* reader - the functions that read one value by its type, and what they have in common. read.c
 * chooses among them. */
#ifndef HEADRACE_COMPILE_READER_H
#define HEADRACE_COMPILE_READER_H

#include "common/compile/compiler.h"

typedef void read_fn(struct reading *reading);

/* read_text.c */
read_fn read_id, read_name, read_text, read_texts, read_bool, read_choice, read_word, read_template,
    read_templates, read_template_map, read_argv, read_env, read_value, read_condition_key,
    read_for_each;

/* read_number.c */
read_fn read_count, read_number, read_real, read_duration_key, read_size, read_cpu, read_codes,
    read_statuses, read_tolerance;

/* Where the value goes. */
void *field_of(const struct reading *reading);
bool goes_to_args(const struct reading *reading);
void put_text(struct reading *reading, struct str text);
void put_bool(struct reading *reading, bool boolean);

/* A value as sentences show it: 'text', cut when long; "a list". */
struct str shown(struct compiler *compiler, const struct value *value);

/* A number, whole or not. */
bool number_of(const struct value *value, double *out);

/* Whether a list's length lies within the key's range; else a noted problem. */
bool count_fits(const struct reading *reading, uint32_t count);

/* What templates may ask for here. */
enum names_where where_of(const struct reading *reading);

#endif
