// Helpers of the tests that read device trees: loading files from tests/host/dtb (the tests run
// with the root of the tree as their working directory) and a small random generator.
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define DTB_FOLDER "tests/host/dtb/"

// Reads a file into memory of exactly its size, so that the sanitizer sees a read past its end.
// Ends the test program when it is missing. The caller frees it.
static inline uint8_t *dtb_load_path(const char *path, size_t *len_bytes)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "cannot open %s\n", path);
        exit(2);
    }
    fseek(file, 0, SEEK_END);
    *len_bytes = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(*len_bytes);
    if (data == NULL || fread(data, 1, *len_bytes, file) != *len_bytes) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(2);
    }
    fclose(file);
    return data;
}

// The same, by name in DTB_FOLDER.
static inline uint8_t *dtb_load(const char *name, size_t *len_bytes)
{
    char path[256];
    snprintf(path, sizeof(path), "%s%s", DTB_FOLDER, name);
    return dtb_load_path(path, len_bytes);
}

// xorshift64*: the same sequence on every machine.
static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dull;
}

// A number below `limit` (limit > 0).
static inline size_t random_below(uint64_t *state, size_t limit)
{
    return (size_t)(random_next(state) % limit);
}

// A number from the environment, or the default.
static inline uint64_t number_from_env(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL && *text != 0 ? strtoull(text, NULL, 0) : otherwise;
}

static inline void put_be32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

// Damages a tree in a few places: single bits and bytes anywhere, header words, and words of the
// structure replaced by values that mean something there.
static inline void dtb_mutate(uint8_t *blob, size_t len_bytes, uint64_t *random)
{
    static const uint32_t words[] = {0,          1,          2,          3,    4,    9,
                                     0xffffffff, 0x7fffffff, 0x80000000, 0x10, 0x28, 0xfffffffc};
    size_t count = 1 + random_below(random, 4);
    while (count-- > 0) {
        size_t word_at = random_below(random, len_bytes / 4) * 4;
        switch (random_below(random, 8)) {
        case 0:
            blob[random_below(random, len_bytes)] ^= (uint8_t)(1u << random_below(random, 8));
            break;
        case 1:
            blob[random_below(random, len_bytes)] = (uint8_t)random_next(random);
            break;
        case 2: // a header word, by a little
            word_at = 4 + random_below(random, 9) * 4;
            put_be32(blob + word_at, (uint32_t)(blob[word_at + 3] + blob[word_at + 2] * 256 +
                                                random_below(random, 64) - 32));
            break;
        case 3:
            put_be32(blob + word_at, (uint32_t)random_below(random, len_bytes * 2));
            break;
        case 4: { // swap two words
            uint8_t kept[4];
            size_t other = random_below(random, len_bytes / 4) * 4;
            for (int i = 0; i < 4; i++) {
                kept[i] = blob[word_at + (size_t)i];
                blob[word_at + (size_t)i] = blob[other + (size_t)i];
                blob[other + (size_t)i] = kept[i];
            }
            break;
        }
        default:
            put_be32(blob + word_at, words[random_below(random, sizeof(words) / sizeof(*words))]);
            break;
        }
    }
}
