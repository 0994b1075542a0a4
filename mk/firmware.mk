# The firmware of the boot matrix: M-mode code that is less helpful than OpenSBI.

FIRMWARE_SRCS := $(wildcard tests/boot/firmware/*.c tests/boot/firmware/*.S)
FIRMWARE_OBJS := $(call objects,fw,$(FIRMWARE_SRCS))
FIRMWARE_LD   := tests/boot/firmware/firmware.ld
FIRMWARE_CFLAGS := $(COMMON_CFLAGS) -O2 -ffreestanding -fno-pic -fno-pie -mcmodel=medany \
    $(STRICT_ALIGN) $(KERNEL_ARCH) -fno-stack-protector -fno-asynchronous-unwind-tables \
    -nostdinc -isystem $(CC_INCLUDE)

$(eval $(call compile_rules,fw,$(TARGET_CC),$(FIRMWARE_CFLAGS)))
$(eval $(call stamp_rule,$(BUILD)/fw/.link,$(FIRMWARE_OBJS)))

$(BUILD)/firmware.elf: $(FIRMWARE_OBJS) $(FIRMWARE_LD) $(BUILD)/fw/.link
	$(call step,LD,$@)
	$(Q)$(LD_CC) -nostdlib -static -no-pie $(KERNEL_ARCH) -Wl,-T,$(FIRMWARE_LD) \
	    -Wl,--build-id=none -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -o $@ $(FIRMWARE_OBJS)

$(BUILD)/firmware.bin: $(BUILD)/firmware.elf
	$(call step,IMAGE,$@)
	$(Q)$(OBJCOPY) -O binary $< $@

DEPS += $(FIRMWARE_OBJS:.o=.d)
