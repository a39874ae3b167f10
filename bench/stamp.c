// SPDX-License-Identifier: Apache-2.0
/* stamp - the smallest task that tells when it ran: appends "start end" in nanoseconds of
 * CLOCK_BOOTTIME to the file named by its argument. One write of 16 bytes to a file opened for
 * appending is whole. */
#include <fcntl.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int argc, char **argv)
{
    int64_t stamps[2] = { now_ns(), 0 };
    int fd = argc > 1 ? open(argv[1], O_WRONLY | O_CREAT | O_APPEND, 0666) : -1;
    if (fd < 0)
        return 2;
    stamps[1] = now_ns();
    return write(fd, stamps, sizeof stamps) == sizeof stamps ? 0 : 1;
}
