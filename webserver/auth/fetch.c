// SPDX-License-Identifier: Apache-2.0
#include "webserver/auth/fetch.h"

#include "common/base/assert.h"

#include <curl/curl.h>

enum { TIMEOUT_MS = 10000, CONNECT_TIMEOUT_MS = 5000, BODY_MAX = 1 << 20 };

static bool is_this_machine(const char *host)
{
    static const char *const NAMES[] = { "127.0.0.1", "localhost", "[::1]" };
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (strcmp(host, NAMES[i]) == 0)
            return true;
    return false;
}

/* Read as curl will, so that what is looked at is what is asked. */
bool fetch_is_allowed(struct str url)
{
    struct arena arena = { 0 };
    char *scheme = NULL, *host = NULL;
    CURLU *parts = curl_url();
    ASSERT(parts != NULL);
    bool is_url = curl_url_set(parts, CURLUPART_URL, str_cstr(&arena, url), 0) == CURLUE_OK &&
                  curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                  curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK;
    bool is_allowed = is_url && (strcmp(scheme, "https") == 0 ||
                                 (strcmp(scheme, "http") == 0 && is_this_machine(host)));
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(parts);
    arena_clear(&arena);
    return is_allowed;
}

void fetch_setup(void)
{
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    ASSERT(code == CURLE_OK);
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *owner)
{
    struct buf *out = owner;
    if (out->size + size * count > BODY_MAX)
        return 0;
    buf_add(out, bytes, size * count);
    return size * count;
}

static void set_options(CURL *curl, const struct fetch *fetch, struct buf *out)
{
    curl_easy_setopt(curl, CURLOPT_URL, fetch->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR,
                     str_starts(str_of(fetch->url), "http://") ? "http" : "https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "headrace");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
    if (fetch->form != NULL)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, fetch->form);
    if (fetch->user != NULL) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(curl, CURLOPT_USERNAME, fetch->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, fetch->password);
    }
    if (fetch->bearer != NULL) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, fetch->bearer);
    }
}

int fetch_run(const struct fetch *fetch, struct buf *out, struct err *err)
{
    long status = 0;
    if (!fetch_is_allowed(str_of(fetch->url)))
        return err_set(err, ERR_INVALID, "%s is not https", fetch->url);
    CURL *curl = curl_easy_init();
    ASSERT(curl != NULL);
    set_options(curl, fetch, out);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    if (code != CURLE_OK)
        return err_set(err, ERR_UNAVAILABLE, "asking %s: %s", fetch->url, curl_easy_strerror(code));
    if (status < 200 || status > 299)
        return err_set(err, ERR_INVALID, "%s answered %ld", fetch->url, status);
    return 0;
}
