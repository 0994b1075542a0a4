# What boards boot from: build/sdcard.img, and inside it a FIT image for U-Boot's bootm.

# Room for what U-Boot adds: the command line, the initrd's place, seeds.
DTC_FLAGS := -q -I dts -O dtb -p 4096
BOARD_SIZES := 2 4 8
BOARD_DTBS := $(BOARD_SIZES:%=$(BUILD)/dtb/visionfive2-%g.dtb)

$(BUILD)/dtb/%.dtb: platform/dts/%.dts platform/dts/visionfive2.dtsi
	$(call step,DTC,$@)
	@mkdir -p $(@D)
	$(Q)dtc $(DTC_FLAGS) -i platform/dts -o $@ $<

# RAM of JH7110 begins at 0x40000000; its first 2 MiB are the firmware's.
FIT_LOAD := 0x40200000
$(BUILD)/beryl.itb: $(BUILD)/Image $(BUILD)/ramdisk.cpio $(BOARD_DTBS) tools/mkits.py mk/sdcard.mk
	$(call step,FIT,$@)
	$(Q)$(PYTHON) tools/mkits.py $(FIT_LOAD) $(BUILD)/Image $(BUILD)/ramdisk.cpio \
	    $(foreach s,$(BOARD_SIZES),fdt-$(s)g=$(BUILD)/dtb/visionfive2-$(s)g.dtb) > $(BUILD)/beryl.its
	$(Q)SOURCE_DATE_EPOCH=1704067200 mkimage -q -f $(BUILD)/beryl.its $@ >/dev/null

$(BUILD)/sdcard.img: $(BUILD)/Image $(BUILD)/ramdisk.cpio $(BOARD_DTBS) $(BUILD)/beryl.itb \
                     tools/sdcard.py tools/gpt.py tools/machine.py
	$(call step,CARD,$@)
	$(Q)$(PYTHON) tools/sdcard.py $@ $(BUILD)/Image $(BUILD)/ramdisk.cpio $(BOARD_DTBS) \
	    $(BUILD)/beryl.itb

sdcard: $(BUILD)/sdcard.img
	@printf '  %s: write it to a card with dd; docs/visionfive2.md\n' $<
.PHONY: sdcard
