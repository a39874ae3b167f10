// SPDX-License-Identifier: Apache-2.0
/* replay - main() of a fuzz target outside of a fuzzer: feeds it every file of the folders named on
 * the command line, the empty input, each file's halves, and each file with single bytes changed,
 * so that a corpus is worth more than its files. Exit 1 when a folder cannot be read or holds
 * nothing; a fault of the target ends the process by itself. */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The copy has exactly the input's size, so that a sanitizer sees each read beyond its end. */
static void feed(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, bytes, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void feed_variants(uint8_t *bytes, size_t size)
{
    enum { CHANGES = 64 };
    static const uint8_t odd[] = { 0, 0xFF, '{', '}', '"', '\n', 0x80, '9', ':', '-' };
    feed(bytes, size);
    feed(bytes, size / 2);
    feed(bytes + size / 2, size - size / 2);
    size_t step = size / CHANGES + 1;
    for (size_t i = 0; i < size; i += step) {
        uint8_t before = bytes[i];
        bytes[i] = odd[i % sizeof odd];
        feed(bytes, size);
        bytes[i] = before;
    }
}

static int feed_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat info;
    if (file == NULL || fstat(fileno(file), &info) != 0) {
        perror(path);
        if (file != NULL)
            fclose(file);
        return 0;
    }
    size_t size = (size_t)info.st_size;
    uint8_t *bytes = malloc(size == 0 ? 1 : size);
    if (bytes == NULL || fread(bytes, 1, size, file) != size)
        abort();
    fclose(file);
    feed_variants(bytes, size);
    free(bytes);
    return 1;
}

static int feed_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        perror(folder);
        return 0;
    }
    int fed = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        fed += feed_file(path);
    }
    closedir(dir);
    return fed;
}

int main(int argc, char **argv)
{
    int bad = 0;
    feed(NULL, 0);
    for (int i = 1; i < argc; i++) {
        int fed = feed_folder(argv[i]);
        printf("%s: %d files\n", argv[i], fed);
        bad |= fed == 0;
    }
    return bad;
}
