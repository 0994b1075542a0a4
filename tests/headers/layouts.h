/* The ABI's numbers and layouts, written down a second time. tools/check_headers.py compiles this
 * as C and as C++, for the build machine and for the target. */
#pragma once

#include <stddef.h>
#include <zircon/errors.h>
#include <zircon/processargs.h>
#include <zircon/rights.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/exception.h>
#include <zircon/syscalls/iob.h>
#include <zircon/syscalls/object.h>
#include <zircon/syscalls/policy.h>
#include <zircon/syscalls/port.h>
#include <zircon/types.h>

#ifdef __cplusplus
#define HOLDS(cond) static_assert(cond, #cond)
#else
#define HOLDS(cond) _Static_assert(cond, #cond)
#endif
#define SIZE(type, bytes)         HOLDS(sizeof(type) == (bytes))
#define PLACE(type, field, bytes) HOLDS(offsetof(type, field) == (bytes))

/* ---- Simple types ---- */

SIZE(zx_handle_t, 4);
SIZE(zx_status_t, 4);
SIZE(zx_rights_t, 4);
SIZE(zx_signals_t, 4);
SIZE(zx_vm_option_t, 4);
SIZE(zx_koid_t, 8);
SIZE(zx_time_t, 8);
SIZE(zx_vaddr_t, 8);
SIZE(zx_futex_t, 4);
SIZE(zx_string_view_t, 16);

/* ---- Structures ---- */

SIZE(zx_wait_item_t, 12);
PLACE(zx_wait_item_t, handle, 0);
PLACE(zx_wait_item_t, waitfor, 4);
PLACE(zx_wait_item_t, pending, 8);

SIZE(zx_handle_info_t, 16);
PLACE(zx_handle_info_t, handle, 0);
PLACE(zx_handle_info_t, type, 4);
PLACE(zx_handle_info_t, rights, 8);

SIZE(zx_channel_call_args_t, 48);
PLACE(zx_channel_call_args_t, wr_bytes, 0);
PLACE(zx_channel_call_args_t, wr_handles, 8);
PLACE(zx_channel_call_args_t, rd_bytes, 16);
PLACE(zx_channel_call_args_t, rd_handles, 24);
PLACE(zx_channel_call_args_t, wr_num_bytes, 32);
PLACE(zx_channel_call_args_t, wr_num_handles, 36);
PLACE(zx_channel_call_args_t, rd_num_bytes, 40);
PLACE(zx_channel_call_args_t, rd_num_handles, 44);

SIZE(zx_port_packet_t, 48);
PLACE(zx_port_packet_t, key, 0);
PLACE(zx_port_packet_t, type, 8);
PLACE(zx_port_packet_t, status, 12);
PLACE(zx_port_packet_t, user, 16);
PLACE(zx_packet_signal_t, trigger, 0);
PLACE(zx_packet_signal_t, observed, 4);
PLACE(zx_packet_signal_t, count, 8);
PLACE(zx_packet_signal_t, timestamp, 16);

SIZE(zx_vmo_lock_state_t, 32);
PLACE(zx_vmo_lock_state_t, offset, 0);
PLACE(zx_vmo_lock_state_t, size, 8);
PLACE(zx_vmo_lock_state_t, discarded_offset, 16);
PLACE(zx_vmo_lock_state_t, discarded_size, 24);

SIZE(zx_iob_discipline_t, 72);
PLACE(zx_iob_discipline_t, type, 0);
SIZE(zx_iob_region_private_t, 32);
PLACE(zx_iob_region_private_t, options, 0);
SIZE(zx_iob_region_shared_t, 32);
PLACE(zx_iob_region_shared_t, options, 0);
PLACE(zx_iob_region_shared_t, shared_region, 4);
SIZE(zx_iob_region_t, 120);
PLACE(zx_iob_region_t, type, 0);
PLACE(zx_iob_region_t, access, 4);
PLACE(zx_iob_region_t, size, 8);
PLACE(zx_iob_region_t, discipline, 16);
PLACE(zx_iob_region_t, private_region, 88);
PLACE(zx_iob_region_t, shared_region, 88);
SIZE(zx_info_iob_t, 16);
PLACE(zx_info_iob_t, options, 0);
PLACE(zx_info_iob_t, region_count, 8);
SIZE(zx_iob_region_info_t, 128);
PLACE(zx_iob_region_info_t, region, 0);
PLACE(zx_iob_region_info_t, koid, 120);

SIZE(zx_info_handle_basic_t, 32);
PLACE(zx_info_handle_basic_t, koid, 0);
PLACE(zx_info_handle_basic_t, rights, 8);
PLACE(zx_info_handle_basic_t, type, 12);
PLACE(zx_info_handle_basic_t, related_koid, 16);

SIZE(zx_info_process_t, 24);
PLACE(zx_info_process_t, return_code, 0);
PLACE(zx_info_process_t, start_time, 8);
PLACE(zx_info_process_t, flags, 16);

SIZE(zx_info_vmar_t, 16);
PLACE(zx_info_vmar_t, base, 0);
PLACE(zx_info_vmar_t, len, 8);

PLACE(zx_info_thread_t, state, 0);
PLACE(zx_info_thread_t, wait_exception_channel_type, 4);
PLACE(zx_info_thread_t, cpu_affinity_mask, 8);

PLACE(zx_info_task_stats_t, mem_mapped_bytes, 0);
PLACE(zx_info_task_stats_t, mem_private_bytes, 8);
PLACE(zx_info_task_stats_t, mem_shared_bytes, 16);
PLACE(zx_info_task_stats_t, mem_scaled_shared_bytes, 24);

PLACE(zx_info_maps_t, name, 0);
PLACE(zx_info_maps_t, base, 32);
PLACE(zx_info_maps_t, size, 40);
PLACE(zx_info_maps_t, depth, 48);
PLACE(zx_info_maps_t, type, 56);
PLACE(zx_info_maps_t, u.mapping.mmu_flags, 64);
PLACE(zx_info_maps_t, u.mapping.vmo_koid, 72);
PLACE(zx_info_maps_t, u.mapping.vmo_offset, 80);
PLACE(zx_info_maps_t, u.mapping.committed_bytes, 88);
PLACE(zx_info_maps_t, u.mapping.populated_bytes, 96);

SIZE(zx_info_vmo_t, 176);
PLACE(zx_info_vmo_t, koid, 0);
PLACE(zx_info_vmo_t, name, 8);
PLACE(zx_info_vmo_t, size_bytes, 40);
PLACE(zx_info_vmo_t, parent_koid, 48);
PLACE(zx_info_vmo_t, num_children, 56);
PLACE(zx_info_vmo_t, num_mappings, 64);
PLACE(zx_info_vmo_t, share_count, 72);
PLACE(zx_info_vmo_t, flags, 80);
PLACE(zx_info_vmo_t, committed_bytes, 88);
PLACE(zx_info_vmo_t, handle_rights, 96);
PLACE(zx_info_vmo_t, cache_policy, 100);
PLACE(zx_info_vmo_t, metadata_bytes, 104);
PLACE(zx_info_vmo_t, committed_change_events, 112);
PLACE(zx_info_vmo_t, populated_bytes, 120);

SIZE(zx_info_kmem_stats_v1_t, 72);
SIZE(zx_info_kmem_stats_t, 152);
PLACE(zx_info_kmem_stats_t, total_bytes, 0);
PLACE(zx_info_kmem_stats_t, free_bytes, 8);

SIZE(zx_info_resource_t, 56);
PLACE(zx_info_resource_t, kind, 0);
PLACE(zx_info_resource_t, flags, 4);
PLACE(zx_info_resource_t, base, 8);
PLACE(zx_info_resource_t, size, 16);
PLACE(zx_info_resource_t, name, 24);

SIZE(zx_exception_info_t, 24);
SIZE(zx_exception_report_t, 40);
PLACE(zx_exception_report_t, context.synth_code, 32);
PLACE(zx_exception_report_t, context.synth_data, 36);

/* ---- Numbers ---- */

HOLDS(ZX_OK == 0 && ZX_ERR_INTERNAL == -1 && ZX_ERR_NOT_SUPPORTED == -2);
HOLDS(ZX_ERR_NO_RESOURCES == -3 && ZX_ERR_NO_MEMORY == -4 && ZX_ERR_INVALID_ARGS == -10);
HOLDS(ZX_ERR_BAD_HANDLE == -11 && ZX_ERR_WRONG_TYPE == -12 && ZX_ERR_OUT_OF_RANGE == -14);
HOLDS(ZX_ERR_BUFFER_TOO_SMALL == -15 && ZX_ERR_BAD_STATE == -20 && ZX_ERR_TIMED_OUT == -21);
HOLDS(ZX_ERR_SHOULD_WAIT == -22 && ZX_ERR_CANCELED == -23 && ZX_ERR_PEER_CLOSED == -24);
HOLDS(ZX_ERR_NOT_FOUND == -25 && ZX_ERR_ALREADY_EXISTS == -26 && ZX_ERR_ALREADY_BOUND == -27);
HOLDS(ZX_ERR_UNAVAILABLE == -28 && ZX_ERR_ACCESS_DENIED == -30 && ZX_ERR_NO_SPACE == -54);

HOLDS(ZX_RIGHT_READ == 1u << 2 && ZX_RIGHT_WRITE == 1u << 3 && ZX_RIGHT_EXECUTE == 1u << 4);
HOLDS(ZX_RIGHT_MAP == 1u << 5 && ZX_RIGHT_OP_CHILDREN == 1u << 21);
HOLDS(ZX_RIGHT_RESIZE == 1u << 22 && ZX_RIGHT_SAME_RIGHTS == 1u << 31);
HOLDS(ZX_RIGHTS_BASIC == 0xc003 && ZX_RIGHTS_IO == 0xc);
HOLDS(ZX_DEFAULT_VMO_RIGHTS == 0xd0ef && ZX_DEFAULT_IOB_RIGHTS == 0xf0ef);
HOLDS(ZX_DEFAULT_VMAR_RIGHTS == 0x208003 && ZX_DEFAULT_CHANNEL_RIGHTS == 0xf00e);
HOLDS(ZX_DEFAULT_PORT_RIGHTS == 0x800f && ZX_DEFAULT_EVENT_RIGHTS == 0xd003);
HOLDS(ZX_DEFAULT_PROCESS_RIGHTS == 0x6d3cf && ZX_DEFAULT_THREAD_RIGHTS == 0x4d2cf);
HOLDS(ZX_DEFAULT_JOB_RIGHTS == 0x7dfcf && ZX_DEFAULT_IOB_SHARED_REGION_RIGHTS == 0xd0c3);

HOLDS(ZX_VM_PERM_READ == 1 && ZX_VM_PERM_WRITE == 2 && ZX_VM_PERM_EXECUTE == 4);
HOLDS(ZX_VM_COMPACT == 8 && ZX_VM_SPECIFIC == 0x10 && ZX_VM_SPECIFIC_OVERWRITE == 0x20);
HOLDS(ZX_VM_CAN_MAP_SPECIFIC == 0x40 && ZX_VM_CAN_MAP_READ == 0x80);
HOLDS(ZX_VM_CAN_MAP_WRITE == 0x100 && ZX_VM_CAN_MAP_EXECUTE == 0x200);
HOLDS(ZX_VM_MAP_RANGE == 0x400 && ZX_VM_REQUIRE_NON_RESIZABLE == 0x800);
HOLDS(ZX_VM_ALLOW_FAULTS == 0x1000 && ZX_VM_OFFSET_IS_UPPER_LIMIT == 0x2000);
HOLDS(ZX_VM_PERM_READ_IF_XOM_UNSUPPORTED == 0x4000 && ZX_VM_FAULT_BEYOND_STREAM_SIZE == 0x8000);
HOLDS(ZX_VM_ALIGN_1KB == 10u << 24 && ZX_VM_ALIGN_4GB == 32u << 24);

HOLDS(ZX_VMAR_OP_COMMIT == 1 && ZX_VMAR_OP_DECOMMIT == 2 && ZX_VMAR_OP_MAP_RANGE == 3);
HOLDS(ZX_VMAR_OP_ZERO == 10 && ZX_VMAR_OP_DONT_NEED == 12 && ZX_VMAR_OP_ALWAYS_NEED == 13);
HOLDS(ZX_VMAR_OP_PREFETCH == 14 && ZX_VMO_OP_LOCK == 3 && ZX_VMO_OP_UNLOCK == 4);
HOLDS(ZX_VMO_OP_CACHE_SYNC == 6 && ZX_VMO_OP_CACHE_CLEAN_INVALIDATE == 9);
HOLDS(ZX_VMO_OP_ZERO == 10 && ZX_VMO_OP_TRY_LOCK == 11 && ZX_VMO_OP_PREFETCH == 14);

HOLDS(ZX_VMO_RESIZABLE == 2 && ZX_VMO_DISCARDABLE == 4 && ZX_VMO_TRAP_DIRTY == 8);
HOLDS(ZX_VMO_UNBOUNDED == 16 && ZX_VMO_CHILD_SNAPSHOT == 1 && ZX_VMO_CHILD_RESIZABLE == 4);
HOLDS(ZX_VMO_CHILD_SLICE == 8 && ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE == 16);
HOLDS(ZX_VMO_CHILD_NO_WRITE == 32 && ZX_VMO_CHILD_REFERENCE == 64);
HOLDS(ZX_VMO_CHILD_SNAPSHOT_MODIFIED == 128);

HOLDS(ZX_IOB_MAX_REGIONS == 64 && ZX_IOB_REGION_TYPE_PRIVATE == 0 &&
      ZX_IOB_REGION_TYPE_SHARED == 1);
HOLDS(ZX_IOB_DISCIPLINE_TYPE_NONE == 0 && ZX_IOB_DISCIPLINE_TYPE_ID_ALLOCATOR == 1);
HOLDS(ZX_IOB_DISCIPLINE_TYPE_MEDIATED_WRITE_RING_BUFFER == 2);
HOLDS(ZX_IOB_ACCESS_EP0_CAN_MAP_READ == 1 && ZX_IOB_EP0_CAN_MAP_READ == 1);
HOLDS(ZX_IOB_ACCESS_EP1_CAN_MEDIATED_WRITE == 0x80 && ZX_IOB_EP1_CAN_MEDIATED_WRITE == 0x80);
HOLDS(ZX_IOB_PEER_CLOSED == 1u << 2 && ZX_IOB_SHARED_REGION_UPDATED == 1u << 3);

HOLDS(ZX_OBJ_TYPE_PROCESS == 1 && ZX_OBJ_TYPE_THREAD == 2 && ZX_OBJ_TYPE_VMO == 3);
HOLDS(ZX_OBJ_TYPE_JOB == 17 && ZX_OBJ_TYPE_VMAR == 18 && ZX_OBJ_TYPE_IOB == 33);
HOLDS(ZX_EXCP_GENERAL == 0x8 && ZX_EXCP_FATAL_PAGE_FAULT == 0x108);
HOLDS(ZX_CHANNEL_MAX_MSG_BYTES == 65536 && ZX_CHANNEL_MAX_MSG_HANDLES == 64);
HOLDS(ZX_TIME_INFINITE == INT64_MAX && ZX_TIME_INFINITE_PAST == INT64_MIN);
HOLDS(ZX_WAIT_MANY_MAX_ITEMS == 64 && ZX_HANDLE_FIXED_BITS_MASK == 3);
