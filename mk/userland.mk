# Everything that runs in U-mode: the vDSO, libzx, the programs, and the ramdisk that holds them.

PICOLIBC := /usr/lib/picolibc/riscv64-unknown-elf
PICOLIBC_LIBS := $(PICOLIBC)/lib/rv64imafdc/lp64d
LIBGCC   := $(shell $(CROSS)gcc -print-libgcc-file-name 2>/dev/null)

USER_CFLAGS := $(COMMON_CFLAGS) -O2 $(USER_ARCH) $(STRICT_ALIGN) -fno-stack-protector \
    -ffunction-sections -fdata-sections -fomit-frame-pointer -fno-asynchronous-unwind-tables \
    -nostdinc -isystem $(CC_INCLUDE) -I. -Iabi -Iuserland/include \
    -D_POSIX_TIMERS=1 -D_POSIX_MONOTONIC_CLOCK=1

# The vDSO has no C library and no data of its own.
VDSO_CFLAGS := $(USER_CFLAGS) -ffreestanding -fPIC -fvisibility=hidden
VDSO_SRCS := $(wildcard userland/vdso/*.c userland/vdso/*.S)
VDSO_OBJS := $(call objects,v,$(VDSO_SRCS))
VDSO_LD   := userland/vdso/vdso.ld
VDSO_LDFLAGS := -nostdlib -shared -Wl,-T,$(VDSO_LD) -Wl,-soname,libzircon.so \
    -Wl,--hash-style=sysv -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack \
    -Wl,-z,defs
$(eval $(call compile_rules,v,$(TARGET_CC),$(VDSO_CFLAGS)))
$(eval $(call stamp_rule,$(BUILD)/v/.link,$(LD_CC) $(VDSO_LDFLAGS) $(VDSO_OBJS)))

$(BUILD)/vdso.debug.so: $(VDSO_OBJS) $(VDSO_LD) $(BUILD)/v/.link
	$(call step,LD,$@)
	$(Q)$(LD_CC) $(VDSO_LDFLAGS) -o $@ $(VDSO_OBJS)

# mkvdso.sh checks the linked vDSO and cuts it to the bytes that are mapped; the kernel learns its
# layout from a generated header.
VDSO_LAYOUT := $(BUILD)/gen/vdso_layout.h
$(BUILD)/vdso.so: $(BUILD)/vdso.debug.so userland/vdso/mkvdso.sh
	$(call step,VDSO,$@)
	@mkdir -p $(BUILD)/gen
	$(Q)CROSS=$(CROSS) sh userland/vdso/mkvdso.sh $< $@ $(VDSO_LAYOUT).new
$(VDSO_LAYOUT): $(BUILD)/vdso.so
	@cmp -s $@.new $@ || cp $@.new $@

# Programs: static PIE, one folder a program.
PROGRAM_CFLAGS := $(USER_CFLAGS) -isystem $(PICOLIBC)/include -fPIE -ftls-model=local-exec
$(eval $(call compile_rules,u,$(TARGET_CC),$(PROGRAM_CFLAGS)))

LIBZX_SRCS := $(wildcard userland/libzx/*.c userland/libzx/*.S formats/*.c)
LIBZX_OBJS := $(call objects,u,$(LIBZX_SRCS))
CRT_OBJS   := $(call objects,u,$(wildcard userland/crt/*.c userland/crt/*.S))

$(eval $(call stamp_rule,$(BUILD)/u/.libzx,$(LIBZX_OBJS)))
$(BUILD)/libzx.a: $(LIBZX_OBJS) $(BUILD)/u/.libzx
	$(call step,AR,$@)
	@rm -f $@
	$(Q)$(AR) qcsD $@ $(LIBZX_OBJS)

# Nothing is exported: of a program that exports symbols the linker may leave pointers to functions
# as symbolic relocations, which the start-up code does not apply.
PROGRAM_MAP     := userland/program.map
PROGRAM_LDFLAGS := -nostdlib -static-pie -Wl,--no-dynamic-linker -Wl,--gc-sections \
    -Wl,-z,separate-code -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,--hash-style=sysv \
    -Wl,--build-id=none -Wl,-e,_start -Wl,--version-script=$(PROGRAM_MAP)
# libzx replaces functions of picolibc (sbrk, locks, stdio) that picolibc itself calls, so it is
# linked as a whole; what nobody uses goes with --gc-sections.
PROGRAM_LIBS := -Wl,--whole-archive $(BUILD)/libzx.a -Wl,--no-whole-archive -Wl,--start-group \
    $(PICOLIBC_LIBS)/libc.a $(PICOLIBC_LIBS)/libm.a $(LIBGCC) -Wl,--end-group

# $(call program_rules,NAME,SOURCES): build/bin/NAME, and without symbols build/ramdisk/bin/NAME.
define program_rules
$(call stamp_rule,$(BUILD)/u/.link.$(1),$(LD_CC) $(PROGRAM_LDFLAGS) $(2))
$(BUILD)/bin/$(1): $(call objects,u,$(2)) $(CRT_OBJS) $(BUILD)/libzx.a \
                $(BUILD)/u/.link.$(1) $(PROGRAM_MAP) tools/check_elf.py
	$$(call step,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$(LD_CC) $(PROGRAM_LDFLAGS) -o $$@ $(CRT_OBJS) $(call objects,u,$(2)) $$(CXX_OBJS) \
	    $(PROGRAM_LIBS)
	$$(Q)$(PYTHON) tools/check_elf.py $$@
$(BUILD)/ramdisk/bin/$(1): $(BUILD)/bin/$(1)
	@mkdir -p $$(@D)
	$$(Q)$(STRIP) -s -o $$@ $$<
DEPS += $(patsubst %.o,%.d,$(call objects,u,$(2)))
endef

PROGRAM_NAMES := $(notdir $(patsubst %/,%,$(wildcard userland/programs/*/)))
PROGRAM_NAMES := $(foreach n,$(PROGRAM_NAMES),$(if $(wildcard userland/programs/$(n)/*.c),$(n)))
$(foreach n,$(PROGRAM_NAMES),$(eval $(call program_rules,$(n),$(wildcard \
    userland/programs/$(n)/*.c userland/programs/$(n)/*.S))))

# Suites that are one program each.
SUITES := $(foreach n,conformance bench model,$(if $(wildcard tests/$(n)/*.c),$(n)))
$(foreach n,$(SUITES),$(eval $(call program_rules,$(n),$(wildcard \
    tests/$(n)/*.c tests/$(n)/*.S tests/$(n)/user/*.c))))

# A user's own programs. Their paths may lead anywhere, so each gets a rule of its own; and they are
# not held to this project's warnings.
EXTRA_CFLAGS = $(filter-out -Werror -Wextra -W%-prototypes -Wvla,$(PROGRAM_CFLAGS))
define extra_rules
$(BUILD)/u/extra/$(notdir $(1)).o: $(1) $(BUILD)/u/.flags
	$$(call step,CC,$$<)
	@mkdir -p $$(@D)
	$$(Q)$(TARGET_CC) $(EXTRA_CFLAGS) -MMD -MP -c -o $$@ $$<
$(call program_rules,$(basename $(notdir $(1))),extra/$(notdir $(1)))
endef

# C++ is Clang's, with the headers of the host's libstdc++: templates, of which nothing is linked.
# userland/cxx has what they need on picolibc, and the run-time library.
CXX_VERSION = $(shell g++ -dumpversion 2>/dev/null)
CXX_HOST    = $(shell g++ -dumpmachine 2>/dev/null)
EXTRA_CXX   = clang++ --target=riscv64-linux-gnu
EXTRA_CXXFLAGS = -std=c++20 -g -O2 -march=rv64imafdc -mabi=lp64d -fno-stack-protector \
    -ffunction-sections -fdata-sections -fno-omit-frame-pointer -fno-asynchronous-unwind-tables \
    -fno-strict-aliasing -fno-exceptions -fno-rtti -fPIE -ftls-model=local-exec \
    -U__STDC_HOSTED__ -D__STDC_HOSTED__=0 -Wno-builtin-macro-redefined -Wall \
    -nostdinc -nostdinc++ -include userland/cxx/include/prefix.h -isystem userland/cxx/include \
    -isystem /usr/include/c++/$(CXX_VERSION) \
    -isystem /usr/include/$(CXX_HOST)/c++/$(CXX_VERSION) \
    -isystem $(shell clang -print-resource-dir 2>/dev/null)/include -I. -Iabi -Iuserland/include \
    -isystem $(PICOLIBC)/include -D_POSIX_TIMERS=1 -D_POSIX_MONOTONIC_CLOCK=1
CXX_RUNTIME := $(BUILD)/u/cxx/runtime.cc.o
define cxx_rule
$(1): $(2) $(wildcard userland/cxx/include/* userland/cxx/include/*/*) mk/userland.mk
	$$(call step,C++,$$<)
	@mkdir -p $$(@D)
	$$(Q)$(EXTRA_CXX) $(EXTRA_CXXFLAGS) -MMD -MP -c -o $$@ $$<
endef
define extra_cxx_rules
$(call cxx_rule,$(BUILD)/u/extra/$(notdir $(1)).o,$(1))
$(BUILD)/bin/$(basename $(notdir $(1))): CXX_OBJS := $(CXX_RUNTIME)
$(BUILD)/bin/$(basename $(notdir $(1))): $(CXX_RUNTIME)
$(call program_rules,$(basename $(notdir $(1))),extra/$(notdir $(1)))
endef

EXTRA_CXX_FILES := $(filter %.cc %.cpp,$(EXTRA))
EXTRA_C_FILES   := $(filter %.c,$(EXTRA))
EXTRA_NAMES := $(basename $(notdir $(EXTRA)))
ifneq ($(filter-out $(EXTRA_C_FILES) $(EXTRA_CXX_FILES),$(EXTRA)),)
$(error EXTRA takes C and C++ files, not $(filter-out %.c %.cc %.cpp,$(EXTRA)))
endif
ifneq ($(filter $(PROGRAM_NAMES) $(SUITES),$(EXTRA_NAMES)),)
$(error EXTRA: there is already a program $(filter $(PROGRAM_NAMES) $(SUITES),$(EXTRA_NAMES)))
endif
$(foreach f,$(EXTRA_C_FILES),$(eval $(call extra_rules,$(f))))
ifneq ($(EXTRA_CXX_FILES),)
$(eval $(call cxx_rule,$(CXX_RUNTIME),userland/cxx/runtime.cc))
$(foreach f,$(EXTRA_CXX_FILES),$(eval $(call extra_cxx_rules,$(f))))
endif

# The ramdisk: init at /init, every program at /bin/NAME.
ALL_PROGRAMS := $(sort $(PROGRAM_NAMES) $(SUITES) $(EXTRA_NAMES))
RAMDISK_BINS := $(addprefix $(BUILD)/ramdisk/bin/,$(ALL_PROGRAMS))
RAMDISK_MAP  := $(foreach n,$(ALL_PROGRAMS), \
    $(if $(filter init,$(n)),init,bin/$(n))=$(BUILD)/ramdisk/bin/$(n))
$(eval $(call stamp_rule,$(BUILD)/ramdisk/.list,$(RAMDISK_MAP)))
$(BUILD)/ramdisk.cpio: $(RAMDISK_BINS) $(BUILD)/ramdisk/.list tools/mkcpio.py
	$(call step,CPIO,$@)
	$(Q)$(PYTHON) tools/mkcpio.py $@ $(RAMDISK_MAP)

DEPS += $(patsubst %.o,%.d,$(VDSO_OBJS) $(LIBZX_OBJS) $(CRT_OBJS))
userland: $(BUILD)/vdso.so $(BUILD)/ramdisk.cpio
.PHONY: userland
.SECONDARY:
