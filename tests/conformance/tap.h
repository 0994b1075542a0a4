/* The conformance suite's frame: tests register themselves, run one after the other in this process
 * and report in TAP version 14. A test is one behaviour; after each one the numbers of handles of
 * this process and of free pages must be what they were. */
#pragma once

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <zircon/errors.h>
#include <zircon/process.h>
#include <zircon/status.h>
#include <zircon/syscalls.h>
#include <zircon/types.h>

struct test_case {
    const char *name; /* "family.behaviour" */
    void (*run)(void);
    const char *file;
    int line;
};

/* TEST(vmar, map_rounds_up) { ... } */
#define TEST(family, behaviour)                                                                    \
    static void test_##family##_##behaviour(void);                                                 \
    static const struct test_case case_##family##_##behaviour                                      \
        __attribute__((used, section("test_cases"), aligned(8))) = {                               \
            #family "." #behaviour, test_##family##_##behaviour, __FILE__, __LINE__};              \
    static void test_##family##_##behaviour(void)

/* Notes a failure of the running test; printf-like text follows place. Any thread. */
void test_fail(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether the running test has noted a failure. Any thread. */
bool test_has_failed(void);

/* Ends the running test. Only on the thread that runs it. */
__attribute__((noreturn)) void test_abort(void);

/* Ends the running test as skipped, with a reason. Only on the thread that runs it. */
__attribute__((noreturn)) void test_skip(const char *reason);

/* EXPECT notes a failure and goes on; ASSERT ends the test. The *_OK and *_STATUS forms show
 * statuses by name. */
#define EXPECT(cond)                                                                               \
    do {                                                                                           \
        if (!(cond))                                                                               \
            test_fail(__FILE__, __LINE__, "expected: %s", #cond);                                  \
    } while (0)
#define ASSERT(cond)                                                                               \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            test_fail(__FILE__, __LINE__, "required: %s", #cond);                                  \
            test_abort();                                                                          \
        }                                                                                          \
    } while (0)

bool test_check_status(const char *file, int line, const char *what, zx_status_t got,
                       zx_status_t want);
#define EXPECT_STATUS(call, want) test_check_status(__FILE__, __LINE__, #call, (call), (want))
#define EXPECT_OK(call)           EXPECT_STATUS(call, ZX_OK)
#define ASSERT_STATUS(call, want)                                                                  \
    do {                                                                                           \
        if (!test_check_status(__FILE__, __LINE__, #call, (call), (want)))                         \
            test_abort();                                                                          \
    } while (0)
#define ASSERT_OK(call) ASSERT_STATUS(call, ZX_OK)

/* Marks, for tools/errors_table.py, that the assertion beside it provokes a documented error.
 * Needed only where the assertion does not name call and error itself. */
#define COVERS(call, error)                                                                        \
    do {                                                                                           \
        (void)zx_##call;                                                                           \
        (void)(error);                                                                             \
    } while (0)

bool test_check_equal(const char *file, int line, const char *what, uint64_t got, uint64_t want);
#define EXPECT_EQ(got, want)                                                                       \
    test_check_equal(__FILE__, __LINE__, #got " == " #want, (uint64_t)(got), (uint64_t)(want))
#define ASSERT_EQ(got, want)                                                                       \
    do {                                                                                           \
        if (!EXPECT_EQ(got, want))                                                                 \
            test_abort();                                                                          \
    } while (0)
