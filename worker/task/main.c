// SPDX-License-Identifier: Apache-2.0
/* headrace-task - what tasks that are no shell command run: sql, http, notify; connect, which tests
 * a connection; and for authors, `fail`. */
#include "worker/task/job.h"

#include <curl/curl.h>
#include <signal.h>

enum { EXIT_USAGE = 2 };

static const struct {
    const char *name;
    int (*run)(struct job *job);
} verbs[] = {
    { "sql", sql_main },
    { "http", http_main },
    { "notify", notify_main },
    { "connect", connect_main },
};

static int usage(FILE *out, int status)
{
    fputs("usage: headrace-task sql|http|notify|connect < payload.json\n"
          "       headrace-task errands\n"
          "       headrace-task fail [--hard] [--name NAME] REASON\n"
          "\n"
          "  sql, http, notify   run a task of this kind; the payload is what the scheduler made "
          "of it\n"
          "  connect             see whether a connection opens\n"
          "  errands             run errands, a line each on stdin, many at once; answer a line "
          "each\n"
          "  fail                report why your own task fails, and exit with 1\n"
          "    --hard            a retry is of no use\n"
          "    --name NAME       for retry_on and no_retry_on (TaskError)\n",
          out);
    return status;
}

static bool is_name(const char *name)
{
    return *name != '\0' &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.") ==
               strlen(name);
}

static int fail_main(int argc, char **argv)
{
    const char *name = "TaskError", *reason = NULL;
    bool hard = false;

    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--hard") == 0)
            hard = true;
        else if (strcmp(argv[i], "--name") == 0 && i + 1 < argc)
            name = argv[++i];
        else if (reason == NULL)
            reason = argv[i];
        else
            return usage(stderr, EXIT_USAGE);
    }
    if (reason == NULL || !is_name(name))
        return usage(stderr, EXIT_USAGE);
    return hard ? job_fail_hard(name, "%s", reason) : job_fail(name, "%s", reason);
}

int main(int argc, char **argv)
{
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0))
        return usage(stdout, 0);
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("headrace-task " HEADRACE_VERSION);
        return 0;
    }
    if (argc > 2 && strcmp(argv[1], "fail") == 0)
        return fail_main(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 2 && strcmp(argv[1], "errands") == 0)
        return errands_main();
    for (size_t i = 0; argc == 2 && i < sizeof verbs / sizeof *verbs; i++) {
        struct job job;
        if (strcmp(argv[1], verbs[i].name) != 0)
            continue;
        curl_global_init(CURL_GLOBAL_DEFAULT);
        int status = job_begin(&job);
        if (status == 0)
            status = verbs[i].run(&job);
        job_end(&job);
        curl_global_cleanup();
        return status;
    }
    return usage(stderr, EXIT_USAGE);
}
