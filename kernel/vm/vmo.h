/* Virtual memory objects: a range of bytes backed by pages that come on demand.
 *
 * A VMO knows nothing of handles or user pointers. Copy-on-write relatives share pages and
 * therefore one lock, that of their family. A slice or a reference (an alias) has no pages: it
 * shows those of its source, which is never an alias itself. See docs/memory.md. */
#pragma once

#include <zircon/errors.h>
#include <zircon/syscalls/types.h>
#include <zircon/types.h>

#include "kernel/lib/list.h"
#include "kernel/sched/mutex.h"
#include "kernel/sync/refcount.h"
#include "kernel/vm/page_tree.h"

struct page;
struct mapping;
struct vmo;

/* The largest that Zircon has. */
#define VMO_MAX_SIZE_BYTES (UINT64_MAX - 64 * PAGE_SIZE_BYTES + 1)

enum vmo_kind {
    VMO_PAGED,
    VMO_PHYSICAL, /* a fixed physical range: devices; pages may have no struct page */
};

struct vmo_family {
    struct refcount refs; /* one a member */
    struct mutex lock;    /* rank VMO */
    /* Under lock: */
    struct list_node copies;  /* struct vmo_copy.node: copies that use a page without the lock */
    struct list_node members; /* struct vmo.member_node: those in use that have pages */
};

/* Somebody who wants to know whether a VMO has children. Called when that changes, with spinlocks
 * held; the calls come in the order of the changes. */
struct vmo_watcher {
    void (*children_changed)(struct vmo_watcher *watcher, bool has_children);
};

struct vmo {
    struct refcount refs; /* users: objects, mappings, aliases; with the last one the pages go */
    struct refcount
        links;          /* its own, until it is resolved; one a child: with the last one it goes */
    uint8_t kind;       /* enum vmo_kind */
    bool is_contiguous; /* its pages are one run of memory and stay */
    bool is_snapshot;   /* a copy-on-write child */
    bool is_reference;  /* an alias of all of its source, whatever its size becomes */
    bool is_frozen;     /* shared by all: not even zx_process_write_memory changes it */
    bool is_immutable;  /* a snapshot made with ZX_VMO_CHILD_NO_WRITE; set by its creator */
    uint32_t options;   /* ZX_VMO_RESIZABLE | ... as given at creation */
    uint64_t koid;      /* of the object that userland knows; set once by its creator */
    uint64_t serial;    /* its own among all VMOs that there ever were */
    paddr_t physical_base; /* VMO_PHYSICAL */
    struct vmo_family *family;
    struct vmo *source;     /* of an alias: a user reference; NULL: not an alias */
    uint64_t source_offset; /* page-aligned */

    struct spinlock children_lock; /* rank PAIR: outside all VM locks */
    uint32_t count_children;       /* under children_lock */
    struct vmo_watcher *watcher;   /* under children_lock; NULL: nobody */

    /* Under the family's lock: */
    struct vmo *parent;          /* a link, or NULL */
    uint64_t parent_koid;        /* of the parent at birth */
    struct list_node children;   /* struct vmo.child_node */
    struct list_node child_node; /* in parent->children */
    bool is_closed;              /* no users are left */
    bool is_resolved;            /* and nobody in the tree needs it */
    uint8_t cache_policy;        /* ZX_CACHE_POLICY_* */
    uint64_t size_bytes;         /* page multiple */
    uint64_t content_size_bytes; /* <= size_bytes */
    struct page_tree pages;
    uint64_t bias;             /* page n of the VMO is page n + bias of the tree */
    struct list_node aliases;  /* struct vmo.alias_node */
    struct list_node mappings; /* struct mapping.vmo_node */
    uint32_t count_mappings;
    uint32_t count_pins;   /* while there are any, no page leaves the VMO */
    bool zero_page_mapped; /* some mapping may have the shared zero page in its tables */
    bool is_discarded;     /* VMO_DISCARDABLE: the pages were taken away; cleared by locking */
    uint32_t count_locks;  /* VMO_DISCARDABLE */
    struct list_node alias_node;   /* in source->aliases */
    struct list_node discard_node; /* in the list of those that may be discarded, if they are */
    struct list_node member_node;  /* in family->members, unless it is an alias */
    char name[32];
};

/* Once, after kheap_init, before the first VMO. */
void vmo_init(void);

/* ---- Life ----------------------------------------------------------------------------------- */

/* A paged VMO of |size_bytes| (rounded up; content size is the unrounded one) with the options
 * ZX_VMO_RESIZABLE, ZX_VMO_DISCARDABLE, ZX_VMO_UNBOUNDED (as large as can be). Returns one
 * reference in *out. ZX_ERR_INVALID_ARGS: unknown options. ZX_ERR_NOT_SUPPORTED: ZX_VMO_TRAP_DIRTY.
 * ZX_ERR_OUT_OF_RANGE: too large. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t vmo_create(uint64_t size_bytes, uint32_t options, struct vmo **out);

/* A paged VMO of |size_bytes| (rounded up, not 0) whose zeroed pages are one run of memory, aligned
 * to 2^align_log2 bytes; they can't be taken away. ZX_ERR_INVALID_ARGS: size 0, align_log2 >= 64.
 * ZX_ERR_OUT_OF_RANGE: too large. ZX_ERR_NO_MEMORY: also when there is no such run. */
MUST_USE zx_status_t vmo_create_contiguous(uint64_t size_bytes, unsigned align_log2,
                                           struct vmo **out);

/* A VMO over [base, base + size_bytes) of physical memory that is not managed by the pmm, or is
 * reserved for ever; page-aligned. ZX_ERR_INVALID_ARGS, ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t vmo_create_physical(paddr_t base, uint64_t size_bytes, struct vmo **out);

/* A paged VMO made of |count_pages| existing kernel pages at |data| (page-aligned, in RAM), which
 * it takes: the ramdisk and the vDSO. The pages were reserved at boot and are never freed, only
 * dropped. Bytes between size_bytes and the end of the last page show. It is frozen.
 * ZX_ERR_INVALID_ARGS: not reserved RAM. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t vmo_create_from_reserved(paddr_t base, uint64_t size_bytes, struct vmo **out);

/* A child with the ZX_VMO_CHILD_* |options|. Returns one reference in *out. The errors, in order:
 * ZX_ERR_OUT_OF_RANGE: size too large. ZX_ERR_INVALID_ARGS: unknown options, not exactly one kind,
 * RESIZABLE with SLICE or NO_WRITE, offset unaligned, offset or size of a reference not 0.
 * ZX_ERR_NOT_SUPPORTED: discardable; a snapshot or reference of physical memory; a slice of what is
 * resizable, if it does not leave it; a reference to a slice or to contiguous memory; a resizable
 * reference to what is not. INVALID_ARGS: a snapshot of contiguous memory. OUT_OF_RANGE: offset +
 * size too large, but for slices. INVALID_ARGS: a slice that leaves the parent. ZX_ERR_BAD_STATE: a
 * snapshot of memory that is not cached. ZX_ERR_NO_MEMORY. When a snapshot is there no hart can
 * write to a shared page any more. Takes the lock. */
MUST_USE zx_status_t vmo_create_child(struct vmo *vmo, uint32_t options, uint64_t offset,
                                      uint64_t size_bytes, struct vmo **out);

void vmo_get(struct vmo *vmo);
/* The last put frees the pages; no lock held. */
void vmo_put(struct vmo *vmo);

/* The family's lock. Sleeps. */
static inline void vmo_lock(struct vmo *vmo)
{
    mutex_lock(&vmo->family->lock);
}
static inline void vmo_unlock(struct vmo *vmo)
{
    mutex_unlock(&vmo->family->lock);
}

/* ---- Facts ---------------------------------------------------------------------------------- */

/* Says from now on to |watcher|, or with NULL to nobody, when children come and go; told at once
 * if there are any. On return the old watcher is not being called. No VM lock held. */
void vmo_set_watcher(struct vmo *vmo, struct vmo_watcher *watcher);
uint32_t vmo_count_children(struct vmo *vmo);

uint64_t vmo_size_bytes(struct vmo *vmo);
bool vmo_is_resizable(const struct vmo *vmo);
bool vmo_is_discardable(const struct vmo *vmo);

/* Rounds up; growing adds zeros, shrinking unmaps the tail from every mapping on every hart and
 * frees it; content size becomes the exact argument. ZX_ERR_UNAVAILABLE: not resizable.
 * ZX_ERR_OUT_OF_RANGE: too large. ZX_ERR_NO_MEMORY: nothing changed but what is past the content's
 * end. Takes the lock. */
MUST_USE zx_status_t vmo_set_size(struct vmo *vmo, uint64_t size_bytes);

/* Bytes of meaning in the VMO, <= its size. Take the lock. */
uint64_t vmo_get_stream_size(struct vmo *vmo);
/* Sets them; the bytes between the old and the new value become zero. ZX_ERR_OUT_OF_RANGE: more
 * than the VMO's size. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t vmo_set_stream_size(struct vmo *vmo, uint64_t size_bytes);

void vmo_set_name(struct vmo *vmo, const char *name);
void vmo_copy_name(struct vmo *vmo, char out[32]);

/* How mappings made from now on reach the memory. ZX_ERR_INVALID_ARGS: no ZX_CACHE_POLICY_*.
 * ZX_ERR_BAD_STATE: mapped, or with relatives. */
MUST_USE zx_status_t vmo_set_cache_policy(struct vmo *vmo, uint32_t policy);

/* Pages that the VMO shows, those that relatives show too included; *out_private, which may be
 * NULL: without those. */
uint64_t vmo_count_committed(struct vmo *vmo, uint64_t *out_private);
/* The same for a page-aligned range, the lock held. */
uint64_t vmo_count_range_locked(struct vmo *vmo, uint64_t offset, uint64_t len_bytes);

/* ---- Contents ------------------------------------------------------------------------------- */

/* Copies between the VMO and memory of the kernel or the user. The callback does one piece (inside
 * one page, kernel address |at|); it may sleep and fault: no VM lock is held around it, and the
 * page stays while it runs. A child made meanwhile does not see what the callback writes later. Its
 * error ends the copy and is returned. ZX_ERR_OUT_OF_RANGE: [offset, offset + len) leaves the VMO
 * (checked first; nothing copied). ZX_ERR_BAD_STATE: the VMO's memory is not cached.
 * ZX_ERR_NOT_FOUND: it was discarded. ZX_ERR_NO_MEMORY. */
typedef zx_status_t (*vmo_copy_fn)(void *ctx, void *at, size_t done_bytes, size_t len_bytes);
MUST_USE zx_status_t vmo_read(struct vmo *vmo, uint64_t offset, size_t len_bytes, vmo_copy_fn fn,
                              void *ctx);
MUST_USE zx_status_t vmo_write(struct vmo *vmo, uint64_t offset, size_t len_bytes, vmo_copy_fn fn,
                               void *ctx);
/* The same with a kernel buffer. */
MUST_USE zx_status_t vmo_read_kernel(struct vmo *vmo, uint64_t offset, void *dst, size_t len_bytes);
MUST_USE zx_status_t vmo_write_kernel(struct vmo *vmo, uint64_t offset, const void *src,
                                      size_t len_bytes);

/* Makes every page of the range present and the VMO's own (offset and length widened to pages).
 * ZX_ERR_OUT_OF_RANGE, ZX_ERR_NO_MEMORY (pages committed so far stay). */
MUST_USE zx_status_t vmo_commit(struct vmo *vmo, uint64_t offset, uint64_t len_bytes);

/* Drops the pages of a page-aligned range: unmapped everywhere, later reads see zeros.
 * ZX_ERR_INVALID_ARGS: unaligned. ZX_ERR_OUT_OF_RANGE. ZX_ERR_NOT_SUPPORTED: physical or
 * contiguous. ZX_ERR_BAD_STATE: pinned. ZX_ERR_NO_MEMORY: shared with relatives; nothing
 * changed. */
MUST_USE zx_status_t vmo_decommit(struct vmo *vmo, uint64_t offset, uint64_t len_bytes);

/* Makes the range read as zeros: whole pages are dropped, partial ones cleared.
 * ZX_ERR_OUT_OF_RANGE, ZX_ERR_NO_MEMORY (nothing changed). ZX_ERR_NOT_SUPPORTED: physical. */
MUST_USE zx_status_t vmo_zero(struct vmo *vmo, uint64_t offset, uint64_t len_bytes);

/* Makes every page of the VMO present and keeps it where it is until vmo_unpin: nothing takes pages
 * away, zeroing clears them in place. at[n] becomes the kernel's address of page n; |count_pages|
 * is the VMO's size. The VMO is paged, has no copy-on-write relatives and, with other owners of
 * references, is not resizable. ZX_ERR_NO_MEMORY: there are not that many pages; those committed
 * stay. No lock held. */
MUST_USE zx_status_t vmo_pin(struct vmo *vmo, void **at, uint64_t count_pages);
/* Undoes one vmo_pin. */
void vmo_unpin(struct vmo *vmo);

/* Moves the pages of a range of |src| to |dst|; |src| then reads as zeros there. Page-aligned. Two
 * places in one VMO may overlap only by being the same. ZX_ERR_INVALID_ARGS: unaligned or
 * overlapping. ZX_ERR_NOT_SUPPORTED: physical, contiguous or discardable. ZX_ERR_OUT_OF_RANGE.
 * ZX_ERR_BAD_STATE: not cached. ZX_ERR_NO_MEMORY: what was moved so far stays moved. */
MUST_USE zx_status_t vmo_transfer(struct vmo *dst, uint64_t dst_offset, uint64_t len_bytes,
                                  struct vmo *src, uint64_t src_offset);

/* What was written to the range so far is what harts will fetch as instructions. |len_bytes| > 0.
 */
void vmo_sync_icache(struct vmo *vmo, uint64_t offset, uint64_t len_bytes);

/* ---- Discardable memory --------------------------------------------------------------------- */

/* All of a discardable VMO. ZX_ERR_NOT_SUPPORTED: not discardable. ZX_ERR_OUT_OF_RANGE: not the
 * whole. vmo_lock_contents tells in *out what was lost (may be NULL); vmo_try_lock_contents says
 * ZX_ERR_UNAVAILABLE instead. vmo_unlock_contents: ZX_ERR_BAD_STATE if it is not locked. */
MUST_USE zx_status_t vmo_lock_contents(struct vmo *vmo, uint64_t offset, uint64_t len_bytes,
                                       zx_vmo_lock_state_t *out);
MUST_USE zx_status_t vmo_try_lock_contents(struct vmo *vmo, uint64_t offset, uint64_t len_bytes);
MUST_USE zx_status_t vmo_unlock_contents(struct vmo *vmo, uint64_t offset, uint64_t len_bytes);
/* Only the errors of vmo_lock_contents. */
MUST_USE zx_status_t vmo_check_lockable(struct vmo *vmo, uint64_t offset, uint64_t len_bytes);
/* Takes a lock back whose |state| nobody was told: the next one hears of the loss again, unless
 * somebody else holds a lock. */
void vmo_undo_lock(struct vmo *vmo, const zx_vmo_lock_state_t *state);

/* Discards unlocked contents, those that were unlocked first before others, until |count_pages|
 * pages have been given back or there is no more. Returns how many. No VMO's lock held (an address
 * space's may be). */
uint64_t vmo_reclaim(uint64_t count_pages);

/* A number of bytes and a fraction of one, in units of 2^-63. */
struct byte_share {
    uint64_t bytes;
    uint64_t fraction; /* < BYTE_SHARE_ONE */
};
#define BYTE_SHARE_ONE (1ull << 63)

/* Adds bytes / divisor (> 0, < 2^63), rounded to the nearest unit. */
void byte_share_add(struct byte_share *share, uint64_t bytes, uint64_t divisor);

struct vmo_usage {
    uint64_t committed_bytes;
    uint64_t private_bytes;   /* of these: that no copy-on-write relative shows */
    struct byte_share scaled; /* of these: each page divided by the number of VMOs that show it */
};

/* Of the part of [offset, offset + len) that is in the VMO (page-aligned); an alias tells of its
 * source's pages. Visits every page. The lock is held. */
void vmo_get_usage_locked(struct vmo *vmo, uint64_t offset, uint64_t len_bytes,
                          struct vmo_usage *out);

/* The number of address spaces with a mapping of the VMO; of very many, some may count more than
 * once. The lock is held. */
size_t vmo_count_shares_locked(const struct vmo *vmo);

/* Whether its stream size means anything to mappings: neither physical nor contiguous. */
bool vmo_has_stream(const struct vmo *vmo);

/* Whether what it shows must stay as it is, whoever asks (vmo_create_from_reserved). */
bool vmo_is_frozen(const struct vmo *vmo);

/* ---- For mappings --------------------------------------------------------------------------- */

/* Where what the mapping shows of its VMO ends, whether it is that long or not. The VMO's lock is
 * held. */
uint64_t vmo_shown_end_locked(const struct mapping *mapping);

/* What a mapping needs of the VMO at one page; the VMO's lock is held by the caller and the answer
 * holds until it is released. */
struct vmo_page_result {
    paddr_t pa;
    struct page *page; /* NULL for physical VMOs */
    bool writable;     /* may be mapped writable: the page is this VMO's alone */
    bool is_zero_page;
    bool is_new; /* nothing was present until now */
};

/* The page at |offset| for an access: for a write it is made present and private; for a read the
 * zero page stands in for one that is absent. Before another page takes the place of the zero page
 * or of a shared one, that is unmapped from every mapping except |faulting| (may be NULL), on all
 * harts. ZX_ERR_OUT_OF_RANGE: past the end. ZX_ERR_NOT_FOUND: discarded. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t vmo_get_page_locked(struct vmo *vmo, uint64_t offset, bool write,
                                         const struct mapping *faulting,
                                         struct vmo_page_result *out);

/* The page at |offset| if it is present already (never allocates); false if not. */
bool vmo_peek_page_locked(struct vmo *vmo, uint64_t offset, struct vmo_page_result *out);

/* The present pages from |offset| on, at most |max_count| (not 0), as far as all or none of them
 * may be mapped writable: their frames in pa[], the first one in *out. Returns how many; 0: there
 * is none at |offset|. */
size_t vmo_peek_run_locked(struct vmo *vmo, uint64_t offset, paddr_t *pa, size_t max_count,
                           struct vmo_page_result *out);

/* Whether the 2 MiB from |offset| on (page-aligned) are one piece of memory, aligned to 2 MiB, all
 * of which or none may be mapped writable; *out: the first page. */
bool vmo_peek_large_locked(struct vmo *vmo, uint64_t offset, struct vmo_page_result *out);

/* The offset of the first present page at or after |offset| and before |end|, both page-aligned;
 * |end| if there is none. */
uint64_t vmo_next_page_locked(struct vmo *vmo, uint64_t offset, uint64_t end);

/* Called by mappings, lock held. */
void vmo_add_mapping_locked(struct vmo *vmo, struct mapping *mapping);
void vmo_remove_mapping_locked(struct vmo *vmo, struct mapping *mapping);
