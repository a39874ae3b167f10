// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/log_sync.h"

#include "common/base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);
    int problem = errno;
    if (fd >= 0)
        (void)close(fd);
    return rc < 0 ? problem : 0;
}

/* The bytes of all files first, then their names: a day has one folder, which is synced once. */
static void run_round(struct work *work)
{
    struct log_sync *sync = work->owner;
    const char *last = "";
    int last_problem = 0;
    VEC_EACH (&sync->round, i)
        if (fdatasync(sync->round.items[i].fd) < 0)
            sync->round.items[i].problem = errno;
    VEC_EACH (&sync->round, i) {
        struct log_synced *synced = &sync->round.items[i];
        if (strcmp(synced->folder, last) != 0)
            last_problem = sync_folder(synced->folder);
        last = synced->folder;
        if (synced->problem == 0)
            synced->problem = last_problem;
    }
}

static void begin_round(struct log_sync *sync);

static void on_round(struct work *work)
{
    struct log_sync *sync = work->owner;
    VEC_EACH (&sync->round, i) {
        struct log_synced *synced = &sync->round.items[i];
        sync->on_synced(sync->owner, synced);
        (void)close(synced->fd);
        free(synced->folder);
        free(synced->peer);
    }
    VEC_CLEAR(&sync->round);
    if (sync->waiting.count > 0)
        begin_round(sync);
    else
        sync->on_idle(sync->owner);
}

static void begin_round(struct log_sync *sync)
{
    memcpy(&sync->round, &sync->waiting, sizeof sync->round);
    memset(&sync->waiting, 0, sizeof sync->waiting);
    loop_work(sync->loop, &sync->work, run_round, on_round, sync);
}

int log_sync_add(struct log_sync *sync, int fd, const char *folder, struct str peer,
                 struct id128 attempt, int64_t offset)
{
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0)
        return ERR_IO;
    struct log_synced synced = { .fd = own,
                                 .folder = strdup(folder),
                                 .peer = strndup(peer.bytes, peer.size),
                                 .attempt = attempt,
                                 .offset = offset };
    ASSERT(synced.folder != NULL && synced.peer != NULL);
    VEC_ADD(&sync->waiting, synced);
    if (!sync->work.is_running)
        begin_round(sync);
    return 0;
}

bool log_sync_is_idle(const struct log_sync *sync)
{
    return !sync->work.is_running;
}
