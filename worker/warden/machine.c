// SPDX-License-Identifier: Apache-2.0
#include "worker/warden/machine.h"

#include "common/base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_WAIT_MS = 5000, LOCK_LOOK_MS = 20 };

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void machine_now(int64_t *out_boot_ms, int64_t *out_unix_ms)
{
    *out_boot_ms = clock_ms(CLOCK_BOOTTIME);
    *out_unix_ms = clock_ms(CLOCK_REALTIME);
}

int machine_boot_id(struct id128 *out, struct err *err)
{
    static const char path[] = "/proc/sys/kernel/random/boot_id";
    char text[64];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text);

    if (fd >= 0)
        close(fd);
    if (size < 0 || id_parse(str_trim((struct str) { text, (size_t)size }), out) < 0)
        return err_set(err, ERR_IO, "reading %s: %s", path, strerror(errno));
    return 0;
}

static void signals_prepare(void)
{
    /* The kernel's struct, all zero: the default action. By system call, because the C library
     * keeps two for itself. */
    const char standard[64] = { 0 };
    sigset_t all;

    for (int number = 1; number < NSIG; number++)
        syscall(SYS_rt_sigaction, number, standard, NULL, (size_t)8);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
}

/* Five hundred less, not a thousand: a supervisor that cannot be killed can hang its machine. */
static bool oom_lower(void)
{
    int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    char old[16];
    bool lowered = false;

    if (fd < 0)
        return false;
    ssize_t size = read(fd, old, sizeof old);
    if (size > 0 && str_is(str_trim((struct str) { old, (size_t)size }), "0"))
        lowered = pwrite(fd, "-500", 4, 0) == 4;
    close(fd);
    return lowered;
}

void machine_prepare(struct attempt_host *host)
{
    const char *home = getenv("HOME");
    struct passwd *entry = home == NULL ? getpwuid(geteuid()) : NULL;
    struct rlimit many;
    char *end;

    signals_prepare();
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    host->home = strdup(home != NULL ? home : entry != NULL ? entry->pw_dir : "/");
    ASSERT(host->home != NULL);
    getrlimit(RLIMIT_NOFILE, &host->nofile);
    many = host->nofile;
    many.rlim_cur = many.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &many);
    host->reset_oom = oom_lower();
    ssize_t size = readlink("/proc/self/exe", host->programs, sizeof host->programs - 1);
    host->programs[size < 0 ? 0 : size] = '\0';
    end = strrchr(host->programs, '/');
    if (end != NULL)
        *end = '\0';
}

static int folder_at(int fd, const char *name)
{
    mkdirat(fd, name, 0700);
    return openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static bool scratch_root_set(struct attempt_host *host, const char *spool)
{
    char *whole = realpath(spool, NULL);
    int size = snprintf(host->scratch_root, sizeof host->scratch_root, "%s/scratch",
                        whole == NULL ? "" : whole);
    bool good = whole != NULL && (size_t)size < sizeof host->scratch_root;

    free(whole);
    return good;
}

int machine_spool_open(const char *spool, struct attempt_host *host, int *out_fd, int *out_lock_fd,
                       struct err *err)
{
    int fd = open(spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int lock_fd = -1, waited_ms = 0;

    if (fd >= 0)
        lock_fd = openat(fd, "warden.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    *out_fd = fd;
    *out_lock_fd = lock_fd;
    if (lock_fd < 0 || !scratch_root_set(host, spool))
        return err_set(err, ERR_IO, "opening the spool %s: %s", spool, strerror(errno));
    while (flock(lock_fd, LOCK_EX | LOCK_NB) < 0) {
        if (waited_ms >= LOCK_WAIT_MS)
            return err_set(err, ERR_EXISTS, "the spool %s has a warden", spool);
        usleep(LOCK_LOOK_MS * 1000);
        waited_ms += LOCK_LOOK_MS;
    }
    host->attempts_fd = folder_at(fd, "attempts");
    host->scratch_fd = folder_at(fd, "scratch");
    if (host->attempts_fd < 0 || host->scratch_fd < 0)
        return err_set(err, ERR_IO, "opening the spool %s: %s", spool, strerror(errno));
    return 0;
}
