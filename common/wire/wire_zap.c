// SPDX-License-Identifier: Apache-2.0
/* The ZAP handler (RFC 27): without it CURVE lets any key in. */
#include "common/base/assert.h"
#include "common/wire/wire_inside.h"

#include <errno.h>

enum { FRAMES_MAX = 16, FRAME_SIZE = 256, RAW_KEY_SIZE = 32 };

/* version, request id, domain, address, identity, mechanism, credentials */
enum {
    FRAME_VERSION,
    FRAME_REQUEST,
    FRAME_DOMAIN,
    FRAME_ADDRESS,
    FRAME_IDENTITY,
    FRAME_MECHANISM,
    FRAME_KEY,
    FRAME_COUNT
};

struct request {
    char bytes[FRAMES_MAX][FRAME_SIZE];
    size_t sizes[FRAMES_MAX];
    uint32_t count;
    bool is_bad;
};

static bool receive(void *zap, struct request *request)
{
    int more = 1;
    size_t size = sizeof more;

    memset(request, 0, sizeof *request);
    for (uint32_t i = 0; more; i++) {
        char overflow[FRAME_SIZE];
        int got =
            zmq_recv(zap, i < FRAMES_MAX ? request->bytes[i] : overflow, FRAME_SIZE, ZMQ_DONTWAIT);
        if (got < 0)
            return false;
        request->is_bad |= got > FRAME_SIZE || i >= FRAMES_MAX;
        if (i < FRAMES_MAX) {
            request->sizes[i] = got < FRAME_SIZE ? (size_t)got : FRAME_SIZE;
            request->count = i + 1;
        }
        int rc = zmq_getsockopt(zap, ZMQ_RCVMORE, &more, &size);
        ASSERT(rc == 0);
    }
    return true;
}

static struct str frame(const struct request *request, int index)
{
    return (struct str) { request->bytes[index], request->sizes[index] };
}

static void answer(void *zap, const struct request *request, bool is_admitted, const char *user_id)
{
    (void)zmq_send(zap, "1.0", 3, ZMQ_SNDMORE);
    (void)zmq_send(zap, request->bytes[FRAME_REQUEST], request->sizes[FRAME_REQUEST], ZMQ_SNDMORE);
    (void)zmq_send(zap, is_admitted ? "200" : "400", 3, ZMQ_SNDMORE);
    (void)zmq_send(zap, is_admitted ? "OK" : "no", 2, ZMQ_SNDMORE);
    (void)zmq_send(zap, user_id, strlen(user_id), ZMQ_SNDMORE);
    (void)zmq_send(zap, "", 0, 0);
}

bool wire_zap_take(void *owner)
{
    struct wire *wire = owner;
    struct request request;
    char key[WIRE_KEY_SIZE], identity[WIRE_IDENTITY_SIZE] = "";

    if (!receive(wire->zap->zmq, &request))
        return false;
    bool is_admitted =
        !request.is_bad && request.count == FRAME_COUNT &&
        str_is(frame(&request, FRAME_VERSION), "1.0") &&
        str_is(frame(&request, FRAME_MECHANISM), "CURVE") &&
        request.sizes[FRAME_KEY] == RAW_KEY_SIZE &&
        zmq_z85_encode(key, (const uint8_t *)request.bytes[FRAME_KEY], RAW_KEY_SIZE) != NULL &&
        wire_server_admits(wire, frame(&request, FRAME_DOMAIN), key) &&
        wire_key_identity(key, identity, NULL) == 0;
    answer(wire->zap->zmq, &request, is_admitted, is_admitted ? identity : "");
    return true;
}

int wire_zap_open(struct wire *wire, struct err *err)
{
    if (wire->zap != NULL)
        return 0;
    void *zap = zmq_socket(wire->context, ZMQ_REP);
    if (zap == NULL)
        return wire_error(err, ERR_LIMIT, "making the ZAP handler");
    wire_option(zap, ZMQ_LINGER, 0);
    if (zmq_bind(zap, "inproc://zeromq.zap.01") != 0) {
        int rc = wire_error(err, ERR_INTERNAL, "binding the ZAP handler");
        zmq_close(zap);
        return rc;
    }
    return wire_socket_open(&wire->zap, wire, zap, wire_zap_take, wire, err);
}
