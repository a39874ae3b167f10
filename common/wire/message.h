// SPDX-License-Identifier: Apache-2.0
/* message - what Headrace's processes tell each other, as structs; the bytes (protobuf,
 * proto/v1/headrace.proto) are known to message.c alone.
 *
 * message_unpack trusts nothing: sizes, counts, enums, UTF-8 and presence are checked, and memory
 * is bounded by the frame's size. What it gives lives in the arena. */
#ifndef HEADRACE_MESSAGE_H
#define HEADRACE_MESSAGE_H

#include "common/base/buf.h"
#include "common/base/id.h"
#include "common/model/errand.h"
#include "common/model/machine_load.h"
#include "common/model/record.h"
#include "common/model/spec.h"

enum {
    MESSAGE_VERSION = 1,        /* of what we send */
    MESSAGE_VERSION_LOWEST = 1, /* that we understand: the one of the release before */
    MESSAGE_SIZE_MAX = 4 << 20,
    MESSAGE_ATTEMPTS_MAX = 100000,
    MESSAGE_NOTES_MAX = 10000,
    MESSAGE_WAITING_MAX = 200, /* items that a question may ask for */
    MESSAGE_ERRANDS_MAX = 10000
};

/* The numbers are those of Envelope's oneof. */
enum message_type {
    MESSAGE_HELLO = 10,
    MESSAGE_INVENTORY = 11, /* worker -> scheduler */
    MESSAGE_STARTED = 12,
    MESSAGE_GRANT = 13, /* scheduler -> worker */
    MESSAGE_ACK = 14,
    MESSAGE_KILL = 15,
    MESSAGE_SYNC = 16,
    MESSAGE_RENEWED = 17,
    MESSAGE_DRAIN = 18,
    MESSAGE_STOP = 19,
    MESSAGE_ERRANDS = 20,
    MESSAGE_ERRANDS_DONE = 21, /* worker -> scheduler */
    MESSAGE_SUBSCRIBE = 30,    /* web server -> scheduler */
    MESSAGE_NUDGE = 31,
    MESSAGE_NOTES = 32, /* scheduler -> web server */
    MESSAGE_WHY_QUESTION = 33,
    MESSAGE_WHY_ANSWER = 34,
    MESSAGE_FIGURES_QUESTION = 35,
    MESSAGE_FIGURES_ANSWER = 36,
    MESSAGE_PROBE_QUESTION = 37, /* web server -> scheduler */
    MESSAGE_PROBE_ANSWER = 38,
    MESSAGE_LOG_CHUNK = 40, /* worker -> web server's intake */
    MESSAGE_LOG_ACK = 41,
    MESSAGE_WAITING_QUESTION = 42,
    MESSAGE_WAITING_ANSWER = 43,
};

struct message_attempt {
    struct id128 attempt;
    struct credit credit;
    bool ended;
    struct result result; /* when ended */
};

struct message_inventory {
    struct str name, host, release, queues;
    struct id128 boot;
    uint64_t incarnation;
    int64_t sent_ms;
    uint32_t slots;
    uint64_t next_seq;
    const uint64_t *open_seqs;
    uint32_t open_count;
    const struct message_attempt *attempts;
    uint32_t attempt_count;
    bool leaving;
    struct machine_load load;
};

struct message_grant {
    struct id128 attempt;
    struct credit credit;
    int64_t stamp_ms, credit_ttl_ms, lease_ms;
    struct str dag_id, run_id, task_id;
    int32_t map_index;
    uint16_t try_no;
    uint64_t fence;
    struct spec spec;
};

struct message_note {
    int64_t run_no;
    int32_t dag_no;
    int32_t task; /* -1 = the run itself */
    int32_t map_index;
    uint16_t try_no;
    uint8_t state;
    enum cause cause;
    int64_t at_ms;
};

struct message {
    enum message_type type;
    struct str
        sender; /* who it says it is; the peer's verified identity is given beside the message */
    uint64_t epoch;
    uint64_t message_no; /* set by the socket that sends it */
    union {
        struct {
            uint32_t lowest_version, highest_version;
            struct str program, release;
        } hello;
        struct message_inventory inventory;
        struct {
            struct id128 attempt;
            int64_t started_unix_ms;
        } started;
        struct message_grant grant;
        struct {
            const struct id128 *attempts;
            uint32_t count;
        } ack;
        struct {
            struct id128 attempt;
            enum cause cause;
        } kill;
        struct {
            int64_t stamp_ms, lease_ms;
        } renewed;
        struct {
            bool drain;
        } drain;
        struct {
            const struct errand *items;
            uint32_t count;
        } errands;
        struct {
            const struct errand_answer *answers;
            uint32_t count;
        } errands_done;
        struct {
            uint64_t first_seq;
            const struct message_note *notes;
            uint32_t count;
            bool restarted;
        } notes;
        struct {
            uint64_t question_no;
            int64_t run_no;
            uint32_t task;
            int32_t map_index;
        } why_question;
        struct {
            uint64_t question_no;
            struct str text;
        } why_answer;
        struct {
            uint64_t question_no;
        } figures_question;
        struct {
            uint64_t question_no;
            struct str text;
        } figures_answer;
        struct {
            uint64_t question_no;
            struct str queue, pool; /* empty: any */
            uint32_t limit;
        } waiting_question;
        struct {
            uint64_t question_no;
            struct str text; /* JSON */
        } waiting_answer;
        struct {
            uint64_t question_no;
            struct str connection_id;
            struct str connection; /* JSON */
        } probe_question;
        struct {
            uint64_t question_no;
            bool ok;
            struct str text;
        } probe_answer;
        struct {
            struct id128 attempt;
            int64_t offset;
            struct str content;
            bool complete;
        } log_chunk;
        struct {
            struct id128 attempt;
            int64_t offset;
        } log_ack;
    };
};

const char *message_name(enum message_type type); /* "log_chunk"; "unknown" */

/* The first message of a connection: who we are, and which versions we understand. */
struct message message_hello(struct str program);

/* ERR_UNSUPPORTED, with both sides' versions, when the peer that says this HELLO and we understand
 * no common one. */
MUST_USE int message_hello_check(const struct message *hello, struct err *err);

/* Appends the bytes to `out`. ERR_TOO_LARGE above MESSAGE_SIZE_MAX; `out` is then as before. */
MUST_USE int message_pack(const struct message *message, struct buf *out, struct err *err);

/* ERR_PROTOCOL says what was wrong; ERR_UNSUPPORTED for a version or a kind of message that this
 * release does not know. A HELLO is read whatever its version is: it is there to tell. */
MUST_USE int message_unpack(struct str bytes, struct arena *arena, struct message *out,
                            struct err *err);

/* A spec alone, in the bytes that a GRANT holds: for the worker's journal. */
void message_pack_spec(const struct spec *spec, struct buf *out);
MUST_USE int message_unpack_spec(struct str bytes, struct arena *arena, struct spec *out,
                                 struct err *err);
void message_pack_result(const struct result *result, struct buf *out);
MUST_USE int message_unpack_result(struct str bytes, struct arena *arena, struct result *out,
                                   struct err *err);

#endif
