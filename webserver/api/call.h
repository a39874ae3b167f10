// SPDX-License-Identifier: Apache-2.0
/* call - one request on its way through a handler: who asks, what was sent, and the answers of this
 * API.
 *
 * A handler ends with exactly one answer (call_json, call_fail, ...), now or in a callback; the
 * call dies with it. */
#ifndef HEADRACE_CALL_H
#define HEADRACE_CALL_H

#include "common/base/map.h"
#include "common/model/request.h"
#include "common/store/audit_store.h"
#include "common/store/document_read.h"
#include "common/store/list_read.h"
#include "common/store/request_store.h"
#include "common/text/value.h"
#include "webserver/api/api.h"
#include "webserver/api/budget.h"
#include "webserver/api/denials.h"
#include "webserver/http/http_router.h"
#include "webserver/http/http_text.h"

struct call;
struct leader;
struct live;
struct commands;
struct log_store;
struct run_wait;
struct cells;

enum body_rule { BODY_NONE, BODY_JSON, BODY_ANY };

struct route {
    struct http_route http;
    void (*handle)(struct call *call);
    enum right right;
    const char *operation; /* operationId of openapi.json */
    int64_t aux;           /* what handlers of several routes tell them apart by */
};

struct api {
    struct api_options options;
    struct http_router *router;
    struct leader *leader;     /* the way to the schedulers */
    struct commands *commands; /* requests that wait for their answer */
    struct live *live;         /* the stream of changes */
    struct log_store *logs;
    struct run_wait *waits; /* clients that wait for the end of a run */
    struct cells *cells;    /* of runs that have ended */
    struct budgets budgets;
    struct denials denials;
    int64_t started_ms;
    struct buf openapi;        /* once it was asked for: the tables do not change */
    struct arena metric_arena; /* names of metrics that came from the database */
    struct map metric_index;
    VEC(const char *) metric_names;
    bool store_is_up;
    int open_parts;
    void (*done)(void *owner);
    void *done_owner;
};

/* A field that does not fit; they are collected, so that all are told at once. */
struct problem {
    struct problem *next;
    const char *place; /* "body", "query", "path" */
    struct str field, message;
    const char *type; /* pydantic's word: clients know it */
};

struct call {
    struct api *api;
    struct http_request *request;
    struct arena *arena; /* the request's */
    const struct route *route;
    struct person person;
    const struct reader *reader; /* NULL: reads every DAG */
    enum role dag_role;          /* of who asks, on the DAG that the request is about */
    struct http_form query;
    const struct value *body; /* NULL: none was sent */
    struct problem *problems, **last_problem;
    struct request_key key;             /* command.h: when it came with one */
    uint32_t command_count;             /* requests made so far */
    void *state;                        /* the handler's own */
    void (*allowed)(struct call *call); /* reach.c: what comes after a yes */
};

/* The routes, after routes.def. */
const struct route *routes_table(uint32_t *out_count);

/* Whether operations.def has a body for it that may not be missing. */
bool operation_needs_body(const char *operation);

/* ---- what was sent ---- */

/* Once. False after an answer. */
bool call_read_body(struct call *call);

struct str call_param(const struct call *call,
                      const char *name); /* of the path; asserts that the route has it */
struct str call_query(const struct call *call, const char *name, struct str otherwise);
int64_t call_query_int(struct call *call, const char *name, int64_t min, int64_t max,
                       int64_t otherwise);
bool call_query_bool(struct call *call, const char *name, bool otherwise);
int64_t call_query_time(struct call *call, const char *name, int64_t otherwise); /* ms */
int64_t call_param_int(struct call *call, const char *name, int64_t min, int64_t max);

/* Fields of a JSON body; NULL map = the body. A wrong type is a problem. Null counts as absent. */
struct str body_text(struct call *call, const char *name, struct str otherwise);
bool body_bool(struct call *call, const char *name, bool otherwise);
int64_t body_int(struct call *call, const char *name, int64_t min, int64_t max, int64_t otherwise);
/* False when it is absent. RFC 3339 with a zone. */
bool body_time(struct call *call, const char *name, int64_t *out_ms);
const struct value *body_map(struct call *call, const char *name); /* NULL when absent */
const struct value *body_list(struct call *call, const char *name);
bool body_has(const struct call *call, const char *name);   /* also when it is null */
bool body_gives(const struct call *call, const char *name); /* not when it is null */

/* The release of Airflow that the client was made for, as 302 for 3.2; INT_MAX: another client.
 * What a release does not know it may not be given: its models refuse it. */
int call_client_release(const struct call *call);

void call_problem(struct call *call, const char *place, const char *field, const char *type,
                  const char *fmt, ...) FORMAT(5, 6);
/* True after answering 422 with all problems, if there are any. */
bool call_refuse_problems(struct call *call);
/* 422 with a sentence that is about the whole of the body. */
void call_refuse_body(struct call *call, struct str sentence);

/* ---- answers ---- */

void call_json(struct call *call, int status, struct str json);
void call_empty(struct call *call, int status);
/* Status and detail of an error; what is nobody's business (SQL, paths) goes to the log alone. */
void call_fail(struct call *call, int rc, const struct err *err);
void call_refuse(struct call *call, int status, const char *fmt, ...) FORMAT(3, 4);
/* {"detail": {"reason": ..., "message": ...}} */
void call_refuse_reason(struct call *call, int status, const char *reason, const char *fmt, ...)
    FORMAT(4, 5);

/* Only paths of this server: an address elsewhere would make us a way to lead people astray. */
bool call_is_local_path(struct str path);

/* True after a 403, for what a personal token may not be used for. */
bool call_refuse_token(struct call *call);

/* on_end of list_read_one that passes the JSON on: owner is the call. */
void call_pass(void *call, int rc, struct str json, const struct err *err);
/* The same with status 201. */
void call_pass_created(void *call, int rc, struct str json, const struct err *err);
/* on_end of call_read and call_list_read: what was read is the answer. */
void call_pass_read(void *call, int rc, const struct err *err);
/* Of an operation that gives nothing: 204. */
void call_pass_empty(void *call, int rc, const struct err *err);

/* ---- parts of handlers ---- */

/* The policies of an action of a bulk body: a problem for one that is none of Airflow's words. */
void call_check_policies(struct call *call, const struct value *action);

/* Puts the query string into a list; false after an answer. */
bool call_list(struct call *call, struct list_query *query, enum list list);
void call_list_read(struct call *call, struct list_query *query); /* reads, passes on, clears */
/* Reads a document of any size into the request's pile (http_request.h); on_end answers with it.
 * For `reader` (NULL: all). */
void call_read(struct call *call, const struct reader *reader, enum document document,
               const struct bind *binds, uint32_t count,
               void (*on_end)(void *call, int rc, const struct err *err));
void call_list_one(struct call *call, struct list_query *query);
void call_document(struct call *call, enum document document, const struct bind *binds,
                   uint32_t count);

struct audit call_audit(const struct call *call, const char *event);

/* "{...}" of a body for audit rows, without what is secret. */
struct str call_body_text(struct call *call);

#endif
