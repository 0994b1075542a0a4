// Launching a process against fake system calls: the n-th call fails, for every n, and each time
// all handles but the caller's own are gone again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>

#include "formats/elf_types.h"
#include "userland/libzx/launch.h"
#include "userland/libzx/procargs.h"

#define MAX_HANDLES 256
#define JOB         1u
#define VDSO        2u
#define USER        3u

static struct {
    bool alive[MAX_HANDLES];
    zx_handle_t next;
    int calls_until_failure; // the call that takes it to 0 fails
    unsigned calls;
    unsigned char message[4096];
    size_t message_bytes;
    zx_handle_t sent[64];
    uint32_t num_sent;
    uint64_t entry;
    uint64_t sp;
    uint64_t vdso_base;
    zx_handle_t bootstrap;
    uint64_t next_address;
    uint64_t span_bytes;
    uint32_t perms_mapped;
} fake;

static unsigned char vdso_file[0x3000];

static bool fails(void)
{
    fake.calls++;
    return fake.calls_until_failure > 0 && --fake.calls_until_failure == 0;
}

static zx_handle_t handle_new(void)
{
    assert_in_range(fake.next, 1, MAX_HANDLES - 1);
    fake.alive[fake.next] = true;
    return fake.next++;
}

static void handle_use(zx_handle_t handle)
{
    assert_in_range(handle, 1, MAX_HANDLES - 1);
    assert_true(fake.alive[handle]);
}

static unsigned handles_alive(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < MAX_HANDLES; i++) {
        count += fake.alive[i];
    }
    return count;
}

zx_handle_t zx_job_default(void)
{
    return JOB;
}

zx_handle_t zx_vmar_root_self(void)
{
    return ZX_HANDLE_INVALID;
}

uint32_t zx_system_get_page_size(void)
{
    return 4096;
}

zx_status_t zx_handle_close(zx_handle_t handle)
{
    if (handle != ZX_HANDLE_INVALID) {
        handle_use(handle);
        fake.alive[handle] = false;
    }
    return ZX_OK;
}

zx_status_t zx_handle_close_many(const zx_handle_t *handles, size_t num_handles)
{
    for (size_t i = 0; i < num_handles; i++) {
        zx_handle_close(handles[i]);
    }
    return ZX_OK;
}

zx_status_t zx_handle_duplicate(zx_handle_t handle, zx_rights_t rights, zx_handle_t *out)
{
    handle_use(handle);
    assert_int_equal(rights, ZX_RIGHT_SAME_RIGHTS);
    if (fails()) {
        return ZX_ERR_NO_MEMORY;
    }
    *out = handle_new();
    return ZX_OK;
}

zx_status_t zx_process_create(zx_handle_t job, const char *name, size_t name_size, uint32_t options,
                              zx_handle_t *proc_handle, zx_handle_t *vmar_handle)
{
    handle_use(job);
    assert_int_equal(name_size, strlen(name));
    assert_int_equal(options, 0);
    if (fails()) {
        return ZX_ERR_NO_MEMORY;
    }
    *proc_handle = handle_new();
    *vmar_handle = handle_new();
    return ZX_OK;
}

zx_status_t zx_thread_create(zx_handle_t process, const char *name, size_t name_size,
                             uint32_t options, zx_handle_t *out)
{
    (void)name;
    (void)name_size;
    (void)options;
    handle_use(process);
    if (fails()) {
        return ZX_ERR_NO_MEMORY;
    }
    *out = handle_new();
    return ZX_OK;
}

zx_status_t zx_vmo_create(uint64_t size, uint32_t options, zx_handle_t *out)
{
    (void)options;
    assert_int_equal(size % 4096, 0);
    if (fails()) {
        return ZX_ERR_NO_MEMORY;
    }
    *out = handle_new();
    return ZX_OK;
}

zx_status_t zx_vmo_write(zx_handle_t handle, const void *buffer, uint64_t offset,
                         size_t buffer_size)
{
    (void)buffer;
    (void)offset;
    (void)buffer_size;
    handle_use(handle);
    return fails() ? ZX_ERR_NO_MEMORY : ZX_OK;
}

zx_status_t zx_vmo_replace_as_executable(zx_handle_t handle, zx_handle_t vmex, zx_handle_t *out)
{
    (void)vmex;
    zx_handle_close(handle);
    if (fails()) {
        return ZX_ERR_ACCESS_DENIED;
    }
    *out = handle_new();
    return ZX_OK;
}

zx_status_t zx_object_set_property(zx_handle_t handle, uint32_t property, const void *value,
                                   size_t value_size)
{
    (void)property;
    (void)value;
    (void)value_size;
    handle_use(handle);
    return ZX_OK;
}

zx_status_t zx_vmo_get_size(zx_handle_t handle, uint64_t *size)
{
    assert_int_equal(handle, VDSO);
    if (fails()) {
        return ZX_ERR_BAD_STATE;
    }
    *size = sizeof(vdso_file);
    return ZX_OK;
}

zx_status_t zx_vmo_get_stream_size(zx_handle_t handle, uint64_t *size)
{
    return zx_vmo_get_size(handle, size);
}

zx_status_t zx_vmo_read(zx_handle_t handle, void *buffer, uint64_t offset, size_t buffer_size)
{
    assert_int_equal(handle, VDSO);
    assert_true(offset + buffer_size <= sizeof(vdso_file));
    if (fails()) {
        return ZX_ERR_BAD_STATE;
    }
    memcpy(buffer, vdso_file + offset, buffer_size);
    return ZX_OK;
}

zx_status_t zx_vmar_allocate(zx_handle_t parent_vmar, zx_vm_option_t options, size_t offset,
                             size_t size, zx_handle_t *child_vmar, zx_vaddr_t *child_addr)
{
    handle_use(parent_vmar);
    assert_int_equal(offset, 0);
    assert_true((options & ZX_VM_CAN_MAP_SPECIFIC) != 0);
    if (fails()) {
        return ZX_ERR_NO_RESOURCES;
    }
    *child_vmar = handle_new();
    *child_addr = fake.next_address;
    fake.span_bytes = size;
    fake.next_address += size;
    return ZX_OK;
}

zx_status_t zx_vmar_map(zx_handle_t handle, zx_vm_option_t options, size_t vmar_offset,
                        zx_handle_t vmo, uint64_t vmo_offset, size_t len, zx_vaddr_t *mapped_addr)
{
    handle_use(handle);
    handle_use(vmo);
    assert_true((options & ZX_VM_SPECIFIC) != 0);
    assert_true(vmar_offset + len <= fake.span_bytes);
    assert_int_equal((vmar_offset | vmo_offset | len) % 4096, 0);
    if (fails()) {
        return ZX_ERR_NO_MEMORY;
    }
    fake.perms_mapped |= 1u << (options & 7u);
    *mapped_addr = fake.next_address - fake.span_bytes + vmar_offset;
    return ZX_OK;
}

zx_status_t zx_vmar_unmap(zx_handle_t handle, zx_vaddr_t addr, size_t len)
{
    (void)handle;
    (void)addr;
    (void)len;
    return ZX_OK;
}

zx_status_t zx_vmar_destroy(zx_handle_t handle)
{
    handle_use(handle);
    return ZX_OK;
}

zx_status_t zx_channel_create(uint32_t options, zx_handle_t *out0, zx_handle_t *out1)
{
    (void)options;
    if (fails()) {
        return ZX_ERR_NO_MEMORY;
    }
    *out0 = handle_new();
    *out1 = handle_new();
    return ZX_OK;
}

zx_status_t zx_channel_write(zx_handle_t handle, uint32_t options, const void *bytes,
                             uint32_t num_bytes, const zx_handle_t *handles, uint32_t num_handles)
{
    (void)options;
    handle_use(handle);
    zx_handle_close_many(handles, num_handles);
    if (fails()) {
        return ZX_ERR_NO_MEMORY;
    }
    memcpy(fake.message, bytes, num_bytes);
    fake.message_bytes = num_bytes;
    memcpy(fake.sent, handles, num_handles * sizeof(*handles));
    fake.num_sent = num_handles;
    return ZX_OK;
}

zx_status_t zx_process_start(zx_handle_t handle, zx_handle_t thread, zx_vaddr_t entry,
                             zx_vaddr_t stack, zx_handle_t arg1, uintptr_t arg2)
{
    handle_use(handle);
    handle_use(thread);
    zx_handle_close(arg1);
    if (fails()) {
        return ZX_ERR_BAD_STATE;
    }
    fake.entry = entry;
    fake.sp = stack;
    fake.bootstrap = arg1;
    fake.vdso_base = arg2;
    return ZX_OK;
}

// A file with a read-only, an executable and, unless it is to be shared, a writable segment.
static void file_make(unsigned char *file, bool writable)
{
    struct {
        struct elf64_ehdr header;
        struct elf64_phdr phdr[3];
    } head = {
        .header =
            {
                .e_ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
                .e_type = ELF_ET_DYN,
                .e_machine = ELF_EM_RISCV,
                .e_version = 1,
                .e_entry = writable ? 0x1040 : 0,
                .e_phoff = sizeof(struct elf64_ehdr),
                .e_phentsize = sizeof(struct elf64_phdr),
                .e_phnum = writable ? 3 : 2,
            },
        .phdr =
            {
                {1, ELF_PF_R, 0, 0, 0, 0x1000, 0x1000, 0x1000},
                {1, ELF_PF_R | ELF_PF_X, 0x1000, 0x1000, 0, 0x1000, 0x1000, 0x1000},
                {1, ELF_PF_R | ELF_PF_W, 0x2010, 0x3010, 0, 0x20, 0x2000, 0x1000},
            },
    };

    memcpy(file, &head, sizeof(head));
}

static zx_status_t launch(int failing_call, zx_handle_t *process)
{
    static unsigned char program[0x3000];
    static const char *const argv[] = {"prog", "x"};
    const struct launch_handle handles[] = {{PA_HND(PA_USER0, 1), USER}};
    const struct launch_args args = {
        .name = "prog",
        .elf = program,
        .elf_bytes = sizeof(program),
        .vdso_vmo = VDSO,
        .argv = argv,
        .argc = 2,
        .handles = handles,
        .num_handles = 1,
    };

    memset(&fake, 0, sizeof(fake));
    fake.alive[JOB] = fake.alive[VDSO] = fake.alive[USER] = true;
    fake.next = USER + 1;
    fake.next_address = 0x200000;
    fake.calls_until_failure = failing_call;
    file_make(program, true);
    file_make(vdso_file, false);
    return launch_process(&args, process);
}

static void test_launch(void **state)
{
    zx_handle_t process = ZX_HANDLE_INVALID;
    struct procargs message;
    uint32_t seen = 0;

    (void)state;
    assert_int_equal(launch(0, &process), ZX_OK);
    handle_use(process);
    assert_int_equal(handles_alive(), 3); // the job, the vDSO, the process
    assert_int_equal(fake.entry, 0x201040);
    assert_int_equal(fake.sp % 4096, 0);
    assert_int_equal(fake.vdso_base, 0x206000);
    assert_int_equal(fake.perms_mapped, 1u << 1 | 1u << 3 | 1u << 5);
    assert_int_equal(procargs_parse(fake.message, fake.message_bytes, fake.num_sent, &message),
                     ZX_OK);
    assert_int_equal(message.args_num, 2);
    assert_int_equal(fake.num_sent, 7);
    for (uint32_t i = 0; i < fake.num_sent; i++) {
        seen += procargs_handle_info(&message, i) == PA_HND(PA_USER0, 1) && fake.sent[i] == USER;
    }
    assert_int_equal(seen, 1);
}

static void test_each_failure(void **state)
{
    zx_handle_t process = ZX_HANDLE_INVALID;
    unsigned calls;

    (void)state;
    assert_int_equal(launch(0, &process), ZX_OK);
    calls = fake.calls;
    assert_in_range(calls, 20, 40);
    for (unsigned n = 1; n <= calls; n++) {
        process = 99;
        assert_int_not_equal(launch((int)n, &process), ZX_OK);
        assert_int_equal(process, 99);
        assert_int_equal(handles_alive(), 2);
        assert_true(fake.alive[JOB] && fake.alive[VDSO]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_launch),
        cmocka_unit_test(test_each_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
