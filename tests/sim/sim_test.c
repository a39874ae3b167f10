// SPDX-License-Identifier: Apache-2.0
/* sim - runs seeds of the simulated cluster (tests/sim/sim/world.h). Without arguments: the seeds
 * of tests/sim/seeds.txt, many more, and every mutant until it is killed.
 *
 *   N             this seed, event by event
 *   --seed N      this one; --trace shows every event
 *   --seeds N     N of them, from --from on
 *   --for 60s     as many as fit
 *   --mutants     only the mutants
 *   --digests     of the seeds asked for: what each history comes to, for another compiler's
 * program
 *   --faults M    only the fault classes of this mask, names with --help */
#include "tests/sim/sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifndef HEADRACE_SOURCE_DIR
#define HEADRACE_SOURCE_DIR "."
#endif

static const char *const fault_names[] = {
#define FAULT_NAME(name, what) #name,
    FAULTS(FAULT_NAME)
#undef FAULT_NAME
};

static const struct {
    const char *name, *what;
} mutants[] = {
#define MUTANT_TEXT(name, what) { #name, what },
    MUTANTS(MUTANT_TEXT)
#undef MUTANT_TEXT
};

struct totals {
    uint64_t seeds, failed, events, messages, faults, starts, commits, takeovers, taken_back, lost;
    double hours;
};

enum { SEEDS_DEFAULT = 5000, MUTANT_SEEDS_MAX = 4000 };

static struct sim_config config_of(uint64_t seed)
{
    return (struct sim_config) { .seed = seed,
                                 .faults = UINT32_MAX,
                                 .tasks_max = 9,
                                 .workers_max = 4,
                                 .runs_max = 8,
                                 .schedulers_max = 3 };
}

static double now_s(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void add(struct totals *totals, const struct sim_result *result)
{
    totals->seeds++;
    totals->failed += result->failed;
    totals->events += result->events;
    totals->messages += result->messages;
    totals->faults += result->faults;
    totals->starts += result->starts;
    totals->commits += result->commits;
    totals->takeovers += result->takeovers;
    totals->taken_back += result->taken_back;
    totals->lost += result->lost;
    totals->hours += (double)result->sim_ms / 3.6e6;
}

static void show(const struct totals *totals, double seconds)
{
    printf("%llu seeds, %llu failed: %.0f simulated hours, %llu faults, %llu messages, %llu "
           "commits, %llu starts, %llu takeovers, "
           "%llu taken back, %llu lost, in %.1f s\n",
           (unsigned long long)totals->seeds, (unsigned long long)totals->failed, totals->hours,
           (unsigned long long)totals->faults, (unsigned long long)totals->messages,
           (unsigned long long)totals->commits, (unsigned long long)totals->starts,
           (unsigned long long)totals->takeovers, (unsigned long long)totals->taken_back,
           (unsigned long long)totals->lost, seconds);
}

/* ---- a failing seed -------------------------------------------------------------------------- */

static bool fails(const struct sim_config *config, struct sim_result *result)
{
    sim_run(config, result);
    return result->failed;
}

/* Fewer kinds of faults, then less of everything, as long as it still fails. */
static struct sim_config shrink(struct sim_config config)
{
    struct sim_result result;
    for (int i = 0; i < FAULT_COUNT; i++) {
        struct sim_config smaller = config;
        smaller.faults &= ~(1u << i);
        if (smaller.faults != config.faults && fails(&smaller, &result))
            config = smaller;
    }
    uint32_t *sizes[] = { &config.runs_max, &config.tasks_max, &config.workers_max,
                          &config.schedulers_max };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        while (*sizes[i] > 1) {
            (*sizes[i])--;
            if (!fails(&config, &result)) {
                (*sizes[i])++;
                break;
            }
        }
    }
    return config;
}

static void explain(struct sim_config config, const struct sim_result *result)
{
    struct sim_result again;
    printf("seed %llu fails: %s\n", (unsigned long long)config.seed, result->failure);
    if (config.trace) /* it has said all that it can */
        return;
    config = shrink(config);
    (void)fails(&config, &again);
    printf("  shrunk: --seed %llu --faults %u --tasks %u --workers %u --runs %u --schedulers %u: "
           "%s\n  faults:",
           (unsigned long long)config.seed, config.faults & again.faults_drawn, config.tasks_max,
           config.workers_max, config.runs_max, config.schedulers_max, again.failure);
    for (int i = 0; i < FAULT_COUNT; i++)
        if ((config.faults & again.faults_drawn & 1u << i) != 0)
            printf(" %s", fault_names[i]);
    printf("\n");
    fflush(stdout);
}

/* ---- many seeds ------------------------------------------------------------------------------ */

/* Every hundredth is run twice: the same history both times. */
static bool run_one(const struct sim_config *config, struct totals *totals)
{
    struct sim_result result, again;
    sim_run(config, &result);
    add(totals, &result);
    if (result.failed) {
        explain(*config, &result);
        return false;
    }
    if (config->seed % 100 != 0)
        return true;
    sim_run(config, &again);
    if (again.digest == result.digest)
        return true;
    printf("seed %llu has two histories: %llx and %llx\n", (unsigned long long)config->seed,
           (unsigned long long)result.digest, (unsigned long long)again.digest);
    return false;
}

static bool run_file(struct totals *totals)
{
    char line[256];
    bool good = true;
    FILE *file = fopen(HEADRACE_SOURCE_DIR "/tests/sim/seeds.txt", "r");
    if (file == NULL)
        return true;
    while (fgets(line, sizeof line, file) != NULL) {
        char *end = NULL;
        unsigned long long seed = strtoull(line, &end, 10);
        if (end == line)
            continue;
        struct sim_config config = config_of(seed);
        good &= run_one(&config, totals);
        config.plain = true; /* the history that it was written down for */
        good &= run_one(&config, totals);
    }
    fclose(file);
    return good;
}

static bool run_many(const struct sim_config *base, uint64_t from, uint64_t count, double seconds,
                     struct totals *totals)
{
    double began = now_s();
    uint32_t failures = 0;
    for (uint64_t i = 0;
         (count == 0 || i < count) && (seconds <= 0 || now_s() - began < seconds) && failures < 5;
         i++) {
        struct sim_config config = *base;
        config.seed = from + i;
        failures += !run_one(&config, totals);
    }
    return failures == 0;
}

/* A line for the compiler, then one for each seed. */
static void print_digests(const struct sim_config *base, uint64_t from, uint64_t count)
{
    printf("%s\n", __VERSION__);
    for (uint64_t i = 0; i < count; i++) {
        struct sim_config config = *base;
        struct sim_result result;
        config.seed = from + i;
        sim_run(&config, &result);
        printf("%llu %016llx\n", (unsigned long long)config.seed,
               (unsigned long long)result.digest);
    }
}

/* ---- mutants --------------------------------------------------------------------------------- */

static bool kill_mutant(int mutant, uint64_t seeds)
{
#ifdef HEADRACE_MUTANTS
    mutant_now = (enum mutant)mutant;
#endif
    struct sim_result result = { 0 };
    /* Each world with and without waits and notifications: without them the protocol has more to do
     * in the same time. */
    for (uint64_t n = 0; n < 2 * seeds; n++) {
        struct sim_config config = config_of(1 + n / 2);
        config.plain = n % 2 == 1;
        sim_run(&config, &result);
        if (!result.failed)
            continue;
        printf("  killed by seed %4llu%s: %-32s %s\n", (unsigned long long)config.seed,
               config.plain ? " (plain)" : "", mutants[mutant].name, result.failure);
        fflush(stdout);
        return true;
    }
    printf("  ALIVE after %llu seeds: %s (%s)\n", (unsigned long long)seeds, mutants[mutant].name,
           mutants[mutant].what);
    fflush(stdout);
    return false;
}

static bool run_mutants(uint64_t seeds, const char *only)
{
    bool good = true;
    int killed = 0, count = 0;
    for (int i = 1; i < MUTANT_COUNT; i++) {
        if (only != NULL && strcmp(only, mutants[i].name) != 0)
            continue;
        bool dead = kill_mutant(i, seeds);
        killed += dead;
        count++;
        good &= dead;
    }
#ifdef HEADRACE_MUTANTS
    mutant_now = MUTANT_NONE;
#endif
    printf("%d of %d mutants killed\n", killed, count);
    return good;
}

/* ---- the command line ------------------------------------------------------------------------ */

static void help(void)
{
    printf("sim_test [N | --seed N | --seeds N | --for 60s | --mutants [NAME]] [--from N] "
           "[--faults MASK] [--trace]\n"
           "         [--digests] [--tasks N] [--workers N] [--runs N] [--schedulers N] "
           "[--plain]\nfaults:\n");
    for (int i = 0; i < FAULT_COUNT; i++)
        printf("  %6u %s\n", 1u << i, fault_names[i]);
}

struct options {
    struct sim_config config;
    uint64_t seed, seeds, from;
    double seconds;
    bool mutants, digests, has_seed, help;
    const char *mutant;
};

static bool option_read(struct options *o, const char *name, const char *value)
{
    unsigned long long number = value != NULL ? strtoull(value, NULL, 0) : 0;
    struct {
        const char *name;
        uint32_t *into;
    } sizes[] = {
        { "--faults", &o->config.faults },
        { "--tasks", &o->config.tasks_max },
        { "--workers", &o->config.workers_max },
        { "--runs", &o->config.runs_max },
        { "--schedulers", &o->config.schedulers_max },
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (strcmp(name, sizes[i].name) != 0)
            continue;
        *sizes[i].into = (uint32_t)number;
        return value != NULL;
    }
    if (strcmp(name, "--seed") == 0)
        o->seed = number, o->has_seed = true;
    else if (strcmp(name, "--seeds") == 0)
        o->seeds = number;
    else if (strcmp(name, "--from") == 0)
        o->from = number;
    else if (strcmp(name, "--for") == 0)
        o->seconds = value != NULL ? strtod(value, NULL) : 0;
    else
        return false;
    return value != NULL;
}

static bool options_read(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] >= '0' && argv[i][0] <= '9') {
            o->seed = strtoull(argv[i], NULL, 10);
            o->has_seed = o->config.trace = true;
        } else if (strcmp(argv[i], "--trace") == 0) {
            o->config.trace = true;
        } else if (strcmp(argv[i], "--plain") == 0) {
            o->config.plain = true;
        } else if (strcmp(argv[i], "--digests") == 0) {
            o->digests = true;
        } else if (strcmp(argv[i], "--help") == 0) {
            o->help = true;
        } else if (strcmp(argv[i], "--mutants") == 0) {
            o->mutants = true;
            if (i + 1 < argc && argv[i + 1][0] != '-')
                o->mutant = argv[++i];
        } else if (option_read(o, argv[i], i + 1 < argc ? argv[i + 1] : NULL)) {
            i++;
        } else {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct options o = { .config = config_of(0), .from = 1 };
    struct totals totals = { 0 };
    double began = now_s();
    if (!options_read(&o, argc, argv)) {
        help();
        return 2;
    }
    if (o.help) {
        help();
        return 0;
    }
    if (o.digests) {
        print_digests(&o.config, o.from, o.seeds);
        return 0;
    }
    bool good = true;
    if (o.mutant != NULL || o.mutants) {
        if (o.mutant != NULL && o.has_seed) {
            for (int i = 1; i < MUTANT_COUNT; i++)
                if (strcmp(o.mutant, mutants[i].name) == 0)
                    mutant_now = (enum mutant)i;
            good = run_many(&o.config, o.seed, 1, 0, &totals);
        } else {
            good = run_mutants(o.seeds > 0 ? o.seeds : MUTANT_SEEDS_MAX, o.mutant);
        }
        return good ? 0 : 1;
    }
    if (o.has_seed)
        good = run_many(&o.config, o.seed, 1, 0, &totals);
    else if (o.seeds > 0 || o.seconds > 0)
        good = run_many(&o.config, o.from, o.seeds, o.seconds, &totals);
    else
        good = run_file(&totals) && run_many(&o.config, o.from, SEEDS_DEFAULT, 0, &totals) &&
               run_mutants(MUTANT_SEEDS_MAX, NULL);
    show(&totals, now_s() - began);
    return good ? 0 : 1;
}
