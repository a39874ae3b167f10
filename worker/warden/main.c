// SPDX-License-Identifier: Apache-2.0
/* headrace-warden - owns the processes of one worker's tasks. Started by headrace-worker; see
 * warden.h. */
#include "worker/warden/warden.h"

#include <fcntl.h>
#include <getopt.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_USAGE = 2 };

static int usage(FILE *out, int status)
{
    fputs("usage: headrace-warden --spool DIR [--no-cgroup] [--alone-ms N]\n"
          "\n"
          "Runs the tasks of the worker that has this spool. headrace-worker starts it.\n"
          "  --spool DIR    the worker's spool folder\n"
          "  --no-cgroup    do not use control groups\n"
          "  --alone-ms N   end after N ms without worker and tasks (10000)\n"
          "  --version      print the version\n",
          out);
    return status;
}

/* 0, 1 and 2 must be taken, or a pipe of a task would get one of these numbers. */
static void standard_files_open(void)
{
    int fd = open("/dev/null", O_RDWR);

    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = open("/dev/null", O_RDWR);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {
        { "spool", required_argument, NULL, 's' },    { "no-cgroup", no_argument, NULL, 'c' },
        { "alone-ms", required_argument, NULL, 'a' }, { "version", no_argument, NULL, 'v' },
        { "help", no_argument, NULL, 'h' },           { 0 }
    };
    struct warden_options options = { 0 };
    struct err err = { 0 };
    int option;

    standard_files_open();
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case 's':
            options.spool = optarg;
            break;
        case 'c':
            options.no_cgroup = true;
            break;
        case 'a':
            if (str_to_int(str_of(optarg), 1, INT32_MAX, &options.alone_ms) < 0)
                return usage(stderr, EXIT_USAGE);
            break;
        case 'v':
            puts("headrace-warden " HEADRACE_VERSION);
            return 0;
        case 'h':
            return usage(stdout, 0);
        default:
            return usage(stderr, EXIT_USAGE);
        }
    }
    if (options.spool == NULL || optind < argc)
        return usage(stderr, EXIT_USAGE);
    umask(077);
    if (warden_run(&options, &err) < 0) {
        fprintf(stderr, "headrace-warden: %s\n", err.sentence);
        return err.code == ERR_EXISTS ? EXIT_USAGE + 1 : EXIT_FAILURE;
    }
    return 0;
}
