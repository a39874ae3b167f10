// SPDX-License-Identifier: Apache-2.0
#include "webserver/http/http_router.h"

#include "common/base/assert.h"
#include "webserver/http/http_text.h"

enum { VERB_SLOTS = 9, SEGMENTS_MAX = 24 };

struct node {
    struct str segment; /* literal, or the name of a parameter */
    bool is_param;
    VEC(struct node *) children; /* literals first */
    const struct http_route *routes[VERB_SLOTS];
    struct str
        names[HTTP_PARAMS_MAX]; /* of the parameters on the way, as this pattern calls them */
    uint32_t verbs;
};

struct http_router {
    struct arena arena;
    struct node *root;
    VEC(struct node *) nodes;
};

static uint32_t slot_of(enum http_verb verb)
{
    return (uint32_t)__builtin_ctz((unsigned)verb);
}

static struct node *add_node(struct http_router *router, struct str segment, bool is_param)
{
    struct node *node = ARENA_NEW(&router->arena, struct node);
    node->segment = segment;
    node->is_param = is_param;
    VEC_ADD(&router->nodes, node);
    return node;
}

static struct node *child(struct http_router *router, struct node *node, struct str segment,
                          bool is_param)
{
    VEC_EACH (&node->children, i) {
        struct node *known = node->children.items[i];
        if (known->is_param == is_param && (is_param || str_eq(known->segment, segment)))
            return known;
    }
    struct node *added = add_node(router, segment, is_param);
    VEC_ADD(&node->children, added);
    /* Keep the parameter behind the literals. */
    for (uint32_t i = node->children.count - 1; i > 0 && node->children.items[i - 1]->is_param;
         i--) {
        node->children.items[i] = node->children.items[i - 1];
        node->children.items[i - 1] = added;
    }
    return added;
}

static void add_route(struct http_router *router, const struct http_route *route)
{
    struct str names[HTTP_PARAMS_MAX];
    uint32_t name_count = 0;
    struct str rest = str_of(route->pattern), segment;
    ASSERT(str_starts(rest, "/"));
    rest = str_slice(rest, 1, rest.size);
    struct node *node = router->root;
    while (str_split(&rest, '/', &segment)) {
        bool is_param = str_starts(segment, "{");
        if (is_param) {
            ASSERT(name_count < HTTP_PARAMS_MAX);
            segment = str_slice(segment, 1, segment.size - 1);
            names[name_count++] = segment;
        }
        node = child(router, node, segment, is_param);
    }
    uint32_t slot = slot_of(route->verb);
    ASSERT(node->routes[slot] == NULL);
    node->routes[slot] = route;
    node->verbs |= (uint32_t)route->verb;
    if (route->verb == VERB_GET)
        node->verbs |= (uint32_t)VERB_HEAD;
    for (uint32_t i = 0; i < name_count; i++)
        node->names[i] = names[i];
}

struct http_router *http_router_new(const void *routes, uint32_t count, size_t size)
{
    struct http_router *router = calloc(1, sizeof *router);
    ASSERT(router != NULL);
    router->root = add_node(router, STR_EMPTY, false);
    for (uint32_t i = 0; i < count; i++)
        add_route(router, (const struct http_route *)((const char *)routes + i * size));
    return router;
}

void http_router_free(struct http_router *router)
{
    if (router == NULL)
        return;
    VEC_EACH (&router->nodes, i)
        VEC_CLEAR(&router->nodes.items[i]->children);
    VEC_CLEAR(&router->nodes);
    arena_clear(&router->arena);
    free(router);
}

struct path {
    struct str segments[SEGMENTS_MAX];
    uint32_t count;
};

static int split_path(struct http_request *request, struct path *path)
{
    struct str rest = str_slice(request->path, 1, request->path.size), segment;
    while (str_split(&rest, '/', &segment)) {
        if (path->count == SEGMENTS_MAX)
            return ERR_NOT_FOUND;
        int rc = http_decode_segment(&request->arena, segment, &path->segments[path->count++]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Depth first, so that a literal that leads nowhere gives way to a parameter: /dags/~/x beside
 * /dags/{dag_id}/y. */
static const struct node *find(const struct node *node, const struct path *path, uint32_t at,
                               uint32_t verbs, struct str *values, uint32_t value_count)
{
    if (at == path->count)
        return (node->verbs & verbs) == 0 ? NULL : node;
    VEC_EACH (&node->children, i) {
        const struct node *next = node->children.items[i];
        if (!next->is_param && !str_eq(next->segment, path->segments[at]))
            continue;
        if (next->is_param && path->segments[at].size == 0)
            continue;
        if (next->is_param)
            values[value_count] = path->segments[at];
        const struct node *found =
            find(next, path, at + 1, verbs, values, value_count + next->is_param);
        if (found != NULL)
            return found;
    }
    return NULL;
}

enum http_match http_router_find(const struct http_router *router, struct http_request *request,
                                 uint32_t *out_verbs)
{
    struct path path = { .count = 0 };
    struct str values[SEGMENTS_MAX];
    if (request->path.size == 0 || request->path.bytes[0] != '/')
        return HTTP_MATCH_INVALID;
    int rc = split_path(request, &path);
    if (rc < 0)
        return rc == ERR_NOT_FOUND ? HTTP_MATCH_NOT_FOUND : HTTP_MATCH_INVALID;
    enum http_verb verb = request->verb == VERB_HEAD ? VERB_GET : request->verb;
    const struct node *node = find(router->root, &path, 0, (uint32_t)verb, values, 0);
    if (node == NULL) {
        node = find(router->root, &path, 0, UINT32_MAX, values, 0);
        *out_verbs = node == NULL ? 0 : node->verbs;
        return node == NULL ? HTTP_MATCH_NOT_FOUND : HTTP_MATCH_VERB;
    }
    request->route = node->routes[slot_of(verb)];
    request->param_count = 0;
    for (uint32_t i = 0; i < HTTP_PARAMS_MAX && node->names[i].bytes != NULL; i++)
        request->params[request->param_count++] = (struct http_pair) { node->names[i], values[i] };
    return HTTP_MATCH_FOUND;
}
