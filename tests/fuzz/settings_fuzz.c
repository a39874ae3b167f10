// SPDX-License-Identifier: Apache-2.0
/* The settings file: any bytes give settings or a located error, never anything else. */
#include "common/base/assert.h"
#include "common/conf/conf.h"

#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static char home[64], path[96];

static void remove_home(void)
{
    unlink(path);
    rmdir(home);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct conf *conf;
    struct err err = { 0 };
    struct conf_item item;

    if (home[0] == 0) {
        snprintf(home, sizeof home, "/tmp/headrace-fuzz-XXXXXX");
        snprintf(path, sizeof path, "%s/headrace.cfg", mkdtemp(home));
        atexit(remove_home);
    }
    FILE *file = fopen(path, "we");
    ASSERT(file != NULL);
    (void)!fwrite(bytes, 1, size, file);
    fclose(file);

    struct conf_source source = { .home = home };
    if (conf_new(&conf, &source, NULL, &err) == 0) {
        for (uint32_t i = 0; conf_item(conf, i, &item); i++)
            ASSERT(item.section.size > 0 && item.key.size > 0);
        conf_free(conf);
    } else {
        ASSERT(err.code < 0 && err.sentence[0] != 0);
    }
    return 0;
}
