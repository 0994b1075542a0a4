/* The kernel's random numbers: ChaCha20 with a key that is replaced after each use, so that what
 * was drawn cannot be computed from the state that is left. */
#pragma once

#include "kernel/lib/compiler.h"

/* Mixes |len_bytes| bytes into the key; never makes it more predictable. Any context. */
void random_seed(const void *entropy, size_t len_bytes);

/* Mixes in what the clock |ticks| says before and after pieces of work whose duration nobody knows
 * exactly: caches, DRAM refresh, firmware. Little entropy, but there is always some. Boot only. */
void random_seed_jitter(uint64_t (*ticks)(void));

/* Fills |out|. Unpredictable only after enough was mixed in at boot. Any context. */
void random_bytes(void *out, size_t len_bytes);
uint64_t random_u64(void);
uint32_t random_u32(void);

/* The block function itself (RFC 8439, 2.3), for its test. */
void chacha20_block(const uint8_t block_key[32], uint32_t counter, const uint32_t nonce[3],
                    uint8_t out[64]);
