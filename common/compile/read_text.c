// SPDX-License-Identifier: Apache-2.0
#include "common/compile/reader.h"

#include "common/text/suggest.h"

bool id_is_valid(struct str id)
{
    for (size_t i = 0; i < id.size; i++) {
        char c = id.bytes[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-' || c == '.'))
            return false;
    }
    return id.size >= 1 && id.size <= 250;
}

void read_id(struct reading *reading)
{
    struct str text;
    if (!scalar_text(reading->value, &text))
        refuse_type(reading);
    else if (!id_is_valid(text))
        problem(reading->compiler, PLACE_OF(reading->value), NULL,
                "%s must have 1 to 250 letters (A-Z, a-z), digits, _ - or dots; '%.*s' has not",
                reading->key->name, STR_ARG(str_slice(text, 0, 60)));
    else
        put_text(reading, text);
}

void read_name(struct reading *reading)
{
    struct str text;
    if (!scalar_text(reading->value, &text))
        refuse_type(reading);
    else if (text.size < (size_t)reading->key->min || text.size > (size_t)reading->key->max)
        problem(reading->compiler, PLACE_OF(reading->value), NULL,
                "%s must have %lld to %lld characters", reading->key->name,
                (long long)reading->key->min, (long long)reading->key->max);
    else if (!template_is_plain(text))
        problem(reading->compiler, PLACE_OF(reading->value), NULL, "%s cannot be a template",
                reading->key->name);
    else
        put_text(reading, text);
}

void read_text(struct reading *reading)
{
    struct str text;
    if (scalar_text(reading->value, &text))
        put_text(reading, text);
    else
        refuse_type(reading);
}

void read_bool(struct reading *reading)
{
    if (reading->value->type == VALUE_BOOL)
        put_bool(reading, reading->value->boolean);
    else
        refuse_type(reading);
}

void read_choice(struct reading *reading)
{
    if (reading->value->type == VALUE_BOOL)
        *(int8_t *)field_of(reading) = reading->value->boolean;
    else
        refuse_type(reading);
}

/* The words of a type are its enum, in order. */
void read_word(struct reading *reading)
{
    struct str text, words[32];
    uint32_t count = 0;
    for (const char *word; (word = key_word(reading->key->type, (int)count)) != NULL; count++)
        words[count] = str_of(word);
    if (!scalar_text(reading->value, &text)) {
        refuse_type(reading);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (str_eq(text, words[i])) {
            *(unsigned *)field_of(reading) = i;
            return;
        }
    }
    struct buf advice;
    buf_init(&advice);
    struct str near = suggest(text, words, count);
    if (near.size > 0)
        buf_printf(&advice, "did you mean '%.*s'? ", STR_ARG(near));
    buf_add_cstr(&advice, "the words are");
    for (uint32_t i = 0; i < count; i++)
        buf_printf(&advice, " %.*s", STR_ARG(words[i]));
    problem(reading->compiler, PLACE_OF(reading->value), advice.bytes, "there is no %s '%.*s'",
            reading->key->name, STR_ARG(str_slice(text, 0, 60)));
    buf_clear(&advice);
}

/* ---- templates ---- */

enum names_where where_of(const struct reading *reading)
{
    return reading->task < 0 ? NAMES_DEFAULTS : NAMES_PLAIN;
}

/* The value of a scalar as text, checked for its templates; NULL when it is none. */
static const struct value *template_of(struct reading *reading, const struct value *value)
{
    struct str text;
    if (!scalar_text(value, &text))
        return NULL;
    if (value->type == VALUE_STRING)
        check_template(reading->compiler, value, reading->task, where_of(reading));
    return value_string(&reading->compiler->dag->arena, keep(reading->compiler, text));
}

void read_template(struct reading *reading)
{
    const struct value *text = template_of(reading, reading->value);
    if (text == NULL)
        refuse_type(reading);
    else if (text->string.size == 0)
        problem(reading->compiler, PLACE_OF(reading->value), NULL, "%s is empty",
                reading->key->name);
    else
        put_text(reading, text->string);
}

bool count_fits(const struct reading *reading, uint32_t count)
{
    const struct key *key = reading->key;
    if (count >= key->min && (key->max == 0 || count <= key->max))
        return true;
    if (count < key->min)
        problem(reading->compiler, PLACE_OF(reading->value), NULL, "%s is empty", key->name);
    else
        problem(reading->compiler, PLACE_OF(reading->value), NULL,
                "%s has %u items; %lld are allowed", key->name, count, (long long)key->max);
    return false;
}

/* Texts in a list; NULL and a noted problem when one is none. */
static struct value *text_list(struct reading *reading, bool templates)
{
    struct arena *arena = &reading->compiler->dag->arena;
    struct value *list = value_list(arena);
    const struct value *from = reading->value;
    for (uint32_t i = 0; i < from->count; i++) {
        const struct value *item = from->items[i];
        struct str text;
        if (!scalar_text(item, &text)) {
            problem(reading->compiler, item->line > 0 ? PLACE_OF(item) : PLACE_OF(from), NULL,
                    "%s takes texts; element %u is %s", reading->key->name, i + 1,
                    value_type_name(item->type));
            return NULL;
        }
        value_add(arena, list,
                  templates ? template_of(reading, item)
                            : value_string(arena, keep(reading->compiler, text)));
    }
    return list;
}

static void read_text_list(struct reading *reading, bool templates)
{
    struct arena *arena = &reading->compiler->dag->arena;
    if (reading->value->type != VALUE_LIST) {
        const struct value *text = template_of(reading, reading->value);
        if (text == NULL) {
            refuse_type(reading);
            return;
        }
        struct value *list = value_list(arena);
        value_add(arena, list, text);
        put_value(reading, list);
        return;
    }
    struct value *list = text_list(reading, templates);
    if (list != NULL && count_fits(reading, list->count))
        put_value(reading, list);
}

void read_texts(struct reading *reading)
{
    read_text_list(reading, false);
}

void read_templates(struct reading *reading)
{
    read_text_list(reading, true);
}

/* Without a shell nobody splits a text at its blanks. */
void read_argv(struct reading *reading)
{
    struct str text;
    if (scalar_text(reading->value, &text) && str_find(str_trim(text), ' ') >= 0 &&
        template_is_plain(text))
        problem(reading->compiler, PLACE_OF(reading->value),
                "write [program, argument, ...], or use bash for a command line",
                "%s takes a list: one text would be the name of the program, blanks included",
                reading->key->name);
    else
        read_text_list(reading, true);
}

void read_template_map(struct reading *reading)
{
    struct arena *arena = &reading->compiler->dag->arena;
    const struct value *from = reading->value;
    if (from->type != VALUE_MAP) {
        refuse_type(reading);
        return;
    }
    struct value *map = value_map(arena);
    for (uint32_t i = 0; i < from->count; i++) {
        const struct value_entry *entry = &from->entries[i];
        const struct value *text = entry->value->type == VALUE_NULL
                                       ? value_string(arena, STR_EMPTY)
                                       : template_of(reading, entry->value);
        if (text == NULL)
            problem(reading->compiler, PLACE_OF(entry->value), NULL,
                    "%s: '%.*s' takes text, not %s", reading->key->name,
                    STR_ARG(str_slice(entry->key, 0, 60)), value_type_name(entry->value->type));
        else
            value_put(arena, map, keep(reading->compiler, entry->key), text);
    }
    put_value(reading, map);
}

static bool is_variable_name(struct str name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.bytes[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return name.size > 0;
}

void read_env(struct reading *reading)
{
    const struct value *map = reading->value;
    for (uint32_t i = 0; map->type == VALUE_MAP && i < map->count; i++)
        if (!is_variable_name(map->entries[i].key))
            problem(reading->compiler, PLACE_OF(&map->entries[i]),
                    "use letters, digits and _, not beginning with a digit",
                    "'%.*s' cannot be the name of an environment variable",
                    STR_ARG(str_slice(map->entries[i].key, 0, 60)));
    read_template_map(reading);
}

void read_value(struct reading *reading)
{
    const struct key *key = reading->key;
    enum value_type wanted = key->type == TYPE_VALUES      ? VALUE_LIST
                             : key->type == TYPE_VALUE_MAP ? VALUE_MAP
                                                           : reading->value->type;
    bool single =
        reading->value->type == VALUE_STRING && !template_is_plain(reading->value->string);
    if (reading->value->type != wanted && !single) {
        refuse_type(reading);
        return;
    }
    check_templates(reading->compiler, reading->value, reading->task, where_of(reading));
    if (wanted != VALUE_LIST || single || count_fits(reading, reading->value->count))
        put_value(reading, keep_value(reading->compiler, reading->value));
}

void read_condition_key(struct reading *reading)
{
    struct str text = read_condition(reading->compiler, reading->value, reading->task,
                                     reading->key->field == KEY_ARGS ? NAMES_PLAIN : NAMES_NO_ITEM);
    if (text.size > 0)
        put_text(reading, text);
}

/* ---- for_each ---- */

static bool check_elements(struct reading *reading, const struct value *list)
{
    if (list->type == VALUE_LIST) {
        check_templates(reading->compiler, list, reading->task, NAMES_NO_ITEM);
        return true;
    }
    if (list->type != VALUE_STRING || template_is_plain(list->string))
        return false;
    const struct template *template;
    check_template(reading->compiler, list, reading->task, NAMES_NO_ITEM);
    if (template_compile(&reading->compiler->scratch, list->string, &template, NULL, NULL) == 0 &&
        !template_is_single(template))
        problem(
            reading->compiler, PLACE_OF(list),
            "write one template and nothing around it: \"{{ xcom.list }}\"",
            "%s must be one single template to give a list; this is a text with templates in it",
            reading->key->name);
    return true;
}

void read_for_each(struct reading *reading)
{
    struct compiler *compiler = reading->compiler;
    const struct value *value = reading->value;
    bool fits = true;
    uint64_t elements = 1;
    if (value->type != VALUE_MAP) {
        fits = check_elements(reading, value);
        elements = value->type == VALUE_LIST ? value->count : 0;
    }
    for (uint32_t i = 0; value->type == VALUE_MAP && fits && i < value->count; i++) {
        fits = check_elements(reading, value->entries[i].value);
        if (elements <= UINT32_MAX && value->entries[i].value->type == VALUE_LIST)
            elements *= value->entries[i].value->count;
    }
    if (!fits || (value->type == VALUE_MAP && value->count == 0)) {
        refuse_type(reading);
        return;
    }
    if (elements > compiler->options.map_length_max) {
        problem(compiler, PLACE_OF(value),
                "make fewer, larger elements, or raise core.max_map_length",
                "for_each has %llu elements; %u are allowed", (unsigned long long)elements,
                compiler->options.map_length_max);
        return;
    }
    put_value(reading, keep_value(compiler, value));
}
