// SPDX-License-Identifier: Apache-2.0
#include "worker/warden/machine.h"

#include "common/base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

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
    if (size < 0 || id_parse(str_trim((struct str){ text, (size_t)size }), out) < 0)
        return err_set(err, ERR_IO, "reading %s: %s", path, strerror(errno));
    return 0;
}

static void signals_prepare(void)
{
    /* The kernel's struct, all zero: the default action. By system call, because the C library keeps two for itself. */
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
    if (size > 0 && str_is(str_trim((struct str){ old, (size_t)size }), "0"))
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
