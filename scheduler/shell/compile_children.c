// SPDX-License-Identifier: Apache-2.0
#include "scheduler/shell/compile_children.h"

#include "common/base/assert.h"
#include "common/base/vec.h"
#include "common/conf/place.h"
#include "common/log/log.h"
#include "common/loop/child.h"
#include "common/loop/timer.h"
#include "common/text/json.h"

#include <signal.h>

enum { FILES_PER_CHILD = 128, LINE_MAX_BYTES = 64 << 20 };

struct wish {
    char *path;
    char hash[STORE_HASH_SIZE * 2 + 1];
};

struct compiler {
    struct compile_children *all;
    struct child child;
    struct timer timeout;
    struct wish *wishes;
    uint32_t wish_count, answered;
    struct buf line;
    struct buf errors; /* what the child said on stderr */
    bool is_busy, has_exited, out_ended, timed_out, is_dropped;
    int exit_status, signum;
};

struct compile_children {
    struct loop *loop;
    const struct conf *conf;
    void (*on_result)(void *owner, struct compile_answer *result);
    void *owner;
    VEC(struct wish) waiting;
    struct compiler *compilers;
    uint32_t compiler_count;
    uint32_t open_handles;
    bool is_closing;
    void *close_owner;
    void (*done)(void *owner);
};

static void start_waiting(struct compile_children *all);

void compile_answer_free(struct compile_answer *result)
{
    arena_clear(&result->arena);
    free(result);
}

/* ---- reading an answer ----------------------------------------------------------------------- */

static struct str text_of(const struct value *map, const char *key)
{
    return value_text(value_get(map, key), STR_EMPTY);
}

static const struct str *texts_of(struct arena *arena, const struct value *list,
                                  uint32_t *out_count)
{
    uint32_t count = list == NULL ? 0 : list->count;
    struct str *texts = ARENA_ARRAY(arena, struct str, count);
    for (uint32_t i = 0; i < count; i++)
        texts[i] = value_text(list->items[i], STR_EMPTY);
    *out_count = count;
    return texts;
}

static void read_dags(struct compile_answer *result, const struct value *list)
{
    uint32_t count = list == NULL ? 0 : list->count;
    struct compiled_dag *dags = ARENA_ARRAY(&result->arena, struct compiled_dag, count);
    result->paused = ARENA_ARRAY(&result->arena, int8_t, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct value *dag = list->items[i];
        const struct value *schedule = value_get(dag, "schedule");
        dags[i] = (struct compiled_dag) {
            .dag_id = text_of(dag, "dag_id"),
            .ir = json_text(&result->arena, value_get(dag, "ir")),
            .source = text_of(dag, "source"),
            .description = text_of(dag, "description"),
            .schedule = schedule == NULL || schedule->type == VALUE_NULL
                            ? STR_EMPTY
                            : json_text(&result->arena, schedule),
        };
        dags[i].owners = texts_of(&result->arena, value_get(dag, "owners"), &dags[i].owner_count);
        dags[i].tags = texts_of(&result->arena, value_get(dag, "tags"), &dags[i].tag_count);
        result->paused[i] = (int8_t)value_integer(value_get(dag, "paused"), -1);
        dags[i].is_paused = result->paused[i] > 0;
    }
    result->file.dags = dags;
    result->file.dag_count = count;
}

static void read_errors(struct compile_answer *result, const struct value *list)
{
    uint32_t count = list == NULL ? 0 : list->count;
    struct compile_error *errors = ARENA_ARRAY(&result->arena, struct compile_error, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct value *error = list->items[i];
        errors[i] = (struct compile_error) {
            .dag_id = text_of(error, "dag_id"),
            .line = (uint32_t)value_integer(value_get(error, "line"), 0),
            .column = (uint32_t)value_integer(value_get(error, "column"), 0),
            .message = text_of(error, "message"),
            .advice = text_of(error, "advice"),
            .excerpt = text_of(error, "excerpt"),
        };
    }
    result->file.errors = errors;
    result->file.error_count = count;
}

static struct compile_answer *result_new(struct str path)
{
    struct compile_answer *result = calloc(1, sizeof *result);
    ASSERT(result != NULL);
    result->file.path = str_copy(&result->arena, path);
    return result;
}

static int hex_value(char c)
{
    return c >= 'a' ? c - 'a' + 10 : c - '0';
}

static void set_hash(struct compile_answer *result, struct str hex)
{
    if (hex.size != STORE_HASH_SIZE * 2)
        return;
    memcpy(result->hash, hex.bytes, hex.size);
    char *bytes = arena_alloc(&result->arena, STORE_HASH_SIZE);
    for (size_t i = 0; i < STORE_HASH_SIZE; i++)
        bytes[i] = (char)(hex_value(hex.bytes[i * 2]) << 4 | hex_value(hex.bytes[i * 2 + 1]));
    result->file.content_hash = (struct str) { bytes, STORE_HASH_SIZE };
}

static void on_line(struct compiler *compiler, struct str line)
{
    struct compile_children *all = compiler->all;
    if (compiler->answered >= compiler->wish_count || compiler->is_dropped)
        return;
    struct compile_answer *result = result_new(str_of(compiler->wishes[compiler->answered].path));
    const struct value *answer;
    struct err err = { 0 };
    if (json_parse(&result->arena, line, NULL, &answer, &err) < 0) {
        log_error("compile_answer", LOG_STR("file", result->file.path), LOG_ERR(&err));
        compile_answer_free(result);
        child_kill(&compiler->child, SIGKILL);
        return;
    }
    compiler->answered++;
    timer_once(&compiler->timeout, all->conf->scheduler_parse_timeout_ms);
    result->is_unchanged = value_boolean(value_get(answer, "unchanged"), false);
    set_hash(result, text_of(answer, "hash"));
    result->file.size = value_integer(value_get(answer, "size"), 0);
    result->file.parse_ms = (int32_t)value_integer(value_get(answer, "parse_ms"), 0);
    read_dags(result, value_get(answer, "dags"));
    read_errors(result, value_get(answer, "problems"));
    all->on_result(all->owner, result);
}

/* ---- the life of a child --------------------------------------------------------------------- */

/* The file that the child was at when it ended. */
static void blame(struct compiler *compiler)
{
    struct compile_answer *result = result_new(str_of(compiler->wishes[compiler->answered].path));
    struct compile_error *error = ARENA_NEW(&result->arena, struct compile_error);
    error->line = error->column = 1;
    if (compiler->timed_out)
        error->message = str_format(&result->arena, "the file takes longer than %d s to compile",
                                    (int)(compiler->all->conf->scheduler_parse_timeout_ms / 1000));
    else
        error->message =
            str_format(&result->arena, "the compiler ended by %s %d while it read this file: %.*s",
                       compiler->signum != 0 ? "signal" : "status",
                       compiler->signum != 0 ? compiler->signum : compiler->exit_status,
                       STR_ARG(str_slice(buf_str(&compiler->errors), 0, 400)));
    error->advice = STR("make the file smaller or simpler; scheduler.parse_timeout sets the limit");
    error->excerpt = error->dag_id = STR_EMPTY;
    result->file.errors = error;
    result->file.error_count = 1;
    uint8_t none[STORE_HASH_SIZE] = {
        0
    }; /* matches no content: it is tried again after a restart */
    result->file.content_hash =
        str_copy(&result->arena, (struct str) { (const char *)none, sizeof none });
    compiler->answered++;
    compiler->all->on_result(compiler->all->owner, result);
}

static void give_back(struct compiler *compiler)
{
    for (uint32_t i = 0; i < compiler->wish_count; i++) {
        if (i < compiler->answered || compiler->is_dropped)
            free(compiler->wishes[i].path);
        else
            VEC_ADD(&compiler->all->waiting, compiler->wishes[i]);
    }
    free(compiler->wishes);
    compiler->wishes = NULL;
    compiler->wish_count = compiler->answered = 0;
}

static void handle_closed(struct compile_children *all)
{
    if (--all->open_handles > 0 || !all->is_closing)
        return;
    VEC_EACH (&all->waiting, i)
        free(all->waiting.items[i].path);
    VEC_CLEAR(&all->waiting);
    free(all->compilers);
    void (*done)(void *) = all->done;
    void *owner = all->close_owner;
    free(all);
    done(owner);
}

static void on_child_closed(void *owner)
{
    struct compiler *compiler = owner;
    struct compile_children *all = compiler->all;
    compiler->is_busy = false;
    buf_clear(&compiler->line);
    buf_clear(&compiler->errors);
    if (!all->is_closing)
        start_waiting(all);
    handle_closed(all);
}

static void end_if_over(struct compiler *compiler)
{
    if (!compiler->has_exited || !compiler->out_ended)
        return;
    timer_stop(&compiler->timeout);
    if (compiler->answered < compiler->wish_count && !compiler->is_dropped)
        blame(compiler);
    give_back(compiler);
    child_close(&compiler->child, on_child_closed);
}

static void on_output(struct child *child, int fd, struct str bytes)
{
    struct compiler *compiler = child->owner;
    if (fd == 2) {
        if (compiler->errors.size < 4096)
            buf_add_str(&compiler->errors, bytes);
        return;
    }
    if (bytes.size == 0) {
        compiler->out_ended = true;
        end_if_over(compiler);
        return;
    }
    buf_add_str(&compiler->line, bytes);
    for (;;) {
        struct str all = buf_str(&compiler->line);
        ptrdiff_t end = str_find(all, '\n');
        if (end < 0)
            break;
        on_line(compiler, str_slice(all, 0, (size_t)end));
        buf_consume(&compiler->line, (size_t)end + 1);
    }
    if (compiler->line.size > LINE_MAX_BYTES)
        child_kill(child, SIGKILL);
}

static void on_exit_of_child(struct child *child, int exit_status, int signum)
{
    struct compiler *compiler = child->owner;
    compiler->has_exited = true;
    compiler->exit_status = exit_status;
    compiler->signum = signum;
    end_if_over(compiler);
}

static void on_timeout(struct timer *timer)
{
    struct compiler *compiler = timer->owner;
    compiler->timed_out = true;
    child_kill(&compiler->child, SIGKILL);
}

static void start(struct compiler *compiler)
{
    struct compile_children *all = compiler->all;
    uint32_t count = all->waiting.count < FILES_PER_CHILD ? all->waiting.count : FILES_PER_CHILD;
    compiler->wishes = calloc(count, sizeof *compiler->wishes);
    ASSERT(compiler->wishes != NULL);
    memcpy(compiler->wishes, all->waiting.items, count * sizeof *compiler->wishes);
    all->waiting.count -= count;
    memmove(all->waiting.items, all->waiting.items + count,
            all->waiting.count * sizeof *all->waiting.items);
    compiler->wish_count = count;
    compiler->answered = 0;
    compiler->has_exited = compiler->out_ended = compiler->timed_out = compiler->is_dropped = false;

    struct buf input = { 0 };
    for (uint32_t i = 0; i < count; i++)
        buf_printf(&input, "%s %s\n",
                   compiler->wishes[i].hash[0] != '\0' ? compiler->wishes[i].hash : "-",
                   compiler->wishes[i].path);
    struct arena arena = { 0 };
    const char *argv[] = { place_program(&arena, "headrace-scheduler").bytes, "--compile", NULL };
    struct child_options options = {
        .argv = argv, .input = buf_str(&input), .out = CHILD_PIPE, .err = CHILD_PIPE
    };
    struct err err = { 0 };
    int rc = child_open(&compiler->child, all->loop, &options, on_exit_of_child, on_output,
                        compiler, &err);
    buf_clear(&input);
    arena_clear(&arena);
    if (rc < 0) {
        log_error("compile_start", LOG_ERR(&err));
        give_back(compiler);
        return;
    }
    compiler->is_busy = true;
    all->open_handles++;
    timer_once(&compiler->timeout, all->conf->scheduler_parse_timeout_ms);
}

static void start_waiting(struct compile_children *all)
{
    for (uint32_t i = 0; i < all->compiler_count && all->waiting.count > 0; i++)
        if (!all->compilers[i].is_busy)
            start(&all->compilers[i]);
}

void compile_children_add(struct compile_children *all, struct str path, const char *known_hash)
{
    if (str_find(path, '\n') >= 0) {
        log_warn("dag_file_name", LOG_STR("file", path),
                 LOG_STR("problem", "a line end in the name"));
        return;
    }
    struct wish wish = { .path = strndup(path.bytes, path.size) };
    ASSERT(wish.path != NULL);
    snprintf(wish.hash, sizeof wish.hash, "%s", known_hash);
    VEC_ADD(&all->waiting, wish);
    start_waiting(all);
}

void compile_children_drop(struct compile_children *all)
{
    VEC_EACH (&all->waiting, i)
        free(all->waiting.items[i].path);
    VEC_RESET(&all->waiting);
    for (uint32_t i = 0; i < all->compiler_count; i++) {
        if (!all->compilers[i].is_busy)
            continue;
        all->compilers[i].is_dropped = true;
        child_kill(&all->compilers[i].child, SIGKILL);
    }
}

struct compile_children *
compile_children_new(struct loop *loop, const struct conf *conf,
                     void (*on_result)(void *owner, struct compile_answer *result), void *owner)
{
    struct compile_children *all = calloc(1, sizeof *all);
    ASSERT(all != NULL);
    all->loop = loop;
    all->conf = conf;
    all->on_result = on_result;
    all->owner = owner;
    all->compiler_count = (uint32_t)conf->scheduler_parsing_processes;
    all->compilers = calloc(all->compiler_count, sizeof *all->compilers);
    ASSERT(all->compilers != NULL);
    for (uint32_t i = 0; i < all->compiler_count; i++) {
        all->compilers[i].all = all;
        timer_open(&all->compilers[i].timeout, loop, on_timeout, &all->compilers[i]);
    }
    return all;
}

static void on_timer_closed(void *owner)
{
    struct compiler *compiler = owner;
    handle_closed(compiler->all);
}

void compile_children_close(struct compile_children *all, void (*done)(void *owner), void *owner)
{
    compile_children_drop(all);
    all->is_closing = true;
    all->done = done;
    all->close_owner = owner;
    all->open_handles += all->compiler_count;
    for (uint32_t i = 0; i < all->compiler_count; i++)
        timer_close(&all->compilers[i].timeout, on_timer_closed);
}
