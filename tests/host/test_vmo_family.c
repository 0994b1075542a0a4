/* Families of VMOs against arrays of bytes, where every snapshot is a full copy: random trees of
 * snapshots, slices and references, written through calls and through mappings, cut, zeroed, moved,
 * closed in any order, also from inside copies, with allocations that fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/vm/kheap.h"
#include "kernel/vm/mapping.h"
#include "kernel/vm/pmm.h"
#include "kernel/vm/vmo.h"
#include "tests/host/fake_arch.h"
#include "tests/host/test_random.h"

#define PAGES_MAX 8u
#define BYTES_MAX (PAGES_MAX * PAGE_SIZE_BYTES)
#define VMOS_MAX  12u

/* ---- The model ------------------------------------------------------------------------------ */

/* What VMOs with pages of their own hold. */
struct memory {
    uint8_t bytes[BYTES_MAX];
    uint64_t page_id[PAGES_MAX]; /* 0: absent; equal in two VMOs: they share the page */
    uint64_t size, content;
    unsigned count_users;
    bool resizable;
};

struct member {
    struct vmo *vmo;       /* NULL: free */
    struct memory *memory; /* shared by a source and its aliases */
    uint64_t offset, size; /* what of it a slice shows */
    uint64_t content;
    bool is_slice, resizable;
    struct mapping mapping;
    paddr_t shown[PAGES_MAX];
    bool shown_writable[PAGES_MAX];
};

static struct member members[VMOS_MAX];
static uint64_t next_id = 1;
static struct test_random random_state;
static unsigned depth; /* of copies in progress */

static uint64_t below(uint64_t limit)
{
    return test_random_below(&random_state, limit);
}

static uint64_t size_of(const struct member *m)
{
    return m->is_slice ? m->size : m->memory->size;
}

static uint8_t *bytes_of(const struct member *m)
{
    return m->memory->bytes + m->offset;
}

static bool in_range(const struct member *m, uint64_t offset, uint64_t len_bytes)
{
    return offset <= size_of(m) && len_bytes <= size_of(m) - offset;
}

static bool id_is_shared(const struct memory *memory, unsigned page)
{
    for (unsigned i = 0; i < VMOS_MAX; i++) {
        const struct member *m = &members[i];
        if (m->vmo == NULL || m->memory == memory)
            continue;
        for (unsigned p = 0; p < PAGES_MAX; p++) {
            if (m->memory->page_id[p] == memory->page_id[page])
                return true;
        }
    }
    return false;
}

/* The pages of a range of the memory are there and nobody else's. */
static void model_own(struct memory *memory, uint64_t first, uint64_t end, bool absent_too)
{
    for (uint64_t page = first / PAGE_SIZE_BYTES; first < end && page * PAGE_SIZE_BYTES < end;
         page++) {
        if (memory->page_id[page] == 0 ? absent_too : id_is_shared(memory, (unsigned)page))
            memory->page_id[page] = next_id++;
    }
}

static void model_zero(struct memory *memory, uint64_t first, uint64_t end)
{
    memset(memory->bytes + first, 0, end - first);
    for (uint64_t page = first / PAGE_SIZE_BYTES; page * PAGE_SIZE_BYTES < end; page++) {
        uint64_t at = page * PAGE_SIZE_BYTES;
        if (first <= at && at + PAGE_SIZE_BYTES <= end)
            memory->page_id[page] = 0;
        else
            model_own(memory, at, at + 1, false);
    }
}

/* ---- Mappings that remember ----------------------------------------------------------------- */

static struct member *member_of(struct mapping *mapping)
{
    return container_of(mapping, struct member, mapping);
}

void mapping_unmap_vmo_range_vmo_locked(struct mapping *mapping, uint64_t vmo_offset,
                                        uint64_t len_bytes)
{
    assert_true(mutex_is_held(&mapping->vmo->family->lock));
    for (uint64_t page = 0; page < PAGES_MAX; page++) {
        if (page * PAGE_SIZE_BYTES - vmo_offset < len_bytes)
            member_of(mapping)->shown[page] = 0;
    }
}

void mapping_write_protect_vmo_range_vmo_locked(struct mapping *mapping, uint64_t vmo_offset,
                                                uint64_t len_bytes)
{
    assert_true(mutex_is_held(&mapping->vmo->family->lock));
    for (uint64_t page = 0; page < PAGES_MAX; page++) {
        if (page * PAGE_SIZE_BYTES - vmo_offset < len_bytes)
            member_of(mapping)->shown_writable[page] = false;
    }
}

void mapping_sync_icache_vmo_locked(struct mapping *mapping)
{
    (void)mapping;
}

static zx_status_t fault(struct member *m, uint64_t page, bool write)
{
    struct vmo_page_result result;
    zx_status_t status;

    vmo_lock(m->vmo);
    status = vmo_get_page_locked(m->vmo, page * PAGE_SIZE_BYTES, write, &m->mapping, &result);
    if (status == ZX_OK) {
        assert_true(!write || result.writable);
        m->shown[page] = result.pa;
        m->shown_writable[page] = result.writable;
    }
    vmo_unlock(m->vmo);
    return status;
}

/* ---- Members -------------------------------------------------------------------------------- */

static void member_add(struct member *m, struct vmo *vmo, struct memory *memory)
{
    *m = (struct member){.vmo = vmo, .memory = memory, .size = memory->size};
    memory->count_users++;
    m->mapping.vmo = vmo;
    list_init(&m->mapping.vmo_node);
    vmo_lock(vmo);
    vmo_add_mapping_locked(vmo, &m->mapping);
    vmo_unlock(vmo);
}

static void member_drop(struct member *m)
{
    struct vmo *vmo = m->vmo;

    vmo_lock(vmo);
    vmo_remove_mapping_locked(vmo, &m->mapping);
    vmo_unlock(vmo);
    m->vmo = NULL;
    if (--m->memory->count_users == 0)
        free(m->memory);
    vmo_put(vmo);
}

static struct member *find_free(void)
{
    for (unsigned i = 0; i < VMOS_MAX; i++) {
        if (members[i].vmo == NULL)
            return &members[i];
    }
    return NULL;
}

static struct member *pick(void)
{
    unsigned start = (unsigned)below(VMOS_MAX);

    for (unsigned i = 0; i < VMOS_MAX; i++) {
        if (members[(start + i) % VMOS_MAX].vmo != NULL)
            return &members[(start + i) % VMOS_MAX];
    }
    return NULL;
}

/* ---- Checks --------------------------------------------------------------------------------- */

static uint64_t vmo_pages_now(void)
{
    struct pmm_stats stats;

    pmm_get_stats(&stats);
    return stats.count_by_kind[PAGE_VMO];
}

static uint64_t count_ids(void)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < VMOS_MAX; i++) {
        for (unsigned p = 0; members[i].vmo != NULL && p < PAGES_MAX; p++) {
            uint64_t id = members[i].memory->page_id[p];
            bool seen = id == 0;
            for (unsigned j = 0; j < i && !seen; j++) {
                for (unsigned q = 0; members[j].vmo != NULL && q < PAGES_MAX; q++)
                    seen |= members[j].memory->page_id[q] == id;
            }
            count += !seen;
        }
    }
    return count;
}

/* After a failure pages may be private that need not be: believes the VMOs about that. */
static void relearn_ids(void)
{
    for (unsigned i = 0; i < VMOS_MAX; i++) {
        struct member *m = &members[i];
        struct vmo_page_result result;
        struct vmo *source;
        if (m->vmo == NULL)
            continue;
        source = m->vmo->source != NULL ? m->vmo->source : m->vmo;
        vmo_lock(source);
        for (unsigned p = 0; p < PAGES_MAX; p++) {
            bool present = vmo_peek_page_locked(source, p * PAGE_SIZE_BYTES, &result);
            assert_int_equal(present, m->memory->page_id[p] != 0);
            m->memory->page_id[p] = present ? result.pa | 1ul << 63 : 0;
        }
        vmo_unlock(source);
    }
}

static void check_member(struct member *m)
{
    static uint8_t buffer[BYTES_MAX];

    assert_int_equal(vmo_size_bytes(m->vmo), size_of(m));
    assert_int_equal(vmo_get_stream_size(m->vmo), m->is_slice ? m->content : m->memory->content);
    assert_int_equal(vmo_read_kernel(m->vmo, 0, buffer, size_of(m)), ZX_OK);
    assert_memory_equal(buffer, bytes_of(m), size_of(m));
    vmo_lock(m->vmo);
    for (uint64_t page = 0; page < PAGES_MAX; page++) {
        struct vmo_page_result result;
        bool present = vmo_peek_page_locked(m->vmo, page * PAGE_SIZE_BYTES, &result);
        if (page * PAGE_SIZE_BYTES < size_of(m)) {
            unsigned at = (unsigned)(m->offset / PAGE_SIZE_BYTES + page);
            assert_int_equal(present, m->memory->page_id[at] != 0);
            if (present && depth == 0)
                assert_int_equal(result.writable, !id_is_shared(m->memory, at));
        }
        if (m->shown[page] == 0)
            continue;
        assert_true(page * PAGE_SIZE_BYTES < size_of(m));
        assert_int_equal(m->shown[page], present ? result.pa : page_to_paddr(pmm_zero_page()));
        assert_true(!m->shown_writable[page] || (present && result.writable));
    }
    vmo_unlock(m->vmo);
}

static void check_all(void)
{
    for (unsigned i = 0; i < VMOS_MAX; i++) {
        if (members[i].vmo != NULL)
            check_member(&members[i]);
    }
    if (depth == 0)
        assert_int_equal(vmo_pages_now(), count_ids());
}

/* ---- Steps ---------------------------------------------------------------------------------- */

static void check_failed(zx_status_t status)
{
    assert_int_equal(status, ZX_ERR_NO_MEMORY);
    relearn_ids();
}

static void step_create(void)
{
    struct member *m = find_free();
    uint64_t size = below(BYTES_MAX + 1);
    bool resizable = below(2) == 0;
    struct memory *memory;
    struct vmo *vmo;

    if (m == NULL)
        return;
    if (vmo_create(size, resizable ? ZX_VMO_RESIZABLE : 0, &vmo) != ZX_OK)
        return;
    memory = calloc(1, sizeof(*memory));
    memory->size = round_up(size, PAGE_SIZE_BYTES);
    memory->content = size;
    memory->resizable = resizable;
    member_add(m, vmo, memory);
    m->resizable = resizable;
}

static void step_snapshot(struct member *parent)
{
    struct member *m = find_free();
    uint64_t offset = below(PAGES_MAX) * PAGE_SIZE_BYTES, size = below(BYTES_MAX + 1);
    bool resizable = below(2) == 0;
    struct memory *memory;
    struct vmo *vmo;
    zx_status_t status;

    if (m == NULL)
        return;
    if (below(2) == 0)
        offset = 0;
    status = vmo_create_child(parent->vmo,
                              ZX_VMO_CHILD_SNAPSHOT | (resizable ? ZX_VMO_CHILD_RESIZABLE : 0),
                              offset, size, &vmo);
    if (status != ZX_OK) {
        check_failed(status);
        return;
    }
    memory = calloc(1, sizeof(*memory));
    memory->size = round_up(size, PAGE_SIZE_BYTES);
    memory->content = size;
    memory->resizable = resizable;
    for (uint64_t at = 0; at < memory->size && offset + at < size_of(parent);
         at += PAGE_SIZE_BYTES) {
        memcpy(memory->bytes + at, bytes_of(parent) + offset + at, PAGE_SIZE_BYTES);
        memory->page_id[at / PAGE_SIZE_BYTES] =
            parent->memory->page_id[(parent->offset + offset + at) / PAGE_SIZE_BYTES];
    }
    member_add(m, vmo, memory);
    m->resizable = resizable;
    /* The pages that copies in progress write to were parted. */
    if (depth > 0)
        relearn_ids();
}

static void step_alias(struct member *parent)
{
    struct member *m = find_free();
    bool slice = below(2) == 0;
    uint64_t offset = 0, size = 0;
    struct vmo *vmo;
    zx_status_t status;

    if (m == NULL)
        return;
    if (slice) {
        offset = below(size_of(parent) / PAGE_SIZE_BYTES + 1) * PAGE_SIZE_BYTES;
        size = below(size_of(parent) - offset + 1);
    }
    status = vmo_create_child(parent->vmo, slice ? ZX_VMO_CHILD_SLICE : ZX_VMO_CHILD_REFERENCE,
                              offset, size, &vmo);
    if (slice ? parent->memory->resizable : parent->is_slice) {
        assert_int_equal(status, ZX_ERR_NOT_SUPPORTED);
        return;
    }
    if (status != ZX_OK) {
        check_failed(status);
        return;
    }
    member_add(m, vmo, parent->memory);
    m->is_slice = slice;
    m->resizable = parent->memory->resizable;
    m->offset = parent->offset + offset;
    m->size = slice ? round_up(size, PAGE_SIZE_BYTES) : size_of(parent);
    m->content = slice ? size : parent->content;
}

static void step_write(struct member *m, uint64_t offset, uint64_t len_bytes)
{
    static uint8_t buffer[BYTES_MAX];
    zx_status_t status;

    memset(buffer, (int)below(256), len_bytes);
    status = vmo_write_kernel(m->vmo, offset, buffer, len_bytes);
    if (!in_range(m, offset, len_bytes)) {
        assert_int_equal(status, ZX_ERR_OUT_OF_RANGE);
    } else if (status != ZX_OK) {
        check_failed(status);
    } else {
        memcpy(bytes_of(m) + offset, buffer, len_bytes);
        model_own(m->memory, m->offset + offset, m->offset + offset + len_bytes, true);
    }
}

static void step_zero(struct member *m, uint64_t offset, uint64_t len_bytes)
{
    bool whole = below(2) == 0;
    zx_status_t status;

    if (whole) {
        offset = round_down(offset, PAGE_SIZE_BYTES);
        len_bytes = round_down(len_bytes, PAGE_SIZE_BYTES);
    }
    status = whole ? vmo_decommit(m->vmo, offset, len_bytes) : vmo_zero(m->vmo, offset, len_bytes);
    if (!in_range(m, offset, len_bytes))
        assert_int_equal(status, ZX_ERR_OUT_OF_RANGE);
    else if (status != ZX_OK)
        check_failed(status);
    else if (len_bytes > 0)
        model_zero(m->memory, m->offset + offset, m->offset + offset + len_bytes);
}

static void step_commit(struct member *m, uint64_t offset, uint64_t len_bytes)
{
    zx_status_t status = vmo_commit(m->vmo, offset, len_bytes);

    if (!in_range(m, offset, len_bytes))
        assert_int_equal(status, ZX_ERR_OUT_OF_RANGE);
    else if (status != ZX_OK)
        check_failed(status);
    else if (len_bytes > 0)
        model_own(m->memory, m->offset + offset, m->offset + offset + len_bytes, true);
}

static void step_set_size(struct member *m, uint64_t size)
{
    struct memory *memory = m->memory;
    uint64_t rounded = round_up(size, PAGE_SIZE_BYTES);
    uint64_t low = MIN(memory->content, size);
    uint64_t high = MIN(MAX(memory->content, size), MIN(rounded, memory->size));
    zx_status_t status = vmo_set_size(m->vmo, size);

    if (!m->resizable) {
        assert_int_equal(status, ZX_ERR_UNAVAILABLE);
        return;
    }
    if (status != ZX_OK) {
        /* What is past the content's end may have become zeros. */
        static uint8_t buffer[BYTES_MAX];
        assert_int_equal(status, ZX_ERR_NO_MEMORY);
        assert_int_equal(vmo_read_kernel(m->vmo, 0, buffer, memory->size), ZX_OK);
        assert_memory_equal(buffer, memory->bytes, memory->content);
        memcpy(memory->bytes, buffer, memory->size);
        for (unsigned p = 0; p < PAGES_MAX; p++) {
            struct vmo_page_result result;
            vmo_lock(m->vmo);
            if (!vmo_peek_page_locked(m->vmo, p * PAGE_SIZE_BYTES, &result))
                memory->page_id[p] = 0;
            vmo_unlock(m->vmo);
        }
        relearn_ids();
        return;
    }
    if (low < high)
        model_zero(memory, low, high);
    if (rounded < memory->size)
        model_zero(memory, rounded, memory->size);
    memory->size = rounded;
    memory->content = size;
}

static void step_stream_size(struct member *m, uint64_t size)
{
    uint64_t *content = m->is_slice ? &m->content : &m->memory->content;
    zx_status_t status = vmo_set_stream_size(m->vmo, size);

    if (size > size_of(m)) {
        assert_int_equal(status, ZX_ERR_OUT_OF_RANGE);
    } else if (status != ZX_OK) {
        check_failed(status);
    } else {
        if (size != *content)
            model_zero(m->memory, m->offset + MIN(size, *content), m->offset + MAX(size, *content));
        *content = size;
    }
}

static void step_fault(struct member *m)
{
    uint64_t page = below(PAGES_MAX), offset = page * PAGE_SIZE_BYTES;
    bool write = below(2) == 0;
    zx_status_t status = fault(m, page, write);

    if (offset >= size_of(m)) {
        assert_int_equal(status, ZX_ERR_OUT_OF_RANGE);
    } else if (status != ZX_OK) {
        check_failed(status);
    } else if (write) {
        model_own(m->memory, m->offset + offset, m->offset + offset + 1, true);
    }
}

/* A store that needs no fault. */
static void step_store(struct member *m)
{
    uint64_t page = below(PAGES_MAX), offset = below(PAGE_SIZE_BYTES);
    uint8_t value = (uint8_t)below(256);

    if (m->shown[page] == 0 || !m->shown_writable[page])
        return;
    ((uint8_t *)phys_to_virt(m->shown[page]))[offset] = value;
    bytes_of(m)[page * PAGE_SIZE_BYTES + offset] = value;
}

/* One page, so that a failure changes nothing. */
static void step_transfer(struct member *src, struct member *dst)
{
    uint64_t from = below(PAGES_MAX) * PAGE_SIZE_BYTES, to = below(PAGES_MAX) * PAGE_SIZE_BYTES;
    uint64_t from_page = (src->offset + from) / PAGE_SIZE_BYTES;
    uint64_t to_page = (dst->offset + to) / PAGE_SIZE_BYTES;
    zx_status_t status;

    status = vmo_transfer(dst->vmo, to, PAGE_SIZE_BYTES, src->vmo, from);
    if (!in_range(dst, to, PAGE_SIZE_BYTES) || !in_range(src, from, PAGE_SIZE_BYTES)) {
        assert_int_equal(status, ZX_ERR_OUT_OF_RANGE);
        return;
    }
    if (src->memory == dst->memory && from_page == to_page) {
        assert_int_equal(status, ZX_OK);
        return;
    }
    if (status != ZX_OK) {
        check_failed(status);
        return;
    }
    if (src->memory->page_id[from_page] != 0)
        model_own(src->memory, from_page * PAGE_SIZE_BYTES, from_page * PAGE_SIZE_BYTES + 1, false);
    memcpy(bytes_of(dst) + to, bytes_of(src) + from, PAGE_SIZE_BYTES);
    dst->memory->page_id[to_page] = src->memory->page_id[from_page];
    src->memory->page_id[from_page] = 0;
    memset(bytes_of(src) + from, 0, PAGE_SIZE_BYTES);
}

/* ---- Copies with something going on inside -------------------------------------------------- */

struct inside {
    struct member *m;
    uint64_t offset;
    bool write;
};

/* What others may do in the middle of a copy: relatives come, go and are written. */
static void step_inside(struct member *busy)
{
    struct member *m = pick();
    uint64_t offset = below(BYTES_MAX), len_bytes = below(PAGE_SIZE_BYTES);

    switch (below(4)) {
    case 0:
        step_snapshot(below(2) == 0 ? busy : m);
        break;
    case 1:
        if (m->memory != busy->memory)
            member_drop(m);
        break;
    case 2:
        step_store(m);
        break;
    default:
        if (in_range(m, offset, len_bytes))
            step_write(m, offset, len_bytes);
        break;
    }
}

static zx_status_t in_the_middle(void *ctx, void *at, size_t done_bytes, size_t len_bytes)
{
    struct inside *inside = ctx;
    uint8_t *model = bytes_of(inside->m) + inside->offset + done_bytes;
    uint8_t before[PAGE_SIZE_BYTES];

    memcpy(before, model, len_bytes);
    assert_memory_equal(at, before, len_bytes);
    for (unsigned i = 0; i < 4; i++) {
        step_inside(inside->m);
        relearn_ids();
    }
    if (inside->write) {
        memset(at, 0xc0 + (int)below(16), len_bytes);
        memcpy(model, at, len_bytes);
    } else if (memcmp(at, before, len_bytes) != 0) {
        assert_memory_equal(at, model, len_bytes);
    }
    return ZX_OK;
}

static void step_copy(struct member *m, uint64_t offset, uint64_t len_bytes)
{
    struct inside inside = {m, offset, below(2) == 0};

    if (!in_range(m, offset, len_bytes))
        return;
    depth++;
    if (inside.write) {
        /* So that no page is new to the model in the middle. */
        assert_int_equal(vmo_commit(m->vmo, offset, len_bytes), ZX_OK);
        if (len_bytes > 0)
            model_own(m->memory, m->offset + offset, m->offset + offset + len_bytes, true);
        relearn_ids();
        assert_int_equal(vmo_write(m->vmo, offset, len_bytes, in_the_middle, &inside), ZX_OK);
    } else {
        assert_int_equal(vmo_read(m->vmo, offset, len_bytes, in_the_middle, &inside), ZX_OK);
    }
    depth--;
    relearn_ids();
}

static void step(void)
{
    struct member *m = pick();
    uint64_t offset = below(BYTES_MAX), len_bytes = below(BYTES_MAX / 2);
    bool failing = below(4) == 0;

    if (m == NULL || below(40) == 0) {
        step_create();
        return;
    }
    if (failing) {
        /* Of what would stay half done only one page. */
        len_bytes = below(PAGE_SIZE_BYTES - (offset & PAGE_MASK) + 1);
        fake_fail_after(1 + below(8));
    }
    switch (below(16)) {
    case 0:
        step_snapshot(m);
        break;
    case 1:
        step_alias(m);
        break;
    case 2:
        member_drop(m);
        break;
    case 3:
    case 4:
        step_zero(m, offset, len_bytes);
        break;
    case 5:
        step_commit(m, offset, len_bytes);
        break;
    case 6:
        step_set_size(m, offset);
        break;
    case 7:
        step_stream_size(m, offset);
        break;
    case 8:
    case 9:
        step_fault(m);
        break;
    case 10:
        step_store(m);
        break;
    case 11:
        step_transfer(m, pick());
        break;
    case 12:
        if (!failing)
            step_copy(m, offset, len_bytes);
        break;
    default:
        step_write(m, offset, len_bytes);
        break;
    }
    (void)fake_fail_stop();
}

/* ---- Tests ---------------------------------------------------------------------------------- */

static uint64_t live_objects(void)
{
    struct kheap_stats heap;

    kheap_get_stats(&heap);
    return heap.count_objects;
}

static int boot(void **state)
{
    (void)state;
    fake_boot(32ul << 20);
    vmo_init();
    return 0;
}

static void test_against_copies(void **state)
{
    const char *seed = getenv("SEED"), *steps = getenv("STEPS");
    uint64_t count_steps = steps != NULL ? strtoull(steps, NULL, 0) : 12000;
    uint64_t objects = live_objects();

    (void)state;
    random_state = (struct test_random){seed != NULL ? strtoull(seed, NULL, 0) : 42};
    for (uint64_t i = 0; i < count_steps; i++) {
        step();
        if (i % 4 == 0)
            check_all();
        if (i % 1000 != 999)
            continue;
        for (unsigned j = 0; j < VMOS_MAX; j++) {
            if (members[j].vmo != NULL)
                member_drop(&members[j]);
        }
        assert_int_equal(vmo_pages_now(), 0);
        assert_int_equal(live_objects(), objects);
        pmm_check();
    }
}

/* Thousands of generations, each one's parent closed: no more memory than one of them needs, and
 * the last close frees the whole chain without a deep stack. */
static void test_long_chains(void **state)
{
    uint64_t objects = live_objects(), value = 7, objects_then = 0;
    struct vmo *vmo, *next;

    (void)state;
    assert_int_equal(vmo_create(4 * PAGE_SIZE_BYTES, 0, &vmo), ZX_OK);
    assert_int_equal(vmo_commit(vmo, 0, 4 * PAGE_SIZE_BYTES), ZX_OK);
    for (unsigned i = 0; i < 20000; i++) {
        assert_int_equal(
            vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, 4 * PAGE_SIZE_BYTES, &next), ZX_OK);
        vmo_put(vmo);
        vmo = next;
        assert_int_equal(vmo_write_kernel(vmo, i % 4 * PAGE_SIZE_BYTES, &value, 8), ZX_OK);
        assert_int_equal(vmo_pages_now(), 4);
        if (i == 0)
            objects_then = live_objects();
    }
    assert_int_equal(live_objects(), objects_then);
    assert_int_equal(vmo_count_children(vmo), 0);
    vmo_put(vmo);
    assert_int_equal(vmo_pages_now(), 0);
    assert_int_equal(live_objects(), objects);
}

struct reader {
    struct vmo *mine, *other;
};

/* The page in hand becomes the relative's alone, who then writes to it. */
static zx_status_t part_while_reading(void *ctx, void *at, size_t done_bytes, size_t len_bytes)
{
    const struct reader *reader = ctx;
    uint64_t value = 2, secret = 3;

    assert_int_equal(done_bytes, 0);
    assert_int_equal(len_bytes, 8);
    assert_int_equal(vmo_write_kernel(reader->mine, 0, &value, 8), ZX_OK);
    assert_int_equal(vmo_write_kernel(reader->other, 0, &secret, 8), ZX_OK);
    assert_int_equal(*(const uint64_t *)at, 1);
    return ZX_OK;
}

static void test_readers_see_no_relatives(void **state)
{
    uint64_t value = 1;
    struct vmo *vmo, *child;

    (void)state;
    for (unsigned of_child = 0; of_child < 2; of_child++) {
        assert_int_equal(vmo_create(PAGE_SIZE_BYTES, 0, &vmo), ZX_OK);
        value = 1;
        assert_int_equal(vmo_write_kernel(vmo, 0, &value, 8), ZX_OK);
        assert_int_equal(vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE_SIZE_BYTES, &child),
                         ZX_OK);
        struct reader reader = {of_child ? child : vmo, of_child ? vmo : child};
        assert_int_equal(vmo_read(reader.mine, 0, 8, part_while_reading, &reader), ZX_OK);
        assert_int_equal(vmo_read_kernel(reader.mine, 0, &value, 8), ZX_OK);
        assert_int_equal(value, 2);
        assert_int_equal(vmo_read_kernel(reader.other, 0, &value, 8), ZX_OK);
        assert_int_equal(value, 3);
        vmo_put(vmo);
        vmo_put(child);
        assert_int_equal(vmo_pages_now(), 0);
    }
}

struct watch {
    struct vmo_watcher watcher;
    bool has_children;
    unsigned calls;
};

static void children_changed(struct vmo_watcher *watcher, bool has_children)
{
    struct watch *watch = container_of(watcher, struct watch, watcher);

    assert_int_not_equal(watch->has_children, has_children);
    watch->has_children = has_children;
    watch->calls++;
}

static void test_watcher(void **state)
{
    struct watch watch = {{children_changed}, false, 0};
    struct vmo *vmo, *child, *grandchild, *sibling;

    (void)state;
    assert_int_equal(vmo_create(PAGE_SIZE_BYTES, 0, &vmo), ZX_OK);
    vmo_set_watcher(vmo, &watch.watcher);
    assert_int_equal(vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE_SIZE_BYTES, &child),
                     ZX_OK);
    assert_true(watch.has_children);
    assert_int_equal(vmo_create_child(child, ZX_VMO_CHILD_SLICE, 0, PAGE_SIZE_BYTES, &grandchild),
                     ZX_OK);
    assert_int_equal(vmo_create_child(vmo, ZX_VMO_CHILD_SLICE, 0, PAGE_SIZE_BYTES, &sibling),
                     ZX_OK);
    vmo_put(child);
    vmo_put(sibling);
    assert_true(watch.has_children);
    assert_int_equal(vmo_count_children(vmo), 1);
    vmo_put(grandchild);
    assert_false(watch.has_children);
    assert_int_equal(watch.calls, 2);
    vmo_set_watcher(vmo, NULL);
    vmo_put(vmo);
}

/* Offsets far beyond what anybody uses: the tree's indices are renumbered when they get too big. */
static void test_far_offsets(void **state)
{
    const uint64_t far = round_down(VMO_MAX_SIZE_BYTES, 2) - 2 * PAGE_SIZE_BYTES;
    uint64_t value = 0x1234, back = 0;
    struct vmo *vmo, *child;

    (void)state;
    assert_int_equal(vmo_create(VMO_MAX_SIZE_BYTES, 0, &vmo), ZX_OK);
    for (unsigned i = 0; i < 12; i++) {
        value += i;
        assert_int_equal(vmo_write_kernel(vmo, far, &value, 8), ZX_OK);
        assert_int_equal(vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_RESIZABLE,
                                          far - far % PAGE_SIZE_BYTES, PAGE_SIZE_BYTES, &child),
                         ZX_OK);
        vmo_put(vmo);
        vmo = child;
        assert_int_equal(vmo_set_size(vmo, VMO_MAX_SIZE_BYTES), ZX_OK);
        assert_int_equal(vmo_read_kernel(vmo, far % PAGE_SIZE_BYTES, &back, 8), ZX_OK);
        assert_int_equal(back, value);
        assert_int_equal(vmo_count_committed(vmo, NULL), 1);
    }
    vmo_put(vmo);
    assert_int_equal(vmo_pages_now(), 0);
}

static void test_reclaim(void **state)
{
    uint64_t size = 16 * PAGE_SIZE_BYTES;
    zx_vmo_lock_state_t lock_state;
    struct vmo *vmo[3];

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(vmo_create(size, ZX_VMO_DISCARDABLE, &vmo[i]), ZX_OK);
        assert_int_equal(vmo_commit(vmo[i], 0, size), ZX_OK);
    }
    /* Never locked, or locked: not to be touched. */
    assert_int_equal(vmo_try_lock_contents(vmo[1], 0, size), ZX_OK);
    assert_int_equal(vmo_reclaim(1), 0);
    assert_int_equal(vmo_unlock_contents(vmo[1], 0, size), ZX_OK);
    assert_int_equal(vmo_try_lock_contents(vmo[2], 0, size), ZX_OK);
    assert_int_equal(vmo_unlock_contents(vmo[2], 0, size), ZX_OK);
    /* The one that was unlocked first goes first. */
    assert_int_equal(vmo_reclaim(1), 16);
    assert_int_equal(vmo_pages_now(), 32);
    assert_int_equal(vmo_try_lock_contents(vmo[1], 0, size), ZX_ERR_UNAVAILABLE);
    assert_int_equal(vmo_commit(vmo[1], 0, 1), ZX_ERR_NOT_FOUND);
    assert_int_equal(vmo_lock_contents(vmo[1], 0, size, &lock_state), ZX_OK);
    assert_int_equal(lock_state.discarded_size, size);
    assert_int_equal(vmo_commit(vmo[1], 0, 1), ZX_OK);
    /* An allocation that fails takes what it needs, and the operation goes on. */
    fake_fail_after(1);
    assert_int_equal(vmo_commit(vmo[0], 0, 1), ZX_OK);
    assert_int_equal(vmo_commit(vmo[1], PAGE_SIZE_BYTES, 1), ZX_OK);
    assert_true(fake_fail_stop());
    assert_int_equal(vmo_try_lock_contents(vmo[2], 0, size), ZX_ERR_UNAVAILABLE);
    assert_int_equal(vmo_pages_now(), 18);
    for (unsigned i = 0; i < 3; i++)
        vmo_put(vmo[i]);
    assert_int_equal(vmo_reclaim(1), 0);
    assert_int_equal(vmo_pages_now(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watcher),
        cmocka_unit_test(test_far_offsets),
        cmocka_unit_test(test_long_chains),
        cmocka_unit_test(test_reclaim),
        cmocka_unit_test(test_readers_see_no_relatives),
        cmocka_unit_test(test_against_copies),
    };

    return cmocka_run_group_tests_name("vmo family", tests, boot, NULL);
}
