// The parsers of libzx against sound, broken and randomly damaged input. Run under ASan and UBSan:
// input lies at the end of an exactly sized allocation, so that any read past it is reported.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <vdso_constants.h>
#include <zircon/processargs.h>

#include "userland/libzx/procargs.h"

static uint64_t random_state = 1;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

// A copy with some bytes changed and perhaps a shorter end. The caller frees it.
static unsigned char *damaged_copy(const void *from, size_t bytes, size_t *out_bytes)
{
    size_t kept = random_next() % 4 == 0 ? random_next() % (bytes + 1) : bytes;
    unsigned char *copy = malloc(kept == 0 ? 1 : kept);

    assert_non_null(copy);
    memcpy(copy, from, kept);
    for (uint64_t n = random_next() % 4; n > 0 && kept > 0; n--) {
        static const unsigned char edges[] = {0x00, 0xff, 0x7f, 0x80, '0', 'f'};

        copy[random_next() % kept] = random_next() % 2 == 0 ? (unsigned char)random_next()
                                                            : edges[random_next() % sizeof(edges)];
    }
    *out_bytes = kept;
    return copy;
}

// Bootstrap messages.

static size_t message_make(unsigned char *buffer, size_t capacity)
{
    static const uint32_t infos[] = {PA_HND(PA_PROC_SELF, 0), PA_HND(PA_USER0, 3)};
    static const char *const argv[] = {"prog", "", "second"};
    static const char *const envp[] = {"A=1"};
    size_t bytes = 0;

    assert_int_equal(procargs_build(buffer, capacity, infos, 2, argv, 3, envp, 1, &bytes), ZX_OK);
    return bytes;
}

static void test_procargs(void **state)
{
    unsigned char buffer[256];
    size_t bytes = message_make(buffer, sizeof(buffer));
    size_t ignored = 0;
    struct procargs args;

    (void)state;
    assert_int_equal(procargs_parse(buffer, bytes, 2, &args), ZX_OK);
    assert_int_equal(args.args_num, 3);
    assert_int_equal(args.environ_num, 1);
    assert_string_equal((const char *)buffer + args.args_off, "prog");
    assert_string_equal((const char *)buffer + args.environ_off, "A=1");
    assert_int_equal(procargs_handle_info(&args, 1), PA_HND(PA_USER0, 3));

    assert_int_equal(procargs_parse(buffer, bytes, 60, &args), ZX_ERR_INVALID_ARGS);
    assert_int_equal(procargs_parse(buffer, bytes - 1, 2, &args), ZX_ERR_INVALID_ARGS);
    assert_int_equal(procargs_parse(buffer, 35, 0, &args), ZX_ERR_INVALID_ARGS);
    buffer[0] ^= 1;
    assert_int_equal(procargs_parse(buffer, bytes, 2, &args), ZX_ERR_INVALID_ARGS);
    assert_int_equal(
        procargs_build(buffer, 40, NULL, 0, (const char *const[]){"12345"}, 1, NULL, 0, &ignored),
        ZX_ERR_BUFFER_TOO_SMALL);
}

static void test_procargs_damaged(void **state)
{
    unsigned char buffer[256];
    size_t sound_bytes = message_make(buffer, sizeof(buffer));
    unsigned accepted = 0;
    uint64_t sum = 0;

    (void)state;
    for (int round = 0; round < 200000; round++) {
        size_t bytes;
        unsigned char *copy = damaged_copy(buffer, sound_bytes, &bytes);
        struct procargs args;

        if (procargs_parse(copy, bytes, 2, &args) == ZX_OK) {
            const char *string = (const char *)copy + args.args_off;

            accepted++;
            for (uint32_t i = 0; i < args.args_num; i++) {
                string += strlen(string) + 1;
            }
            for (uint32_t i = 0; i < 2; i++) {
                sum += procargs_handle_info(&args, i);
            }
            sum += (uint64_t)(string - (const char *)copy);
        }
        free(copy);
    }
    assert_int_not_equal(accepted, 0);
    assert_int_not_equal(sum, 0);
}

// The clock's multiplier.

static void test_vdso_rate(void **state)
{
    static const uint64_t rates[] = {1,        32768,     1000000,    4000000,   10000000,
                                     24000000, 999999937, 1000000000, 3333333333};

    (void)state;
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        struct vdso_constants c = {0};

        vdso_constants_set_rate(&c, rates[i]);
        assert_in_range(c.ticks_shift, 1, 63);
        // A century at most, and within what a signed 64-bit time can hold.
        for (uint64_t seconds = 1; seconds < 3000000000; seconds = seconds * 7 + 1) {
            uint64_t ticks = seconds * rates[i];
            int64_t ns = vdso_constants_ns(&c, ticks);
            int64_t error = ns - (int64_t)(seconds * 1000000000);

            assert_in_range(error + 2, 0, 2 + seconds / 1000000);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_procargs),
        cmocka_unit_test(test_procargs_damaged),
        cmocka_unit_test(test_vdso_rate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
