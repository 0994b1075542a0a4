#include "kernel/lib/random.h"

#include "arch/arch.h"
#include "kernel/lib/string.h"

/* ChaCha20 as in RFC 8439, section 2.3: four constant words, eight of the key, a block counter and
 * three words of nonce. */
#define BLOCK_WORDS 16
#define BLOCK_BYTES (BLOCK_WORDS * 4u)
#define KEY_BYTES   32u
#define ROUND_PAIRS 10

#define JITTER_SAMPLES 128

static uint8_t key[KEY_BYTES]; /* under busy */
static uint32_t busy;          /* a lock of its own: lib is below the kernel's locks */

static irq_state_t random_lock(void)
{
    irq_state_t irq = arch_irq_save();
    while (__atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE) != 0)
        arch_cpu_relax();
    return irq;
}

static void random_unlock(irq_state_t irq)
{
    __atomic_store_n(&busy, 0, __ATOMIC_RELEASE);
    arch_irq_restore(irq);
}

static uint32_t rotate_left(uint32_t value, unsigned count)
{
    return value << count | value >> (32 - count);
}

static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *a += *b;
    *d = rotate_left(*d ^ *a, 16);
    *c += *d;
    *b = rotate_left(*b ^ *c, 12);
    *a += *b;
    *d = rotate_left(*d ^ *a, 8);
    *c += *d;
    *b = rotate_left(*b ^ *c, 7);
}

void chacha20_block(const uint8_t block_key[KEY_BYTES], uint32_t counter, const uint32_t nonce[3],
                    uint8_t out[BLOCK_BYTES])
{
    uint32_t start[BLOCK_WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    uint32_t x[BLOCK_WORDS];
    memcpy(&start[4], block_key, KEY_BYTES);
    start[12] = counter;
    memcpy(&start[13], nonce, 12);
    memcpy(x, start, sizeof(x));
    for (int i = 0; i < ROUND_PAIRS; i++) {
        for (int j = 0; j < 4; j++)
            quarter_round(&x[j], &x[j + 4], &x[j + 8], &x[j + 12]);
        for (int j = 0; j < 4; j++)
            quarter_round(&x[j], &x[4 + (j + 1) % 4], &x[8 + (j + 2) % 4], &x[12 + (j + 3) % 4]);
    }
    for (int i = 0; i < BLOCK_WORDS; i++)
        x[i] += start[i];
    memcpy(out, x, BLOCK_BYTES);
}

/* Draws |len_bytes|, at most a block; the next key comes out of the same key and is never given
 * out. Little is taken from what that block has left. */
static void random_draw_locked(uint8_t *out, size_t len_bytes)
{
    static const uint32_t nonce[3];
    uint8_t next[BLOCK_BYTES], block[BLOCK_BYTES];
    const uint8_t *from = next + KEY_BYTES;

    chacha20_block(key, 0, nonce, next);
    if (len_bytes > BLOCK_BYTES - KEY_BYTES) {
        chacha20_block(key, 1, nonce, block);
        from = block;
    }
    memcpy(out, from, len_bytes);
    memcpy(key, next, KEY_BYTES);
}

void random_seed(const void *entropy, size_t len_bytes)
{
    const uint8_t *bytes = entropy;
    irq_state_t irq = random_lock();
    while (len_bytes > 0) {
        size_t count = MIN(len_bytes, (size_t)KEY_BYTES);
        for (size_t i = 0; i < count; i++)
            key[i] ^= bytes[i];
        random_draw_locked(key, 0);
        bytes += count;
        len_bytes -= count;
    }
    random_unlock(irq);
}

void random_seed_jitter(uint64_t (*ticks)(void))
{
    for (unsigned i = 0; i < JITTER_SAMPLES; i++) {
        uint64_t now = ticks();
        random_seed(&now, sizeof(now)); /* is the work that is timed as well */
    }
}

void random_bytes(void *out, size_t len_bytes)
{
    uint8_t *bytes = out;
    uint8_t block[BLOCK_BYTES];
    while (len_bytes > 0) {
        size_t count = MIN(len_bytes, (size_t)BLOCK_BYTES);
        irq_state_t irq = random_lock();
        random_draw_locked(block, count);
        random_unlock(irq);
        memcpy(bytes, block, count);
        bytes += count;
        len_bytes -= count;
    }
}

uint64_t random_u64(void)
{
    uint64_t value;
    random_bytes(&value, sizeof(value));
    return value;
}

uint32_t random_u32(void)
{
    return (uint32_t)random_u64();
}
