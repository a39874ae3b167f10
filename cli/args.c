// SPDX-License-Identifier: Apache-2.0
#include "cli/args.h"

#include "common/base/assert.h"
#include "common/text/suggest.h"

enum { ARGS_RULES_MAX = 32 };

static bool is_capital(struct str word)
{
    return word.size > 0 && word.bytes[0] >= 'A' && word.bytes[0] <= 'Z';
}

static struct str without(struct str word, const char *ending)
{
    return str_ends(word, ending) ? str_slice(word, 0, word.size - strlen(ending)) : word;
}

/* One item without its brackets: "DAG_ID", "-c|--conf JSON", "--wait". */
static struct args_rule read_rule(struct str item)
{
    struct args_rule rule = { .value = STR_EMPTY, .alias = STR_EMPTY };
    struct str first;

    (void)str_split(&item, ' ', &first);
    if (is_capital(first)) {
        rule.name = first;
        return rule;
    }
    rule.is_option = true;
    rule.is_optional = true;
    if (item.bytes != NULL)
        rule.value = item;
    if (str_find(first, '|') >= 0)
        (void)str_split(&first, '|', &rule.alias);
    rule.name = first;
    return rule;
}

struct args_rules args_rules(struct arena *arena, const char *usage)
{
    struct args_rules rules = { ARENA_ARRAY(arena, struct args_rule, ARGS_RULES_MAX), 0 };
    struct str rest = str_of(usage);

    for (rest = str_trim(rest); rest.size > 0; rest = str_trim(rest)) {
        bool is_bracket = rest.bytes[0] == '[';
        ptrdiff_t end = str_find(rest, is_bracket ? ']' : ' ');
        size_t size = end < 0 ? rest.size : (size_t)end;
        struct str item = str_slice(rest, is_bracket ? 1 : 0, size);

        rest = str_slice(rest, size + (is_bracket ? 1 : 0), rest.size);
        ASSERT(rules.count < ARGS_RULES_MAX);
        struct args_rule rule = read_rule(without(item, "..."));
        rule.is_optional |= is_bracket;
        rule.is_repeated = str_ends(item, "...") || str_starts(rest, "...");
        if (str_starts(rest, "..."))
            rest = str_slice(rest, 3, rest.size);
        rules.items[rules.count++] = rule;
    }
    return rules;
}

static const struct args_rule *find_option(const struct args_rules *rules, struct str name)
{
    for (uint32_t i = 0; i < rules->count; i++) {
        const struct args_rule *rule = &rules->items[i];

        if (rule->is_option &&
            (str_eq(rule->name, name) || (name.size > 0 && str_eq(rule->alias, name))))
            return rule;
    }
    return NULL;
}

const struct args_rule *args_option(const struct args_rules *rules, const char *word)
{
    const char *equals = strchr(word, '=');

    return find_option(rules, equals == NULL ? str_of(word)
                                             : (struct str) { word, (size_t)(equals - word) });
}

static int unknown_option(const struct args_rules *rules, const struct args_rules *common,
                          struct str name, struct err *err)
{
    struct suggestion near = suggestion_begin(name);

    for (uint32_t i = 0; i < rules->count; i++)
        if (rules->items[i].is_option)
            suggestion_offer(&near, rules->items[i].name);
    for (uint32_t i = 0; i < common->count; i++)
        suggestion_offer(&near, common->items[i].name);
    int rc = err_set(err, ERR_INVALID, "there is no option %.*s here", STR_ARG(name));
    if (near.best.size > 0)
        err_hint(err, "did you mean %.*s?", STR_ARG(near.best));
    return rc;
}

/* The rule that takes the next positional argument. */
static const struct args_rule *next_positional(const struct args *args,
                                               const struct args_rules *rules)
{
    for (uint32_t i = 0; i < rules->count; i++) {
        const struct args_rule *rule = &rules->items[i];
        bool is_given = false;

        VEC_EACH (&args->given, k)
            is_given |= str_eq(args->given.items[k].name, rule->name);
        if (!rule->is_option && (!is_given || rule->is_repeated))
            return rule;
    }
    return NULL;
}

static int check_complete(const struct args *args, const struct args_rules *rules, struct err *err)
{
    for (uint32_t i = 0; i < rules->count; i++) {
        const struct args_rule *rule = &rules->items[i];
        bool is_given = rule->is_optional;

        VEC_EACH (&args->given, k)
            is_given |= str_eq(args->given.items[k].name, rule->name);
        if (!is_given)
            return err_set(err, ERR_INVALID, "%.*s is missing", STR_ARG(rule->name));
    }
    return 0;
}

/* argv[*at] is an option; moves *at to its last word. */
static int parse_option(struct args *args, const struct args_rules *rules,
                        const struct args_rules *common, int argc, char **argv, int *at,
                        struct err *err)
{
    struct str word = str_of(argv[*at]);
    ptrdiff_t equals = str_find(word, '=');
    struct str name = equals < 0 ? word : str_slice(word, 0, (size_t)equals);
    const struct args_rule *rule = find_option(rules, name);

    if (rule == NULL)
        rule = find_option(common, name);
    if (rule == NULL)
        return unknown_option(rules, common, name, err);
    struct str value = equals < 0 ? STR_EMPTY : str_slice(word, (size_t)equals + 1, word.size);
    if (rule->value.size == 0 && equals >= 0)
        return err_set(err, ERR_INVALID, "%.*s takes no value", STR_ARG(name));
    if (rule->value.size > 0 && equals < 0) {
        if (*at + 1 >= argc)
            return err_set(err, ERR_INVALID, "%.*s needs a value: %.*s %.*s", STR_ARG(name),
                           STR_ARG(name), STR_ARG(rule->value));
        value = str_of(argv[++*at]);
    }
    VEC_ADD(&args->given, (struct arg) { rule->name, value });
    return 0;
}

/* A negative number, such as the -1 slots of an unlimited pool, is a value. */
static bool is_option(struct str word)
{
    return word.size > 1 && word.bytes[0] == '-' && !(word.bytes[1] >= '0' && word.bytes[1] <= '9');
}

int args_parse(struct args *args, const struct args_rules *rules, const struct args_rules *common,
               int argc, char **argv, struct err *err)
{
    bool options_ended = false;

    for (int i = 0; i < argc; i++) {
        struct str word = str_of(argv[i]);

        if (!options_ended && str_is(word, "--")) {
            options_ended = true;
        } else if (!options_ended && is_option(word)) {
            int rc = parse_option(args, rules, common, argc, argv, &i, err);

            if (rc < 0)
                return rc;
        } else {
            const struct args_rule *rule = next_positional(args, rules);

            if (rule == NULL)
                return err_set(err, ERR_INVALID, "there is one word too many: %s", argv[i]);
            VEC_ADD(&args->given, (struct arg) { rule->name, word });
        }
    }
    return args_nth(args, "--help", 0) != NULL ? 0 : check_complete(args, rules, err);
}

void args_clear(struct args *args)
{
    VEC_CLEAR(&args->given);
}

const struct arg *args_nth(const struct args *args, const char *name, uint32_t nth)
{
    VEC_EACH (&args->given, i)
        if (str_is(args->given.items[i].name, name) && nth-- == 0)
            return &args->given.items[i];
    return NULL;
}
