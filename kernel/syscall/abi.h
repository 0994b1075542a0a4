/* Where the documents of the system calls and the Zircon that ships disagree. The documents are the
 * default; the bootarg abi=zircon selects the other. Each difference is one predicate here, asked
 * only in kernel/syscall. docs/differences.md lists them. */
#pragma once

#include <stdbool.h>

enum abi_mode { ABI_DOCUMENTED, ABI_ZIRCON };

/* Boot only. */
void abi_set_mode(enum abi_mode mode);
enum abi_mode abi_get_mode(void);

/* The length of zx_vmar_map, zx_vmar_map_iob, zx_vmar_unmap and zx_vmar_protect must be a multiple
 * of the page size (ZX_ERR_INVALID_ARGS); otherwise it is rounded up. */
static inline bool abi_vmar_len_must_be_aligned(void)
{
    return abi_get_mode() == ABI_DOCUMENTED;
}

/* Mapping what can fault later needs ZX_VM_ALLOW_FAULTS: ZX_ERR_NOT_SUPPORTED for a resizable VMO,
 * ZX_ERR_BUFFER_TOO_SMALL for a mapping that goes past the end of one that is not. */
static inline bool abi_map_needs_allow_faults(void)
{
    return abi_get_mode() == ABI_DOCUMENTED;
}

/* Unmapping a range in which there is nothing is ZX_ERR_NOT_FOUND; otherwise it succeeds. */
static inline bool abi_unmap_of_nothing_fails(void)
{
    return abi_get_mode() == ABI_DOCUMENTED;
}

/* zx_vmar_allocate says ZX_ERR_NO_MEMORY when there is no room for the region; otherwise
 * ZX_ERR_NO_RESOURCES. */
static inline bool abi_allocate_no_room_is_no_memory(void)
{
    return abi_get_mode() == ABI_DOCUMENTED;
}

/* zx_vmar_op_range asks ZX_RIGHT_WRITE of the handle for COMMIT and DECOMMIT. */
static inline bool abi_vmar_commit_needs_write_right(void)
{
    return abi_get_mode() == ABI_DOCUMENTED;
}

/* DECOMMIT through zx_vmar_op_range asks of the size what it asks in zx_vmo_op_range: whole pages
 * (ZX_ERR_INVALID_ARGS); otherwise it is rounded up, as for every other operation. */
static inline bool abi_vmar_decommit_needs_whole_pages(void)
{
    return abi_get_mode() == ABI_DOCUMENTED;
}

/* The options of a private IOB region must be 0; otherwise they are those of zx_vmo_create. */
static inline bool abi_iob_region_options_must_be_zero(void)
{
    return abi_get_mode() == ABI_DOCUMENTED;
}

/* zx_vmo_replace_as_executable with a handle to something else is ZX_ERR_WRONG_TYPE; otherwise
 * ZX_ERR_BAD_HANDLE. */
static inline bool abi_replace_as_executable_knows_wrong_type(void)
{
    return abi_get_mode() == ABI_DOCUMENTED;
}

/* zx_process_read_memory and _write_memory keep to what the handles that made a mapping allowed
 * (ZX_ERR_ACCESS_DENIED): who may only read a VMO cannot write it by way of a process. Otherwise
 * they reach all that is mapped, as calls of Zircon's that only a debugging system has. */
static inline bool abi_process_memory_keeps_to_rights(void)
{
    return abi_get_mode() == ABI_DOCUMENTED;
}

/* zx_cache_flush knows ZX_CACHE_FLUSH_INSN; otherwise that is ZX_ERR_NOT_SUPPORTED, as in Zircon's
 * port to RISC-V. */
static inline bool abi_cache_flush_knows_instructions(void)
{
    return abi_get_mode() == ABI_DOCUMENTED;
}

/* What looks like a system call and is none is only ZX_ERR_BAD_SYSCALL; otherwise the thread raises
 * a policy exception too, which ends its process if nobody handles it. */
static inline bool abi_bad_syscall_raises_exception(void)
{
    return abi_get_mode() == ABI_ZIRCON;
}
