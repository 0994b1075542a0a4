/* Shared by the files that make up VMOs: vmo.c (life, sizes, facts), vmo_kin.c
 * (parents and children), vmo_pages.c (the page behind
 * an offset, mappings), vmo_ops.c (contents), vmo_child.c, vmo_discard.c, vmo_transfer.c. */
#pragma once

#include "kernel/vm/vmo.h"

/* True if [offset, offset + len) lies in [0, size). */
static inline bool vmo_range_is_valid(uint64_t size_bytes, uint64_t offset, uint64_t len_bytes)
{
    return offset <= size_bytes && len_bytes <= size_bytes - offset;
}

/* A size in whole pages; false: larger than a VMO can be. */
static inline bool vmo_round_size(uint64_t size_bytes, uint64_t *out)
{
    return round_up_checked(size_bytes, PAGE_SIZE_BYTES, out) && *out <= VMO_MAX_SIZE_BYTES;
}

/* The VMO whose pages |vmo| shows; *offset becomes an offset in that. */
static inline struct vmo *vmo_resolve(struct vmo *vmo, uint64_t *offset)
{
    if (vmo->source == NULL)
        return vmo;
    *offset += vmo->source_offset;
    return vmo->source;
}

/* The slot of the tree for an offset. */
static inline uint64_t vmo_tree_index(const struct vmo *vmo, uint64_t offset)
{
    return (offset >> PAGE_SHIFT) + vmo->bias;
}

/* ---- vmo.c ---------------------------------------------------------------------------------- */

/* A VMO without pages, with one reference. |family|: NULL makes a new one. NULL: no memory. */
struct vmo *vmo_alloc(struct vmo_family *family, enum vmo_kind kind, uint64_t size_bytes,
                      uint64_t content_size_bytes);

/* Its last link is gone. */
void vmo_free(struct vmo *vmo);

/* ---- vmo_kin.c ------------------------------------------------------------------------------ */

/* Makes |child|, a new VMO of the family, a child of |parent|; then, when the lock is free again
 * and before anybody can put it, vmo_announce_child counts it. */
void vmo_adopt_locked(struct vmo *parent, struct vmo *child);
void vmo_announce_child(struct vmo *child);

/* The last user has gone and the contents are released. No VM lock held. */
void vmo_leave_kin(struct vmo *vmo);

/* ---- vmo_pages.c ---------------------------------------------------------------------------- */
/* These and those of vmo_ops.c take no alias. */

/* Puts |page| (takes it) where nothing is. ZX_ERR_NO_MEMORY: not taken. */
MUST_USE zx_status_t vmo_insert_page_locked(struct vmo *vmo, uint64_t offset, struct page *page);

/* The same for neighbouring pages. ZX_ERR_NO_MEMORY: only *out_done of them were taken. */
MUST_USE zx_status_t vmo_insert_run_locked(struct vmo *vmo, uint64_t offset, struct page *first,
                                           uint64_t count_pages, uint64_t *out_done);

/* Removes [offset, offset + len) from the tables of every mapping that shows it, except |except|
 * (or NULL), with shootdown; on return no hart can reach the pages through a user mapping. */
void vmo_unmap_range_locked(struct vmo *vmo, uint64_t offset, uint64_t len_bytes,
                            const struct mapping *except);

/* The same for write permission only. */
void vmo_write_protect_range_locked(struct vmo *vmo, uint64_t offset, uint64_t len_bytes);

/* After the stream size has become less: takes what lies past it from the tables of the mappings
 * that end with it. May be an alias. */
void vmo_trim_mappings_locked(struct vmo *vmo);

/* Takes the pages of a page-aligned range out, after unmapping them everywhere. Those that nobody
 * else shows go to |freed|: the caller puts them when it has released the lock. |unmap_all|: the
 * zero page must go from the mappings too. ZX_ERR_NO_MEMORY: nothing changed. */
MUST_USE zx_status_t vmo_drop_range_locked(struct vmo *vmo, uint64_t first, uint64_t end,
                                           bool unmap_all, struct list_node *freed);

/* ---- vmo_ops.c ------------------------------------------------------------------------------ */

/* A page in use by a copy that holds no lock. In the family's list. */
struct vmo_copy {
    struct list_node node;
    const struct vmo *vmo; /* no alias */
    uint64_t offset;       /* of the page */
    const struct page *page;
    bool write;
};

/* Makes the partly covered pages at the edges of [first, end) the VMO's own, so that clearing in
 * them cannot fail. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t vmo_own_edges_locked(struct vmo *vmo, uint64_t first, uint64_t end);

/* Makes [first, end), of any alignment, read as zeros; pages go to |freed| as for
 * vmo_drop_range_locked. ZX_ERR_NO_MEMORY: nothing changed; not if the edges are owned already and
 * no page lies between them. */
MUST_USE zx_status_t vmo_zero_range_locked(struct vmo *vmo, uint64_t first, uint64_t end,
                                           struct list_node *freed);

/* ---- vmo_discard.c -------------------------------------------------------------------------- */

void vmo_discard_init(void);
/* Nobody will discard it from now on, though somebody may be at it. */
void vmo_discard_forget(struct vmo *vmo);

/* After |status| of something that was done without effect: true if there was no memory and some
 * could be found, so that it should be tried again. No VMO's lock held. */
bool vmo_reclaim_for_retry(zx_status_t status);
