/* VMOs against an array of bytes, with mappings that only remember what they show. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zircon/syscalls/types.h>

#include "kernel/vm/kheap.h"
#include "kernel/vm/mapping.h"
#include "kernel/vm/pmm.h"
#include "kernel/vm/vmo.h"
#include "tests/host/fake_arch.h"
#include "tests/host/test_random.h"

#define MODEL_PAGES 24u
#define MODEL_BYTES (MODEL_PAGES * PAGE_SIZE_BYTES)

/* ---- Mappings that remember
 * ------------------------------------------------------------------------- */

/* What a mapping would have in its page tables, by page of the VMO. */
struct shown {
    struct mapping mapping;
    paddr_t pa[MODEL_PAGES]; /* 0: nothing */
};

void mapping_unmap_vmo_range_vmo_locked(struct mapping *mapping, uint64_t vmo_offset,
                                        uint64_t len_bytes)
{
    struct shown *shown = container_of(mapping, struct shown, mapping);

    assert_true(mutex_is_held(&mapping->vmo->family->lock));
    assert_true(len_bytes > 0 && ((vmo_offset | len_bytes) & PAGE_MASK) == 0);
    for (uint64_t page = 0; page < MODEL_PAGES; page++) {
        if (page * PAGE_SIZE_BYTES - vmo_offset < len_bytes)
            shown->pa[page] = 0;
    }
}

void mapping_write_protect_vmo_range_vmo_locked(struct mapping *mapping, uint64_t vmo_offset,
                                                uint64_t len_bytes)
{
    mapping_unmap_vmo_range_vmo_locked(mapping, vmo_offset, len_bytes);
}

void mapping_sync_icache_vmo_locked(struct mapping *mapping)
{
    (void)mapping;
}

static void show(struct shown *shown, struct vmo *vmo)
{
    *shown = (struct shown){.mapping = {.vmo = vmo}};
    vmo_get(vmo);
    vmo_lock(vmo);
    vmo_add_mapping_locked(vmo, &shown->mapping);
    vmo_unlock(vmo);
}

static void hide(struct shown *shown)
{
    struct vmo *vmo = shown->mapping.vmo;

    vmo_lock(vmo);
    vmo_remove_mapping_locked(vmo, &shown->mapping);
    vmo_unlock(vmo);
    vmo_put(vmo);
}

/* What a page fault does. */
static zx_status_t fault(struct shown *shown, uint64_t offset, bool write)
{
    struct vmo *vmo = shown->mapping.vmo;
    struct vmo_page_result page;
    zx_status_t status;

    vmo_lock(vmo);
    status = vmo_get_page_locked(vmo, offset, write, &shown->mapping, &page);
    if (status == ZX_OK) {
        assert_true(!write || (page.writable && !page.is_zero_page));
        assert_int_equal(page.is_zero_page, page.page == pmm_zero_page());
        shown->pa[offset / PAGE_SIZE_BYTES] = page.pa;
    }
    vmo_unlock(vmo);
    return status;
}

/* ---- Counts
 * ------------------------------------------------------------------------------------------ */

struct counts {
    uint64_t vmo_pages, objects;
};

static struct counts counts_now(void)
{
    struct pmm_stats pmm;
    struct kheap_stats heap;

    pmm_get_stats(&pmm);
    kheap_get_stats(&heap);
    return (struct counts){pmm.count_by_kind[PAGE_VMO], heap.count_objects};
}

static struct counts counts_at_start;

static int boot(void **state)
{
    (void)state;
    fake_arena_create(16ul << 20);
    pmm_boot_add_bank(FAKE_PHYS_BASE, 16ul << 20);
    if (pmm_boot_reserve(FAKE_PHYS_BASE + (4ul << 20), 5 * PAGE_SIZE_BYTES) != ZX_OK)
        return -1;
    pmm_init();
    kheap_init();
    vmo_init();
    return 0;
}

static int setup(void **state)
{
    (void)state;
    counts_at_start = counts_now();
    return 0;
}

static int teardown(void **state)
{
    struct counts now = counts_now();

    (void)state;
    assert_int_equal(now.vmo_pages, counts_at_start.vmo_pages);
    assert_int_equal(now.objects, counts_at_start.objects);
    pmm_check();
    return 0;
}

/* ---- Model
 * ------------------------------------------------------------------------------------------- */

static uint8_t model[MODEL_BYTES];
static bool committed[MODEL_PAGES];
static uint64_t model_size, model_content;
static struct shown shown[2];
static uint8_t buffer[MODEL_BYTES];

static bool model_in_range(uint64_t offset, uint64_t len_bytes)
{
    return offset <= model_size && len_bytes <= model_size - offset;
}

static void model_zero(uint64_t offset, uint64_t len_bytes)
{
    memset(model + offset, 0, len_bytes);
    for (uint64_t page = 0; page < MODEL_PAGES; page++) {
        uint64_t first = page * PAGE_SIZE_BYTES;
        if (offset <= first && first + PAGE_SIZE_BYTES <= offset + len_bytes)
            committed[page] = false;
    }
}

static void model_commit(uint64_t offset, uint64_t len_bytes)
{
    for (uint64_t at = round_down(offset, PAGE_SIZE_BYTES);
         len_bytes > 0 && at < offset + len_bytes; at += PAGE_SIZE_BYTES)
        committed[at / PAGE_SIZE_BYTES] = true;
}

static void model_set_size(uint64_t size_bytes)
{
    uint64_t rounded = round_up(size_bytes, PAGE_SIZE_BYTES);
    uint64_t low = MIN(model_content, size_bytes), high = MAX(model_content, size_bytes);

    memset(model + low, 0, high - low);
    /* Whole pages between the two are dropped; everything past the size is gone. */
    for (uint64_t page = 0; page < MODEL_PAGES; page++) {
        uint64_t first = page * PAGE_SIZE_BYTES;
        if (first >= rounded || first >= model_size ||
            (low <= first && first + PAGE_SIZE_BYTES <= high))
            committed[page] = false;
    }
    memset(model + rounded, 0, MODEL_BYTES - rounded);
    model_size = rounded;
    model_content = size_bytes;
}

static void check_all(struct vmo *vmo)
{
    uint64_t count = 0;

    assert_int_equal(vmo_size_bytes(vmo), model_size);
    assert_int_equal(vmo->content_size_bytes, model_content);
    assert_int_equal(vmo_read_kernel(vmo, 0, buffer, model_size), ZX_OK);
    assert_memory_equal(buffer, model, model_size);
    vmo_lock(vmo);
    for (uint64_t page = 0; page < MODEL_PAGES; page++) {
        struct vmo_page_result result;
        bool present = vmo_peek_page_locked(vmo, page * PAGE_SIZE_BYTES, &result);
        assert_int_equal(present, committed[page]);
        count += present;
        for (unsigned i = 0; i < 2; i++) {
            /* Whoever maps it sees this very page, or zeros where there is none. */
            if (shown[i].pa[page] == 0)
                continue;
            assert_true(page * PAGE_SIZE_BYTES < model_size);
            assert_int_equal(shown[i].pa[page],
                             present ? result.pa : page_to_paddr(pmm_zero_page()));
        }
    }
    vmo_unlock(vmo);
    assert_int_equal(vmo_count_committed(vmo, NULL), count);
    assert_int_equal(counts_now().vmo_pages, counts_at_start.vmo_pages + count);
}

static void step_write(struct vmo *vmo, uint64_t offset, uint64_t len_bytes, uint8_t value)
{
    bool valid = model_in_range(offset, len_bytes);

    memset(buffer, value, MODEL_BYTES);
    assert_int_equal(vmo_write_kernel(vmo, offset, buffer, len_bytes),
                     valid ? ZX_OK : ZX_ERR_OUT_OF_RANGE);
    if (!valid)
        return;
    memset(model + offset, value, len_bytes);
    model_commit(offset, len_bytes);
}

static void step_fault(uint64_t offset, struct test_random *random)
{
    bool write = test_random_below(random, 2) == 0;
    struct shown *by = &shown[test_random_below(random, 2)];

    if (offset >= model_size) {
        assert_int_equal(fault(by, offset, write), ZX_ERR_OUT_OF_RANGE);
        return;
    }
    assert_int_equal(fault(by, offset, write), ZX_OK);
    if (write) {
        /* And store through the mapping, perhaps past the content's end. */
        uint8_t *at = phys_to_virt(by->pa[offset / PAGE_SIZE_BYTES]);
        at[offset & PAGE_MASK] = 0xee;
        model[offset] = 0xee;
        committed[offset / PAGE_SIZE_BYTES] = true;
    }
}

static void step(struct vmo *vmo, struct test_random *random)
{
    uint64_t offset = test_random_below(random, MODEL_BYTES);
    uint64_t len_bytes = test_random_below(random, MODEL_BYTES / 4);
    uint64_t aligned = round_down(offset, PAGE_SIZE_BYTES);
    uint64_t aligned_len = round_down(len_bytes, PAGE_SIZE_BYTES);
    bool valid = model_in_range(offset, len_bytes);

    switch (test_random_below(random, 8)) {
    case 0:
    case 1:
        step_write(vmo, offset, len_bytes, (uint8_t)test_random_next(random));
        break;
    case 2:
        if (test_random_below(random, 3) == 0) {
            assert_int_equal(vmo_set_size(vmo, offset), ZX_OK);
            model_set_size(offset);
        }
        break;
    case 3:
        assert_int_equal(vmo_commit(vmo, offset, len_bytes), valid ? ZX_OK : ZX_ERR_OUT_OF_RANGE);
        if (valid)
            model_commit(offset, len_bytes);
        break;
    case 4:
        valid = model_in_range(aligned, aligned_len);
        assert_int_equal(vmo_decommit(vmo, aligned, aligned_len),
                         valid ? ZX_OK : ZX_ERR_OUT_OF_RANGE);
        if (valid)
            model_zero(aligned, aligned_len);
        break;
    case 5:
        assert_int_equal(vmo_zero(vmo, offset, len_bytes), valid ? ZX_OK : ZX_ERR_OUT_OF_RANGE);
        if (valid)
            model_zero(offset, len_bytes);
        break;
    default:
        step_fault(offset, random);
        break;
    }
}

static void test_against_model(void **state)
{
    struct test_random random = {31337};

    (void)state;
    for (unsigned round = 0; round < 10; round++) {
        struct vmo *vmo = NULL;
        memset(model, 0, sizeof(model));
        memset(committed, 0, sizeof(committed));
        model_content = test_random_below(&random, MODEL_BYTES);
        model_size = round_up(model_content, PAGE_SIZE_BYTES);
        assert_int_equal(vmo_create(model_content, ZX_VMO_RESIZABLE, &vmo), ZX_OK);
        show(&shown[0], vmo);
        show(&shown[1], vmo);
        for (unsigned i = 0; i < 400; i++) {
            step(vmo, &random);
            check_all(vmo);
        }
        hide(&shown[0]);
        hide(&shown[1]);
        vmo_put(vmo);
    }
}

/* ---- Creation and errors
 * ------------------------------------------------------------------------------ */

static void test_create(void **state)
{
    static const uint64_t sizes[] = {
        0, 1, 4096, 4097, UINT64_MAX - 64 * PAGE_SIZE_BYTES + 1, VMO_MAX_SIZE_BYTES};
    struct vmo *vmo = NULL, *const untouched = NULL;

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(sizes); i++) {
        assert_int_equal(vmo_create(sizes[i], 0, &vmo), ZX_OK);
        assert_int_equal(vmo_size_bytes(vmo), round_up(sizes[i], PAGE_SIZE_BYTES));
        assert_int_equal(vmo->content_size_bytes, sizes[i]);
        assert_false(vmo_is_resizable(vmo));
        assert_int_equal(vmo_set_size(vmo, 0), ZX_ERR_UNAVAILABLE);
        vmo_put(vmo);
    }
    vmo = NULL;
    assert_int_equal(vmo_create(VMO_MAX_SIZE_BYTES + 1, 0, &vmo), ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(vmo_create(UINT64_MAX, 0, &vmo), ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(vmo_create(1, 1, &vmo), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmo_create(1, 32, &vmo), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmo_create(1, ZX_VMO_UNBOUNDED | ZX_VMO_RESIZABLE, &vmo), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmo_create(1, ZX_VMO_TRAP_DIRTY, &vmo), ZX_ERR_NOT_SUPPORTED);
    assert_ptr_equal(vmo, untouched);
}

static void test_sparse(void **state)
{
    const uint64_t size = UINT64_MAX - 64 * PAGE_SIZE_BYTES + 1;
    uint64_t value = 0x1122334455667788ul, back = 1;
    struct vmo *vmo;

    (void)state;
    assert_int_equal(vmo_create(size, ZX_VMO_RESIZABLE, &vmo), ZX_OK);
    assert_int_equal(vmo_write_kernel(vmo, size - 8, &value, 8), ZX_OK);
    assert_int_equal(vmo_write_kernel(vmo, size / 2 - 4, &value, 8), ZX_OK);
    assert_int_equal(vmo_count_committed(vmo, NULL), 3);
    assert_int_equal(vmo_read_kernel(vmo, size - 8, &back, 8), ZX_OK);
    assert_int_equal(back, value);
    assert_int_equal(vmo_read_kernel(vmo, size - 7, &back, 8), ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(vmo_read_kernel(vmo, UINT64_MAX, &back, 8), ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(vmo_read_kernel(vmo, size, &back, 0), ZX_OK);
    assert_int_equal(vmo_read_kernel(vmo, size + 1, &back, 0), ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(vmo_zero(vmo, 4097, size - 4097 - 4), ZX_OK);
    assert_int_equal(vmo_read_kernel(vmo, size - 8, &back, 8), ZX_OK);
    assert_int_equal(back, value & 0xffffffff00000000ul);
    assert_int_equal(vmo_count_committed(vmo, NULL), 1);
    assert_int_equal(vmo_set_size(vmo, UINT64_MAX), ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(vmo_set_size(vmo, VMO_MAX_SIZE_BYTES), ZX_OK);
    assert_int_equal(vmo_decommit(vmo, 0, VMO_MAX_SIZE_BYTES), ZX_OK);
    assert_int_equal(vmo_count_committed(vmo, NULL), 0);
    assert_int_equal(vmo_decommit(vmo, 1, 4096), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmo_decommit(vmo, 4096, 1), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmo_commit(vmo, VMO_MAX_SIZE_BYTES - 1, 1), ZX_OK);
    assert_int_equal(vmo_commit(vmo, VMO_MAX_SIZE_BYTES, 1), ZX_ERR_OUT_OF_RANGE);
    vmo_put(vmo);
}

static void test_name(void **state)
{
    struct vmo *vmo;

    (void)state;
    assert_int_equal(vmo_create(0, 0, &vmo), ZX_OK);
    assert_string_equal(vmo->name, "");
    vmo_set_name(vmo, "0123456789012345678901234567890123456789");
    assert_string_equal(vmo->name, "0123456789012345678901234567890");
    vmo_put(vmo);
}

static void test_physical(void **state)
{
    struct vmo_page_result page;
    struct vmo *vmo = NULL;
    char byte;

    (void)state;
    assert_int_equal(vmo_create_physical(0x10000800, 0x1000, &vmo), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmo_create_physical(0x10000000, 0x800, &vmo), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmo_create_physical(0x10000000, 0, &vmo), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmo_create_physical(UINT64_MAX - 0xfff, 0x2000, &vmo), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmo_create_physical(0x10000000, 0x3000, &vmo), ZX_OK);
    vmo_lock(vmo);
    assert_int_equal(vmo_get_page_locked(vmo, 0x2abc, true, NULL, &page), ZX_OK);
    assert_int_equal(page.pa, 0x10002000);
    assert_null(page.page);
    assert_true(page.writable && !page.is_zero_page);
    assert_int_equal(vmo_get_page_locked(vmo, 0x3000, true, NULL, &page), ZX_ERR_OUT_OF_RANGE);
    assert_false(vmo_peek_page_locked(vmo, 0x3000, &page));
    vmo_unlock(vmo);
    assert_int_equal(vmo_read_kernel(vmo, 0, &byte, 1), ZX_ERR_BAD_STATE);
    assert_int_equal(vmo_write_kernel(vmo, 0x3000, &byte, 1), ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(vmo_decommit(vmo, 0, 0x1000), ZX_ERR_NOT_SUPPORTED);
    assert_int_equal(vmo_zero(vmo, 0, 1), ZX_ERR_NOT_SUPPORTED);
    assert_int_equal(vmo_commit(vmo, 0, 0x3000), ZX_OK);
    assert_int_equal(vmo_count_committed(vmo, NULL), 0);
    vmo_put(vmo);
}

static void test_from_reserved(void **state)
{
    const paddr_t base = FAKE_PHYS_BASE + (4ul << 20);
    uint64_t free_before = pmm_count_free();
    struct vmo *vmo;
    char text[6] = "";

    (void)state;
    strcpy((char *)phys_to_virt(base + 2 * PAGE_SIZE_BYTES - 2), "Beryl");
    assert_int_equal(vmo_create_from_reserved(base, 4 * PAGE_SIZE_BYTES + 9, &vmo), ZX_OK);
    assert_int_equal(vmo_size_bytes(vmo), 5 * PAGE_SIZE_BYTES);
    assert_int_equal(vmo_count_committed(vmo, NULL), 5);
    assert_int_equal(vmo_read_kernel(vmo, 2 * PAGE_SIZE_BYTES - 2, text, 6), ZX_OK);
    assert_string_equal(text, "Beryl");
    assert_int_equal(vmo_decommit(vmo, PAGE_SIZE_BYTES, PAGE_SIZE_BYTES), ZX_OK);
    assert_int_equal(vmo_read_kernel(vmo, 2 * PAGE_SIZE_BYTES - 2, text, 2), ZX_OK);
    assert_int_equal(text[0], 0);
    vmo_put(vmo);
    assert_int_equal(pmm_count_free(), free_before);
    assert_int_equal(vmo_create_from_reserved(base + PAGE_SIZE_BYTES, 5 * PAGE_SIZE_BYTES, &vmo),
                     ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmo_create_from_reserved(base, UINT64_MAX, &vmo), ZX_ERR_INVALID_ARGS);
}

/* ---- Copies without locks
 * ------------------------------------------------------------------------------ */

struct meddle {
    struct vmo *vmo;
    unsigned calls;
};

/* Takes away, in the middle of a copy, the page that is being copied. */
static zx_status_t meddle(void *ctx, void *at, size_t done_bytes, size_t len_bytes)
{
    struct meddle *m = ctx;

    assert_false(mutex_is_held(&m->vmo->family->lock));
    if (m->calls++ == 1)
        assert_int_equal(vmo_set_size(m->vmo, PAGE_SIZE_BYTES), ZX_OK);
    memset(at, (int)done_bytes, len_bytes);
    return m->calls == 3 ? ZX_ERR_STOP : ZX_OK;
}

static zx_status_t stop_second(void *ctx, void *at, size_t done_bytes, size_t len_bytes)
{
    (void)at;
    (void)len_bytes;
    *(size_t *)ctx = done_bytes;
    return done_bytes > 0 ? ZX_ERR_NOT_FOUND : ZX_OK;
}

static void test_copy_holds_no_lock(void **state)
{
    struct meddle m = {0};
    size_t last = 0;

    (void)state;
    assert_int_equal(vmo_create(4 * PAGE_SIZE_BYTES, ZX_VMO_RESIZABLE, &m.vmo), ZX_OK);
    assert_int_equal(vmo_write(m.vmo, 100, 3 * PAGE_SIZE_BYTES, meddle, &m), ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(m.calls, 2);
    assert_int_equal(vmo_count_committed(m.vmo, NULL), 1);
    assert_int_equal(vmo_set_size(m.vmo, 4 * PAGE_SIZE_BYTES), ZX_OK);
    assert_int_equal(vmo_read(m.vmo, 10, PAGE_SIZE_BYTES, stop_second, &last), ZX_ERR_NOT_FOUND);
    assert_int_equal(last, PAGE_SIZE_BYTES - 10);
    vmo_put(m.vmo);
}

/* ---- No memory
 * ------------------------------------------------------------------------------------------ */

/* Each operation, on a VMO of 200 pages with page 3 present: what may fail changes nothing. */
static zx_status_t run_operation(unsigned which, struct vmo *vmo)
{
    struct vmo_page_result page;
    zx_status_t status;
    char byte = 'x';

    switch (which) {
    case 0:
        return vmo_write_kernel(vmo, 150 * PAGE_SIZE_BYTES, &byte, 1);
    case 1:
        return vmo_commit(vmo, 80 * PAGE_SIZE_BYTES, 1);
    case 2:
        vmo_lock(vmo);
        status = vmo_get_page_locked(vmo, 0, true, NULL, &page);
        vmo_unlock(vmo);
        return status;
    default:
        return vmo_commit(vmo, 0, 200 * PAGE_SIZE_BYTES);
    }
}

static void test_no_memory(void **state)
{
    (void)state;
    for (unsigned which = 0; which < 4; which++) {
        unsigned n;
        for (n = 1;; n++) {
            struct vmo *vmo;
            char byte = 'p';
            assert_int_equal(vmo_create(200 * PAGE_SIZE_BYTES, 0, &vmo), ZX_OK);
            assert_int_equal(vmo_write_kernel(vmo, 3 * PAGE_SIZE_BYTES, &byte, 1), ZX_OK);
            struct counts before = counts_now(), after;
            fake_fail_after(n);
            zx_status_t status = run_operation(which, vmo);
            bool failed = fake_fail_stop();
            after = counts_now();
            assert_int_equal(status, failed ? ZX_ERR_NO_MEMORY : ZX_OK);
            if (failed && which != 3) { /* a long commit keeps what it has */
                assert_int_equal(after.vmo_pages, before.vmo_pages);
                assert_int_equal(after.objects, before.objects);
            }
            assert_int_equal(vmo_read_kernel(vmo, 3 * PAGE_SIZE_BYTES, &byte, 1), ZX_OK);
            assert_int_equal(byte, 'p');
            vmo_put(vmo);
            if (!failed)
                break;
        }
        assert_true(n > (which == 0 ? 3u : 1u));
    }
}

static void test_create_no_memory(void **state)
{
    const paddr_t base = FAKE_PHYS_BASE + (4ul << 20);
    struct vmo *vmo = NULL;

    (void)state;
    for (unsigned n = 1; vmo == NULL; n++) {
        struct counts before = counts_now(), after;
        fake_fail_after(n);
        zx_status_t status = vmo_create_from_reserved(base, 5 * PAGE_SIZE_BYTES, &vmo);
        if (!fake_fail_stop()) {
            assert_int_equal(status, ZX_OK);
            break;
        }
        assert_int_equal(status, ZX_ERR_NO_MEMORY);
        assert_null(vmo);
        after = counts_now();
        assert_int_equal(after.objects, before.objects);
    }
    vmo_put(vmo);
    vmo = NULL;
    fake_fail_after(1);
    assert_int_equal(vmo_create(1, 0, &vmo), ZX_ERR_NO_MEMORY);
    assert_int_equal(vmo_create_physical(0, 4096, &vmo), ZX_OK);
    assert_true(fake_fail_stop());
    vmo_put(vmo);
}

/* ---- Several threads
 * ------------------------------------------------------------------------------------- */

struct racer {
    struct vmo *vmo;
    unsigned hart;
};

static void *race(void *arg)
{
    const struct racer *racer = arg;
    struct test_random random = {racer->hart + 1};
    uint64_t word, mine = racer->hart;

    fake_set_hart(racer->hart);
    for (unsigned i = 0; i < 1500; i++) {
        /* Each thread has every fourth page for its writes; sizes and drops are everybody's. */
        uint64_t offset = (test_random_below(&random, 16) * 4 + mine) * PAGE_SIZE_BYTES;
        zx_status_t status;
        switch (test_random_below(&random, 8)) {
        case 0:
            status = vmo_set_size(racer->vmo, test_random_below(&random, 65) * PAGE_SIZE_BYTES);
            break;
        case 1:
            status = vmo_decommit(racer->vmo, offset, PAGE_SIZE_BYTES);
            break;
        case 2:
        case 3:
            status = vmo_read_kernel(racer->vmo, offset, &word, 8);
            if (status == ZX_OK && word != 0 && word != ~mine)
                abort();
            break;
        default:
            word = ~mine;
            status = vmo_write_kernel(racer->vmo, offset, &word, 8);
            break;
        }
        if (status != ZX_OK && status != ZX_ERR_OUT_OF_RANGE)
            abort();
    }
    return NULL;
}

static void test_threads(void **state)
{
    struct racer racers[4];
    pthread_t threads[4];
    struct vmo *vmo;

    (void)state;
    assert_int_equal(vmo_create(64 * PAGE_SIZE_BYTES, ZX_VMO_RESIZABLE, &vmo), ZX_OK);
    for (unsigned i = 0; i < 4; i++) {
        racers[i] = (struct racer){vmo, i};
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    vmo_put(vmo);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_create),        TEST(test_sparse),           TEST(test_name),
        TEST(test_physical),      TEST(test_from_reserved),    TEST(test_copy_holds_no_lock),
        TEST(test_no_memory),     TEST(test_create_no_memory), TEST(test_threads),
        TEST(test_against_model),
    };

    return cmocka_run_group_tests_name("vmo", tests, boot, NULL);
}
