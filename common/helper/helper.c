// SPDX-License-Identifier: Apache-2.0
#include "common/helper/helper.h"

#include "common/base/assert.h"
#include "common/base/vec.h"
#include "common/log/log.h"
#include "common/loop/child.h"
#include "common/loop/timer.h"

#include <signal.h>

enum {
    RESTART_MS = 1000,
    LINE_MAX_BYTES = 4 << 20, /* a helper that says more in one line is not ours */
};

struct helper {
    struct loop *loop;
    char *program;
    void (*on_answers)(void *owner, const struct errand_answer *answers, uint32_t count);
    void *owner;
    struct child child;
    bool is_up, is_closing, has_exited;
    int64_t started_ms;
    struct buf input, output; /* not yet given to it; not yet a line */
    void (*done)(void *owner);
    void *done_owner;
};

struct helper *helper_new(struct loop *loop, const char *program,
                          void (*on_answers)(void *owner, const struct errand_answer *answers,
                                             uint32_t count),
                          void *owner)
{
    struct helper *helper = calloc(1, sizeof *helper);
    ASSERT(helper != NULL);
    helper->loop = loop;
    helper->program = strdup(program);
    ASSERT(helper->program != NULL);
    helper->on_answers = on_answers;
    helper->owner = owner;
    return helper;
}

static void on_child_closed(void *owner)
{
    struct helper *helper = owner;
    helper->is_up = helper->has_exited = false;
    if (!helper->is_closing)
        return;
    void (*done)(void *) = helper->done;
    void *done_owner = helper->done_owner;
    buf_clear(&helper->input);
    buf_clear(&helper->output);
    free(helper->program);
    free(helper);
    done(done_owner);
}

static void on_ended(struct child *child, int exit_status, int signum)
{
    struct helper *helper = child->owner;
    if (!helper->is_closing)
        log_warn("helper_ended", LOG_INT("exit_status", exit_status), LOG_INT("signal", signum));
    helper->has_exited = true;
    buf_reset(&helper->output);
    child_close(child, on_child_closed);
}

static void take_lines(struct helper *helper)
{
    VEC(struct errand_answer) answers = { 0 };
    struct str rest = buf_str(&helper->output), line;
    size_t used = 0;
    while (str_find(rest, '\n') >= 0 && str_split(&rest, '\n', &line)) {
        struct errand_answer answer;
        used += line.size + 1;
        if (errand_answer_read(line, &answer) == 0)
            VEC_ADD(&answers, answer);
        else
            log_warn("helper_line", LOG_STR("line", str_slice(line, 0, 200)));
    }
    if (answers.count > 0 && !helper->is_closing)
        helper->on_answers(helper->owner, answers.items, answers.count);
    VEC_CLEAR(&answers);
    buf_consume(&helper->output, used);
}

static void on_output(struct child *child, int fd, struct str bytes)
{
    struct helper *helper = child->owner;
    if (fd != 1 || bytes.size == 0)
        return;
    buf_add_str(&helper->output, bytes);
    take_lines(helper);
    if (helper->output.size > LINE_MAX_BYTES)
        child_kill(&helper->child, SIGKILL);
}

/* Its own session: a terminal's Ctrl-C is for the program it serves. */
static bool start(struct helper *helper)
{
    const char *argv[] = { helper->program, "errands", NULL };
    struct child_options options = { .argv = argv,
                                     .out = CHILD_PIPE,
                                     .err = CHILD_INHERIT,
                                     .keep_input = true,
                                     .own_session = true };
    struct err err = { 0 };
    if (helper->started_ms != 0 && loop_now_ms() < helper->started_ms + RESTART_MS)
        return false;
    helper->started_ms = loop_now_ms();
    if (child_open(&helper->child, helper->loop, &options, on_ended, on_output, helper, &err) < 0) {
        log_error("helper_start", LOG_ERR(&err));
        return false;
    }
    helper->is_up = true;
    return true;
}

void helper_give(struct helper *helper, const struct errand *errands, uint32_t count)
{
    if (helper->is_closing || helper->has_exited || (!helper->is_up && !start(helper)))
        return; /* lost: given again by whoever gave it */
    buf_reset(&helper->input);
    for (uint32_t i = 0; i < count; i++)
        errand_write(&errands[i], &helper->input);
    child_write(&helper->child, buf_str(&helper->input));
}

void helper_close(struct helper *helper, void (*done)(void *owner), void *owner)
{
    helper->is_closing = true;
    helper->done = done;
    helper->done_owner = owner;
    if (!helper->is_up)
        on_child_closed(helper);
    else if (!helper->has_exited)
        child_kill(&helper->child, SIGKILL); /* on_ended goes on */
}
