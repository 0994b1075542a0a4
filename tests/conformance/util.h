/* What many tests need: objects made with one line, the state of memory seen through the kernel,
 * failing calls that must change nothing. Functions end the test when they cannot do their work, so
 * they run on the test's own thread only. */
#pragma once

#include <zircon/rights.h>
#include <zircon/syscalls/object.h>

#include "tests/conformance/tap.h"

#define PAGE ((size_t)ZX_PAGE_SIZE)
#define RW   (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE)

#define CAN_MAP_RW  (ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE)
#define CAN_MAP_RWX (CAN_MAP_RW | ZX_VM_CAN_MAP_EXECUTE)

/* The longest a test waits for what must happen. */
#define PATIENCE ZX_SEC(10)

/* Addresses that no user program can have: the start of the kernel's half, an address that is not
 * canonical in Sv39, one whose object would wrap, and the first page. */
#define KERNEL_ADDRESS       ((uintptr_t)0xffffffc000000000)
#define NONCANONICAL_ADDRESS ((uintptr_t)0x0000008000000000)
#define NUM_BAD_ADDRESSES    5
extern const uintptr_t bad_addresses[NUM_BAD_ADDRESSES];

/* What an out-parameter holds before a call that must fail. */
#define SENTINEL_HANDLE  ((zx_handle_t)0x5a5a5a5a)
#define SENTINEL_ADDRESS ((zx_vaddr_t)0x5a5a5a5a5a5a5a5a)

/* Which of the two behaviours of docs/differences.md the kernel was booted with: true for
 * abi=zircon. Known from the environment, which holds the kernel's command line. */
bool abi_is_zircon(void);
/* The status that is right for the behaviour in force. */
static inline zx_status_t by_abi(zx_status_t documented, zx_status_t zircon)
{
    return abi_is_zircon() ? zircon : documented;
}

zx_handle_t vmo_new(uint64_t size_bytes);
zx_handle_t vmo_new_resizable(uint64_t size_bytes);
/* A region below the root with those options and CAN_MAP_SPECIFIC. */
zx_handle_t vmar_new(zx_vm_option_t options, size_t size_bytes, zx_vaddr_t *base);
/* Destroys the region and closes the handle. */
void vmar_drop(zx_handle_t vmar);
/* Maps from the VMO's start at an offset of the region. */
zx_vaddr_t map_at(zx_handle_t vmar, zx_vm_option_t perms, size_t offset, zx_handle_t vmo,
                  uint64_t vmo_offset, size_t len_bytes);
/* Maps anywhere in the root region. */
zx_vaddr_t map_anywhere(zx_vm_option_t perms, zx_handle_t vmo, size_t len_bytes);
void unmap(zx_vaddr_t addr, size_t len_bytes);
void close_handle(zx_handle_t handle);

zx_handle_t duplicate(zx_handle_t handle, zx_rights_t rights);
/* A duplicate without those rights. */
zx_handle_t duplicate_without(zx_handle_t handle, zx_rights_t rights);
zx_info_handle_basic_t basic_info(zx_handle_t handle);
zx_koid_t koid_of(zx_handle_t handle);
zx_rights_t rights_of(zx_handle_t handle);

/* Whether the page at addr can be read or written by user code; found out through the kernel's
 * copies, which obey the same mappings. The contents stay as they are. Any thread. */
bool can_read(zx_vaddr_t addr);
bool can_write(zx_vaddr_t addr);

static inline uint64_t load(zx_vaddr_t addr)
{
    return *(volatile uint64_t *)addr;
}
static inline void store(zx_vaddr_t addr, uint64_t value)
{
    *(volatile uint64_t *)addr = value;
}

/* VMO contents without a mapping. */
uint64_t vmo_load(zx_handle_t vmo, uint64_t offset);
void vmo_store(zx_handle_t vmo, uint64_t offset, uint64_t value);

/* A number that changes when a region or mapping of this process comes, goes or changes its
 * permissions or contents' place. Any thread. */
uint64_t layout_hash(void);

/* What ZX_INFO_PROCESS_MAPS says about the mapping that holds addr; false if there is none. */
bool find_mapping(zx_vaddr_t addr, zx_info_maps_t *out);

/* Calls that must fail with a status, leave their out-parameters alone and change no mapping. */
#define EXPECT_MAP_FAILS(vmar, options, vmar_offset, vmo, vmo_offset, len, want)                   \
    expect_map_fails(__FILE__, __LINE__, (vmar), (options), (vmar_offset), (vmo), (vmo_offset),    \
                     (len), (want))
void expect_map_fails(const char *file, int line, zx_handle_t vmar, zx_vm_option_t options,
                      size_t vmar_offset, zx_handle_t vmo, uint64_t vmo_offset, size_t len,
                      zx_status_t want);

#define EXPECT_ALLOCATE_FAILS(parent, options, offset, size, want)                                 \
    expect_allocate_fails(__FILE__, __LINE__, (parent), (options), (offset), (size), (want))
void expect_allocate_fails(const char *file, int line, zx_handle_t parent, zx_vm_option_t options,
                           size_t offset, size_t size, zx_status_t want);

/* The same for calls without out-parameters. */
#define EXPECT_NO_CHANGE(call, want)                                                               \
    do {                                                                                           \
        uint64_t hash_before = layout_hash();                                                      \
        EXPECT_STATUS(call, want);                                                                 \
        EXPECT_EQ(layout_hash(), hash_before);                                                     \
    } while (0)
