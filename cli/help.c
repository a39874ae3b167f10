// SPDX-License-Identifier: Apache-2.0
#include "cli/help.h"

#include <sys/ioctl.h>
#include <unistd.h>

enum { HELP_COLUMN = 26, WIDTH_OTHERWISE = 100 };

static int help_width(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 60)
        return size.ws_col;
    return WIDTH_OTHERWISE;
}

/* Wraps at blanks, outside brackets, so that an option and its value stay together. */
static void print_wrapped(const char *text, int indent, int width)
{
    int column = indent;

    while (*text != '\0') {
        size_t size = 0;
        int depth = 0;

        while (text[size] != '\0' && (text[size] != ' ' || depth > 0)) {
            depth += text[size] == '[' ? 1 : text[size] == ']' ? -1 : 0;
            size++;
        }
        bool is_first = column == indent;
        if (!is_first && column + (int)size > width) {
            printf("\n%*s", indent, "");
            column = indent;
            is_first = true;
        }
        column += printf("%s%.*s", is_first ? "" : " ", (int)size, text);
        text += size + (text[size] == ' ');
    }
    putchar('\n');
}

static void print_row(const struct cli *cli, const struct cli_command *command)
{
    char name[64];

    (void)snprintf(name, sizeof name, "%s%s%s", command->group,
                   command->group[0] != '\0' ? " " : "", command->verb);
    printf("  %s%-*s%s", cli->is_coloured ? "\033[1m" : "", HELP_COLUMN - 2, name,
           cli->is_coloured ? "\033[0m" : "");
    if (strlen(name) >= HELP_COLUMN - 2)
        printf("\n%*s", HELP_COLUMN, "");
    print_wrapped(command->help, HELP_COLUMN, help_width());
}

void help_command(const struct cli *cli, const struct cli_command *command)
{
    int lead = printf("headrace %s%s%s ", command->group, command->group[0] != '\0' ? " " : "",
                      command->verb);

    (void)cli;
    print_wrapped(command->args, lead, help_width());
    printf("    ");
    print_wrapped(command->help, 4, help_width());
    printf("\nOptions of every command:\n    ");
    print_wrapped(cli_common_args(), 4, help_width());
    printf("    FORMAT is table, json, yaml or plain. Any setting may be given as "
           "--section.key=value.\n");
}

static void help_all(const struct cli *cli)
{
    const char *group = "";

    puts("headrace - brings work to workers\n\nusage: headrace COMMAND [ARGUMENTS]     headrace "
         "help COMMAND\n");
    for (uint32_t i = 0; cli_command_at(i) != NULL; i++) {
        if (strcmp(cli_command_at(i)->group, group) != 0)
            putchar('\n');
        group = cli_command_at(i)->group;
        print_row(cli, cli_command_at(i));
    }
    puts("\nListings take -o table|json|yaml|plain. Exit: 0 done, 1 failed, 2 wrong use.\n"
         "Another server: --url URL with HEADRACE_TOKEN, or --profile NAME of "
         "~/.config/headrace/profiles.yaml.\n"
         "Settings: headrace config list; any as --section.key=value or HEADRACE__SECTION__KEY.");
}

/* The command "GROUP VERB", or the verb that stands alone. */
static const struct cli_command *find_topic(const char *group, const char *verb)
{
    for (uint32_t i = 0; cli_command_at(i) != NULL; i++) {
        const struct cli_command *command = cli_command_at(i);
        bool is_single = command->group[0] == '\0' && strcmp(command->verb, group) == 0;

        if (is_single || (verb != NULL && strcmp(command->group, group) == 0 &&
                          strcmp(command->verb, verb) == 0))
            return command;
    }
    return NULL;
}

void help_group(const struct cli *cli, const char *group, const char *verb)
{
    const struct cli_command *topic = find_topic(group, verb);
    bool is_known = false;

    if (topic != NULL) {
        help_command(cli, topic);
        return;
    }
    for (uint32_t i = 0; cli_command_at(i) != NULL && group[0] != '\0'; i++)
        if (strcmp(cli_command_at(i)->group, group) == 0) {
            print_row(cli, cli_command_at(i));
            is_known = true;
        }
    if (!is_known)
        help_all(cli);
    else
        printf("\nheadrace %s VERB --help says more.\n", group);
}
