// SPDX-License-Identifier: Apache-2.0
#include "scheduler/shell/zones.h"

#include "common/base/map.h"

#include <fcntl.h>
#include <unistd.h>

static struct map known; /* name -> struct zone * */

static int read_file(const char *path, struct arena *arena, struct str *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ERR_NOT_FOUND;
    enum { SIZE_MAX_OF_ZONE = 256 * 1024 };
    char *bytes = arena_alloc(arena, SIZE_MAX_OF_ZONE);
    ssize_t size = read(fd, bytes, SIZE_MAX_OF_ZONE);
    close(fd);
    if (size < 0)
        return ERR_IO;
    *out = (struct str) { bytes, (size_t)size };
    return 0;
}

const struct zone *zones_get(struct str name, struct err *err)
{
    uint64_t found;
    if (map_get_str(&known, name, &found))
        return (const struct zone *)(uintptr_t)found;
    if (!zone_name_is_safe(name)) {
        err_set(err, ERR_INVALID, "'%.*s' is no time zone", STR_ARG(name));
        return NULL;
    }
    struct arena arena = { 0 };
    struct str bytes;
    struct zone *zone = NULL;
    if (read_file(str_format(&arena, "/usr/share/zoneinfo/%.*s", STR_ARG(name)).bytes, &arena,
                  &bytes) < 0)
        err_set(err, ERR_NOT_FOUND, "this host knows no time zone '%.*s'", STR_ARG(name));
    else if (zone_new(bytes, &zone, err) < 0)
        err_wrap(err, ERR_INVALID, "reading the time zone '%.*s'", STR_ARG(name));
    else
        map_put_str(&known, name, (uint64_t)(uintptr_t)zone);
    arena_clear(&arena);
    return zone;
}

void zones_clear(void)
{
    for (uint32_t i = 0; i < known.capacity; i++)
        if (known.slots[i].hash != 0)
            zone_free((struct zone *)(uintptr_t)known.slots[i].value);
    map_clear(&known);
}
