// The third process of the IOB demo: it does what the kernel must not allow, and dies of it.
//   iob_victim write-read-only      writes through a read-only mapping of an IOB region
//   iob_victim read-destroyed-vmar  reads memory whose region was destroyed
#include <stdio.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/status.h>
#include <zircon/syscalls.h>

#include "userland/programs/iob_peer/protocol.h"

static zx_status_t map_read_only(zx_handle_t vmar, zx_vaddr_t *addr)
{
    zx_handle_t endpoint = zx_take_startup_handle(DEMO_VICTIM_ENDPOINT);

    return zx_vmar_map_iob(vmar, ZX_VM_PERM_READ, 0, endpoint, DEMO_CONTROL, 0, DEMO_REGION_BYTES,
                           addr);
}

// Does not return if the kernel works.
static void write_read_only(void)
{
    zx_vaddr_t addr;
    zx_status_t status = map_read_only(zx_vmar_root_self(), &addr);

    if (status != ZX_OK) {
        printf("victim: cannot map: %s\n", zx_status_get_string(status));
        return;
    }
    printf("victim: reading a read-only mapping gives %u; now writing to it\n",
           *(volatile uint32_t *)addr);
    *(volatile uint32_t *)addr = 1;
}

static void read_destroyed_vmar(void)
{
    zx_handle_t vmar;
    zx_vaddr_t base, addr;
    zx_status_t status =
        zx_vmar_allocate(zx_vmar_root_self(), ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE, 0,
                         DEMO_REGION_BYTES * 2, &vmar, &base);

    if (status == ZX_OK)
        status = map_read_only(vmar, &addr);
    if (status != ZX_OK) {
        printf("victim: cannot map: %s\n", zx_status_get_string(status));
        return;
    }
    uint32_t value = *(volatile uint32_t *)addr;
    printf("victim: reading inside a region gives %u; now destroying the region\n", value);
    status = zx_vmar_destroy(vmar);
    if (status != ZX_OK) {
        printf("victim: cannot destroy: %s\n", zx_status_get_string(status));
        return;
    }
    value = *(volatile uint32_t *)addr;
    printf("victim: read %u\n", value);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "write-read-only") == 0)
        write_read_only();
    else if (argc == 2 && strcmp(argv[1], "read-destroyed-vmar") == 0)
        read_destroyed_vmar();
    else
        printf("usage: iob_victim write-read-only | read-destroyed-vmar\n");
    return 1;
}
