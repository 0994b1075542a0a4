/* What the tests of address spaces share: one address space made anew for each test on the fake
 * machine, access to its memory with faults resolved, and counts that must come back. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/lib/panic.h"
#include "kernel/vm/aspace.h"
#include "kernel/vm/kheap.h"
#include "kernel/vm/pmm.h"
#include "kernel/vm/vmo.h"
#include "tests/host/fake_arch.h"

#define PAGES(n) ((uint64_t)(n)*PAGE_SIZE_BYTES)

#define R   ZX_VM_PERM_READ
#define W   ZX_VM_PERM_WRITE
#define X   ZX_VM_PERM_EXECUTE
#define RW  (R | W)
#define RX  (R | X)
#define RWX (R | W | X)

#define CAN_RWX (ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE)

struct vm_counts {
    uint64_t vmo_pages, table_pages, objects;
};

static struct aspace *space;
static struct vm_counts counts_before;

static inline struct vm_counts vm_counts_now(void)
{
    struct pmm_stats pmm;
    struct kheap_stats heap;
    pmm_get_stats(&pmm);
    kheap_get_stats(&heap);
    return (struct vm_counts){
        .vmo_pages = pmm.count_by_kind[PAGE_VMO],
        .table_pages = pmm.count_by_kind[PAGE_TABLE],
        .objects = heap.count_objects,
    };
}

static inline void vm_assert_counts(struct vm_counts want)
{
    struct vm_counts now = vm_counts_now();
    assert_int_equal(now.vmo_pages, want.vmo_pages);
    assert_int_equal(now.table_pages, want.table_pages);
    assert_int_equal(now.objects, want.objects);
}

static inline int vm_boot(void **state)
{
    (void)state;
    fake_boot(64ul << 20);
    aspace_init();
    return 0;
}

static inline int vm_setup(void **state)
{
    (void)state;
    fake_set_hart(0);
    counts_before = vm_counts_now();
    return aspace_create(&space) == ZX_OK ? 0 : -1;
}

/* Ends the address space and compares. A test that has done so itself sets |space| to NULL. */
static inline int vm_teardown(void **state)
{
    (void)state;
    if (space != NULL) {
        assert_true(fake_tlb_is_consistent(&space->arch));
        aspace_clear(space);
        fake_leave_aspaces();
        aspace_destroy(space);
        space = NULL;
    }
    vm_assert_counts(counts_before);
    return 0;
}

static inline struct vmo *make_vmo(uint64_t count_pages)
{
    struct vmo *vmo = NULL;
    assert_int_equal(vmo_create(PAGES(count_pages), 0, &vmo), ZX_OK);
    return vmo;
}

static inline struct vmar *make_vmar(struct vmar *parent, uint32_t options, uint64_t offset,
                                     uint64_t size_bytes)
{
    struct vmar *vmar = NULL;
    assert_int_equal(vmar_allocate(parent, options, offset, size_bytes, &vmar), ZX_OK);
    return vmar;
}

/* A child of the root at a fixed place that allows everything. */
static inline struct vmar *make_arena(uint64_t count_pages)
{
    return make_vmar(space->root, CAN_RWX | ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_SPECIFIC,
                     0x40000000ul - USER_BASE, PAGES(count_pages));
}

static inline zx_status_t try_map(struct vmar *vmar, uint32_t options, uint64_t vmar_offset,
                                  struct vmo *vmo, uint64_t vmo_offset, uint64_t len_bytes,
                                  vaddr_t *out)
{
    struct vmar_map_args args = {
        .options = options,
        .vmar_offset = vmar_offset,
        .vmo = vmo,
        .vmo_offset = vmo_offset,
        .len_bytes = len_bytes,
        .max_perms = RWX,
    };
    return vmar_map(vmar, &args, out);
}

/* Maps pages [vmo_page, + count) at page |at| of the VMAR. */
static inline vaddr_t map_pages(struct vmar *vmar, uint32_t options, uint64_t at, struct vmo *vmo,
                                uint64_t vmo_page, uint64_t count)
{
    vaddr_t addr = 0;
    assert_int_equal(try_map(vmar, options | ZX_VM_SPECIFIC, PAGES(at), vmo, PAGES(vmo_page),
                             PAGES(count), &addr),
                     ZX_OK);
    assert_int_equal(addr, vmar->region.base + PAGES(at));
    return addr;
}

/* As a user thread on this hart: the access, with its faults resolved, until it works or the fault
 * handler gives up. */
static inline zx_status_t user_access(vaddr_t va, uint32_t access, uint8_t *byte)
{
    for (int try = 0; try < 3; try++) {
        zx_status_t status;
        bool done = access == R   ? fake_user_read(&space->arch, va, byte)
                    : access == W ? fake_user_write(&space->arch, va, *byte)
                                  : fake_user_exec(&space->arch, va);
        if (done)
            return ZX_OK;
        status = aspace_fault(space, va, access);
        if (status != ZX_OK)
            return status;
    }
    return ZX_ERR_INTERNAL; /* resolved, but the access still faults */
}

static inline zx_status_t user_write(vaddr_t va, uint8_t byte)
{
    return user_access(va, W, &byte);
}

static inline zx_status_t user_touch(vaddr_t va)
{
    uint8_t byte;
    return user_access(va, R, &byte);
}

static inline zx_status_t user_exec(vaddr_t va)
{
    return user_access(va, X, NULL);
}

static inline void assert_byte(vaddr_t va, uint8_t want)
{
    uint8_t byte = (uint8_t)~want;
    assert_int_equal(user_access(va, R, &byte), ZX_OK);
    assert_int_equal(byte, want);
}

/* The address space as text-free facts, to compare before and after. */
#define SNAPSHOT_MAX 64
struct snapshot {
    size_t count;
    struct aspace_walk_entry entries[SNAPSHOT_MAX];
};

static inline void snapshot_add(void *ctx, const struct aspace_walk_entry *entry)
{
    struct snapshot *snapshot = ctx;
    if (snapshot->count < SNAPSHOT_MAX)
        snapshot->entries[snapshot->count] = *entry;
    snapshot->count++;
}

static inline struct snapshot take_snapshot(void)
{
    struct snapshot snapshot = {.count = 0};
    assert_int_equal(aspace_walk(space, snapshot_add, &snapshot), ZX_OK);
    assert_true(snapshot.count <= SNAPSHOT_MAX);
    return snapshot;
}

static inline void assert_same_snapshot(const struct snapshot *a, const struct snapshot *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const struct aspace_walk_entry *x = &a->entries[i], *y = &b->entries[i];
        assert_int_equal(x->base, y->base);
        assert_int_equal(x->size_bytes, y->size_bytes);
        assert_int_equal(x->depth, y->depth);
        assert_int_equal(x->is_vmar, y->is_vmar);
        assert_int_equal(x->perms, y->perms);
        assert_int_equal(x->vmo_offset, y->vmo_offset);
    }
}

/* One mapping of a snapshot: pages of the arena, permissions, VMO page. */
static inline void assert_mapping(const struct snapshot *snapshot, size_t i, vaddr_t base,
                                  uint64_t count_pages, uint32_t perms, uint64_t vmo_page)
{
    const struct aspace_walk_entry *entry = &snapshot->entries[i];
    assert_true(i < snapshot->count);
    assert_false(entry->is_vmar);
    assert_int_equal(entry->base, base);
    assert_int_equal(entry->size_bytes, PAGES(count_pages));
    assert_int_equal(entry->perms, perms);
    assert_int_equal(entry->vmo_offset, PAGES(vmo_page));
}
