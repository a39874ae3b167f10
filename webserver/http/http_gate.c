// SPDX-License-Identifier: Apache-2.0
#include "webserver/http/http_gate.h"

enum gate_state {
    GATE_METHOD,
    GATE_TARGET,
    GATE_VERSION,
    GATE_LINE_LF,
    GATE_NAME_FIRST,
    GATE_NAME,
    GATE_VALUE,
    GATE_VALUE_LF,
    GATE_END_LF,
    GATE_SIZE,
    GATE_SIZE_LF,
    GATE_DATA,
    GATE_DATA_CR,
    GATE_DATA_LF,
    GATE_LAST_CR,
    GATE_LAST_LF,
    GATE_ENDED,
};

enum { CHUNK_DIGITS_MAX = 8, VERSION_SIZE = 8 }; /* chunks below 4 GiB; "HTTP/1.1" */

void http_gate_init(struct http_gate *gate)
{
    *gate = (struct http_gate) { .state = GATE_METHOD };
}

void http_gate_expect_chunks(struct http_gate *gate)
{
    *gate = (struct http_gate) { .state = GATE_SIZE };
}

bool http_gate_is_idle(const struct http_gate *gate)
{
    return gate->state == GATE_METHOD && gate->method_size == 0;
}

bool http_is_token_byte(unsigned char byte)
{
    if ((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
        (byte >= 'A' && byte <= 'Z'))
        return true;
    return byte != 0 && strchr("!#$%&'*+-.^_`|~", byte) != NULL;
}

static int pass_method(struct http_gate *gate, unsigned char byte)
{
    if (byte == ' ' && gate->method_size > 0) {
        gate->state = GATE_TARGET;
        return 0;
    }
    if (!http_is_token_byte(byte) || ++gate->method_size > HTTP_METHOD_MAX)
        return 400;
    return 0;
}

static int pass_target(struct http_gate *gate, unsigned char byte)
{
    if (byte == ' ' && gate->target_size > 0) {
        gate->state = GATE_VERSION;
        return 0;
    }
    if (byte <= ' ' || byte >= 0x7F)
        return 400;
    return ++gate->target_size > HTTP_TARGET_MAX ? 414 : 0;
}

/* Byte by byte: what speaks another protocol may never send as much as a version has. */
static int pass_version(struct http_gate *gate, unsigned char byte)
{
    static const char FORM[VERSION_SIZE + 1] = "HTTP/0.0";
    if (gate->version_size == VERSION_SIZE) {
        gate->state = GATE_LINE_LF;
        return byte == '\r' ? 0 : 400;
    }
    bool is_digit = byte >= '0' && byte <= '9';
    char wanted = FORM[gate->version_size];
    if (wanted == '0' ? !is_digit : byte != (unsigned char)wanted)
        return 400;
    gate->version[gate->version_size++] = (char)byte;
    if (gate->version_size < VERSION_SIZE)
        return 0;
    return gate->version[5] == '1' && gate->version[7] <= '1' ? 0 : 505;
}

static int pass_name(struct http_gate *gate, unsigned char byte)
{
    bool is_first = gate->state == GATE_NAME_FIRST;
    if (is_first && byte == '\r') {
        gate->state = GATE_END_LF;
        return 0;
    }
    if (is_first && ++gate->header_count > HTTP_HEADERS_MAX)
        return 431;
    if (!is_first && byte == ':') {
        gate->state = GATE_VALUE;
        return 0;
    }
    gate->state = GATE_NAME;
    return http_is_token_byte(byte)
               ? 0
               : 400; /* a blank first is folding, a blank later hides the name */
}

static int pass_value(struct http_gate *gate, unsigned char byte)
{
    if (byte == '\r') {
        gate->state = GATE_VALUE_LF;
        return 0;
    }
    return (byte < ' ' && byte != '\t') || byte == 0x7F ? 400 : 0;
}

static int hex_digit(unsigned char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

static int pass_chunk_size(struct http_gate *gate, unsigned char byte)
{
    if (byte == '\r' && gate->chunk_digits > 0) {
        gate->state = GATE_SIZE_LF;
        return 0;
    }
    int digit = hex_digit(byte);
    if (digit < 0 || ++gate->chunk_digits > CHUNK_DIGITS_MAX)
        return 400;
    gate->chunk_left = gate->chunk_left * 16 + (uint64_t)digit;
    return 0;
}

static int pass_exactly(struct http_gate *gate, unsigned char byte, unsigned char wanted, int next)
{
    gate->state = next;
    return byte == wanted ? 0 : 400;
}

static int pass_data_end(struct http_gate *gate, unsigned char byte)
{
    gate->chunk_digits = 0;
    return pass_exactly(gate, byte, '\n', GATE_SIZE);
}

static int pass_byte(struct http_gate *gate, unsigned char byte)
{
    switch ((enum gate_state)gate->state) {
    case GATE_METHOD:
        return pass_method(gate, byte);
    case GATE_TARGET:
        return pass_target(gate, byte);
    case GATE_VERSION:
        return pass_version(gate, byte);
    case GATE_LINE_LF:
    case GATE_VALUE_LF:
        return pass_exactly(gate, byte, '\n', GATE_NAME_FIRST);
    case GATE_NAME_FIRST:
    case GATE_NAME:
        return pass_name(gate, byte);
    case GATE_VALUE:
        return pass_value(gate, byte);
    case GATE_SIZE:
        return pass_chunk_size(gate, byte);
    case GATE_SIZE_LF:
        return pass_exactly(gate, byte, '\n', gate->chunk_left == 0 ? GATE_LAST_CR : GATE_DATA);
    case GATE_DATA_CR:
        return pass_exactly(gate, byte, '\r', GATE_DATA_LF);
    case GATE_DATA_LF:
        return pass_data_end(gate, byte);
    case GATE_LAST_CR:
        return pass_exactly(gate, byte, '\r', GATE_LAST_LF);
    case GATE_END_LF:
    case GATE_LAST_LF:
        return pass_exactly(gate, byte, '\n', GATE_ENDED);
    case GATE_DATA:
    case GATE_ENDED:
        break;
    }
    return 400;
}

static bool is_header_state(int state)
{
    return state >= GATE_NAME_FIRST && state <= GATE_END_LF;
}

/* The data of a chunk is passed in one step: it may hold anything. */
static size_t skip_data(struct http_gate *gate, size_t available)
{
    size_t size = gate->chunk_left < available ? (size_t)gate->chunk_left : available;
    gate->chunk_left -= size;
    if (gate->chunk_left == 0)
        gate->state = GATE_DATA_CR;
    return size;
}

int http_gate_pass(struct http_gate *gate, struct str bytes, size_t *out_used, bool *out_ended)
{
    size_t at = 0;
    int status = 0;
    while (at < bytes.size && status == 0 && gate->state != GATE_ENDED) {
        if (gate->state == GATE_DATA) {
            at += skip_data(gate, bytes.size - at);
            continue;
        }
        if (is_header_state(gate->state) && ++gate->headers_size > HTTP_HEADERS_SIZE_MAX)
            status = 431;
        else
            status = pass_byte(gate, (unsigned char)bytes.bytes[at]);
        if (status == 0)
            at++;
    }
    *out_used = at;
    *out_ended = gate->state == GATE_ENDED;
    return status;
}
