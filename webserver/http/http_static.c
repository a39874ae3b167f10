// SPDX-License-Identifier: Apache-2.0
#include "webserver/http/http_static.h"

#include "common/base/assert.h"
#include "common/base/map.h"
#include "webserver/http/http_text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOTAL_MAX = 64 << 20, DEPTH_MAX = 8, ETAG_SIZE = 24 };

enum form { FORM_PLAIN, FORM_GZIP, FORM_BROTLI, FORM_COUNT };

struct file {
    struct str forms[FORM_COUNT]; /* bytes == NULL: not there */
    const char *content_type;
    char etag[ETAG_SIZE]; /* without the letter of the form and the closing quote */
};

struct http_static {
    struct arena arena;
    struct map by_path; /* "/assets/x.js" -> index */
    VEC(struct file) files;
    size_t total;
};

static const struct {
    const char *ending, *content_type;
} TYPES[] = {
    { ".html", "text/html; charset=utf-8" },
    { ".js", "text/javascript; charset=utf-8" },
    { ".mjs", "text/javascript; charset=utf-8" },
    { ".css", "text/css; charset=utf-8" },
    { ".json", "application/json" },
    { ".webmanifest", "application/manifest+json" },
    { ".svg", "image/svg+xml" },
    { ".png", "image/png" },
    { ".ico", "image/x-icon" },
    { ".woff2", "font/woff2" },
    { ".txt", "text/plain; charset=utf-8" },
    { ".wasm", "application/wasm" },
};

static const char *type_of(struct str path)
{
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        if (str_ends(path, TYPES[i].ending))
            return TYPES[i].content_type;
    return "application/octet-stream";
}

static int read_file(struct http_static *files, int fd, size_t size, struct str *out)
{
    char *bytes = arena_alloc(&files->arena, size + 1);
    size_t got = 0;
    while (got < size) {
        ssize_t n = read(fd, bytes + got, size - got);
        if (n <= 0)
            return ERR_IO;
        got += (size_t)n;
    }
    *out = (struct str) { bytes, size };
    return 0;
}

static struct file *file_at(struct http_static *files, struct str path)
{
    uint64_t index;
    if (!map_get_str(&files->by_path, path, &index)) {
        index = files->files.count;
        map_put_str(&files->by_path, path, index);
        VEC_ADD(&files->files, (struct file) { .content_type = type_of(path) });
    }
    return &files->files.items[index];
}

static int load_file(struct http_static *files, int folder_fd, const char *name, struct str path,
                     struct err *err)
{
    int fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0) {
        int reason = errno;
        if (fd >= 0)
            close(fd);
        return err_set(err, ERR_IO, "%.*s: %s", STR_ARG(path), strerror(reason));
    }
    files->total += (size_t)status.st_size;
    int rc = files->total > TOTAL_MAX
                 ? err_set(err, ERR_TOO_LARGE, "the web application is larger than 64 MiB")
                 : 0;
    enum form form = str_ends(path, ".gz")   ? FORM_GZIP
                     : str_ends(path, ".br") ? FORM_BROTLI
                                             : FORM_PLAIN;
    struct str bytes;
    if (rc == 0)
        rc = read_file(files, fd, (size_t)status.st_size, &bytes);
    if (rc == 0) {
        struct file *file =
            file_at(files, form == FORM_PLAIN ? path : str_slice(path, 0, path.size - 3));
        file->forms[form] = bytes;
        if (form == FORM_PLAIN)
            snprintf(file->etag, sizeof file->etag, "\"%016llx",
                     (unsigned long long)str_hash(bytes));
    }
    close(fd);
    return rc;
}

static int load_folder(struct http_static *files, int fd, struct str path, int depth,
                       struct err *err)
{
    DIR *dir = depth > DEPTH_MAX ? NULL : fdopendir(fd);
    if (dir == NULL) {
        close(fd);
        return err_set(err, ERR_IO, "reading %.*s", STR_ARG(path));
    }
    int rc = 0;
    for (struct dirent *entry; rc == 0 && (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        struct stat status;
        struct str child = str_format(&files->arena, "%.*s/%s", STR_ARG(path), entry->d_name);
        if (fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (S_ISREG(status.st_mode))
            rc = load_file(files, fd, entry->d_name, child, err);
        else if (S_ISDIR(status.st_mode)) {
            int child_fd =
                openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            rc = child_fd < 0 ? ERR_IO : load_folder(files, child_fd, child, depth + 1, err);
        }
    }
    closedir(dir);
    return rc;
}

int http_static_load(struct http_static **out, const char *folder, struct err *err)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_NOT_FOUND, "%s: %s", folder, strerror(errno));
    struct http_static *files = calloc(1, sizeof *files);
    ASSERT(files != NULL);
    int rc = load_folder(files, fd, STR_EMPTY, 0, err);
    if (rc == 0 && !http_static_has(files, STR("/index.html")))
        rc = err_set(err, ERR_NOT_FOUND, "%s has no index.html", folder);
    if (rc < 0) {
        http_static_free(files);
        return rc;
    }
    *out = files;
    return 0;
}

void http_static_free(struct http_static *files)
{
    if (files == NULL)
        return;
    map_clear(&files->by_path);
    VEC_CLEAR(&files->files);
    arena_clear(&files->arena);
    free(files);
}

static const struct file *find(const struct http_static *files, struct str path)
{
    uint64_t index;
    if (!map_get_str(&files->by_path, path, &index) ||
        files->files.items[index].forms[FORM_PLAIN].bytes == NULL)
        return NULL;
    return &files->files.items[index];
}

bool http_static_has(const struct http_static *files, struct str path)
{
    return find(files, path) != NULL;
}

static enum form choose_form(const struct http_request *request, const struct file *file)
{
    struct str accepted = http_header(request, "Accept-Encoding");
    if (file->forms[FORM_BROTLI].bytes != NULL && http_accepts(accepted, "br"))
        return FORM_BROTLI;
    if (file->forms[FORM_GZIP].bytes != NULL && http_accepts(accepted, "gzip"))
        return FORM_GZIP;
    return FORM_PLAIN;
}

void http_static_answer(const struct http_static *files, struct http_request *request)
{
    static const char *const ENCODINGS[FORM_COUNT] = { "", "gzip", "br" };
    bool is_asset = str_starts(request->path, "/assets/");
    const struct file *file = find(files, request->path);
    if (file == NULL && is_asset) {
        http_answer_problem(request, 404, "there is no such file; reload the page");
        return;
    }
    if (file == NULL)
        file = find(files, STR("/index.html"));
    enum form form = choose_form(request, file);
    struct str etag = str_format(&request->arena, "%s%s\"", file->etag,
                                 form == FORM_PLAIN ? "" : ENCODINGS[form]);
    http_set_header(request, "ETag", etag);
    http_set_header(request, "Vary", STR("Accept-Encoding"));
    http_set_header(request, "Cache-Control",
                    is_asset ? STR("public, max-age=31536000, immutable") : STR("no-cache"));
    if (form != FORM_PLAIN)
        http_set_header(request, "Content-Encoding", str_of(ENCODINGS[form]));
    if (http_etag_matches(http_header(request, "If-None-Match"), etag))
        http_answer(request, 304, NULL, STR_EMPTY);
    else
        http_answer(request, 200, file->content_type, file->forms[form]);
}
