// SPDX-License-Identifier: Apache-2.0
/* rand - reproducible pseudo-random numbers (xoshiro256** by Blackman and Vigna, seeded by
 * splitmix64). Not for secrets. */
#ifndef HEADRACE_RAND_H
#define HEADRACE_RAND_H

#include <stdbool.h>
#include <stdint.h>

struct rand {
    uint64_t s[4];
};

void rand_init(struct rand *rand, uint64_t seed);
uint64_t rand_next(struct rand *rand);
uint64_t rand_below(struct rand *rand, uint64_t bound); /* 0 .. bound-1; bound > 0 */
double rand_real(struct rand *rand);                    /* 0 <= x < 1 */
bool rand_chance(struct rand *rand, double probability);

#endif
