// SPDX-License-Identifier: Apache-2.0
#include "tests/support/fake_scheduler.h"

#include "tests/support/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000, TURN_MS = 20 };

static struct id128 awaited;

struct fake_result *fake_scheduler_find(struct fake_scheduler *fake, struct id128 attempt)
{
    /* The newest first: they are asked for most. */
    for (uint32_t i = fake->results.count; i-- > 0;) {
        if (id_eq(fake->results.items[i].attempt, attempt))
            return &fake->results.items[i];
    }
    return NULL;
}

static struct fake_result *heard_of(struct fake_scheduler *fake, struct id128 attempt)
{
    if (fake_scheduler_find(fake, attempt) == NULL)
        VEC_ADD(&fake->results, (struct fake_result) { .attempt = attempt });
    return fake_scheduler_find(fake, attempt);
}

bool fake_scheduler_lists(const struct fake_scheduler *fake, struct id128 attempt)
{
    VEC_EACH (&fake->listed, i) {
        if (id_eq(fake->listed.items[i], attempt))
            return true;
    }
    return false;
}

void fake_scheduler_send(struct fake_scheduler *fake, struct message *message)
{
    struct err err = { 0 };

    message->epoch = fake->epoch;
    if (wire_server_send(fake->server, str_of(fake->worker), message, &err) < 0)
        fail_msg("%s", err.sentence);
}

void fake_scheduler_ack(struct fake_scheduler *fake, struct id128 attempt)
{
    struct message ack = { .type = MESSAGE_ACK, .ack = { &attempt, 1 } };

    fake_scheduler_send(fake, &ack);
}

static void on_inventory(struct fake_scheduler *fake, const struct message_inventory *inventory,
                         uint64_t epoch)
{
    struct message sync = { .type = MESSAGE_SYNC };

    VEC_RESET(&fake->listed);
    VEC_RESET(&fake->open);
    /* Credits of another epoch are none of ours. */
    if (epoch < fake->epoch)
        fake_scheduler_send(fake, &sync);
    for (uint32_t i = 0; epoch == fake->epoch && i < inventory->open_count; i++)
        VEC_ADD(&fake->open, inventory->open_seqs[i]);
    for (uint32_t i = 0; i < inventory->attempt_count; i++) {
        const struct message_attempt *attempt = &inventory->attempts[i];
        struct fake_result *known = heard_of(fake, attempt->attempt);
        VEC_ADD(&fake->listed, attempt->attempt);
        known->incarnation = attempt->credit.incarnation;
        if (attempt->ended && !known->ended) {
            known->ended = true;
            known->result = attempt->result;
            known->result.output = str_copy(&fake->arena, attempt->result.output);
            known->result.error = str_copy(&fake->arena, attempt->result.error);
        }
        if (attempt->ended && fake->acknowledges)
            fake_scheduler_ack(fake, attempt->attempt);
    }
    fake->inventory = *inventory;
    fake->inventory.name = str_copy(&fake->arena, inventory->name);
    fake->inventory.queues = str_copy(&fake->arena, inventory->queues);
    fake->inventory.open_seqs = NULL;
    fake->inventory.attempts = NULL;
    fake->inventories++;
}

static void on_message(struct wire_server *server, struct str peer, const struct message *message)
{
    struct fake_scheduler *fake = wire_server_owner(server);

    snprintf(fake->worker, sizeof fake->worker, "%.*s", STR_ARG(peer));
    if (message->type == MESSAGE_INVENTORY)
        on_inventory(fake, &message->inventory, message->epoch);
    else if (message->type == MESSAGE_STARTED)
        heard_of(fake, message->started.attempt)->started++;
}

struct fake_log *fake_scheduler_log(struct fake_scheduler *fake, struct id128 attempt)
{
    VEC_EACH (&fake->logs, i) {
        if (id_eq(fake->logs.items[i].attempt, attempt))
            return &fake->logs.items[i];
    }
    return NULL;
}

static void on_chunk(struct wire_server *server, struct str peer, const struct message *message)
{
    struct fake_scheduler *fake = wire_server_owner(server);
    struct err err;

    if (message->type != MESSAGE_LOG_CHUNK || !fake->takes_logs)
        return;
    if (fake_scheduler_log(fake, message->log_chunk.attempt) == NULL)
        VEC_ADD(&fake->logs, (struct fake_log) { .attempt = message->log_chunk.attempt });
    struct fake_log *log = fake_scheduler_log(fake, message->log_chunk.attempt);
    size_t offset = (size_t)message->log_chunk.offset;
    /* A gap is not taken, and what is there is told; what is known already is not taken twice. */
    if (offset <= log->text.size) {
        struct str fresh = str_slice(message->log_chunk.content, log->text.size - offset,
                                     message->log_chunk.content.size);
        buf_add_str(&log->text, fresh);
        log->complete = log->complete || message->log_chunk.complete;
        log->chunks++;
    }
    struct message ack = { .type = MESSAGE_LOG_ACK,
                           .log_ack = { log->attempt, (int64_t)log->text.size } };
    (void)!wire_server_send(server, peer, &ack, &err);
}

void fake_scheduler_open(struct fake_scheduler *fake)
{
    struct err err = { 0 };

    *fake = (struct fake_scheduler) { .epoch = 1,
                                      .next_id = 1,
                                      .acknowledges = true,
                                      .takes_logs = true,
                                      .credit_ttl_ms = 30000,
                                      .lease_ms = 300000 };
    snprintf(fake->home, sizeof fake->home, "/tmp/headrace-test-XXXXXX");
    assert_non_null(mkdtemp(fake->home));
    assert_int_equal(loop_new(&fake->loop, &err), 0);
    assert_int_equal(wire_open(&fake->wire, fake->loop, NULL, &err), 0);
    struct wire_server_options scheduler = { .name = "scheduler",
                                             .endpoint = "tcp://127.0.0.1:0",
                                             .on_message = on_message,
                                             .owner = fake };
    struct wire_server_options intake = {
        .name = "intake", .endpoint = "tcp://127.0.0.1:0", .on_message = on_chunk, .owner = fake
    };
    assert_int_equal(wire_server_open(&fake->server, fake->wire, &scheduler, &err), 0);
    assert_int_equal(wire_server_open(&fake->intake, fake->wire, &intake, &err), 0);
}

void fake_scheduler_launch(struct fake_scheduler *fake, const char *flag)
{
    char program[] = HEADRACE_BIN_DIR "/headrace-worker", slots_flag[] = "--slots", slots[] = "3",
         name_flag[] = "--name", name[] = "w 1", interval[] = "--worker.inventory_interval=200ms";
    char home[128], schedulers[128], intake[128];
    char *argv[] = { program,  slots_flag, slots,  name_flag,    name,
                     interval, schedulers, intake, (char *)flag, NULL };
    char *env[] = { home, (char *)"PATH=/usr/bin:/bin", (char *)"HOME=/root",
                    (char *)"PASSED_ON=yes", NULL };

    snprintf(home, sizeof home, "HEADRACE_HOME=%s", fake->home);
    snprintf(schedulers, sizeof schedulers, "--worker.schedulers=%s",
             wire_server_endpoint(fake->server) + strlen("tcp://"));
    snprintf(intake, sizeof intake, "--worker.log_intake=%s",
             wire_server_endpoint(fake->intake) + strlen("tcp://"));
    assert_int_equal(posix_spawn(&fake->pid, program, NULL, NULL, argv, env), 0);
}

int fake_scheduler_end_worker(struct fake_scheduler *fake, int signum)
{
    int status = 0;

    assert_int_equal(kill(fake->pid, signum), 0);
    for (int64_t until_ms = loop_now_ms() + PATIENCE_MS;
         waitpid(fake->pid, &status, WNOHANG) == 0;) {
        fake_scheduler_turn(fake, TURN_MS);
        if (loop_now_ms() > until_ms) {
            kill(fake->pid, SIGKILL);
            fail_msg("the worker does not end");
        }
    }
    fake->pid = 0;
    return status;
}

pid_t fake_scheduler_warden(struct fake_scheduler *fake)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    char path[300], line[512], wanted[128];
    pid_t found = 0;

    snprintf(wanted, sizeof wanted, "%s/worker", fake->home);
    while (found == 0 && (entry = readdir(dir)) != NULL) {
        snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t size = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
        if (fd >= 0)
            close(fd);
        int64_t pid = 0;
        if (size > 0 && memmem(line, (size_t)size, "headrace-warden", 15) != NULL &&
            memmem(line, (size_t)size, wanted, strlen(wanted)) != NULL &&
            str_to_int(str_of(entry->d_name), 1, INT32_MAX, &pid) == 0)
            found = (pid_t)pid;
    }
    closedir(dir);
    return found;
}

void fake_scheduler_turn(struct fake_scheduler *fake, int64_t ms)
{
    bool never = false;

    (void)loop_run_until(fake->loop, &never, ms);
}

void fake_scheduler_until(struct fake_scheduler *fake, bool (*done)(struct fake_scheduler *fake),
                          const char *what)
{
    for (int64_t until_ms = loop_now_ms() + PATIENCE_MS; !done(fake);) {
        fake_scheduler_turn(fake, TURN_MS);
        if (loop_now_ms() > until_ms)
            fail_msg("in vain waited for: %s", what);
    }
}

static bool has_credit(struct fake_scheduler *fake)
{
    return fake->open.count > 0;
}

struct id128 fake_scheduler_grant(struct fake_scheduler *fake, const char *script)
{
    fake_scheduler_until(fake, has_credit, "an open credit");
    struct str argv[] = { STR("/bin/sh"), STR("-c"), str_of(script) };
    struct str env[] = { STR("FROM_SPEC=1") };
    struct message grant = { .type = MESSAGE_GRANT,
                             .grant = { .attempt = { 9, fake->next_id++ },
                                        .credit = { fake->inventory.incarnation,
                                                    fake->open.items[--fake->open.count] },
                                        .stamp_ms = fake->inventory.sent_ms,
                                        .credit_ttl_ms = fake->credit_ttl_ms,
                                        .lease_ms = fake->lease_ms,
                                        .dag_id = STR("d"),
                                        .run_id = STR("r"),
                                        .task_id = STR("t"),
                                        .map_index = -1,
                                        .try_no = 1,
                                        .spec = { .argv = argv,
                                                  .argv_count = 3,
                                                  .env = env,
                                                  .env_count = 1,
                                                  .max_output_bytes = 1 << 20,
                                                  .kill_grace_ms = 1000,
                                                  .skip_exit_code = -1,
                                                  .output_rule = OUTPUT_LAST_LINE } } };
    fake_scheduler_send(fake, &grant);
    return grant.grant.attempt;
}

static bool has_ended(struct fake_scheduler *fake)
{
    const struct fake_result *result = fake_scheduler_find(fake, awaited);

    return result != NULL && result->ended;
}

const struct result *fake_scheduler_wait(struct fake_scheduler *fake, struct id128 attempt)
{
    awaited = attempt;
    fake_scheduler_until(fake, has_ended, "the result of an attempt");
    return &fake_scheduler_find(fake, attempt)->result;
}

static bool is_complete(struct fake_scheduler *fake)
{
    const struct fake_log *log = fake_scheduler_log(fake, awaited);

    return log != NULL && log->complete;
}

const struct fake_log *fake_scheduler_wait_log(struct fake_scheduler *fake, struct id128 attempt)
{
    awaited = attempt;
    fake_scheduler_until(fake, is_complete, "a complete log");
    return fake_scheduler_log(fake, attempt);
}

static void on_wire_closed(void *owner)
{
    *(bool *)owner = true;
}

static void end_process(pid_t pid, bool is_child)
{
    if (pid == 0)
        return;
    kill(pid, SIGKILL);
    if (is_child)
        waitpid(pid, NULL, 0);
    while (!is_child && kill(pid, 0) == 0)
        usleep(1000);
}

void fake_scheduler_close(struct fake_scheduler *fake)
{
    char command[128];
    bool closed = false;

    end_process(fake->pid, true);
    end_process(fake_scheduler_warden(fake), false);
    wire_close(fake->wire, on_wire_closed, &closed);
    assert_true(loop_run_until(fake->loop, &closed, PATIENCE_MS));
    loop_free(fake->loop);
    snprintf(command, sizeof command, "rm -rf %s", fake->home);
    assert_int_equal(system(command), 0);
    VEC_EACH (&fake->logs, i)
        buf_clear(&fake->logs.items[i].text);
    VEC_CLEAR(&fake->logs);
    VEC_CLEAR(&fake->results);
    VEC_CLEAR(&fake->listed);
    VEC_CLEAR(&fake->open);
    arena_clear(&fake->arena);
}
