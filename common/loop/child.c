// SPDX-License-Identifier: Apache-2.0
#include "common/loop/child.h"

#include "common/base/assert.h"

#include <errno.h>
#include <signal.h>

/* On the heap, because libuv needs them a little longer than a failed child_open lasts. */
struct child_handles {
    uv_process_t process;
    uv_pipe_t pipes[3];
    bool pipe_is_open[3];
    uv_write_t write;
    char *input;
    struct loop *loop;
    struct child *child; /* NULL when the opening failed */
    int open_count;
};

static struct child_handles *handles_of(void *uv)
{
    return ((uv_handle_t *)uv)->data;
}

static void on_closed(uv_handle_t *uv)
{
    struct child_handles *handles = handles_of(uv);
    if (--handles->open_count > 0)
        return;
    struct child *child = handles->child;
    free(handles->input);
    free(handles);
    if (child != NULL && child->done != NULL)
        child->done(child->owner);
}

static void close_pipe(struct child_handles *handles, int fd)
{
    if (!handles->pipe_is_open[fd])
        return;
    handles->pipe_is_open[fd] = false;
    uv_close((uv_handle_t *)&handles->pipes[fd], on_closed);
}

static void close_all(struct child_handles *handles)
{
    for (int fd = 0; fd < 3; fd++)
        close_pipe(handles, fd);
    uv_close((uv_handle_t *)&handles->process, on_closed);
}

static void on_exit_uv(uv_process_t *process, int64_t exit_status, int signum)
{
    struct child *child = handles_of(process)->child;
    child->pid = 0;
    child->on_exit(child, (int)exit_status, signum);
}

static void on_alloc(uv_handle_t *uv, size_t wanted, uv_buf_t *out)
{
    (void)wanted;
    *out = uv_buf_init(handles_of(uv)->loop->read_buffer, LOOP_READ_SIZE);
}

static void on_read(uv_stream_t *uv, ssize_t size, const uv_buf_t *buffer)
{
    struct child_handles *handles = handles_of(uv);
    struct child *child = handles->child;
    int fd = uv == (uv_stream_t *)&handles->pipes[1] ? 1 : 2;

    if (size > 0) {
        child->on_output(child, fd, (struct str) { buffer->base, (size_t)size });
    } else if (size < 0) {
        close_pipe(handles, fd);
        child->on_output(child, fd, STR_EMPTY);
    }
}

static void on_written(uv_write_t *write, int status)
{
    (void)status; /* a child that does not read its input says so by its exit */
    struct child_handles *handles = handles_of(write->handle);
    close_pipe(handles, 0);
}

static uv_stdio_container_t open_pipe(struct child_handles *handles, int fd, int direction)
{
    (void)uv_pipe_init(&handles->loop->uv, &handles->pipes[fd], 0);
    handles->pipes[fd].data = handles;
    handles->pipe_is_open[fd] = true;
    handles->open_count++;
    return (uv_stdio_container_t) { .flags = (uv_stdio_flags)(UV_CREATE_PIPE | direction),
                                    .data.stream = (uv_stream_t *)&handles->pipes[fd] };
}

static uv_stdio_container_t output_of(struct child_handles *handles, enum child_output output,
                                      int fd)
{
    switch (output) {
    case CHILD_INHERIT:
        return (uv_stdio_container_t) { .flags = UV_INHERIT_FD, .data.fd = fd };
    case CHILD_NULL:
        return (uv_stdio_container_t) { .flags = UV_IGNORE };
    case CHILD_PIPE:
        return open_pipe(handles, fd, UV_WRITABLE_PIPE);
    }
    UNREACHABLE();
}

static void begin_io(struct child_handles *handles, struct str input)
{
    for (int fd = 1; fd < 3; fd++)
        if (handles->pipe_is_open[fd])
            (void)uv_read_start((uv_stream_t *)&handles->pipes[fd], on_alloc, on_read);
    if (!handles->pipe_is_open[0] || input.size == 0)
        return;

    handles->input = malloc(input.size);
    ASSERT(handles->input != NULL);
    memcpy(handles->input, input.bytes, input.size);
    uv_buf_t buffer = uv_buf_init(handles->input, (unsigned)input.size);
    if (uv_write(&handles->write, (uv_stream_t *)&handles->pipes[0], &buffer, 1, on_written) < 0)
        close_pipe(handles, 0);
}

int child_open(struct child *child, struct loop *loop, const struct child_options *options,
               void (*on_exit_cb)(struct child *child, int exit_status, int signum),
               void (*on_output)(struct child *child, int fd, struct str bytes), void *owner,
               struct err *err)
{
    ASSERT(on_output != NULL || (options->out != CHILD_PIPE && options->err != CHILD_PIPE));
    struct child_handles *handles = calloc(1, sizeof *handles);
    ASSERT(handles != NULL);
    handles->loop = loop;
    handles->process.data = handles;
    handles->open_count = 1;

    uv_stdio_container_t stdio[3];
    stdio[0] = (uv_stdio_container_t) { .flags = UV_IGNORE };
    ASSERT(!options->keep_input || options->input.size == 0);
    if (options->input.size > 0 || options->keep_input)
        stdio[0] = open_pipe(handles, 0, UV_READABLE_PIPE);
    stdio[1] = output_of(handles, options->out, 1);
    stdio[2] = output_of(handles, options->err, 2);
    uv_process_options_t uv = {
        .exit_cb = on_exit_uv,
        .file = options->argv[0],
        .args = (char **)options->argv,
        .env = (char **)options->env,
        .cwd = options->cwd,
        .flags = options->own_session ? UV_PROCESS_DETACHED : 0,
        .stdio_count = 3,
        .stdio = stdio,
    };

    int rc = uv_spawn(&loop->uv, &handles->process, &uv);
    if (rc < 0) {
        close_all(handles);
        return err_set(err, rc, "starting %s: %s", options->argv[0], uv_strerror(rc));
    }
    *child = (struct child) { .handles = handles,
                              .owner = owner,
                              .on_output = on_output,
                              .on_exit = on_exit_cb,
                              .pid = handles->process.pid,
                              .own_session = options->own_session };
    handles->child = child;
    begin_io(handles, options->input);
    return 0;
}

struct more_input {
    uv_write_t write;
    char bytes[];
};

static void on_more_written(uv_write_t *write, int status)
{
    (void)status; /* as above */
    free(write->data);
}

void child_write(struct child *child, struct str bytes)
{
    struct child_handles *handles = child->handles;
    if (handles == NULL || !handles->pipe_is_open[0] || bytes.size == 0)
        return;
    struct more_input *more = malloc(sizeof *more + bytes.size);
    ASSERT(more != NULL);
    memcpy(more->bytes, bytes.bytes, bytes.size);
    more->write.data = more;
    uv_buf_t buffer = uv_buf_init(more->bytes, (unsigned)bytes.size);
    if (uv_write(&more->write, (uv_stream_t *)&handles->pipes[0], &buffer, 1, on_more_written) < 0)
        free(more);
}

void child_close(struct child *child, void (*done)(void *owner))
{
    child->done = done;
    close_all(child->handles);
    child->handles = NULL;
}

void child_kill(struct child *child, int signum)
{
    if (child->pid > 0)
        (void)kill(child->pid, signum);
}
