// SPDX-License-Identifier: Apache-2.0
/* translate - the attempt's spec and result between the model and the warden's own spelling. */
#ifndef HEADRACE_TRANSLATE_H
#define HEADRACE_TRANSLATE_H

#include "common/conf/conf.h"
#include "common/model/spec.h"
#include "worker/warden/warden_protocol.h"

/* Adds what the settings say: variables of our own environment to pass on, the limit of a log. In
 * `arena` and borrowed from `spec`. */
struct warden_task translate_spec(const struct spec *spec, const struct conf *conf,
                                  struct arena *arena);
struct result translate_result(const struct warden_result *result); /* borrows its strings */

#endif
