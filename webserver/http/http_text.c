// SPDX-License-Identifier: Apache-2.0
#include "webserver/http/http_text.h"

#include <strings.h>

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int http_decode(struct arena *arena, struct str text, bool is_form, struct str *out)
{
    char *bytes = arena_alloc(arena, text.size + 1);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.bytes[i];
        if (c == '%') {
            int high = i + 2 < text.size ? hex(text.bytes[i + 1]) : -1;
            int low = i + 2 < text.size ? hex(text.bytes[i + 2]) : -1;
            if (high < 0 || low < 0)
                return ERR_INVALID;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (is_form && c == '+') {
            c = ' ';
        }
        if (c == 0)
            return ERR_INVALID;
        bytes[size++] = c;
    }
    struct str decoded = { bytes, size };
    if (!str_is_utf8(decoded))
        return ERR_INVALID;
    *out = decoded;
    return 0;
}

int http_decode_segment(struct arena *arena, struct str text, struct str *out)
{
    struct str decoded;
    int rc = http_decode(arena, text, false, &decoded);
    if (rc < 0)
        return rc;
    if (str_find(decoded, '/') >= 0 || str_find(decoded, '\\') >= 0 || str_is(decoded, "..") ||
        str_is(decoded, "."))
        return ERR_INVALID;
    for (size_t i = 0; i < decoded.size; i++)
        if ((unsigned char)decoded.bytes[i] < ' ' || decoded.bytes[i] == 0x7F)
            return ERR_INVALID;
    *out = decoded;
    return 0;
}

int http_form_parse(struct arena *arena, struct str text, struct http_form *out)
{
    struct http_form form = { 0 };
    uint32_t room = 1;
    for (size_t i = 0; i < text.size; i++)
        room += text.bytes[i] == '&';
    if (room > HTTP_FORM_MAX)
        return ERR_INVALID;
    form.pairs = ARENA_ARRAY(arena, struct http_pair, room);
    struct str part;
    while (str_split(&text, '&', &part)) {
        if (part.size == 0)
            continue;
        struct str name;
        (void)str_split(&part, '=', &name);
        struct http_pair *pair = &form.pairs[form.count++];
        int rc = http_decode(arena, name, true, &pair->name);
        if (rc >= 0)
            rc = http_decode(arena, part.bytes == NULL ? STR_EMPTY : part, true, &pair->value);
        if (rc < 0)
            return rc;
    }
    *out = form;
    return 0;
}

struct str http_form_get(const struct http_form *form, const char *name)
{
    for (uint32_t i = 0; i < form->count; i++)
        if (str_is(form->pairs[i].name, name))
            return form->pairs[i].value;
    return (struct str) { NULL, 0 };
}

void http_encode(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.bytes[i];
        bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                        (c >= 'A' && c <= 'Z') || (c != 0 && strchr("-._~", c) != NULL);
        if (is_plain)
            buf_add_byte(out, (char)c);
        else
            buf_printf(out, "%%%02X", c);
    }
}

struct str http_media_type(struct arena *arena, struct str content_type)
{
    struct str type = STR_EMPTY;
    (void)str_split(&content_type, ';', &type);
    type = str_trim(type);
    char *bytes = arena_copy(arena, type.bytes, type.size);
    for (size_t i = 0; i < type.size; i++)
        if (bytes[i] >= 'A' && bytes[i] <= 'Z')
            bytes[i] = (char)(bytes[i] - 'A' + 'a');
    return (struct str) { bytes, type.size };
}

static bool quality_is_zero(struct str options)
{
    struct str option;
    while (str_split(&options, ';', &option)) {
        option = str_trim(option);
        if (option.size < 3 || (option.bytes[0] != 'q' && option.bytes[0] != 'Q') ||
            option.bytes[1] != '=')
            continue;
        double quality = 1;
        if (str_to_real(str_slice(option, 2, option.size), &quality) < 0 || quality <= 0)
            return true;
    }
    return false;
}

static struct str opaque_tag(struct str etag)
{
    etag = str_trim(etag);
    return str_starts(etag, "W/") ? str_slice(etag, 2, etag.size) : etag;
}

bool http_etag_matches(struct str wanted, struct str etag)
{
    struct str part;
    while (wanted.bytes != NULL && str_split(&wanted, ',', &part))
        if (str_eq(opaque_tag(part), opaque_tag(etag)) || str_is(str_trim(part), "*"))
            return true;
    return false;
}

bool http_accepts(struct str accept, const char *word)
{
    struct str part;
    while (accept.bytes != NULL && str_split(&accept, ',', &part)) {
        struct str name;
        (void)str_split(&part, ';', &name);
        name = str_trim(name);
        if (name.size == strlen(word) && strncasecmp(name.bytes, word, name.size) == 0)
            return part.bytes == NULL || !quality_is_zero(part);
    }
    return false;
}
