// SPDX-License-Identifier: Apache-2.0
/* The table of commands as a shell's completion. */
#include "cli/handlers.h"
#include "common/base/buf.h"

/* A usage line's capital words stand for what is asked of the server; lower-case words and options
 * are offered as they are. A colon, which run ids have, does not end a word. */
static const char bash_end[] =
    "    local word=${COMP_WORDS[COMP_CWORD]} group=${COMP_WORDS[1]} verb=${COMP_WORDS[2]}\n"
    "    local words one wanted='' kept='' names=() positional=$((COMP_CWORD - 3))\n"
    "    case $COMP_CWORD in\n"
    "    1) words=$verbs_of_ ;;\n"
    "    2) local name=verbs_of_${group//-/_}; words=${!name}\n"
    "       [ -n \"$words\" ] || { local own=args_${group//-/_}_; words=${!own}; positional=0; } "
    ";;\n"
    "    *) local name=args_${group//-/_}_${verb//-/_}; words=${!name}\n"
    "       for one in \"${COMP_WORDS[@]:3:COMP_CWORD-3}\"; do\n"
    "           [[ $one == -* ]] && positional=-1\n"
    "       done ;;\n"
    "    esac\n"
    "    for one in $words; do\n"
    "        [[ $one == +([A-Z_.|]) ]] && names+=(\"$one\") || kept+=\" $one\"\n"
    "    done\n"
    "    ((positional < ${#names[@]})) || positional=$((${#names[@]} - 1))\n"
    "    [[ $word == -* || $positional -lt 0 ]] || wanted=${names[positional]}\n"
    "    case ${COMP_WORDS[COMP_CWORD - 1]} in\n"
    "    -o | --output) kept='table json yaml plain' wanted='' ;;\n"
    "    -t | --task) [ \"$group\" != tasks ] || wanted=TASK_ID ;;\n"
    "    --profile) kept='' wanted='' ;;\n"
    "    --home) COMPREPLY=($(compgen -d -- \"$word\")); return ;;\n"
    "    esac\n"
    "    local ask='' of=${COMP_WORDS[3]}\n"
    "    case $wanted in\n"
    "    DAG_ID*) ask='dags list' of='' ;;\n"
    "    RUN_ID) ask='dags list-runs' ;;\n"
    "    TASK_ID) ask='tasks list' ;;\n"
    "    FILE) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n"
    "    esac\n"
    "    [ -z \"$ask\" ] || kept=$(headrace $ask $of -o plain 2>/dev/null | cut -f1)\n"
    "    COMPREPLY=($(compgen -W \"$kept\" -- \"$word\"))\n"
    "}\n"
    "COMP_WORDBREAKS=${COMP_WORDBREAKS//:}\n"
    "complete -o filenames -F _headrace headrace\n";

/* A name of a shell variable: `-` becomes `_`. */
static void add_name(struct buf *buf, const char *text)
{
    for (; *text != '\0'; text++)
        buf_add_byte(buf, *text == '-' ? '_' : *text);
}

static void add_words(struct buf *buf, const struct args_rules *rules)
{
    for (uint32_t i = 0; i < rules->count; i++) {
        buf_add_str(buf, rules->items[i].name);
        buf_add_byte(buf, ' ');
    }
}

static void add_command(struct cli *cli, struct buf *buf, const struct cli_command *command)
{
    struct args_rules rules = args_rules(cli->arena, command->args);
    struct args_rules common = args_rules(cli->arena, cli_common_args());

    buf_add_cstr(buf, "    local args_");
    add_name(buf, command->group[0] != '\0' ? command->group : command->verb);
    buf_add_byte(buf, '_');
    if (command->group[0] != '\0')
        add_name(buf, command->verb);
    buf_add_cstr(buf, "=' ");
    add_words(buf, &rules);
    if (command->needs != CLI_TAKES_ALL)
        add_words(buf, &common);
    buf_add_cstr(buf, "'\n");
}

/* The verbs of a group; of the empty one, the groups too. */
static void add_group(struct buf *buf, const char *group)
{
    const char *last = "";

    buf_add_cstr(buf, "    local verbs_of_");
    add_name(buf, group);
    buf_add_cstr(buf, "='");
    for (uint32_t i = 0; cli_command_at(i) != NULL; i++) {
        const struct cli_command *command = cli_command_at(i);
        bool is_new_group =
            group[0] == '\0' && command->group[0] != '\0' && strcmp(command->group, last) != 0;

        if (strcmp(command->group, group) == 0)
            buf_printf(buf, "%s ", command->verb);
        else if (is_new_group)
            buf_printf(buf, "%s ", command->group);
        last = command->group;
    }
    buf_add_cstr(buf, "help'\n");
}

int cli_completion(struct cli *cli, struct err *err)
{
    struct buf buf = { 0 };
    const char *last = "";

    if (!str_is(cli_arg(cli, "SHELL"), "bash"))
        return cli_wrong_use(cli, err, "there is completion for bash, not for %.*s",
                             STR_ARG(cli_arg(cli, "SHELL")));
    buf_add_cstr(&buf, "# source <(headrace completion bash)\nshopt -s extglob\n_headrace() {\n");
    add_group(&buf, "");
    for (uint32_t i = 0; cli_command_at(i) != NULL; i++) {
        const struct cli_command *command = cli_command_at(i);

        if (command->group[0] != '\0' && strcmp(command->group, last) != 0)
            add_group(&buf, command->group);
        last = command->group;
        add_command(cli, &buf, command);
    }
    buf_add_cstr(&buf, bash_end);
    (void)fwrite(buf.bytes, 1, buf.size, stdout);
    buf_clear(&buf);
    return 0;
}
