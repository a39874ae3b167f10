// SPDX-License-Identifier: Apache-2.0
/* message_inside - the parts of messages that the two translating files share. */
#ifndef HEADRACE_MESSAGE_INSIDE_H
#define HEADRACE_MESSAGE_INSIDE_H

#include "common/wire/message.h"

#include <proto/v1/headrace.pb-c.h>

enum { TEXT_MAX = 1024, ERROR_TEXT_MAX = 65536, SPEC_ITEMS_MAX = 100000 };

/* ---- structs to protobuf, in an arena ---- */
ProtobufCBinaryData message_bytes(struct str bytes);
ProtobufCBinaryData message_id(struct id128 id, struct arena *arena);
char *message_text(struct str text, struct arena *arena);
Headrace__V1__Inventory *message_pack_inventory(const struct message_inventory *inventory,
                                                struct arena *arena);
Headrace__V1__Grant *message_pack_grant(const struct message_grant *grant, struct arena *arena);

/* ---- protobuf to structs: views into what protobuf-c has put into the arena ---- */
struct str message_view(ProtobufCBinaryData bytes);
MUST_USE int message_read_id(ProtobufCBinaryData bytes, const char *field, struct id128 *out,
                             struct err *err);
MUST_USE int message_read_text(const char *text, size_t max, const char *field, struct str *out,
                               struct err *err);
MUST_USE int message_read_inventory(const Headrace__V1__Inventory *in, struct arena *arena,
                                    struct message_inventory *out, struct err *err);
MUST_USE int message_read_grant(const Headrace__V1__Grant *in, struct arena *arena,
                                struct message_grant *out, struct err *err);

/* protobuf-c's allocator on an arena with a budget: an answer beyond it is "out of memory", which
 * fails the decoding. */
struct message_budget {
    ProtobufCAllocator allocator;
    struct arena *arena;
    size_t left;
};
void message_budget_init(struct message_budget *budget, struct arena *arena, size_t frame_size);

#endif
