# What the other .mk files share: target compilers and the rules from source to object.

CROSS   := riscv64-linux-gnu-
LD_CC   := $(CROSS)gcc
NM      := $(CROSS)nm
OBJCOPY := $(CROSS)objcopy
STRIP   := $(CROSS)strip
SIZE    := $(CROSS)size
HOST_CC := gcc
HOST_AR := ar
AR      := $(CROSS)ar

# Clang 14 knows Zicsr and Zifencei only as parts of the base set, and it never makes
# unaligned accesses; GCC 12 wants all of that said.
ifeq ($(COMPILER),clang)
TARGET_CC   := clang --target=riscv64-linux-gnu
CC_INCLUDE  := $(shell clang -print-resource-dir 2>/dev/null)/include
KERNEL_ARCH := -march=rv64imac -mabi=lp64
USER_ARCH   := -march=rv64imafdc -mabi=lp64d
STRICT_ALIGN :=
else
TARGET_CC   := $(CROSS)gcc
CC_INCLUDE  := $(shell $(CROSS)gcc -print-file-name=include 2>/dev/null)
KERNEL_ARCH := -march=rv64imac_zicsr_zifencei -mabi=lp64
USER_ARCH   := -march=rv64imafdc_zicsr_zifencei -mabi=lp64d
STRICT_ALIGN := -mstrict-align
endif

WARNINGS := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wvla
COMMON_CFLAGS := -std=gnu11 -g -fno-strict-aliasing -fno-common $(WARNINGS) \
                 -ffile-prefix-map=$(CURDIR)=.
ifneq ($(DEBUG),0)
COMMON_CFLAGS += -DDEBUG=1
endif

FORCE:
.PHONY: FORCE

DEPS :=

shell_quote = '$(subst ','\'',$(1))'

# $(call stamp_rule,FILE,TEXT): FILE holds TEXT and changes only when TEXT does, so what depends on
# FILE is built again when flags or lists of files change.
define stamp_rule
$(1): FORCE
	@mkdir -p $$(@D)
	@printf '%s\n' $(call shell_quote,$(2)) | cmp -s - $$@ || \
	    printf '%s\n' $(call shell_quote,$(2)) > $$@
endef

# $(call compile_rules,GROUP,COMPILER,FLAGS): build/GROUP/a/b.c.o from a/b.c, and .S alike. A file's
# own flags are in FLAGS_<path>.
define compile_rules
$(call stamp_rule,$(BUILD)/$(1)/.flags,$(2) $(3))
$(BUILD)/$(1)/%.c.o: %.c $(BUILD)/$(1)/.flags
	$$(call step,CC,$$<)
	@mkdir -p $$(@D)
	$$(Q)$(2) $(3) $$(FLAGS_$$<) -MMD -MP -c -o $$@ $$<
$(BUILD)/$(1)/%.S.o: %.S $(BUILD)/$(1)/.flags
	$$(call step,AS,$$<)
	@mkdir -p $$(@D)
	$$(Q)$(2) $(3) $$(FLAGS_$$<) -MMD -MP -c -o $$@ $$<
endef

# $(call objects,GROUP,SOURCES)
objects = $(patsubst %,$(BUILD)/$(1)/%.o,$(2))
