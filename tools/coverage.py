#!/usr/bin/env python3
"""docs/zircon-coverage.md: which of Zircon's system calls Beryl has.

Without arguments prints the document; check_docs.py compares it with the file. What is present
comes from abi/zircon/syscalls.def and the functions sys_NAME of the kernel; only the calls that the
table lacks, and the reasons, are written down here.
"""
import check_docs
import sources

PATH = "docs/zircon-coverage.md"

# Reasons, by what a name begins with; the longest beginning counts.
REASONS = {
    "bti_": "no driver framework",
    "channel_call_etc_noretry": "part of the vDSO's own call",
    "channel_call_etc_finish": "part of the vDSO's own call",
    "channel_call_noretry": "part of the vDSO's own call",
    "channel_call_finish": "part of the vDSO's own call",
    "cprng_draw_once": "part of the vDSO's own call",
    "debug_send_command": "the kernel takes no commands",
    "framebuffer_": "no display",
    "guest_": "no hypervisor",
    "interrupt_create_virtual": "zx_interrupt_create makes them",
    "iob_": "shared regions and disciplines are not built",
    "iommu_": "no driver framework",
    "ioports_": "x86 only",
    "ktrace_": "no tracing",
    "msi_": "no driver framework",
    "mtrace_": "no tracing",
    "object_set_profile": "no scheduler profiles",
    "pager_": "no user pagers",
    "pc_firmware_tables": "x86 only",
    "pci_": "no driver framework",
    "pmt_": "no driver framework",
    "process_create_shared": "no shared address spaces",
    "profile_": "no scheduler profiles",
    "resource_create": "the system gives out the root resource",
    "restricted_": "no restricted mode",
    "sampler_": "no tracing",
    "smc_call": "Arm only",
    "syscall_test": "Zircon's own test calls",
    "system_get_event": "no memory pressure events",
    "system_": "no such control",
    "vcpu_": "no hypervisor",
    "vmar_map_clock": "clocks cannot be mapped",
    "vmo_": "not built",
}

# Zircon's calls that abi/zircon/syscalls.def has no row for.
WITHOUT_ROW = """
bti_create bti_pin bti_release_quarantine
framebuffer_get_info framebuffer_set_range guest_create guest_set_trap interrupt_create_virtual
iommu_create ioports_release ioports_request ktrace_control ktrace_read msi_allocate msi_create
mtrace_control pc_firmware_tables pci_add_subtract_io_range pci_cfg_pio_rw pci_config_read
pci_config_write pci_enable_bus_master pci_get_bar pci_get_nth_device pci_init pci_map_interrupt
pci_query_irq_mode pci_reset_device pci_set_irq_mode pmt_unpin restricted_bind_state
restricted_enter restricted_kick restricted_unbind_state sampler_attach sampler_create sampler_start
sampler_stop smc_call system_get_performance_info system_mexec system_mexec_payload_get
system_set_performance_info vcpu_create vcpu_enter vcpu_interrupt vcpu_kick vcpu_read_state
vcpu_write_state
""".split()


def reason(name):
    fitting = [begin for begin in REASONS if name.startswith(begin)]
    if not fitting:
        raise SystemExit(f"tools/coverage.py: no reason for the absence of zx_{name}")
    return REASONS[max(fitting, key=len)]


def document(table, done):
    """The text: table is that of the .def file, done the names that the kernel implements."""
    rows = [match.group(2) for match in check_docs.ROW.finditer(table)]
    in_vdso = {match.group(2) for match in check_docs.VDSO_ROW.finditer(table)}
    present = {name for name in rows if name in done} | in_vdso
    names = sorted(set(rows) | in_vdso | set(WITHOUT_ROW))
    lines = [
        "# Zircon's system calls in Beryl",
        "",
        "Made by `python3 tools/coverage.py` from `abi/zircon/syscalls.def` and the kernel's "
        "functions; `make check` compares. What is absent answers `ZX_ERR_NOT_SUPPORTED`; a call "
        "marked with * has no entry in the vDSO at all.",
        "",
        f"{len(present)} of {len(names)} are present.",
        "",
        "| Call | | |",
        "|---|---|---|",
    ]
    for name in names:
        if name in present:
            where = "in the vDSO" if name in in_vdso else f"[page](syscalls/{name}.md)"
            lines.append(f"| `zx_{name}` | present | {where} |")
        else:
            mark = "*" if name in WITHOUT_ROW else ""
            lines.append(f"| `zx_{name}`{mark} | absent | {reason(name)} |")
    return "\n".join(lines) + "\n"


def current():
    code = [path for path in sources.tracked(".c") if path.startswith("kernel/syscall/")]
    return document(sources.read(check_docs.TABLE), check_docs.implemented(code))


if __name__ == "__main__":
    print(current(), end="")
