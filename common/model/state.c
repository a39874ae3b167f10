// SPDX-License-Identifier: Apache-2.0
#include "common/model/state.h"

static const char *const task_state_names[TASK_STATE_COUNT] = {
    [TASK_NONE] = "none",
    [TASK_SCHEDULED] = "scheduled",
    [TASK_QUEUED] = "queued",
    [TASK_RUNNING] = "running",
    [TASK_SUCCESS] = "success",
    [TASK_FAILED] = "failed",
    [TASK_SKIPPED] = "skipped",
    [TASK_UPSTREAM_FAILED] = "upstream_failed",
    [TASK_UP_FOR_RETRY] = "up_for_retry",
    [TASK_UP_FOR_RESCHEDULE] = "up_for_reschedule",
    [TASK_DEFERRED] = "deferred",
    [TASK_REMOVED] = "removed",
    [TASK_RESTARTING] = "restarting",
};

static const char *const run_state_names[RUN_STATE_COUNT] = {
    [RUN_QUEUED] = "queued",
    [RUN_RUNNING] = "running",
    [RUN_SUCCESS] = "success",
    [RUN_FAILED] = "failed",
};

static const char *const run_type_names[RUN_TYPE_COUNT] = {
    [RUN_MANUAL] = "manual",
    [RUN_SCHEDULED] = "scheduled",
    [RUN_BACKFILL] = "backfill",
    [RUN_ASSET_TRIGGERED] = "asset_triggered",
    [RUN_OPERATOR_TRIGGERED] = "operator_triggered",
};

static const char *const cause_sentences[CAUSE_COUNT] = {
#define CAUSE_SENTENCE(word, NAME, number, sentence) [number] = sentence,
    CAUSES(CAUSE_SENTENCE)
#undef CAUSE_SENTENCE
};

static const char *const cause_words[CAUSE_COUNT] = {
#define CAUSE_WORD(word, NAME, number, sentence) [number] = #word,
    CAUSES(CAUSE_WORD)
#undef CAUSE_WORD
};

struct transition {
    uint8_t from, to, cause, actor;
};

#define L ACTOR_LEADER
#define W ACTOR_WORKER
#define U ACTOR_USER
static const struct transition transitions[] = {
#define TRANSITION(from, to, cause, who) { from, to, cause, who },
#include "common/model/transition.def"
#undef TRANSITION
};
#undef L
#undef W
#undef U

enum { TRANSITION_COUNT = sizeof transitions / sizeof *transitions };

const char *task_state_name(enum task_state state)
{
    return (unsigned)state < TASK_STATE_COUNT ? task_state_names[state] : "unknown";
}

const char *run_state_name(enum run_state state)
{
    return (unsigned)state < RUN_STATE_COUNT ? run_state_names[state] : "unknown";
}

const char *run_type_name(enum run_type type)
{
    return (unsigned)type < RUN_TYPE_COUNT ? run_type_names[type] : "unknown";
}

const char *cause_name(enum cause cause)
{
    return (unsigned)cause < CAUSE_COUNT ? cause_words[cause] : "unknown";
}

const char *cause_sentence(enum cause cause)
{
    return (unsigned)cause < CAUSE_COUNT ? cause_sentences[cause] : "";
}

static int word_parse(struct str name, const char *const *words, int count, int *out)
{
    for (int i = 0; i < count; i++) {
        if (str_is(name, words[i])) {
            *out = i;
            return 0;
        }
    }
    return ERR_INVALID;
}

int task_state_parse(struct str name, enum task_state *out)
{
    int index = 0;
    int rc = word_parse(name, task_state_names, TASK_STATE_COUNT, &index);
    if (rc == 0)
        *out = (enum task_state)index;
    return rc;
}

int run_state_parse(struct str name, enum run_state *out)
{
    int index = 0;
    int rc = word_parse(name, run_state_names, RUN_STATE_COUNT, &index);
    if (rc == 0)
        *out = (enum run_state)index;
    return rc;
}

int run_type_parse(struct str name, enum run_type *out)
{
    int index = 0;
    int rc = word_parse(name, run_type_names, RUN_TYPE_COUNT, &index);
    if (rc == 0)
        *out = (enum run_type)index;
    return rc;
}

bool task_state_is_final(enum task_state state)
{
    return state == TASK_SUCCESS || state == TASK_FAILED || state == TASK_SKIPPED ||
           state == TASK_UPSTREAM_FAILED || state == TASK_REMOVED;
}

bool run_state_is_final(enum run_state state)
{
    return state == RUN_SUCCESS || state == RUN_FAILED;
}

bool transition_is_legal(enum task_state from, enum task_state to, enum cause cause)
{
    for (int i = 0; i < TRANSITION_COUNT; i++) {
        const struct transition *row = &transitions[i];
        if ((row->from == TASK_ANY || row->from == from) && row->to == to && row->cause == cause)
            return true;
    }
    return false;
}
