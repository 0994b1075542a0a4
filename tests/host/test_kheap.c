/* The kernel heap against a list of what is allocated; its accounting; what it must catch. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/vm/kheap.h"
#include "kernel/vm/pmm.h"
#include "tests/host/fake_arch.h"
#include "tests/host/test_random.h"

#define MIB      (1ul << 20)
#define MAX_LIVE 3000

struct object {
    uint8_t *at;
    size_t len_bytes;
    struct kcache *cache; /* NULL: kmalloc */
    uint8_t value;
};
static struct object live[MAX_LIVE];
static unsigned count_live;
static struct kcache *test_caches[5];
static const size_t test_sizes[5] = {1, 24, 160, 513, 4096};
static const size_t test_aligns[5] = {1, 8, 64, 32, 8};

static int boot(void **state)
{
    (void)state;
    fake_boot(16 * MIB);
    for (unsigned i = 0; i < 5; i++)
        test_caches[i] = kcache_create("test", test_sizes[i], test_aligns[i]);
    return 0;
}

static uint64_t heap_pages(void)
{
    struct pmm_stats stats;

    pmm_get_stats(&stats);
    return stats.count_by_kind[PAGE_HEAP];
}

static void add_object(struct object object, bool zeroed, size_t align_bytes)
{
    assert_non_null(object.at);
    assert_int_equal((uintptr_t)object.at % align_bytes, 0);
    for (size_t i = 0; zeroed && i < object.len_bytes; i++)
        assert_int_equal(object.at[i], 0);
    memset(object.at, object.value, object.len_bytes);
    live[count_live++] = object;
}

static void allocate(struct test_random *random)
{
    struct object object = {.value = (uint8_t)test_random_next(random)};
    bool zeroed = test_random_below(random, 2) == 0;

    if (test_random_below(random, 3) == 0) {
        unsigned which = (unsigned)test_random_below(random, 5);
        object.cache = test_caches[which];
        object.len_bytes = test_sizes[which];
        object.at = zeroed ? kcache_zalloc(object.cache) : kcache_alloc(object.cache);
        add_object(object, zeroed, test_aligns[which]);
    } else {
        bool large = test_random_below(random, 30) == 0;
        object.len_bytes = test_random_below(random, large ? 20000 : 2049);
        object.at = zeroed ? kzalloc(object.len_bytes) : kmalloc(object.len_bytes);
        add_object(object, zeroed, object.len_bytes > 2048 ? 4096 : 16);
    }
}

static void release(unsigned index)
{
    struct object object = live[index];

    live[index] = live[--count_live];
    for (size_t i = 0; i < object.len_bytes; i++)
        assert_int_equal(object.at[i], object.value);
    if (object.cache != NULL)
        kcache_free(object.cache, object.at);
    else
        kfree(object.at);
}

static void test_against_model(void **state)
{
    struct test_random random = {777};
    struct kheap_stats stats;
    uint64_t pages_before = heap_pages();

    (void)state;
    for (unsigned i = 0; i < 40000; i++) {
        uint64_t bias = (i / 4000) % 2 == 0 ? 7 : 3;
        if (count_live < MAX_LIVE && test_random_below(&random, 10) < bias)
            allocate(&random);
        else if (count_live > 0)
            release((unsigned)test_random_below(&random, count_live));
        if (i % 1000 == 0) {
            kheap_get_stats(&stats);
            assert_int_equal(stats.count_objects, count_live);
            assert_int_equal(stats.count_pages, heap_pages());
        }
    }
    while (count_live > 0)
        release(count_live - 1);
    kheap_get_stats(&stats);
    assert_int_equal(stats.count_objects, 0);
    assert_int_equal(stats.count_pages, 0);
    assert_int_equal(stats.used_bytes, 0);
    assert_int_equal(heap_pages(), pages_before);
    pmm_check();
}

static void test_sizes_at_the_edges(void **state)
{
    static const size_t sizes[] = {0, 1, 16, 17, 2047, 2048, 2049, 4096, 4097, 1ul << 20};

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(sizes); i++) {
        uint8_t *object = kmalloc(sizes[i]);
        assert_non_null(object);
        memset(object, 1, sizes[i]);
        kfree(object);
    }
    kfree(NULL);
    assert_null(kmalloc(SIZE_MAX));
    assert_null(kmalloc((1ul << 30) + 1));
    assert_null(kzalloc(1ul << 30));
    assert_int_equal(heap_pages(), 0);
}

static void test_failure(void **state)
{
    unsigned n;

    (void)state;
    for (n = 1;; n++) {
        void *object;
        fake_fail_after(n);
        object = kmalloc(100);
        if (!fake_fail_stop()) {
            assert_non_null(object);
            kfree(object);
            break;
        }
        assert_null(object);
        assert_int_equal(heap_pages(), 0);
    }
    assert_true(n > 2);
    fake_fail_after(1);
    assert_null(kmalloc(10000));
    assert_true(fake_fail_stop());
}

static void test_exhaustion(void **state)
{
    void **chain = NULL, **object;
    uint64_t free_before = pmm_count_free();

    (void)state;
    while ((object = kmalloc(1000)) != NULL) {
        *object = chain;
        chain = object;
    }
    assert_null(kmalloc(5000));
    assert_true(pmm_count_free() < 8);
    while (chain != NULL) {
        object = chain;
        chain = *object;
        kfree(object);
    }
    assert_int_equal(pmm_count_free(), free_before);
    pmm_check();
}

static void misuse(void *arg)
{
    char *object = kmalloc(64), *other = kmalloc(64);
    char *cached = kcache_alloc(test_caches[2]);

    switch ((uintptr_t)arg) {
    case 0:
        kfree(object + 1);
        break;
    case 1:
        kcache_free(test_caches[1], cached);
        break;
    case 2:
        kfree((char *)kmalloc(10000) + 64);
        break;
    case 3: /* its whole slab is gone */
        kfree(object);
        kfree(other);
        kfree(object);
        break;
    case 4:
        kfree(object);
        kfree(object);
        break;
    case 5:
        arch_memory_unpoison(object, 128);
        object[64] = 1;
        kfree(object);
        break;
    case 6:
        kfree(object);
        arch_memory_unpoison(object, 64);
        object[33] = 1;
        kfree(kmalloc(64));
        break;
    default:
        kfree(object);
        kfree(other);
        kcache_free(test_caches[2], cached);
        break;
    }
}

static void test_misuse(void **state)
{
    uintptr_t count = 4;

    (void)state;
#ifdef DEBUG
    count = 7;
#endif
    for (uintptr_t i = 0; i < count; i++)
        assert_true(fake_panics(misuse, (void *)i));
    assert_true(fake_runs(misuse, (void *)100));
}

static void *hart_main(void *arg)
{
    struct test_random random = {(uintptr_t)arg + 5};
    uintptr_t *objects[100];
    unsigned count = 0;

    fake_set_hart((unsigned)(uintptr_t)arg);
    for (unsigned i = 0; i < 5000; i++) {
        if (count < 100 && test_random_below(&random, 2) == 0) {
            objects[count] = kmalloc(8 + test_random_below(&random, 500));
            *objects[count] = (uintptr_t)&objects[count];
            count++;
        } else if (count > 0) {
            count--;
            if (*objects[count] != (uintptr_t)&objects[count])
                abort();
            kfree(objects[count]);
        }
    }
    while (count-- > 0)
        kfree(objects[count]);
    return NULL;
}

static void test_harts(void **state)
{
    pthread_t threads[4];

    (void)state;
    for (uintptr_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hart_main, (void *)i), 0);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(heap_pages(), 0);
    pmm_check();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_model), cmocka_unit_test(test_sizes_at_the_edges),
        cmocka_unit_test(test_failure),       cmocka_unit_test(test_exhaustion),
        cmocka_unit_test(test_misuse),        cmocka_unit_test(test_harts),
    };

    return cmocka_run_group_tests_name("kheap", tests, boot, NULL);
}
