/* IOBuffers: descriptions, access as each side sees it, and when the peer counts as closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/object/handle.h"
#include "kernel/object/iob.h"
#include "kernel/vm/aspace.h"
#include "kernel/vm/kheap.h"
#include "kernel/vm/pmm.h"
#include "tests/host/fake_arch.h"

#define EP0_RW (ZX_IOB_ACCESS_EP0_CAN_MAP_READ | ZX_IOB_ACCESS_EP0_CAN_MAP_WRITE)
#define EP1_RW (ZX_IOB_ACCESS_EP1_CAN_MAP_READ | ZX_IOB_ACCESS_EP1_CAN_MAP_WRITE)

static uint64_t heap_before, vmo_pages_before;

static uint64_t heap_objects(void)
{
    struct kheap_stats stats;
    kheap_get_stats(&stats);
    return stats.count_objects;
}

static uint64_t vmo_pages(void)
{
    struct pmm_stats stats;
    pmm_get_stats(&stats);
    return stats.count_by_kind[PAGE_VMO];
}

static int boot(void **state)
{
    (void)state;
    fake_boot(64ul << 20);
    aspace_init();
    return 0;
}

static int setup(void **state)
{
    (void)state;
    heap_before = heap_objects();
    vmo_pages_before = vmo_pages();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(object_count_live(ZX_OBJ_TYPE_NONE), 0);
    assert_int_equal(heap_objects(), heap_before);
    assert_int_equal(vmo_pages(), vmo_pages_before);
    return 0;
}

static zx_iob_region_t region(uint32_t access, uint64_t size)
{
    return (zx_iob_region_t){
        .type = ZX_IOB_REGION_TYPE_PRIVATE,
        .access = access,
        .size = size,
        .discipline = {.type = ZX_IOB_DISCIPLINE_TYPE_NONE},
    };
}

struct sides {
    struct iob_endpoint *ep[2];
    struct handle *handle[2];
};

/* Two endpoints, each kept by one handle. */
static struct sides make(const zx_iob_region_t *regions, size_t count)
{
    struct sides sides;
    assert_int_equal(iob_create(regions, NULL, count, &sides.ep[0], &sides.ep[1]), ZX_OK);
    for (unsigned i = 0; i < 2; i++) {
        sides.handle[i] = handle_create(&sides.ep[i]->object, ZX_DEFAULT_IOB_RIGHTS);
        assert_non_null(sides.handle[i]);
        object_put(&sides.ep[i]->object);
    }
    return sides;
}

static bool sees_peer_closed(struct iob_endpoint *endpoint)
{
    return (object_poll_signals(&endpoint->object) & ZX_IOB_PEER_CLOSED) != 0;
}

static void expect_create(zx_status_t want, zx_iob_region_t bad)
{
    /* A good region comes first, so that there is something to undo. */
    zx_iob_region_t regions[2] = {region(EP0_RW | EP1_RW, 4096), bad};
    struct iob_endpoint *ep0 = NULL, *ep1 = NULL;
    assert_int_equal(iob_create(regions, NULL, 2, &ep0, &ep1), want);
    assert_null(ep0);
    assert_null(ep1);
}

static void bad_descriptions(void **state)
{
    zx_iob_region_t r;
    struct iob_endpoint *ep0, *ep1;
    (void)state;

    r = region(EP0_RW, 4096);
    assert_int_equal(iob_create(&r, NULL, 0, &ep0, &ep1), ZX_ERR_INVALID_ARGS);
    r.type = 7;
    expect_create(ZX_ERR_INVALID_ARGS, r);
    expect_create(ZX_ERR_INVALID_ARGS, region(0, 4096));
    expect_create(ZX_ERR_INVALID_ARGS, region(0x100 | EP0_RW, 4096));
    /* Only readable: nobody could ever put anything in. */
    expect_create(ZX_ERR_INVALID_ARGS,
                  region(ZX_IOB_ACCESS_EP0_CAN_MAP_READ | ZX_IOB_ACCESS_EP1_CAN_MAP_READ, 4096));
    /* Mediated access without a discipline that mediates. */
    expect_create(ZX_ERR_INVALID_ARGS, region(EP0_RW | ZX_IOB_ACCESS_EP1_CAN_MEDIATED_WRITE, 4096));
    expect_create(ZX_ERR_OUT_OF_RANGE, region(EP0_RW, UINT64_MAX));
    r = region(EP0_RW, 4096);
    r.discipline.type = 3;
    expect_create(ZX_ERR_INVALID_ARGS, r);
    r = region(EP0_RW, 4096);
    r.private_region.options = 1u << 31;
    expect_create(ZX_ERR_INVALID_ARGS, r);
    r = region(EP0_RW | ZX_IOB_ACCESS_EP1_CAN_MEDIATED_READ, 4096);
    r.discipline.type = ZX_IOB_DISCIPLINE_TYPE_ID_ALLOCATOR;
    expect_create(ZX_ERR_INVALID_ARGS, r); /* reads by mediation only */
    r = region(EP0_RW, 4096);
    r.type = ZX_IOB_REGION_TYPE_SHARED;
    expect_create(ZX_ERR_INVALID_ARGS, r);
    r.type = ZX_IOB_REGION_TYPE_PRIVATE;
    r.discipline.type = ZX_IOB_DISCIPLINE_TYPE_MEDIATED_WRITE_RING_BUFFER;
    expect_create(ZX_ERR_INVALID_ARGS, r);
}

static void regions_and_access(void **state)
{
    zx_iob_region_t regions[] = {
        region(EP0_RW | EP1_RW, 1),
        region(EP0_RW | ZX_IOB_ACCESS_EP1_CAN_MAP_READ, 4097),
        region(ZX_IOB_ACCESS_EP0_CAN_MAP_READ | EP1_RW, 0),
        region(ZX_IOB_ACCESS_EP0_CAN_MAP_WRITE, 4096),
    };
    (void)state;
    struct sides sides = make(regions, ARRAY_COUNT(regions));
    const zx_rights_t all = ZX_DEFAULT_IOB_RIGHTS;
    const zx_rights_t rw = ZX_RIGHT_READ | ZX_RIGHT_WRITE | ZX_RIGHT_MAP;
    const zx_rights_t ro = ZX_RIGHT_READ | ZX_RIGHT_MAP;

    assert_int_equal(iob_count_regions(sides.ep[1]), 4);
    assert_int_equal(iob_get_region(sides.ep[0], 0)->description.size, 4096);
    assert_int_equal(iob_get_region(sides.ep[0], 1)->description.size, 8192);
    assert_int_equal(iob_get_region(sides.ep[0], 2)->description.size, 0);
    /* One region, whichever side asks; regions differ. */
    assert_ptr_equal(iob_get_region(sides.ep[0], 1), iob_get_region(sides.ep[1], 1));
    assert_int_not_equal(iob_get_region(sides.ep[0], 0)->vmo->koid,
                         iob_get_region(sides.ep[0], 1)->vmo->koid);

    assert_int_equal(iob_map_rights(sides.ep[0], 0, all), rw);
    assert_int_equal(iob_map_rights(sides.ep[1], 0, all), rw);
    assert_int_equal(iob_map_rights(sides.ep[0], 1, all), rw);
    assert_int_equal(iob_map_rights(sides.ep[1], 1, all), ro);
    assert_int_equal(iob_map_rights(sides.ep[0], 2, all), ro);
    assert_int_equal(iob_map_rights(sides.ep[1], 2, all), rw);
    assert_int_equal(iob_map_rights(sides.ep[0], 3, all), ZX_RIGHT_WRITE | ZX_RIGHT_MAP);
    assert_int_equal(iob_map_rights(sides.ep[1], 3, all), 0);
    /* The handle takes away; the right to map is not asked of it. */
    assert_int_equal(iob_map_rights(sides.ep[0], 0, all & ~ZX_RIGHT_WRITE), ro);
    assert_int_equal(iob_map_rights(sides.ep[0], 0, ZX_RIGHT_READ), ro);

    assert_int_equal(iob_access_seen_by(0x31, 0), 0x31);
    assert_int_equal(iob_access_seen_by(0x31, 1), 0x13);
    assert_int_equal(object_related_koid(&sides.ep[0]->object), sides.ep[1]->object.koid);
    handle_close(sides.handle[0]);
    handle_close(sides.handle[1]);
}

static void name_is_shared(void **state)
{
    zx_iob_region_t regions[] = {region(EP0_RW, 1), region(EP1_RW, 1)};
    char name[32];
    (void)state;
    struct sides sides = make(regions, 2);
    const struct object_ops *ops = sides.ep[0]->object.ops;
    assert_int_equal(ops->set_name(&sides.ep[1]->object, "pipe"), ZX_OK);
    assert_int_equal(ops->get_name(&sides.ep[0]->object, name), ZX_OK);
    assert_string_equal(name, "pipe");
    assert_string_equal(iob_get_region(sides.ep[0], 1)->vmo->name, "pipe");
    handle_close(sides.handle[0]);
    handle_close(sides.handle[1]);
}

static void peer_closed_by_handle(void **state)
{
    zx_iob_region_t r = region(EP0_RW | EP1_RW, 4096);
    (void)state;
    struct sides sides = make(&r, 1);
    const struct object_ops *ops = sides.ep[0]->object.ops;
    struct handle *second = handle_create(&sides.ep[0]->object, 0);

    assert_int_equal(ops->signal_peer(&sides.ep[1]->object, 0, ZX_USER_SIGNAL_0), ZX_OK);
    assert_int_equal(object_poll_signals(&sides.ep[0]->object), ZX_USER_SIGNAL_0);
    handle_close(sides.handle[0]);
    assert_false(sees_peer_closed(sides.ep[1])); /* there is another handle */
    handle_close(second);
    assert_true(sees_peer_closed(sides.ep[1]));
    assert_int_equal(ops->signal_peer(&sides.ep[1]->object, 0, ZX_USER_SIGNAL_0),
                     ZX_ERR_PEER_CLOSED);
    handle_close(sides.handle[1]);
}

/* The way of zx_vmar_map_iob, in a real address space. */
static vaddr_t map(struct aspace *aspace, struct iob_endpoint *endpoint, uint64_t len_bytes)
{
    vaddr_t addr = 0;
    struct vmar_map_args args = {
        .options = ZX_VM_PERM_READ | ZX_VM_PERM_WRITE,
        .vmo = iob_get_region(endpoint, 0)->vmo,
        .len_bytes = len_bytes,
        .max_perms = ZX_VM_PERM_READ | ZX_VM_PERM_WRITE,
        .keeper = &endpoint->keeper,
    };
    assert_true(iob_endpoint_hold(endpoint));
    assert_int_equal(vmar_map(aspace->root, &args, &addr), ZX_OK);
    iob_endpoint_release(endpoint);
    return addr;
}

static void peer_closed_waits_for_mappings(void **state)
{
    zx_iob_region_t r = region(EP0_RW | EP1_RW, 3 * 4096);
    struct aspace *aspace;
    (void)state;
    assert_int_equal(aspace_create(&aspace), ZX_OK);
    struct sides sides = make(&r, 1);
    vaddr_t first = map(aspace, sides.ep[0], 3 * 4096);
    vaddr_t second = map(aspace, sides.ep[0], 4096);

    handle_close(sides.handle[0]);
    assert_false(sees_peer_closed(sides.ep[1]));
    assert_int_equal(vmar_unmap(aspace->root, second, 4096, true, NULL), ZX_OK);
    assert_false(sees_peer_closed(sides.ep[1]));
    /* A hole in the middle leaves two halves, and both count. */
    assert_int_equal(vmar_unmap(aspace->root, first + 4096, 4096, true, NULL), ZX_OK);
    assert_int_equal(vmar_unmap(aspace->root, first, 4096, true, NULL), ZX_OK);
    assert_false(sees_peer_closed(sides.ep[1]));
    assert_int_equal(vmar_unmap(aspace->root, first + 2 * 4096, 4096, true, NULL), ZX_OK);
    assert_true(sees_peer_closed(sides.ep[1]));

    handle_close(sides.handle[1]);
    aspace_clear(aspace);
    aspace_destroy(aspace);
}

static void mapping_outlives_both_handles(void **state)
{
    zx_iob_region_t r = region(EP0_RW | EP1_RW, 4096);
    struct aspace *aspace;
    (void)state;
    assert_int_equal(aspace_create(&aspace), ZX_OK);
    struct sides sides = make(&r, 1);
    (void)map(aspace, sides.ep[0], 4096);
    (void)map(aspace, sides.ep[1], 4096);
    handle_close(sides.handle[0]);
    handle_close(sides.handle[1]);
    assert_int_equal(object_count_live(ZX_OBJ_TYPE_IOB), 2);
    aspace_clear(aspace);
    assert_int_equal(object_count_live(ZX_OBJ_TYPE_IOB), 0);
    aspace_destroy(aspace);
}

static void closed_stays_closed(void **state)
{
    zx_iob_region_t r = region(EP0_RW | EP1_RW, 4096);
    (void)state;
    struct sides sides = make(&r, 1);
    object_get(&sides.ep[0]->object); /* as a lookup that came before the close */
    handle_close(sides.handle[0]);
    assert_false(iob_endpoint_hold(sides.ep[0]));
    object_put(&sides.ep[0]->object);
    handle_close(sides.handle[1]);
}

static void without_memory(void **state)
{
    zx_iob_region_t regions[] = {region(EP0_RW, 4096), region(EP1_RW, 4096)};
    uint64_t nth = 0;
    bool failed;
    (void)state;
    do {
        struct iob_endpoint *ep0, *ep1;
        fake_fail_after(++nth);
        zx_status_t status = iob_create(regions, NULL, 2, &ep0, &ep1);
        failed = fake_fail_stop();
        assert_int_equal(status, failed ? ZX_ERR_NO_MEMORY : ZX_OK);
        if (status == ZX_OK) {
            object_put(&ep0->object);
            object_put(&ep1->object);
        } else {
            assert_int_equal(heap_objects(), heap_before);
        }
    } while (failed);
    assert_true(nth > 3); /* the IOB and both VMOs were tried */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bad_descriptions, setup, teardown),
        cmocka_unit_test_setup_teardown(regions_and_access, setup, teardown),
        cmocka_unit_test_setup_teardown(name_is_shared, setup, teardown),
        cmocka_unit_test_setup_teardown(peer_closed_by_handle, setup, teardown),
        cmocka_unit_test_setup_teardown(peer_closed_waits_for_mappings, setup, teardown),
        cmocka_unit_test_setup_teardown(mapping_outlives_both_handles, setup, teardown),
        cmocka_unit_test_setup_teardown(closed_stays_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(without_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, boot, NULL);
}
