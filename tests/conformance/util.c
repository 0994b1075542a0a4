#include "tests/conformance/util.h"

#include <stdlib.h>
#include <string.h>

const uintptr_t bad_addresses[NUM_BAD_ADDRESSES] = {
    KERNEL_ADDRESS, NONCANONICAL_ADDRESS, (uintptr_t)-8, 8, 0xffffffff80200000,
};

bool abi_is_zircon(void)
{
    const char *abi = getenv("abi");

    return abi != NULL && strcmp(abi, "zircon") == 0;
}

zx_handle_t vmo_new(uint64_t size_bytes)
{
    zx_handle_t vmo;

    ASSERT_OK(zx_vmo_create(size_bytes, 0, &vmo));
    return vmo;
}

zx_handle_t vmo_new_resizable(uint64_t size_bytes)
{
    zx_handle_t vmo;

    ASSERT_OK(zx_vmo_create(size_bytes, ZX_VMO_RESIZABLE, &vmo));
    return vmo;
}

zx_handle_t vmar_new(zx_vm_option_t options, size_t size_bytes, zx_vaddr_t *base)
{
    zx_handle_t vmar;

    ASSERT_OK(zx_vmar_allocate(zx_vmar_root_self(), options | ZX_VM_CAN_MAP_SPECIFIC, 0, size_bytes,
                               &vmar, base));
    return vmar;
}

void vmar_drop(zx_handle_t vmar)
{
    ASSERT_OK(zx_vmar_destroy(vmar));
    ASSERT_OK(zx_handle_close(vmar));
}

zx_vaddr_t map_at(zx_handle_t vmar, zx_vm_option_t perms, size_t offset, zx_handle_t vmo,
                  uint64_t vmo_offset, size_t len_bytes)
{
    zx_vaddr_t addr;

    ASSERT_OK(zx_vmar_map(vmar, perms | ZX_VM_SPECIFIC, offset, vmo, vmo_offset, len_bytes, &addr));
    return addr;
}

zx_vaddr_t map_anywhere(zx_vm_option_t perms, zx_handle_t vmo, size_t len_bytes)
{
    zx_vaddr_t addr;

    ASSERT_OK(zx_vmar_map(zx_vmar_root_self(), perms, 0, vmo, 0, len_bytes, &addr));
    return addr;
}

void unmap(zx_vaddr_t addr, size_t len_bytes)
{
    ASSERT_OK(zx_vmar_unmap(zx_vmar_root_self(), addr, len_bytes));
}

void close_handle(zx_handle_t handle)
{
    ASSERT_OK(zx_handle_close(handle));
}

zx_handle_t duplicate(zx_handle_t handle, zx_rights_t rights)
{
    zx_handle_t out;

    ASSERT_OK(zx_handle_duplicate(handle, rights, &out));
    return out;
}

zx_handle_t duplicate_without(zx_handle_t handle, zx_rights_t rights)
{
    return duplicate(handle, rights_of(handle) & ~rights);
}

zx_info_handle_basic_t basic_info(zx_handle_t handle)
{
    zx_info_handle_basic_t info;

    ASSERT_OK(zx_object_get_info(handle, ZX_INFO_HANDLE_BASIC, &info, sizeof(info), NULL, NULL));
    return info;
}

zx_koid_t koid_of(zx_handle_t handle)
{
    return basic_info(handle).koid;
}

zx_rights_t rights_of(zx_handle_t handle)
{
    return basic_info(handle).rights;
}

/* ---- Memory seen through the kernel ---- */

bool can_read(zx_vaddr_t addr)
{
    zx_handle_t vmo;

    if (zx_vmo_create(PAGE, 0, &vmo) != ZX_OK)
        return false;
    zx_status_t status = zx_vmo_write(vmo, (const void *)addr, 0, 1);
    zx_handle_close(vmo);
    return status == ZX_OK;
}

bool can_write(zx_vaddr_t addr)
{
    zx_handle_t vmo;

    if (zx_vmo_create(PAGE, 0, &vmo) != ZX_OK)
        return false;
    zx_status_t status = zx_vmo_write(vmo, (const void *)addr, 0, 1);
    if (status == ZX_OK)
        status = zx_vmo_read(vmo, (void *)addr, 0, 1);
    zx_handle_close(vmo);
    return status == ZX_OK;
}

uint64_t vmo_load(zx_handle_t vmo, uint64_t offset)
{
    uint64_t value = 0;

    EXPECT_OK(zx_vmo_read(vmo, &value, offset, sizeof(value)));
    return value;
}

void vmo_store(zx_handle_t vmo, uint64_t offset, uint64_t value)
{
    EXPECT_OK(zx_vmo_write(vmo, &value, offset, sizeof(value)));
}

/* ---- The layout of this process ---- */

#define MAX_MAPS 512
static zx_info_maps_t maps[MAX_MAPS];

static size_t read_maps(void)
{
    size_t actual = 0, avail = 0;

    if (zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_MAPS, maps, sizeof(maps), &actual,
                           &avail) != ZX_OK)
        return 0;
    ASSERT(avail <= MAX_MAPS);
    return actual;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15;
    return hash ^ (hash >> 29);
}

uint64_t layout_hash(void)
{
    size_t count = read_maps();
    uint64_t hash = count;

    for (size_t i = 0; i < count; i++) {
        hash = mix(hash, maps[i].base);
        hash = mix(hash, maps[i].size);
        hash = mix(hash, maps[i].depth);
        hash = mix(hash, maps[i].type);
        if (maps[i].type != ZX_INFO_MAPS_TYPE_MAPPING)
            continue;
        hash = mix(hash, maps[i].u.mapping.mmu_flags);
        hash = mix(hash, maps[i].u.mapping.vmo_koid);
        hash = mix(hash, maps[i].u.mapping.vmo_offset);
    }
    return hash;
}

bool find_mapping(zx_vaddr_t addr, zx_info_maps_t *out)
{
    size_t count = read_maps();

    for (size_t i = 0; i < count; i++) {
        if (maps[i].type == ZX_INFO_MAPS_TYPE_MAPPING && addr >= maps[i].base &&
            addr - maps[i].base < maps[i].size) {
            *out = maps[i];
            return true;
        }
    }
    return false;
}

/* ---- Failing calls ---- */

void expect_map_fails(const char *file, int line, zx_handle_t vmar, zx_vm_option_t options,
                      size_t vmar_offset, zx_handle_t vmo, uint64_t vmo_offset, size_t len,
                      zx_status_t want)
{
    zx_vaddr_t addr = SENTINEL_ADDRESS;
    uint64_t before = layout_hash();
    zx_status_t status = zx_vmar_map(vmar, options, vmar_offset, vmo, vmo_offset, len, &addr);

    test_check_status(file, line, "zx_vmar_map", status, want);
    if (status == ZX_OK) {
        zx_vmar_unmap(zx_vmar_root_self(), addr, (len + PAGE - 1) & ~(PAGE - 1));
        return;
    }
    test_check_equal(file, line, "address after failure", addr, SENTINEL_ADDRESS);
    test_check_equal(file, line, "layout after failure", layout_hash(), before);
}

void expect_allocate_fails(const char *file, int line, zx_handle_t parent, zx_vm_option_t options,
                           size_t offset, size_t size, zx_status_t want)
{
    zx_handle_t child = SENTINEL_HANDLE;
    zx_vaddr_t addr = SENTINEL_ADDRESS;
    uint64_t before = layout_hash();
    zx_status_t status = zx_vmar_allocate(parent, options, offset, size, &child, &addr);

    test_check_status(file, line, "zx_vmar_allocate", status, want);
    if (status == ZX_OK) {
        zx_vmar_destroy(child);
        zx_handle_close(child);
        return;
    }
    test_check_equal(file, line, "handle after failure", child, SENTINEL_HANDLE);
    test_check_equal(file, line, "address after failure", addr, SENTINEL_ADDRESS);
    test_check_equal(file, line, "layout after failure", layout_hash(), before);
}
