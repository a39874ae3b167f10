// SPDX-License-Identifier: Apache-2.0
/* secret - a value that is never shown: the logger and the settings' listing print stars. A type of
 * its own, so that showing one takes a deliberate `.value`. */
#ifndef HEADRACE_SECRET_H
#define HEADRACE_SECRET_H

#include "common/base/str.h"

struct secret {
    struct str value;
};

#define SECRET_STARS "***"

#endif
