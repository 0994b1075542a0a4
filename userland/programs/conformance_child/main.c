// The other process of the conformance suite: does one act, which argv names.
//   exit CODE         ends with that code
//   assert            ends with an assertion that does not hold
//   abort-by-thread N a second thread ends the process with code N
//   thread-exit       the only thread ends itself
//   hog               when told by ZX_USER_SIGNAL_0 takes memory, by the piece and then by the
//   page, until it is ended for that wait              until the channel's peer closes; ends with 0
//   echo              answers each message with its contents and handles until the peer closes
//   futex             adds one to the word of the shared VMO and wakes, as often as it is woken
//   spin              for ever
//   ring N            threads write records through an IOB endpoint, as writers N, N + 1 ...
//   the acts of places.c tell where things are, and look for what is not the child's
//   the acts of policy.c end with the status of what they did, negated
//   storm             maps, fills, checks and unmaps memory many times
//   the faults below  tells the address in a message, then does what must not work
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/assert.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>

#include "userland/libzx/thread.h"
#include "userland/programs/conformance_child/places.h"
#include "userland/programs/conformance_child/policy.h"
#include "userland/programs/conformance_child/protocol.h"
#include "userland/programs/conformance_child/ring.h"

#define PAGE ((size_t)ZX_PAGE_SIZE)

static zx_handle_t channel;

// ---- Faults ----

static zx_vaddr_t map(zx_vm_option_t options, size_t vmo_bytes, size_t map_bytes)
{
    zx_handle_t vmo;
    zx_vaddr_t addr = 0;

    if (zx_vmo_create(vmo_bytes, 0, &vmo) != ZX_OK ||
        zx_vmar_map(zx_vmar_root_self(), options | ZX_VM_ALLOW_FAULTS, 0, vmo, 0, map_bytes,
                    &addr) != ZX_OK)
        exit(CHILD_FAILED);
    zx_handle_close(vmo);
    return addr;
}

static zx_vaddr_t unmapped(void)
{
    zx_vaddr_t addr = map(ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, PAGE, PAGE);

    *(volatile uint64_t *)addr = 1; // the TLB knows it
    if (zx_vmar_unmap(zx_vmar_root_self(), addr, PAGE) != ZX_OK)
        exit(CHILD_FAILED);
    return addr;
}

static zx_vaddr_t protected_page(void)
{
    zx_vaddr_t addr = map(ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, PAGE, PAGE);

    *(volatile uint64_t *)addr = 1;
    if (zx_vmar_protect(zx_vmar_root_self(), ZX_VM_PERM_READ, addr, PAGE) != ZX_OK)
        exit(CHILD_FAILED);
    return addr;
}

#define HOG_BYTES   ((size_t)8 << 30)
#define PIECE_BYTES ((size_t)1 << 20)

static void take_all_memory(void)
{
    zx_handle_t vmo;
    zx_vaddr_t addr;
    size_t at = 0;

    if (zx_object_wait_one(channel, ZX_USER_SIGNAL_0, ZX_TIME_INFINITE, NULL) != ZX_OK ||
        zx_vmo_create(HOG_BYTES, 0, &vmo) != ZX_OK ||
        zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0, HOG_BYTES,
                    &addr) != ZX_OK)
        exit(CHILD_FAILED);
    while (at < HOG_BYTES &&
           zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, at, PIECE_BYTES, NULL, 0) == ZX_OK)
        at += PIECE_BYTES;
    for (; at < HOG_BYTES; at += PAGE)
        *(volatile uint64_t *)(addr + at) = at;
    exit(CHILD_FAILED);
}

static void tell(zx_vaddr_t addr)
{
    if (zx_channel_write(channel, 0, &addr, sizeof(addr), NULL, 0) != ZX_OK)
        exit(CHILD_FAILED);
}

// The compiler knows that there is nothing at low addresses.
static zx_vaddr_t opaque(zx_vaddr_t addr)
{
    __asm__ volatile("" : "+r"(addr));
    return addr;
}

static void read_at(zx_vaddr_t addr)
{
    tell(addr);
    (void)*(volatile uint64_t *)opaque(addr);
}

static void write_at(zx_vaddr_t addr)
{
    tell(addr);
    *(volatile uint64_t *)opaque(addr) = 1;
}

static void jump_to(zx_vaddr_t addr)
{
    tell(addr);
    ((void (*)(void))addr)();
}

static void fault(const char *act)
{
    const zx_vm_option_t rw = ZX_VM_PERM_READ | ZX_VM_PERM_WRITE;

    if (strcmp(act, "read-unmapped") == 0)
        read_at(unmapped());
    else if (strcmp(act, "write-unmapped") == 0)
        write_at(unmapped());
    else if (strcmp(act, "read-null") == 0)
        read_at(8);
    else if (strcmp(act, "write-read-only") == 0)
        write_at(map(ZX_VM_PERM_READ, PAGE, PAGE));
    else if (strcmp(act, "write-protected") == 0)
        write_at(protected_page());
    else if (strcmp(act, "write-text") == 0)
        write_at((zx_vaddr_t)fault & ~(zx_vaddr_t)7);
    else if (strcmp(act, "read-no-access") == 0)
        read_at(map(0, PAGE, PAGE));
    else if (strcmp(act, "read-past-end") == 0)
        read_at(map(rw, PAGE, 2 * PAGE) + PAGE);
    else if (strcmp(act, "write-past-end") == 0)
        write_at(map(rw, PAGE, 2 * PAGE) + PAGE);
    else if (strcmp(act, "jump-data") == 0)
        jump_to(map(rw, PAGE, PAGE));
    else if (strcmp(act, "jump-unmapped") == 0)
        jump_to(unmapped());
    else if (strcmp(act, "jump-kernel") == 0)
        jump_to(0xffffffff80200000);
    else if (strcmp(act, "read-kernel") == 0)
        read_at(0xffffffc000000000);
    else if (strcmp(act, "write-kernel") == 0)
        write_at(0xffffffff80200000);
    else if (strcmp(act, "read-noncanonical") == 0)
        read_at(0x0000008000000000);
    else if (strcmp(act, "undefined") == 0)
        __asm__ volatile("unimp");
    else if (strcmp(act, "breakpoint") == 0)
        __asm__ volatile("ebreak");
    else if (strcmp(act, "read-csr") == 0)
        __asm__ volatile("csrr t0, sstatus" ::: "t0");
}

// ---- The others ----

static int exit_process(void *arg)
{
    zx_process_exit(*(int *)arg);
}

static int echo(void)
{
    static char bytes[ZX_CHANNEL_MAX_MSG_BYTES];
    zx_handle_t handles[ZX_CHANNEL_MAX_MSG_HANDLES];
    uint32_t num_bytes, num_handles;

    for (;;) {
        zx_object_wait_one(channel, ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED, ZX_TIME_INFINITE,
                           NULL);
        zx_status_t status = zx_channel_read(channel, 0, bytes, handles, sizeof(bytes),
                                             ZX_CHANNEL_MAX_MSG_HANDLES, &num_bytes, &num_handles);
        if (status == ZX_OK)
            status = zx_channel_write(channel, 0, bytes, num_bytes, handles, num_handles);
        if (status != ZX_OK)
            return status == ZX_ERR_PEER_CLOSED ? 0 : CHILD_FAILED;
    }
}

// The word is even when it is this side's turn to wait.
static int serve_futex(void)
{
    zx_handle_t vmo = zx_take_startup_handle(CHILD_OBJECT);
    zx_vaddr_t addr;

    if (zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0, PAGE,
                    &addr) != ZX_OK)
        return CHILD_FAILED;
    zx_futex_t *word = (zx_futex_t *)addr;
    for (int turn = 0; turn < CHILD_FUTEX_ROUNDS; turn++) {
        int seen;
        while ((seen = atomic_load(word)) % 2 == 0) {
            zx_status_t status =
                zx_futex_wait(word, seen, ZX_HANDLE_INVALID, zx_deadline_after(ZX_SEC(10)));
            if (status != ZX_OK && status != ZX_ERR_BAD_STATE)
                return CHILD_FAILED;
        }
        atomic_store(word, seen + 1);
        zx_futex_wake(word, 1);
    }
    return 0;
}

static int storm(void)
{
    for (uint64_t round = 0; round < 150; round++) {
        size_t pages = 1 + round % 9;
        zx_vaddr_t addr = map(ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, pages * PAGE, pages * PAGE);

        for (size_t i = 0; i < pages; i++)
            *(volatile uint64_t *)(addr + i * PAGE) = round * 16 + i;
        for (size_t i = 0; i < pages; i++) {
            if (*(volatile uint64_t *)(addr + i * PAGE) != round * 16 + i)
                return 1;
        }
        if (zx_vmar_unmap(zx_vmar_root_self(), addr, pages * PAGE) != ZX_OK)
            return 2;
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *act = argc > 1 ? argv[1] : "";
    int code = argc > 2 ? atoi(argv[2]) : 0;
    struct thread *thread;

    channel = zx_take_startup_handle(CHILD_CHANNEL);
    if (strcmp(act, "exit") == 0)
        return code;
    if (strcmp(act, "hog") == 0)
        take_all_memory();
    if (strcmp(act, "thread-exit") == 0)
        zx_thread_exit();
    if (strcmp(act, "wait") == 0)
        return zx_object_wait_one(channel, ZX_CHANNEL_PEER_CLOSED, ZX_TIME_INFINITE, NULL);
    if (strcmp(act, "echo") == 0)
        return echo();
    if (strcmp(act, "storm") == 0)
        return storm();
    if (strcmp(act, "futex") == 0)
        return serve_futex();
    if (strcmp(act, "ring") == 0)
        return write_rings(zx_take_startup_handle(CHILD_OBJECT), (uint32_t)code);
    if (strcmp(act, "assert") == 0)
        ZX_ASSERT_MSG(argc == 0, "as asked");
    if (strcmp(act, "abort-by-thread") == 0 &&
        thread_spawn("exit", exit_process, &code, &thread) == ZX_OK)
        zx_nanosleep(ZX_TIME_INFINITE);
    while (strcmp(act, "spin") == 0)
        __asm__ volatile("" ::: "memory");
    if (places_act(act, channel, &code))
        return code;
    if (policy_act(act, &code))
        zx_process_exit(code);
    fault(act);
    return CHILD_FAILED;
}
