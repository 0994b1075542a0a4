# The kernel: build/kernel.elf (with symbols) and build/Image (flat, what boots).

KERNEL_SRCS := $(filter-out arch/riscv/offsets.c,$(wildcard kernel/*.c kernel/*/*.c formats/*.c \
               arch/riscv/*.c arch/riscv/*.S platform/*.c drivers/*.c drivers/*/*.c))
KERNEL_OBJS := $(call objects,k,$(KERNEL_SRCS))
KERNEL_LD   := arch/riscv/kernel.ld

KERNEL_CFLAGS := $(COMMON_CFLAGS) -O2 -ffreestanding -fno-pic -fno-pie -mcmodel=medany \
    $(STRICT_ALIGN) $(KERNEL_ARCH) -fno-stack-protector -ffunction-sections -fdata-sections \
    -fno-asynchronous-unwind-tables -fomit-frame-pointer -nostdinc -isystem $(CC_INCLUDE) \
    -I. -Iabi -Ikernel/include -Iarch/riscv/include -I$(BUILD)/gen

$(eval $(call compile_rules,k,$(TARGET_CC),$(KERNEL_CFLAGS)))

# Constants of C structs for assembly. offsets.c puts lines `->NAME value` into the compiler's
# output with asm volatile("\n.ascii \"->NAME %0\"" : : "i"(value)).
ASM_OFFSETS := $(BUILD)/gen/asm_offsets.h
$(ASM_OFFSETS): arch/riscv/offsets.c $(BUILD)/k/.flags
	$(call step,GEN,$@)
	@mkdir -p $(@D)
	$(Q)$(TARGET_CC) $(KERNEL_CFLAGS) -g0 -MMD -MP -MT $@ -MF $@.d -S -o $(BUILD)/gen/offsets.s $<
	$(Q){ echo '#pragma once'; sed -n \
	    's/.*\.ascii[[:space:]]*"->\([A-Za-z_0-9]*\) [$$#]*\(-*[0-9][0-9]*\).*/#define \1 \2/p' \
	    $(BUILD)/gen/offsets.s; } > $@
DEPS += $(ASM_OFFSETS).d

# Headers that must be there before the first compilation; afterwards the dependency files know who
# needs them.
KERNEL_GENERATED := $(if $(wildcard arch/riscv/offsets.c),$(ASM_OFFSETS)) $(BUILD)/gen/vdso_layout.h
$(KERNEL_OBJS): | $(KERNEL_GENERATED)
$(ASM_OFFSETS): | $(BUILD)/gen/vdso_layout.h

# arch/riscv/blobs.S takes the vDSO and the ramdisk in with .incbin.
FLAGS_arch/riscv/blobs.S := -DVDSO_PATH='"$(BUILD)/vdso.so"' \
                            -DRAMDISK_PATH='"$(BUILD)/ramdisk.cpio"'
$(BUILD)/k/arch/riscv/blobs.S.o: $(BUILD)/vdso.so $(BUILD)/ramdisk.cpio

# Code that nobody waits for is made small: the image has a limit.
SMALL_SRCS := $(wildcard kernel/syscall/info_*.c) \
    $(addprefix kernel/object/,clock_obj.c counter.c debuglog.c exception.c exception_print.c \
        interrupt.c iob.c iob_region.c job.c policy.c policy_enforce.c resource.c \
        socket.c stream.c suspend.c) \
    $(addprefix kernel/syscall/sys_,cache.c clock.c counter.c cprng.c debug.c debuglog.c \
        exception.c info.c interrupt.c iob.c job.c process.c property.c socket.c \
        stream.c system.c task.c vmo_child.c vmo_device.c)
$(foreach src,$(SMALL_SRCS),$(eval FLAGS_$(src) := -Os))

# The compiler must not turn memcpy's own loop into a call of memcpy.
FLAGS_kernel/lib/string.c := $(if $(filter gcc,$(COMPILER)),-fno-tree-loop-distribute-patterns)

KERNEL_LDFLAGS := -nostdlib -static -no-pie $(KERNEL_ARCH) -Wl,-T,$(KERNEL_LD) \
    -Wl,--gc-sections -Wl,-z,max-page-size=4096 -Wl,--build-id=none -Wl,-z,noexecstack

$(eval $(call stamp_rule,$(BUILD)/k/.link,$(LD_CC) $(KERNEL_LDFLAGS) $(KERNEL_OBJS)))

$(BUILD)/kernel.elf: $(KERNEL_OBJS) $(KERNEL_LD) $(BUILD)/k/.link tools/link_kernel.sh \
                     tools/ksyms.py
	$(call step,LD,$@)
	$(Q)NM=$(NM) sh tools/link_kernel.sh $@ $(BUILD)/gen $(LD_CC) $(KERNEL_LDFLAGS) \
	    -Wl,-Map,$@.map $(KERNEL_OBJS)

$(BUILD)/Image: $(BUILD)/kernel.elf
	$(call step,IMAGE,$@)
	$(Q)$(OBJCOPY) -O binary $< $@
	@$(SIZE) $< | awk 'NR == 2 { printf "  kernel: text %d KiB, data %d KiB, bss %d KiB\n", \
	    $$1 / 1024, $$2 / 1024, $$3 / 1024 }'

DEPS += $(KERNEL_OBJS:.o=.d)
kernel: $(BUILD)/Image
.PHONY: kernel
