// Seeding of the kernel's random numbers: each source counts, and so does each moment at which the
// clock is looked at. A child process for each trial, since all start from the same state.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/lib/random.h"

static uint64_t clock_now;
static uint32_t clock_reads;
static uint32_t late_read = UINT32_MAX; // at this reading the clock is one tick late

// A clock that ticks like a metronome, but for one reading.
static uint64_t ticks(void)
{
    clock_now += 100;
    return clock_now + (clock_reads++ == late_read ? 1 : 0);
}

struct trial {
    const char *seed;
    bool jitter;
    uint32_t late_read;
};

struct drawn {
    uint64_t first;
    uint32_t clock_reads;
};

static struct drawn draw(const struct trial *trial)
{
    int ends[2];
    struct drawn drawn;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        late_read = trial->late_read;
        random_seed(trial->seed, strlen(trial->seed));
        if (trial->jitter) {
            random_seed_jitter(ticks);
        }
        drawn = (struct drawn){random_u64(), clock_reads};
        _exit(write(ends[1], &drawn, sizeof(drawn)) == sizeof(drawn) ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(read(ends[0], &drawn, sizeof(drawn)), sizeof(drawn));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(ends[0]);
    close(ends[1]);
    return drawn;
}

static void test_seeds(void **state)
{
    (void)state;
    const struct trial none = {"", false, UINT32_MAX};
    const struct trial one = {"a", false, UINT32_MAX};
    const struct trial other = {"b", false, UINT32_MAX};
    // Longer than the key: the last byte counts like the first.
    const struct trial long_one = {"0123456789012345678901234567890123456789a", false, UINT32_MAX};
    const struct trial long_other = {"0123456789012345678901234567890123456789b", false,
                                     UINT32_MAX};
    assert_int_equal(draw(&one).first, draw(&one).first);
    assert_int_not_equal(draw(&one).first, draw(&none).first);
    assert_int_not_equal(draw(&one).first, draw(&other).first);
    assert_int_not_equal(draw(&long_one).first, draw(&long_other).first);
    assert_int_equal(draw(&one).clock_reads, 0); // a given seed decides alone
}

static void test_jitter(void **state)
{
    (void)state;
    struct trial trial = {"a", true, UINT32_MAX};
    struct drawn steady = draw(&trial);
    assert_true(steady.clock_reads >= 64);
    assert_int_equal(draw(&trial).first, steady.first);
    uint64_t seen[256];
    uint32_t count = 0;
    for (uint32_t i = 0; i < steady.clock_reads && i < 256; i++) {
        trial.late_read = i;
        seen[count] = draw(&trial).first;
        assert_int_not_equal(seen[count], steady.first);
        for (uint32_t earlier = 0; earlier < count; earlier++) {
            assert_int_not_equal(seen[count], seen[earlier]);
        }
        count++;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_jitter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
