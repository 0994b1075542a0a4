/* Random VMAR operations against a model that is an array of pages: what is mapped there, with
 * which permissions, and what is in it. Every status and every byte must agree. A failure prints
 * the seed and the step; MODEL_SEED and MODEL_STEPS in the environment choose others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/host/test_random.h"
#include "tests/host/test_vm.h"

#define SPAN  48u /* pages of the arena */
#define VMOS  3u
#define SUBS  3u
#define HARTS 4u

/* One page of the arena. */
struct model_page {
    int vmo; /* -1: nothing mapped */
    unsigned vmo_page;
    uint8_t perms, max_perms;
    int sub; /* in which sub-region; -1: in the arena itself */
};

struct model_sub {
    struct vmar *vmar; /* NULL: none */
    unsigned first, count;
};

static struct vmar *arena;
static struct vmo *vmos[VMOS];
static const unsigned vmo_pages[VMOS] = {16, 24, 8};
static uint8_t contents[VMOS][SPAN]; /* first byte of each page */
static struct model_page pages[SPAN];
static struct model_sub subs[SUBS];
static struct test_random rng;
static uint64_t seed;
static unsigned step;

static unsigned below(unsigned limit)
{
    return (unsigned)test_random_below(&rng, limit);
}

static vaddr_t at(unsigned page)
{
    return arena->region.base + PAGES(page);
}

static void check_status(zx_status_t got, zx_status_t want, const char *what, unsigned first,
                         unsigned count)
{
    if (got != want)
        print_error("seed %lu step %u: %s of pages %u + %u gave %d, not %d\n", seed, step, what,
                    first, count, got, want);
    assert_int_equal(got, want);
}

/* A random range of pages inside [first, end). */
static void random_range(unsigned first, unsigned end, unsigned *out_first, unsigned *out_count)
{
    unsigned from = first + below(end - first);
    *out_first = from;
    *out_count = 1 + below(MIN(end - from, 1u << below(5)));
}

static uint8_t random_perms(void)
{
    static const uint8_t perms[] = {0, R, R, RW, RW, RW, RX, RWX, X};
    return perms[below(ARRAY_COUNT(perms))];
}

/* ---- Map --------------------------------------------------------------------------------------
 */

static zx_status_t model_map_status(int sub, unsigned first, unsigned count, bool overwrite)
{
    for (unsigned i = first; i < first + count; i++) {
        bool foreign = pages[i].sub != sub;
        if (foreign && overwrite)
            return ZX_ERR_INVALID_ARGS;
        if (!overwrite && (foreign || pages[i].vmo >= 0))
            return ZX_ERR_ALREADY_EXISTS;
    }
    return ZX_OK;
}

static void do_map(void)
{
    int sub = below(3) == 0 ? (int)below(SUBS) : -1;
    struct vmar *vmar = arena;
    unsigned first, count, base = 0, vmo = below(VMOS), vmo_page = below(vmo_pages[vmo]);
    bool overwrite = below(2) == 0;
    uint8_t perms = random_perms(), max_perms = perms | random_perms();
    if (sub >= 0 && subs[sub].vmar == NULL)
        return;
    random_range(sub >= 0 ? subs[sub].first : 0,
                 sub >= 0 ? subs[sub].first + subs[sub].count : SPAN, &first, &count);
    if (sub >= 0) {
        vmar = subs[sub].vmar;
        base = subs[sub].first;
    }
    struct vmar_map_args args = {
        .options = perms | (overwrite ? ZX_VM_SPECIFIC_OVERWRITE : ZX_VM_SPECIFIC),
        .vmar_offset = PAGES(first - base),
        .vmo = vmos[vmo],
        .vmo_offset = PAGES(vmo_page),
        .len_bytes = PAGES(count),
        .max_perms = max_perms,
    };
    if (!overwrite && below(2) == 0)
        args.options |= ZX_VM_MAP_RANGE;
    zx_status_t want = model_map_status(sub, first, count, overwrite);
    vaddr_t addr;
    check_status(vmar_map(vmar, &args, &addr), want, "map", first, count);
    if (want != ZX_OK)
        return;
    assert_int_equal(addr, at(first));
    for (unsigned i = 0; i < count; i++)
        pages[first + i] = (struct model_page){(int)vmo, vmo_page + i, perms, max_perms, sub};
}

/* ---- Unmap, sub-regions -----------------------------------------------------------------------
 */

static void model_forget_sub(unsigned sub)
{
    for (unsigned i = 0; i < SPAN; i++) {
        if (pages[i].sub == (int)sub)
            pages[i] = (struct model_page){.vmo = -1, .sub = -1};
    }
    vmar_put(subs[sub].vmar);
    subs[sub].vmar = NULL;
}

static void do_unmap(void)
{
    unsigned first, count;
    bool op_children = below(2) == 0, found, want_found = false;
    zx_status_t want = ZX_OK;
    random_range(0, SPAN, &first, &count);
    for (unsigned i = 0; i < SUBS; i++) {
        unsigned end = subs[i].first + subs[i].count;
        if (subs[i].vmar == NULL || end <= first || first + count <= subs[i].first)
            continue;
        if (!op_children || subs[i].first < first || end > first + count)
            want = ZX_ERR_INVALID_ARGS;
    }
    for (unsigned i = first; i < first + count; i++)
        want_found = want_found || pages[i].vmo >= 0 || pages[i].sub >= 0;
    check_status(vmar_unmap(arena, at(first), PAGES(count), op_children, &found), want, "unmap",
                 first, count);
    if (want != ZX_OK)
        return;
    assert_int_equal(found, want_found);
    for (unsigned i = first; i < first + count; i++) {
        if (pages[i].sub >= 0)
            model_forget_sub((unsigned)pages[i].sub);
        pages[i] = (struct model_page){.vmo = -1, .sub = -1};
    }
}

static void do_allocate(void)
{
    unsigned sub = below(SUBS), first, count;
    zx_status_t want = ZX_OK;
    if (subs[sub].vmar != NULL) {
        check_status(vmar_destroy(subs[sub].vmar), ZX_OK, "destroy", subs[sub].first,
                     subs[sub].count);
        model_forget_sub(sub);
        return;
    }
    random_range(0, SPAN, &first, &count);
    for (unsigned i = first; i < first + count; i++) {
        if (pages[i].vmo >= 0 || pages[i].sub >= 0)
            want = ZX_ERR_ALREADY_EXISTS;
    }
    check_status(vmar_allocate(arena, CAN_RWX | ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_SPECIFIC,
                               PAGES(first), PAGES(count), &subs[sub].vmar),
                 want, "allocate", first, count);
    if (want != ZX_OK)
        return;
    subs[sub].first = first;
    subs[sub].count = count;
    for (unsigned i = first; i < first + count; i++)
        pages[i].sub = (int)sub;
}

/* ---- Protect, range operations ----------------------------------------------------------------
 */

static zx_status_t model_protect_status(unsigned first, unsigned count, uint8_t perms,
                                        bool op_children)
{
    for (unsigned i = first; i < first + count; i++) {
        if (pages[i].vmo < 0)
            return ZX_ERR_NOT_FOUND;
        if ((perms & ~pages[i].max_perms) != 0)
            return ZX_ERR_ACCESS_DENIED;
        if (pages[i].sub >= 0 && !op_children)
            return ZX_ERR_INVALID_ARGS;
        if (pages[i].sub >= 0 && (perms & ~pages[i].perms) != 0)
            return ZX_ERR_ACCESS_DENIED;
    }
    return ZX_OK;
}

static void do_protect(void)
{
    unsigned first, count;
    bool op_children = below(2) == 0;
    uint8_t perms = random_perms();
    random_range(0, SPAN, &first, &count);
    zx_status_t want = model_protect_status(first, count, perms, op_children);
    check_status(vmar_protect(arena, perms, at(first), PAGES(count), op_children), want, "protect",
                 first, count);
    for (unsigned i = first; want == ZX_OK && i < first + count; i++)
        pages[i].perms = perms;
}

static zx_status_t model_decommit_status(unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++) {
        if (pages[i].sub >= 0)
            return ZX_ERR_INVALID_ARGS;
        if (pages[i].vmo < 0)
            return ZX_ERR_BAD_STATE;
        if ((pages[i].max_perms & W) == 0)
            return ZX_ERR_ACCESS_DENIED;
    }
    return ZX_OK;
}

static bool model_past_end(unsigned page)
{
    return pages[page].vmo_page >= vmo_pages[pages[page].vmo];
}

static void do_decommit(void)
{
    unsigned first, count;
    random_range(0, SPAN, &first, &count);
    zx_status_t want = model_decommit_status(first, count);
    for (unsigned i = first; want == ZX_OK && i < first + count; i++) {
        if (model_past_end(i))
            return; /* how far it got is not what this is about */
    }
    check_status(vmar_op_range(arena, ZX_VMAR_OP_DECOMMIT, at(first), PAGES(count), true), want,
                 "decommit", first, count);
    for (unsigned i = first; want == ZX_OK && i < first + count; i++)
        contents[pages[i].vmo][pages[i].vmo_page] = 0;
}

/* ---- Accesses ---------------------------------------------------------------------------------
 */

static zx_status_t model_access_status(unsigned page, uint32_t access)
{
    if (pages[page].vmo < 0)
        return ZX_ERR_NOT_FOUND;
    if ((access & ~pages[page].perms) != 0)
        return ZX_ERR_ACCESS_DENIED;
    return model_past_end(page) ? ZX_ERR_OUT_OF_RANGE : ZX_OK;
}

static void do_access(unsigned page, uint32_t access)
{
    zx_status_t want = model_access_status(page, access);
    uint8_t byte = (uint8_t)below(256);
    fake_set_hart(below(HARTS));
    check_status(user_access(at(page), access, &byte), want, "access", page, access);
    if (want == ZX_OK && access == W)
        contents[pages[page].vmo][pages[page].vmo_page] = byte;
    if (want == ZX_OK && access == R)
        check_status(byte, contents[pages[page].vmo][pages[page].vmo_page], "contents", page, 1);
}

static void one_step(void)
{
    switch (below(16)) {
    case 0:
    case 1:
        do_map();
        break;
    case 2:
        do_unmap();
        break;
    case 3:
    case 4:
        do_protect();
        break;
    case 5:
        if (below(4) == 0)
            do_allocate();
        break;
    case 6:
        do_decommit();
        break;
    case 7:
        do_access(below(SPAN), X);
        break;
    case 8:
    case 9:
    case 10:
    case 11:
        do_access(below(SPAN), W);
        break;
    default:
        do_access(below(SPAN), R);
        break;
    }
}

/* ---- The run ----------------------------------------------------------------------------------
 */

static uint64_t env_number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

static int setup(void **state)
{
    if (vm_setup(state) != 0)
        return -1;
    arena = make_arena(SPAN);
    for (unsigned i = 0; i < VMOS; i++)
        vmos[i] = make_vmo(vmo_pages[i]);
    for (unsigned i = 0; i < SPAN; i++)
        pages[i] = (struct model_page){.vmo = -1, .sub = -1};
    memset(contents, 0, sizeof(contents));
    return 0;
}

static int teardown(void **state)
{
    for (unsigned i = 0; i < SUBS; i++) {
        if (subs[i].vmar != NULL)
            vmar_put(subs[i].vmar);
        subs[i].vmar = NULL;
    }
    vmar_put(arena);
    aspace_clear(space);
    for (unsigned i = 0; i < VMOS; i++) {
        assert_int_equal(vmos[i]->count_mappings, 0);
        vmo_put(vmos[i]);
    }
    return vm_teardown(state);
}

static void run(void **state)
{
    (void)state;
    uint64_t steps = env_number("MODEL_STEPS", 20000);
    rng.state = seed * 0x9e3779b97f4a7c15ull + 1;
    for (step = 0; step < steps; step++) {
        one_step();
        if (step % 16 == 0) {
            if (!fake_tlb_is_consistent(&space->arch))
                print_error("seed %lu step %u: stale translations\n", seed, step);
            assert_true(fake_tlb_is_consistent(&space->arch));
            region_tree_check(&arena->children);
        }
    }
}

static void test_model_1(void **state)
{
    seed = env_number("MODEL_SEED", 1);
    run(state);
}

static void test_model_2(void **state)
{
    seed = env_number("MODEL_SEED", 2);
    run(state);
}

static void test_model_3(void **state)
{
    seed = env_number("MODEL_SEED", 3);
    run(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_model_1, setup, teardown),
        cmocka_unit_test_setup_teardown(test_model_2, setup, teardown),
        cmocka_unit_test_setup_teardown(test_model_3, setup, teardown),
    };
    return cmocka_run_group_tests_name("vmar_model", tests, vm_boot, NULL);
}
