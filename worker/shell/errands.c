// SPDX-License-Identifier: Apache-2.0
#include "worker/shell/errands.h"

#include "common/conf/place.h"
#include "common/helper/helper.h"
#include "worker/shell/schedulers.h"

enum { ANSWER_BYTES_MAX = 2 << 20 }; /* of outputs in one message */

static void send_part(struct worker_shell *shell, const struct errand_answer *answers,
                      uint32_t count)
{
    struct message message = { .type = MESSAGE_ERRANDS_DONE,
                               .epoch = shell->epoch,
                               .errands_done = { answers, count } };

    if (count > 0)
        schedulers_send(shell, &message);
}

static void on_answers(void *owner, const struct errand_answer *answers, uint32_t count)
{
    uint32_t begin = 0;
    size_t bytes = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (i > begin && (bytes + answers[i].output.size > ANSWER_BYTES_MAX ||
                          i - begin == MESSAGE_ERRANDS_MAX)) {
            send_part(owner, answers + begin, i - begin);
            begin = i;
            bytes = 0;
        }
        bytes += answers[i].output.size;
    }
    send_part(owner, answers + begin, count - begin);
}

void errands_open(struct worker_shell *shell)
{
    struct arena arena = { 0 };

    shell->helper =
        helper_new(shell->loop, place_program(&arena, "headrace-task").bytes, on_answers, shell);
    arena_clear(&arena);
}

void errands_give(struct worker_shell *shell, const struct errand *items, uint32_t count)
{
    helper_give(shell->helper, items, count);
}
