// SPDX-License-Identifier: Apache-2.0
#include "worker/translate/translate.h"

#define SAME(model, warden)                                                                        \
    _Static_assert((int)(model) == (int)(warden), "the warden spells " #model " differently")
SAME(OUTCOME_SUCCESS, WARDEN_OUTCOME_SUCCESS);
SAME(OUTCOME_FAILED, WARDEN_OUTCOME_FAILED);
SAME(OUTCOME_SKIPPED, WARDEN_OUTCOME_SKIPPED);
SAME(OUTCOME_TIMED_OUT, WARDEN_OUTCOME_TIMED_OUT);
SAME(OUTCOME_KILLED, WARDEN_OUTCOME_KILLED);
SAME(OUTCOME_LEASE_OVER, WARDEN_OUTCOME_LEASE_OVER);
SAME(OUTCOME_NOT_STARTED, WARDEN_OUTCOME_NOT_STARTED);
SAME(OUTCOME_LOST, WARDEN_OUTCOME_LOST);
SAME(OUTCOME_OOM, WARDEN_OUTCOME_OOM);
SAME(OUTCOME_OUTPUT_TOO_LARGE, WARDEN_OUTCOME_OUTPUT_TOO_LARGE);
SAME(OUTCOME_COUNT, WARDEN_OUTCOME_OUTPUT_TOO_LARGE + 1);
SAME(OUTPUT_NONE, WARDEN_OUTPUT_NONE);
SAME(OUTPUT_LAST_LINE, WARDEN_OUTPUT_LAST_LINE);

struct warden_task translate_spec(const struct spec *spec, const struct conf *conf,
                                  struct arena *arena)
{
    struct str *env = ARENA_ARRAY(arena, struct str, spec->env_count + conf->worker_pass_env.count);
    uint32_t env_count = spec->env_count;

    if (env_count > 0)
        memcpy(env, spec->env, env_count * sizeof *env);
    /* Behind the task's own, since the first of a name counts. */
    for (uint32_t i = 0; i < conf->worker_pass_env.count; i++) {
        const char *name = str_cstr(arena, conf->worker_pass_env.items[i]), *value = getenv(name);
        if (value != NULL)
            env[env_count++] = str_format(arena, "%s=%s", name, value);
    }
    return (struct warden_task) {
        .argv = spec->argv,
        .argv_count = spec->argv_count,
        .env = env,
        .env_count = env_count,
        .input = spec->input,
        .cwd = spec->cwd,
        .run_as_user = spec->run_as_user,
        .secrets = spec->secrets,
        .secret_count = spec->secret_count,
        .output_rule = spec->output_rule,
        .max_output_bytes = spec->max_output_bytes,
        .timeout_ms = spec->timeout_ms,
        .kill_grace_ms = spec->kill_grace_ms < 0 ? conf->worker_kill_grace_ms : spec->kill_grace_ms,
        .skip_exit_code = spec->skip_exit_code,
        .cpu_milli = spec->cpu_milli,
        .memory_bytes = spec->memory_bytes,
        .pids_max = spec->pids_max,
        .max_log_bytes = conf->worker_max_log_bytes,
    };
}

struct result translate_result(const struct warden_result *result)
{
    return (struct result) {
        .outcome = (enum outcome)result->outcome,
        .exit_code = result->exit_code,
        .started_unix_ms = result->started_unix_ms,
        .ended_unix_ms = result->ended_unix_ms,
        .output = result->output,
        .error = result->error,
        .hard = result->hard,
        .cpu_ms = result->cpu_ms,
        .memory_peak_bytes = result->memory_peak_bytes,
        .log_bytes = result->log_bytes,
    };
}
