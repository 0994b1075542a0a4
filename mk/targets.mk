# The targets people type.

TTY     ?=
DTB     ?=
SECONDS ?= 60
STEPS   ?= 10000000
SEED    ?= 1

all: $(BUILD)/Image host-tests

help:
	@sed -n 's/^#: \{0,1\}//p' mk/targets.mk

clean:
	rm -rf build build-*/

run: $(BUILD)/Image
	@$(PYTHON) tools/run.py $(BUILD)

test: all $(FUZZERS) $(BUILD)/sdcard.img $(BOARD_DTBS) $(BUILD)/firmware.bin \
      $(BUILD)/host/probe
	@$(PYTHON) tools/run_tests.py $(BUILD) $(HOST_TESTS)

models:
	@$(PYTHON) tools/models.py $(BUILD)

test-uart:
	@[ -n "$(TTY)" ] || { echo 'make test-uart TTY=/dev/ttyUSB0' >&2; exit 2; }
	@$(PYTHON) tools/tap_run.py --build $(BUILD) --tty $(TTY)

debug: $(BUILD)/Image
	@$(PYTHON) tools/debug.py $(BUILD)

# Host program: what platform discovery makes of a device tree.
$(BUILD)/host/probe: $(BUILD)/h/tools/probe.c.o $(BUILD)/host/libfakes.a $(BUILD)/host/libportable.a
	$(call step,LD,$@)
	$(Q)$(HOST_CC) $(HOST_CFLAGS) -o $@ $< -Wl,--start-group $(BUILD)/host/libfakes.a \
	    $(BUILD)/host/libportable.a -Wl,--end-group -lpthread
DEPS += $(BUILD)/h/tools/probe.c.d

probe: $(BUILD)/host/probe
	@[ -n "$(DTB)" ] || { echo 'make probe DTB=file.dtb' >&2; exit 2; }
	@$(BUILD)/host/probe $(DTB)

bench: $(BUILD)/Image
	@$(PYTHON) tools/bench.py $(BUILD) --twice --expected tests/bench/expected.tsv

$(BUILD)/host/profile.so: tools/profile_plugin.c
	$(call step,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) -O2 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden -o $@ $<

profile: $(BUILD)/Image $(BUILD)/host/profile.so
	@[ -n "$(NAME)" ] || { echo 'make profile NAME=map_unmap' >&2; exit 2; }
	@$(PYTHON) tools/profile.py $(BUILD) $(NAME)

fuzz stress:
	@echo 'make $@: not available yet' >&2
	@exit 2

-include $(wildcard $(DEPS))

.PHONY: all help clean run test models test-uart debug probe bench profile fuzz stress

#: make                 builds the kernel, userland and host tests in build/
#: make run             boots QEMU to the demo and a shell; without a terminal: runs the demo,
#:                      powers off, and exits 0 only if the demo passed
#:     HARTS=4 MEM=512M MACHINE=virt|sifive_u|uboot APPEND="bootargs" EXTRA="my_program.c"
#: make test            host tests, conformance with 1 and 4 harts and with
#:                      abi=zircon, demo, boot matrix
#: make host-test       the host tests alone
#: make model           random VMO and region operations against a model, on this machine:
#:                      STEPS=10000000 SEED=1
#: make models          the Promela models of tests/models, checked with spin
#: make fuzz-host       libFuzzer on the readers of ELF, cpio, processargs, boot arguments and
#:                      device trees, on this machine: SECONDS=60 each
#: make test-uart       the conformance suite on a board: TTY=/dev/ttyUSB0
#: make check           formatting, dependency rule, static analysis, Clang build, docs
#: make format          lays out all C files with clang-format
#: make errors          docs/errors.md: which test provokes which documented error
#: make debug           QEMU halted at the first instruction with gdb attached; HARTS, MEM, APPEND
#: make sdcard          build/sdcard.img, a card for VisionFive 2 and other boards with U-Boot
#: make probe           what platform discovery makes of a device tree: DTB=file
#: make bench           exact instruction counts of one hart, twice; build/bench.tsv
#: make profile         where the instructions of a figure of the bench go: NAME=map_unmap
#: make clean           removes everything that was built
#:
#: V=1 shows whole commands, DEBUG=1 makes a debug build, COMPILER=clang uses Clang, BUILD=dir
#: builds elsewhere.
