// picolibc's malloc asks for memory through sbrk: one range of addresses backed by one VMO, whose
// pages the kernel commits as they are touched.
#include <errno.h>
#include <stdint.h>
#include <unistd.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#define HEAP_BYTES ((size_t)256 << 20)

// malloc calls sbrk with its lock held.
static struct {
    uintptr_t base;
    size_t used;
} heap;

static zx_status_t heap_map(void)
{
    static const char name[] = "heap";
    zx_handle_t vmo;
    zx_vaddr_t base;
    zx_status_t status = zx_vmo_create(HEAP_BYTES, 0, &vmo);

    if (status != ZX_OK) {
        return status;
    }
    zx_object_set_property(vmo, ZX_PROP_NAME, name, sizeof(name) - 1);
    status = zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0,
                         HEAP_BYTES, &base);
    zx_handle_close(vmo);
    if (status == ZX_OK) {
        heap.base = base;
    }
    return status;
}

void *sbrk(ptrdiff_t change)
{
    void *old;

    if ((heap.base == 0 && heap_map() != ZX_OK) ||
        (change >= 0 ? (size_t)change > HEAP_BYTES - heap.used : (size_t)-change > heap.used)) {
        errno = ENOMEM;
        return (void *)-1;
    }
    old = (void *)(heap.base + heap.used);
    heap.used += (size_t)change;
    return old;
}
