/* Virtual memory objects: a range of bytes backed by pages that come on demand.
 *
 * A VMO knows nothing of handles or user pointers. |lock| is the lock of its family (one VMO and
 * its copy-on-write relatives share it). Pages belong to the VMO by one reference each. */
#pragma once

#include <zircon/errors.h>
#include <zircon/types.h>

#include "kernel/lib/list.h"
#include "kernel/sched/mutex.h"
#include "kernel/sync/refcount.h"
#include "kernel/vm/page_tree.h"

struct page;
struct mapping;

#define VMO_MAX_SIZE_BYTES (UINT64_MAX & ~PAGE_MASK)

enum vmo_kind {
    VMO_PAGED,
    VMO_PHYSICAL, /* a fixed physical range: devices; pages may have no struct page */
};

struct vmo {
    struct refcount refs;
    uint8_t kind;          /* enum vmo_kind */
    uint8_t cache_policy;  /* ZX_CACHE_POLICY_* */
    uint32_t options;      /* ZX_VMO_RESIZABLE | ... as given at creation */
    uint64_t koid;         /* of the object that userland knows; set once by its creator */
    paddr_t physical_base; /* VMO_PHYSICAL */

    struct mutex lock;
    /* Under lock: */
    uint64_t size_bytes;         /* page multiple */
    uint64_t content_size_bytes; /* <= size_bytes */
    struct page_tree pages;
    struct list_node mappings; /* struct mapping.vmo_node */
    uint32_t count_mappings;
    uint32_t count_pins;   /* while there are any, no page leaves the VMO */
    bool zero_page_mapped; /* some mapping may have the shared zero page in its tables */
    char name[32];
};

/* Once, after kheap_init, before the first VMO. */
void vmo_init(void);

/* A paged VMO of |size_bytes| (rounded up; content size is the unrounded one) with the options
 * ZX_VMO_RESIZABLE. Returns one reference in *out. ZX_ERR_INVALID_ARGS: unknown options.
 * ZX_ERR_NOT_SUPPORTED: options not built yet. ZX_ERR_OUT_OF_RANGE: too large. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t vmo_create(uint64_t size_bytes, uint32_t options, struct vmo **out);

/* A VMO over [base, base + size_bytes) of physical memory that is not managed by the pmm, or is
 * reserved for ever; page-aligned. ZX_ERR_INVALID_ARGS, ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t vmo_create_physical(paddr_t base, uint64_t size_bytes, struct vmo **out);

/* A paged VMO made of |count_pages| existing kernel pages at |data| (page-aligned, in RAM), which
 * it takes: the ramdisk and the vDSO. The pages were reserved at boot and are never freed, only
 * dropped. Bytes between size_bytes and the end of the last page show. ZX_ERR_INVALID_ARGS: not
 * reserved RAM. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t vmo_create_from_reserved(paddr_t base, uint64_t size_bytes, struct vmo **out);

/* The family's lock. Sleeps. */
static inline void vmo_lock(struct vmo *vmo)
{
    mutex_lock(&vmo->lock);
}
static inline void vmo_unlock(struct vmo *vmo)
{
    mutex_unlock(&vmo->lock);
}

void vmo_get(struct vmo *vmo);
/* The last put frees the pages; no lock held. */
void vmo_put(struct vmo *vmo);

uint64_t vmo_size_bytes(struct vmo *vmo);
bool vmo_is_resizable(const struct vmo *vmo);

/* Rounds up; growing adds zeros, shrinking unmaps the tail from every mapping on every hart and
 * frees it; content size becomes the exact argument. ZX_ERR_UNAVAILABLE: not resizable.
 * ZX_ERR_OUT_OF_RANGE: too large. Takes the lock. */
MUST_USE zx_status_t vmo_set_size(struct vmo *vmo, uint64_t size_bytes);

/* Copies between the VMO and memory of the kernel or the user. The callback does one piece (inside
 * one page, kernel address |at|); it may sleep and fault: no VM lock is held around it, and the
 * page stays while it runs. Its error ends the copy and is returned. ZX_ERR_OUT_OF_RANGE: [offset,
 * offset + len) leaves the VMO (checked first; nothing copied). ZX_ERR_BAD_STATE: the VMO's memory
 * is not cached. ZX_ERR_NO_MEMORY. */
typedef zx_status_t (*vmo_copy_fn)(void *ctx, void *at, size_t done_bytes, size_t len_bytes);
MUST_USE zx_status_t vmo_read(struct vmo *vmo, uint64_t offset, size_t len_bytes, vmo_copy_fn fn,
                              void *ctx);
MUST_USE zx_status_t vmo_write(struct vmo *vmo, uint64_t offset, size_t len_bytes, vmo_copy_fn fn,
                               void *ctx);
/* The same with a kernel buffer. */
MUST_USE zx_status_t vmo_read_kernel(struct vmo *vmo, uint64_t offset, void *dst, size_t len_bytes);
MUST_USE zx_status_t vmo_write_kernel(struct vmo *vmo, uint64_t offset, const void *src,
                                      size_t len_bytes);

/* Makes every page of the range present (offset and length widened to pages).
 * ZX_ERR_OUT_OF_RANGE, ZX_ERR_NO_MEMORY (pages committed so far stay). */
MUST_USE zx_status_t vmo_commit(struct vmo *vmo, uint64_t offset, uint64_t len_bytes);

/* Drops the pages of a page-aligned range: unmapped everywhere, later reads see zeros.
 * ZX_ERR_INVALID_ARGS: unaligned. ZX_ERR_OUT_OF_RANGE. ZX_ERR_NOT_SUPPORTED: physical.
 * ZX_ERR_BAD_STATE: pinned. */
MUST_USE zx_status_t vmo_decommit(struct vmo *vmo, uint64_t offset, uint64_t len_bytes);

/* Makes the range read as zeros: whole pages are dropped, partial ones cleared.
 * ZX_ERR_OUT_OF_RANGE, ZX_ERR_NO_MEMORY. ZX_ERR_NOT_SUPPORTED: physical. */
MUST_USE zx_status_t vmo_zero(struct vmo *vmo, uint64_t offset, uint64_t len_bytes);

/* Makes every page of the VMO present and keeps it where it is until vmo_unpin: nothing takes pages
 * away, zeroing clears them in place. at[n] becomes the kernel's address of page n; |count_pages|
 * is the VMO's size. The VMO is paged, has no copy-on-write relatives and, with other owners of
 * references, is not resizable. ZX_ERR_NO_MEMORY: there are not that many pages; those committed
 * stay. No lock held. */
MUST_USE zx_status_t vmo_pin(struct vmo *vmo, void **at, uint64_t count_pages);
/* Undoes one vmo_pin. */
void vmo_unpin(struct vmo *vmo);

void vmo_set_name(struct vmo *vmo, const char *name);
uint64_t vmo_count_committed(struct vmo *vmo);

/* What a mapping needs of the VMO at one page; the VMO's lock is held by the caller and the answer
 * holds until it is released. */
struct vmo_page_result {
    paddr_t pa;
    struct page *page; /* NULL for physical VMOs */
    bool writable;     /* may be mapped writable: the page is this VMO's alone */
    bool is_zero_page;
};

/* The page at |offset| for an access: for a write it is made present and private; for a read the
 * zero page stands in for one that is absent. Before a present page takes the place of a zero page,
 * the zero page is unmapped from every mapping except |faulting| (may be NULL), on all harts.
 * ZX_ERR_OUT_OF_RANGE: past the end. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t vmo_get_page_locked(struct vmo *vmo, uint64_t offset, bool write,
                                         const struct mapping *faulting,
                                         struct vmo_page_result *out);

/* The page at |offset| if it is present already (never allocates); false if not. */
bool vmo_peek_page_locked(struct vmo *vmo, uint64_t offset, struct vmo_page_result *out);

/* Removes [offset, offset + len) from the tables of every mapping of this VMO, with shootdown; on
 * return no hart can reach the pages through a user mapping. */
void vmo_unmap_range_locked(struct vmo *vmo, uint64_t offset, uint64_t len_bytes);

/* Called by mappings, lock held. */
void vmo_add_mapping_locked(struct vmo *vmo, struct mapping *mapping);
void vmo_remove_mapping_locked(struct vmo *vmo, struct mapping *mapping);
