// SPDX-License-Identifier: Apache-2.0
#include "cli/resource.h"

#include "cli/client.h"
#include "cli/files.h"
#include "common/text/json.h"
#include "common/text/yaml.h"

enum { ROWS_MAX = 1000000 };

/* What the server shows instead of a secret. It is never the secret: it goes to no file, and comes
 * from none. */
static bool is_masked(const struct value *value)
{
    return str_is(value_text(value, STR_EMPTY), "***");
}

static struct str path_of(struct cli *cli, const struct resource *resource, struct str id)
{
    return str_format(cli->arena, "%s/%.*s", resource->path,
                      STR_ARG(client_encode(cli->arena, id)));
}

static int read_all(struct cli *cli, const struct resource *resource, const struct value **out,
                    struct err *err)
{
    struct str path = str_format(cli->arena, "%s?order_by=%s", resource->path, resource->id_key);

    return client_list(cli, path, resource->list_key, ROWS_MAX, out, err);
}

int resource_list(struct cli *cli, const struct resource *resource, struct err *err)
{
    const struct value *rows;
    int rc = read_all(cli, resource, &rows, err);

    if (rc == 0)
        output_rows(cli, resource->columns, resource->column_count, rows);
    return rc;
}

int resource_get(struct cli *cli, const struct resource *resource, const struct value **out,
                 struct err *err)
{
    return client_get(cli, path_of(cli, resource, cli_arg(cli, resource->argument)), out, err);
}

int resource_delete(struct cli *cli, const struct resource *resource, struct err *err)
{
    struct str id = cli_arg(cli, resource->argument);
    int rc = client_call(cli, "DELETE", path_of(cli, resource, id), NULL, NULL, err);

    if (rc == 0)
        output_note(cli, "%s %.*s is deleted", resource->noun, STR_ARG(id));
    return rc;
}

int resource_put(struct cli *cli, const struct resource *resource, const struct value *body,
                 struct err *err)
{
    struct str id = value_text(value_get(body, resource->id_key), STR_EMPTY);
    int rc = client_call(cli, "POST", str_of(resource->path), body, NULL, err);

    if (rc == ERR_CONFLICT)
        rc = client_call(cli, "PATCH", path_of(cli, resource, id), body, NULL, err);
    return rc < 0 ? err_wrap(err, rc, "%s %.*s", resource->noun, STR_ARG(id)) : 0;
}

/* {id: value} or {id: {field: ...}} as a body of the API, without masked fields, which are counted.
 */
static const struct value *body_of(struct cli *cli, const struct resource *resource,
                                   const struct value_entry *entry, uint32_t *masked)
{
    struct value *body = value_map(cli->arena);
    bool is_single = resource->fields[1] == NULL || entry->value->type != VALUE_MAP;

    value_put(cli->arena, body, str_of(resource->id_key), value_string(cli->arena, entry->key));
    if (is_single) {
        /* A variable's value is text; a file may hold any JSON for it. */
        struct str text = entry->value->type == VALUE_STRING ? entry->value->string
                                                             : json_text(cli->arena, entry->value);
        value_put(cli->arena, body, str_of(resource->fields[0]), value_string(cli->arena, text));
        return body;
    }
    for (uint32_t i = 0; resource->fields[i] != NULL; i++) {
        const struct value *field = value_get(entry->value, resource->fields[i]);
        if (field != NULL && !is_masked(field))
            value_put(cli->arena, body, str_of(resource->fields[i]), field);
        *masked += is_masked(field);
    }
    return body;
}

/* YAML reads JSON too, and says where the file is wrong. */
int resource_read_map(struct cli *cli, const char *path, const struct value **out, struct err *err)
{
    struct str text;
    struct yaml yaml;
    int rc = file_read(cli->arena, path, &text, err);

    if (rc < 0)
        return rc;
    if (yaml_parse(cli->arena, text, NULL, &yaml) < 0 && yaml.problem_count > 0)
        return err_set(err, ERR_INVALID, "%s, line %u: %.*s", path, yaml.problems[0].line,
                       STR_ARG(yaml.problems[0].sentence));
    if (yaml.document_count != 1 || yaml.documents[0]->type != VALUE_MAP)
        return err_set(err, ERR_INVALID, "%s must hold one object: a mapping from names", path);
    *out = yaml.documents[0];
    return 0;
}

static const char *plural(uint32_t count)
{
    return count == 1 ? "" : "s";
}

int resource_import(struct cli *cli, const struct resource *resource, struct err *err)
{
    const struct value *map;
    uint32_t imported = 0, masked = 0;
    int rc = resource_read_map(cli, str_cstr(cli->arena, cli_arg(cli, "FILE")), &map, err);

    for (uint32_t i = 0; rc == 0 && i < map->count; i++) {
        if (is_masked(map->entries[i].value)) {
            masked++;
            continue;
        }
        rc = resource_put(cli, resource, body_of(cli, resource, &map->entries[i], &masked), err);
        imported++;
    }
    if (rc < 0)
        return rc;
    output_note(cli, "%u %s%s imported", imported, resource->noun, plural(imported));
    if (masked > 0)
        output_note(cli, "%u secret%s passed over: the file has *** for what it does not know",
                    masked, plural(masked));
    return 0;
}

/* The fields of a row for a file, or NULL when all it has is masked. */
static const struct value *fields_of(struct cli *cli, const struct resource *resource,
                                     const struct value *row, uint32_t *masked)
{
    struct value *fields = value_map(cli->arena);

    for (uint32_t k = 0; resource->fields[k] != NULL; k++) {
        const struct value *field = value_get(row, resource->fields[k]);

        *masked += is_masked(field);
        if (field != NULL && field->type != VALUE_NULL && !is_masked(field))
            value_put(cli->arena, fields, str_of(resource->fields[k]), field);
    }
    if (resource->fields[1] != NULL)
        return fields;
    return fields->count == 1 ? fields->entries[0].value : NULL;
}

int resource_export(struct cli *cli, const struct resource *resource, struct err *err)
{
    struct value *map = value_map(cli->arena);
    const char *path = str_cstr(cli->arena, cli_arg(cli, "FILE"));
    bool is_stdout = strcmp(path, "-") == 0;
    const struct value *rows;
    struct buf buf = { 0 };
    uint32_t masked = 0;
    int rc = read_all(cli, resource, &rows, err);

    if (rc < 0)
        return rc;
    for (uint32_t i = 0; i < rows->count; i++) {
        const struct value *fields = fields_of(cli, resource, rows->items[i], &masked);

        if (fields != NULL)
            value_put(cli->arena, map,
                      value_text(value_get(rows->items[i], resource->id_key), STR_EMPTY), fields);
    }
    json_write_pretty(&buf, map);
    if (is_stdout)
        (void)fwrite(buf.bytes, 1, buf.size, stdout);
    else
        rc = file_write(path, buf_str(&buf), 0600, err);
    buf_clear(&buf);
    if (rc == 0 && !is_stdout)
        output_note(cli, "%u %s%s exported to %s", map->count, resource->noun, plural(map->count),
                    path);
    if (rc == 0 && masked > 0)
        fprintf(stderr, "%u secret%s left out: the server does not show them\n", masked,
                plural(masked));
    return rc;
}
