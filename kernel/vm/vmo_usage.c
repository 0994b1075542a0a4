/* How much memory a VMO uses. A page that copy-on-write relatives show too is each one's in equal
 * parts. */
#include "kernel/vm/mapping.h"
#include "kernel/vm/pmm.h"
#include "kernel/vm/vmo_internal.h"

/* Relatives are asked page by page; so that nobody waits long for the lock, only so many questions
 * are asked. After that a page counts as shared by as many as the last one was. */
#define QUESTIONS_MAX (1u << 16)

/* Pages are gathered by the number of VMOs that share them, which divides exactly; those with more
 * are divided one by one. */
#define GROUPS 16u

void byte_share_add(struct byte_share *share, uint64_t bytes, uint64_t divisor)
{
    uint64_t rest = bytes % divisor, fraction = 0;

    /* rest * 2^63 / divisor, bit by bit, and the next bit rounds: thirds then add up to a whole. */
    for (unsigned bit = 0; bit < 64; bit++) {
        rest *= 2;
        fraction = bit < 63 ? fraction * 2 + (rest >= divisor) : fraction + (rest >= divisor);
        if (rest >= divisor)
            rest -= divisor;
    }
    share->bytes += bytes / divisor;
    share->fraction += fraction;
    if (share->fraction >= BYTE_SHARE_ONE) {
        share->fraction -= BYTE_SHARE_ONE;
        share->bytes++;
    }
}

struct sharing {
    uint64_t groups[GROUPS]; /* pages */
    uint32_t questions;
    uint64_t last;
};

/* The number of VMOs, |vmo| included, that show |page| in slot |index|. */
static uint64_t count_sharers_locked(struct vmo *vmo, uint64_t index, const struct page *page,
                                     struct sharing *sharing)
{
    uint64_t count = 0;
    bool shared;

    if (sharing->questions > QUESTIONS_MAX)
        return sharing->last;
    list_for_each (node, &vmo->family->members) {
        const struct vmo *member = list_entry(node, struct vmo, member_node);
        sharing->questions++;
        count += page_tree_find(&member->pages, index, &shared) == page;
    }
    sharing->last = MAX(count, (uint64_t)2);
    return sharing->last;
}

static void add_page_locked(struct vmo *vmo, uint64_t index, struct sharing *sharing,
                            struct byte_share *scaled)
{
    bool shared = false;
    const struct page *page = page_tree_find(&vmo->pages, index, &shared);
    uint64_t count = shared ? count_sharers_locked(vmo, index, page, sharing) : 1;

    if (count < GROUPS)
        sharing->groups[count]++;
    else
        byte_share_add(scaled, PAGE_SIZE_BYTES, count);
}

void vmo_get_usage_locked(struct vmo *vmo, uint64_t offset, uint64_t len_bytes,
                          struct vmo_usage *out)
{
    struct sharing sharing = {.last = 2};
    uint64_t index, end;

    *out = (struct vmo_usage){.committed_bytes = 0};
    if (vmo->kind != VMO_PAGED || offset >= vmo->size_bytes)
        return;
    len_bytes = MIN(len_bytes, vmo->size_bytes - offset);
    vmo = vmo_resolve(vmo, &offset);
    index = vmo_tree_index(vmo, offset);
    end = index + (len_bytes >> PAGE_SHIFT);
    out->committed_bytes = page_tree_count_range(&vmo->pages, index, end) * PAGE_SIZE_BYTES;
    for (; page_tree_next(&vmo->pages, index, end, &index) != NULL; index++)
        add_page_locked(vmo, index, &sharing, &out->scaled);
    out->private_bytes = sharing.groups[1] * PAGE_SIZE_BYTES;
    for (uint64_t count = 1; count < GROUPS; count++)
        byte_share_add(&out->scaled, sharing.groups[count] * PAGE_SIZE_BYTES, count);
}

/* Address spaces that map a VMO: exact up to this many, above it some may count twice. */
#define SHARE_COUNT_EXACT 32u

size_t vmo_count_shares_locked(const struct vmo *vmo)
{
    const struct aspace *seen[SHARE_COUNT_EXACT];
    size_t count_seen = 0, count_more = 0;

    list_for_each (node, &vmo->mappings) {
        const struct aspace *aspace = list_entry(node, struct mapping, vmo_node)->aspace;
        size_t i = 0;
        while (i < count_seen && seen[i] != aspace)
            i++;
        if (i < count_seen)
            continue;
        if (count_seen < SHARE_COUNT_EXACT)
            seen[count_seen++] = aspace;
        else
            count_more++;
    }
    return count_seen + count_more;
}
