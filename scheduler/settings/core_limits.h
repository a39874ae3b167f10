// SPDX-License-Identifier: Apache-2.0
/* core_limits - the limits of a scheduler's core, as the settings say. */
#ifndef HEADRACE_CORE_LIMITS_H
#define HEADRACE_CORE_LIMITS_H

#include "common/conf/conf.h"
#include "scheduler/core/core.h"

struct core_limits core_limits_of(const struct conf *conf);

#endif
