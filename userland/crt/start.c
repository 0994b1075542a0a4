// From the first instruction to main: relocate the image, give the first thread its storage, find
// the vDSO, take in the bootstrap message, run constructors.
#include "formats/elf_types.h"
#include <stdlib.h>
#include <zircon/syscalls.h>

#include "userland/crt/startup.h"
#include "userland/crt/tls.h"
#include "userland/libzx/vdso_link.h"

typedef void (*init_function)(void);

extern init_function __preinit_array_start[] __attribute__((weak, visibility("hidden")));
extern init_function __preinit_array_end[] __attribute__((weak, visibility("hidden")));
extern init_function __init_array_start[] __attribute__((weak, visibility("hidden")));
extern init_function __init_array_end[] __attribute__((weak, visibility("hidden")));

extern int main(int argc, char **argv, char **envp);

char **environ;

// Entered from _start before anything is relocated.
__attribute__((noreturn, used, visibility("hidden"))) void
start_image(zx_handle_t bootstrap, const void *vdso, const struct elf64_dyn *dynamic,
            unsigned char *base);

// Applies the only kind of relocation a static PIE has. Reads nothing that is itself relocated.
static inline __attribute__((always_inline)) void relocate(const struct elf64_dyn *dynamic,
                                                           unsigned char *base)
{
    uint64_t table = 0;
    uint64_t bytes = 0;

    for (; dynamic->d_tag != ELF_DT_NULL; dynamic++) {
        if (dynamic->d_tag == ELF_DT_RELA) {
            table = dynamic->d_val;
        } else if (dynamic->d_tag == ELF_DT_RELASZ) {
            bytes = dynamic->d_val;
        }
    }

    const struct elf64_rela *rela = (const struct elf64_rela *)(base + table);
    const struct elf64_rela *end = (const struct elf64_rela *)(base + table + bytes);

    // The linker leaves empty entries (type 0) where it has resolved a thread-local offset itself.
    for (; rela < end; rela++) {
        uint32_t type = (uint32_t)rela->r_info;

        if (type == ELF_R_RELATIVE) {
            *(uint64_t *)(base + rela->r_offset) = (uint64_t)base + (uint64_t)rela->r_addend;
        } else if (type != ELF_R_NONE) {
            __builtin_trap();
        }
    }
}

static void run_init(init_function *from, init_function *to)
{
    for (; from < to; from++) {
        (*from)();
    }
}

static __attribute__((noreturn, noinline)) void start_program(zx_handle_t bootstrap)
{
    size_t message_bytes = startup_message_bytes(bootstrap);
    // The strings of argv and environ stay where they are for the life of the process.
    unsigned char *message = __builtin_alloca(message_bytes + 1);
    struct startup_strings strings;
    char **vectors;

    startup_receive(bootstrap, message, message_bytes, &strings);
    vectors = __builtin_alloca(sizeof(char *) * (strings.argc + strings.envc + 2));
    startup_fill_vectors(&strings, vectors);
    environ = vectors + strings.argc + 1;

    run_init(__preinit_array_start, __preinit_array_end);
    run_init(__init_array_start, __init_array_end);
    exit(main((int)strings.argc, vectors, environ));
}

void start_image(zx_handle_t bootstrap, const void *vdso, const struct elf64_dyn *dynamic,
                 unsigned char *base)
{
    void *tls;

    relocate(dynamic, base);
    __asm__ volatile("" ::: "memory");
    tls_find_template(base);
    tls = tls_block_init(__builtin_alloca(tls_block_bytes()));
    __asm__ volatile("mv tp, %0" ::"r"(tls) : "memory");
    vdso_link_init(vdso);
    start_program(bootstrap);
}
