/* Snapshots of memory that is being written on all harts, through two mappings and through the
 * kernel. Each writer has a slot in every page and stores a rising number into the pages from the
 * first to the last, so a snapshot is one moment of it only if the numbers of a slot do not rise
 * from page to page and differ by one at most. It must stay as it was from then on. */
#include <string.h>

#include "tests/conformance/stress.h"

#define NUM_PAGES    8
#define LEN          (NUM_PAGES * PAGE)
#define NUM_SLOTS    8
#define NUM_WRITERS  4 /* workers 0 to 3; the others take snapshots */
#define CHILD_SLOT   7 /* only snapshots are written there */
#define NUM_KEPT     6
#define ROUND_STORES 32

struct page_slots {
    uint64_t slots[NUM_SLOTS];
};

struct kept {
    zx_handle_t vmo; /* ZX_HANDLE_INVALID: none */
    uint64_t first, count_pages;
    struct page_slots pages[NUM_PAGES];
};

struct shared {
    zx_handle_t vmo, slice;
    zx_vaddr_t addr[2];
    uint64_t counters[NUM_WRITERS];
    struct kept kept[STRESS_WORKERS][NUM_KEPT];
};

/* ---- Writers ---- */

static void put(const struct shared *shared, unsigned writer, uint64_t page, uint64_t value)
{
    uint64_t offset = page * PAGE + writer * sizeof(uint64_t);
    size_t actual = 0;

    switch (writer) {
    case 2:
        EXPECT_OK(zx_vmo_write(shared->vmo, &value, offset, sizeof(value)));
        break;
    case 3:
        EXPECT_OK(zx_process_write_memory(zx_process_self(), shared->addr[0] + offset, &value,
                                          sizeof(value), &actual));
        break;
    default:
        store(shared->addr[writer] + offset, value);
        break;
    }
}

static void write_round(struct stress_worker *worker, struct shared *shared)
{
    unsigned writer = worker->index;

    for (unsigned i = 0; i < ROUND_STORES; i++) {
        uint64_t value = ++shared->counters[writer];
        for (uint64_t page = 0; page < NUM_PAGES; page++) {
            put(shared, writer, page, value);
            atomic_thread_fence(memory_order_seq_cst);
        }
    }
    /* Nobody takes away what was written. */
    for (uint64_t page = 0; page < NUM_PAGES; page++) {
        EXPECT_EQ(load(shared->addr[1] + page * PAGE + writer * sizeof(uint64_t)),
                  shared->counters[writer]);
        EXPECT_EQ(load(shared->addr[0] + page * PAGE + CHILD_SLOT * sizeof(uint64_t)), 0);
    }
}

/* ---- Snapshots ---- */

static void read_kept(const struct kept *kept, struct page_slots *pages)
{
    for (uint64_t page = 0; page < kept->count_pages; page++)
        EXPECT_OK(zx_vmo_read(kept->vmo, &pages[page], page * PAGE, sizeof(pages[page])));
}

static void check_cut(const struct kept *kept)
{
    for (unsigned writer = 0; writer < NUM_WRITERS; writer++) {
        uint64_t first = kept->pages[0].slots[writer];
        uint64_t last = kept->pages[kept->count_pages - 1].slots[writer];
        for (uint64_t page = 1; page < kept->count_pages; page++)
            EXPECT(kept->pages[page].slots[writer] <= kept->pages[page - 1].slots[writer]);
        EXPECT(first - last <= 1);
    }
}

static void check_unchanged(const struct kept *kept)
{
    struct page_slots now[NUM_PAGES];

    read_kept(kept, now);
    EXPECT(memcmp(now, kept->pages, kept->count_pages * sizeof(now[0])) == 0);
}

static void take(struct stress_worker *worker, const struct shared *shared, struct kept *kept)
{
    zx_handle_t parent = stress_random(worker, 3) == 0 ? shared->slice : shared->vmo;

    kept->first = stress_random(worker, 2) == 0 ? 0 : stress_random(worker, NUM_PAGES);
    kept->count_pages = NUM_PAGES - kept->first;
    if (!EXPECT_OK(zx_vmo_create_child(parent, ZX_VMO_CHILD_SNAPSHOT, kept->first * PAGE,
                                       kept->count_pages * PAGE, &kept->vmo))) {
        kept->vmo = ZX_HANDLE_INVALID;
        return;
    }
    read_kept(kept, kept->pages);
    check_cut(kept);
}

/* In place of a snapshot, a snapshot of it. */
static void take_again(struct kept *kept)
{
    zx_handle_t child;

    if (!EXPECT_OK(zx_vmo_create_child(kept->vmo, ZX_VMO_CHILD_SNAPSHOT, 0,
                                       kept->count_pages * PAGE, &child)))
        return;
    EXPECT_OK(zx_handle_close(kept->vmo));
    kept->vmo = child;
}

static void write_kept(struct stress_worker *worker, struct kept *kept)
{
    uint64_t page = stress_random(worker, (uint32_t)kept->count_pages);
    uint64_t *slot = &kept->pages[page].slots[CHILD_SLOT];

    *slot = worker->count_rounds + 1;
    EXPECT_OK(
        zx_vmo_write(kept->vmo, slot, page * PAGE + CHILD_SLOT * sizeof(*slot), sizeof(*slot)));
}

static void snapshot_round(struct stress_worker *worker, struct shared *shared)
{
    struct kept *kept = &shared->kept[worker->index][stress_random(worker, NUM_KEPT)];

    if (kept->vmo == ZX_HANDLE_INVALID) {
        take(worker, shared, kept);
        return;
    }
    check_unchanged(kept);
    switch (stress_random(worker, 4)) {
    case 0:
        take_again(kept);
        break;
    case 1:
        write_kept(worker, kept);
        break;
    default:
        EXPECT_OK(zx_handle_close(kept->vmo));
        kept->vmo = ZX_HANDLE_INVALID;
        break;
    }
}

static void round_of_either(struct stress_worker *worker)
{
    if (worker->index < NUM_WRITERS)
        write_round(worker, worker->shared);
    else
        snapshot_round(worker, worker->shared);
}

TEST(stress, snapshots_of_memory_being_written)
{
    static struct shared shared;

    memset(&shared, 0, sizeof(shared));
    shared.vmo = vmo_new(LEN);
    ASSERT_OK(zx_vmo_create_child(shared.vmo, ZX_VMO_CHILD_SLICE, 0, LEN, &shared.slice));
    shared.addr[0] = map_anywhere(RW, shared.vmo, LEN);
    shared.addr[1] = map_anywhere(RW, shared.slice, LEN);
    stress_run(round_of_either, &shared);
    for (unsigned i = 0; i < STRESS_WORKERS; i++) {
        for (unsigned j = 0; j < NUM_KEPT; j++) {
            if (shared.kept[i][j].vmo == ZX_HANDLE_INVALID)
                continue;
            check_unchanged(&shared.kept[i][j]);
            close_handle(shared.kept[i][j].vmo);
        }
    }
    unmap(shared.addr[0], LEN);
    unmap(shared.addr[1], LEN);
    close_handle(shared.slice);
    close_handle(shared.vmo);
}
