/* Mapping VMOs and regions of IOBuffers. Both come down to one request: a VMO and what a handle to
 * it would allow. */
#include "kernel/object/vdso.h"
#include "kernel/syscall/abi.h"
#include "kernel/syscall/lookup.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"
#include "kernel/syscall/vm_options.h"

#define MAP_OPTIONS                                                                                \
    (ZX_VM_SPECIFIC | ZX_VM_SPECIFIC_OVERWRITE | ZX_VM_OFFSET_IS_UPPER_LIMIT | VM_PERM_MASK |      \
     ZX_VM_MAP_RANGE | ZX_VM_ALLOW_FAULTS | ZX_VM_FAULT_BEYOND_STREAM_SIZE |                       \
     ZX_VM_REQUIRE_NON_RESIZABLE | VM_ALIGN_MASK)

struct map_request {
    struct vmar_object *vmar;
    zx_rights_t vmar_rights;
    struct vmo *vmo;
    zx_rights_t vmo_rights;
    struct mapping_keeper *keeper; /* of an IOB endpoint, or NULL */
    zx_vm_option_t options;
    uint64_t vmar_offset;
    uint64_t vmo_offset;
    uint64_t len_bytes;
};

/* The checks that concern options and rights, in Zircon's order. Drops options that have done
 * their work. */
static zx_status_t check_options(struct map_request *request)
{
    zx_vm_option_t options = request->options;
    zx_rights_t needed = vm_rights_for_perms(options);

    if (!(request->vmo_rights & ZX_RIGHT_MAP))
        return ZX_ERR_ACCESS_DENIED;
    if (!vm_perms_are_valid(options))
        return ZX_ERR_INVALID_ARGS;
    if ((options & ZX_VM_MAP_RANGE) && (options & ZX_VM_SPECIFIC_OVERWRITE))
        return ZX_ERR_INVALID_ARGS;
    if (options & VM_CAN_MAP_RWX)
        return ZX_ERR_INVALID_ARGS;
    if ((request->vmar_rights & request->vmo_rights & needed) != needed)
        return ZX_ERR_ACCESS_DENIED;
    if (options & ZX_VM_FAULT_BEYOND_STREAM_SIZE) {
        /* The regions of an IOBuffer have no stream size that anybody could set. */
        if (!(options & ZX_VM_ALLOW_FAULTS) || request->keeper != NULL)
            return ZX_ERR_INVALID_ARGS;
        if (!vmo_has_stream(request->vmo))
            return ZX_ERR_NOT_SUPPORTED;
    }
    if (!vm_options_are_known(options))
        return ZX_ERR_INVALID_ARGS;
    if (vmo_is_resizable(request->vmo)) {
        if (options & ZX_VM_REQUIRE_NON_RESIZABLE)
            return ZX_ERR_NOT_SUPPORTED;
        if (!(options & ZX_VM_ALLOW_FAULTS) && abi_map_needs_allow_faults())
            return ZX_ERR_NOT_SUPPORTED;
    }
    if (vmo_is_discardable(request->vmo) && !(options & ZX_VM_ALLOW_FAULTS))
        return ZX_ERR_NOT_SUPPORTED;
    options &= ~ZX_VM_PERM_READ_IF_XOM_UNSUPPORTED;
    if (options & ~MAP_OPTIONS)
        return ZX_ERR_INVALID_ARGS;
    request->options = options;
    return ZX_OK;
}

/* Offsets and length; rounds the length up. */
static zx_status_t check_extent(struct map_request *request)
{
    uint64_t len_bytes, end;

    if (!is_aligned(request->vmo_offset, PAGE_SIZE_BYTES))
        return ZX_ERR_INVALID_ARGS;
    if (abi_vmar_len_must_be_aligned() && !is_aligned(request->len_bytes, PAGE_SIZE_BYTES))
        return ZX_ERR_INVALID_ARGS;
    if (!round_up_checked(request->len_bytes, PAGE_SIZE_BYTES, &len_bytes))
        return ZX_ERR_OUT_OF_RANGE;
    if (__builtin_add_overflow(request->vmo_offset, len_bytes, &end))
        return ZX_ERR_OUT_OF_RANGE;
    if (abi_map_needs_allow_faults() && !(request->options & ZX_VM_ALLOW_FAULTS) &&
        end > vmo_size_bytes(request->vmo))
        return ZX_ERR_BUFFER_TOO_SMALL;
    request->len_bytes = len_bytes;
    return ZX_OK;
}

/* The vDSO's text is mapped executable whole and once, and stays. */
static zx_status_t check_vdso(const struct map_request *request, bool *out_is_code)
{
    uint64_t code_offset, code_bytes;

    *out_is_code = false;
    if (!vdso_is_vmo(request->vmo) || !(request->options & ZX_VM_PERM_EXECUTE))
        return ZX_OK;
    vdso_code_range(&code_offset, &code_bytes);
    if (request->vmo_offset != code_offset || request->len_bytes != code_bytes)
        return ZX_ERR_ACCESS_DENIED;
    *out_is_code = true;
    return ZX_OK;
}

/* After the text of the vDSO was mapped at |addr|: system calls come from there. */
static zx_status_t open_window(const struct map_request *request, vaddr_t addr)
{
    struct code_window window = {.base = addr, .len_bytes = request->len_bytes};
    return process_set_window(request->vmar->process, &window, addr - request->vmo_offset);
}

/* That somebody else unmapped it meanwhile is as good. */
static void undo_map(const struct map_request *request, bool is_vdso_code, vaddr_t addr)
{
    if (is_vdso_code) {
        vmar_unmap_fixed(request->vmar->vmar);
        return;
    }
    zx_status_t status = vmar_unmap(request->vmar->vmar, addr, request->len_bytes, true, NULL);
    (void)status;
}

static zx_status_t map(struct map_request *request, zx_vaddr_t __user *out_user)
{
    bool is_vdso_code;
    vaddr_t addr;
    zx_status_t status = check_options(request);
    if (status == ZX_OK)
        status = check_extent(request);
    if (status == ZX_OK)
        status = check_vdso(request, &is_vdso_code);
    /* Mappings that were overwritten do not come back: no failure may come after that. */
    if (status == ZX_OK && (request->options & ZX_VM_SPECIFIC_OVERWRITE))
        status = arch_probe_user_write((uintptr_t)out_user, sizeof(*out_user));
    if (status != ZX_OK)
        return status;

    zx_vm_option_t max_perms = vm_perms_for_rights(request->vmar_rights & request->vmo_rights);
    if (vdso_is_vmo(request->vmo)) /* protect must not make a second text, nor unmake this one */
        max_perms = request->options & VM_PERM_MASK;
    struct vmar_map_args args = {
        .options = request->options & ~ZX_VM_REQUIRE_NON_RESIZABLE,
        .vmar_offset = request->vmar_offset,
        .vmo = request->vmo,
        .vmo_offset = request->vmo_offset,
        .len_bytes = request->len_bytes,
        .max_perms = max_perms,
        .keeper = request->keeper,
        .is_fixed = is_vdso_code,
    };
    status = vmar_map(request->vmar->vmar, &args, &addr);
    if (status != ZX_OK)
        return status;
    status = user_put_u64(out_user, addr);
    if (status == ZX_OK && is_vdso_code)
        status = open_window(request, addr);
    if (status != ZX_OK)
        undo_map(request, is_vdso_code, addr);
    return status;
}

zx_status_t sys_vmar_map(zx_handle_t handle, zx_vm_option_t options, size_t vmar_offset,
                         zx_handle_t vmo_handle, uint64_t vmo_offset, size_t len,
                         zx_vaddr_t __user *mapped_addr)
{
    struct map_request request = {
        .options = options,
        .vmar_offset = vmar_offset,
        .vmo_offset = vmo_offset,
        .len_bytes = len,
    };
    struct vmo_object *vmo;
    zx_status_t status = vm_check_policy(options);
    if (status != ZX_OK)
        return status;
    status = lookup_vmar(handle, 0, &request.vmar, &request.vmar_rights);
    if (status != ZX_OK)
        return status;
    status = lookup_vmo(vmo_handle, 0, &vmo, &request.vmo_rights);
    if (status == ZX_OK) {
        request.vmo = vmo->vmo;
        status = map(&request, mapped_addr);
        object_put(&vmo->object);
    }
    object_put(&request.vmar->object);
    return status;
}

/* |endpoint| is held open meanwhile, so that its half does not close and open again. */
static zx_status_t map_region(struct map_request *request, struct iob_endpoint *endpoint,
                              zx_rights_t rights, uint32_t region_index,
                              zx_vaddr_t __user *out_user)
{
    if (region_index >= iob_count_regions(endpoint))
        return ZX_ERR_OUT_OF_RANGE;
    if (!iob_endpoint_hold(endpoint))
        return ZX_ERR_BAD_HANDLE; /* closed since it was looked up */
    request->vmo = iob_get_region(endpoint, region_index)->vmo;
    request->vmo_rights = iob_map_rights(endpoint, region_index, rights);
    request->keeper = &endpoint->keeper;
    zx_status_t status = map(request, out_user);
    iob_endpoint_release(endpoint);
    return status;
}

zx_status_t sys_vmar_map_iob(zx_handle_t handle, zx_vm_option_t options, size_t vmar_offset,
                             zx_handle_t ep, uint32_t region_index, uint64_t region_offset,
                             size_t region_length, zx_vaddr_t __user *addr_out)
{
    struct map_request request = {
        .options = options,
        .vmar_offset = vmar_offset,
        .vmo_offset = region_offset,
        .len_bytes = region_length,
    };
    struct iob_endpoint *endpoint;
    zx_rights_t rights;
    zx_status_t status = lookup_vmar(handle, 0, &request.vmar, &request.vmar_rights);
    if (status != ZX_OK)
        return status;
    status = lookup_iob(ep, 0, &endpoint, &rights);
    if (status == ZX_OK) {
        status = map_region(&request, endpoint, rights, region_index, addr_out);
        object_put(&endpoint->object);
    }
    object_put(&request.vmar->object);
    return status;
}
