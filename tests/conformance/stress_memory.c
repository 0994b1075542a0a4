/* Memory that is mapped, taken away and given out again on all harts. A translation that outlives
 * its page shows as a page that is not zero when it is new, or that holds another worker's mark. */
#include "tests/conformance/stress.h"

#define NUM_PAGES 8

static uint64_t mark_of(const struct stress_worker *worker)
{
    return 0xb0000000ul + worker->index;
}

static void unmap_some(zx_vaddr_t addr, size_t len)
{
    if (len > 0)
        EXPECT_OK(zx_vmar_unmap(zx_vmar_root_self(), addr, len));
}

static void map_fill_unmap(struct stress_worker *worker)
{
    zx_handle_t vmo = ZX_HANDLE_INVALID;
    zx_vaddr_t addr = 0;
    size_t len = (1 + stress_random(worker, NUM_PAGES)) * PAGE, hole = len;
    uint64_t mark = mark_of(worker);

    EXPECT_OK(zx_vmo_create(len, 0, &vmo));
    if (!EXPECT_OK(zx_vmar_map(zx_vmar_root_self(), RW, 0, vmo, 0, len, &addr)))
        return;
    for (size_t at = 0; at < len; at += PAGE) {
        EXPECT_EQ(load(addr + at + 8), 0);
        store(addr + at, mark);
    }
    if (stress_random(worker, 2) == 0)
        EXPECT_OK(zx_vmar_protect(zx_vmar_root_self(), ZX_VM_PERM_READ, addr, len));
    for (size_t at = 0; at < len; at += PAGE)
        EXPECT_EQ(load(addr + at), mark);
    switch (stress_random(worker, 3)) {
    case 0:
        EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_DECOMMIT, 0, len, NULL, 0));
        EXPECT_EQ(load(addr), 0);
        break;
    case 1: /* a hole in the middle, which splits the mapping; it is anybody's from then on */
        hole = len / 2 / PAGE * PAGE;
        EXPECT_OK(zx_vmar_unmap(zx_vmar_root_self(), addr + hole, PAGE));
        break;
    default:
        break;
    }
    unmap_some(addr, hole);
    unmap_some(addr + hole + PAGE, hole + PAGE < len ? len - hole - PAGE : 0);
    EXPECT_OK(zx_handle_close(vmo));
}

TEST(stress, memory_comes_and_goes)
{
    stress_run(map_fill_unmap, NULL);
}

/* ---- One VMO, mapped by all ------------------------------------------------------------------ */

struct shared_vmo {
    zx_handle_t vmo;
    zx_vaddr_t addr;
};

/* Workers write their marks into all pages while others take the pages away: a reader sees zero or
 * a mark, never anything else, and writing always succeeds. */
static void write_while_decommitted(struct stress_worker *worker)
{
    const struct shared_vmo *shared = worker->shared;
    uint64_t offset = stress_random(worker, NUM_PAGES) * PAGE, seen;

    switch (stress_random(worker, 8)) {
    case 0:
        EXPECT_OK(zx_vmo_op_range(shared->vmo, ZX_VMO_OP_DECOMMIT, offset, PAGE, NULL, 0));
        break;
    case 1:
        EXPECT_OK(zx_vmo_op_range(shared->vmo, ZX_VMO_OP_ZERO, 0, NUM_PAGES * PAGE, NULL, 0));
        break;
    case 2:
        EXPECT_OK(zx_vmo_op_range(shared->vmo, ZX_VMO_OP_COMMIT, offset, PAGE, NULL, 0));
        break;
    case 3:
        EXPECT_OK(zx_vmar_protect(zx_vmar_root_self(), RW, shared->addr, NUM_PAGES * PAGE));
        break;
    case 4:
        EXPECT_OK(zx_vmo_read(shared->vmo, &seen, offset, sizeof(seen)));
        EXPECT(seen == 0 || seen - mark_of(worker) + worker->index < STRESS_WORKERS);
        break;
    default:
        store(shared->addr + offset, mark_of(worker));
        seen = load(shared->addr + offset);
        EXPECT(seen == 0 || seen - mark_of(worker) + worker->index < STRESS_WORKERS);
        EXPECT_EQ(load(shared->addr + offset + 16), 0);
        break;
    }
}

TEST(stress, pages_taken_away_while_written)
{
    struct shared_vmo shared = {.vmo = vmo_new(NUM_PAGES * PAGE)};

    shared.addr = map_anywhere(RW, shared.vmo, NUM_PAGES * PAGE);
    stress_run(write_while_decommitted, &shared);
    unmap(shared.addr, NUM_PAGES * PAGE);
    close_handle(shared.vmo);
}
