// maps: the tree of regions and mappings of a process.
#include <stdio.h>
#include <stdlib.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/object.h>

#include "userland/programs/shell/commands.h"

static void print_size(size_t bytes)
{
    if (bytes >= (size_t)10 << 30)
        printf("%6zu GiB", bytes >> 30);
    else if (bytes >= (size_t)10 << 20)
        printf("%6zu MiB", bytes >> 20);
    else
        printf("%6zu KiB", bytes >> 10);
}

static void print_map(const zx_info_maps_t *map)
{
    const zx_info_maps_mapping_t *mapping = &map->u.mapping;

    printf("%012lx-%012lx ", map->base, map->base + map->size);
    print_size(map->size);
    printf(" %*s", (int)(map->depth < 16 ? map->depth : 16) * 2, "");
    if (map->type != ZX_INFO_MAPS_TYPE_MAPPING) {
        printf("%s %.*s\n", map->type == ZX_INFO_MAPS_TYPE_ASPACE ? "address space" : "region",
               (int)sizeof(map->name), map->name);
        return;
    }
    printf("%c%c%c %.*s: VMO %llu at %#llx, %llu KiB committed\n",
           (mapping->mmu_flags & ZX_VM_PERM_READ) != 0 ? 'r' : '-',
           (mapping->mmu_flags & ZX_VM_PERM_WRITE) != 0 ? 'w' : '-',
           (mapping->mmu_flags & ZX_VM_PERM_EXECUTE) != 0 ? 'x' : '-', (int)sizeof(map->name),
           map->name, (unsigned long long)mapping->vmo_koid,
           (unsigned long long)mapping->vmo_offset,
           (unsigned long long)mapping->committed_bytes / 1024);
}

void command_maps(const char *const *argv, uint32_t argc)
{
    zx_handle_t process;
    size_t count;

    if (argc != 2) {
        printf("usage: maps PID\n");
        return;
    }
    if (!open_process_argument(argv[1], &process))
        return;
    zx_info_maps_t *maps = get_info_array(process, ZX_INFO_PROCESS_MAPS, sizeof(*maps), &count);
    for (size_t i = 0; maps != NULL && i < count; i++)
        print_map(&maps[i]);
    free(maps);
    zx_handle_close(process);
}
