// SPDX-License-Identifier: Apache-2.0
#include "cli/instance.h"

#include "cli/files.h"
#include "common/text/json.h"

#include <unistd.h>

static const struct value *instance_read(struct cli *cli)
{
    const struct value *map = NULL;
    struct str text;

    if (file_read(cli->arena, cli_home_path(cli, "run/instance.json"), &text, NULL) < 0 ||
        json_parse(cli->arena, text, NULL, &map, NULL) < 0)
        return NULL;
    return map;
}

struct str instance_text(struct cli *cli, const char *key)
{
    return value_text(value_get(instance_read(cli), key), STR_EMPTY);
}

int64_t instance_number(struct cli *cli, const char *key)
{
    return value_integer(value_get(instance_read(cli), key), 0);
}

struct process instance_supervisor(struct cli *cli)
{
    struct process process = process_of((pid_t)instance_number(cli, "pid"));

    return process.started == instance_number(cli, "started") && process_is_alive(&process)
               ? process
               : (struct process) { 0 };
}

const char *instance_database(struct cli *cli)
{
    struct conf_item item;
    struct str here = instance_text(cli, "database");
    bool is_default = conf_find(cli->conf, STR("database"), STR("conn"), &item, NULL) == 0 &&
                      item.origin == CONF_DEFAULT;

    return str_cstr(cli->arena,
                    is_default && here.size > 0 ? here : cli->conf->database_conn.value);
}

int instance_write(struct cli *cli, const struct value *map, struct err *err)
{
    struct str text = json_text(cli->arena, map);

    return file_write(cli_home_path(cli, "run/instance.json"), text, 0600, err);
}

void instance_remove(struct cli *cli)
{
    (void)unlink(cli_home_path(cli, "run/instance.json"));
}
