// SPDX-License-Identifier: Apache-2.0
/* Looks by HTTP: requests on one multi handle of libcurl. */
#include "common/text/json.h"
#include "worker/task/errand_run.h"

bool errand_http_begin(struct errand_loop *loop, struct errand_run *run, CURLM *multi)
{
    struct job_failure failure;

    job_capture(&failure);
    int status = request_read(&run->job, &run->request);
    if (run->request.timeout_ms == 0 || run->request.timeout_ms > ERRAND_LIMIT_MS)
        run->request.timeout_ms = ERRAND_LIMIT_MS;
    if (status == 0)
        status = request_begin(&run->job, &run->request, &run->answer, &run->transfer);
    job_capture(NULL);
    if (status != 0) {
        errand_fail(loop, run, &failure);
        return false;
    }
    curl_easy_setopt(run->transfer.curl, CURLOPT_PRIVATE, run);
    curl_multi_add_handle(multi, run->transfer.curl);
    return true;
}

void errand_http_drop(struct errand_run *run, CURLM *multi)
{
    curl_multi_remove_handle(multi, run->transfer.curl);
    (void)!request_end(&run->request, &run->answer, &run->transfer, CURLE_OK);
    buf_clear(&run->answer.body);
}

/* What was answered, as JSON: as it is, or as a string; too much of it is left out. */
static struct str output_of(struct errand_run *run)
{
    struct str body = buf_str(&run->answer.body);
    const struct value *value = NULL;

    if (body.size == 0 || body.size > ERRAND_OUTPUT_MAX)
        return STR_EMPTY;
    if (json_parse(&run->job.arena, body, NULL, &value, NULL) == 0)
        return json_text(&run->job.arena, value); /* on one line */
    return str_is_utf8(body) ? json_text(&run->job.arena, value_string(&run->job.arena, body))
                             : STR_EMPTY;
}

void errand_http_end(struct errand_loop *loop, struct errand_run *run, CURLM *multi, CURLcode code)
{
    struct job_failure failure;

    curl_multi_remove_handle(multi, run->transfer.curl);
    job_capture(&failure);
    int status = request_end(&run->request, &run->answer, &run->transfer, code);
    job_capture(NULL);
    if (status != 0)
        errand_fail(loop, run, &failure);
    else if (http_is_expected(&run->job, run->answer.status))
        errand_answer(loop, run, ERRAND_DONE, output_of(run), "%s", "");
    else
        errand_answer(loop, run, ERRAND_NOT_YET, STR_EMPTY, "answered %ld %s", run->answer.status,
                      run->answer.reason);
    buf_clear(&run->answer.body);
}
