# `make check`: one count for each check; the last line says how many passed.

C_FILES := git ls-files -z --cached --others --exclude-standard '*.c' '*.h'

check:
	@$(PYTHON) tools/check.py '$(MAKE)'

check-format:
	@bad=$$($(C_FILES) | xargs -0 -r clang-format --dry-run -Werror 2>&1 | \
	    sed -n 's/^\([^:]*\):[0-9]*:[0-9]*: error:.*/\1/p' | sort -u); \
	[ -z "$$bad" ] || { printf '%s\n' "$$bad" 'make format puts these files right'; exit 1; }

format:
	@$(C_FILES) | xargs -0 -r clang-format -i

check-layers:
	@$(PYTHON) tools/check_layers.py

check-docs:
	@$(PYTHON) tools/check_docs.py

check-text:
	@$(PYTHON) tools/check_text.py

check-errors:
	@$(PYTHON) tools/errors_table.py --check

errors:
	@$(PYTHON) tools/errors_table.py

check-headers:
	@$(PYTHON) tools/check_headers.py

# Pointers into user memory, with the flags of the Clang build (COMPILER=clang).
check-user: | $(KERNEL_GENERATED)
	@$(PYTHON) tools/check_user.py --target=riscv64-linux-gnu $(KERNEL_CFLAGS)

# What is locked is unlocked, by Clang's thread-safety analysis.
check-locks: | $(KERNEL_GENERATED)
	@$(PYTHON) tools/check_locks.py --target=riscv64-linux-gnu $(KERNEL_CFLAGS)

# clang-tidy of the target's sources with the flags of the Clang build (COMPILER=clang).
TIDY_KERNEL := $(patsubst %,$(BUILD)/tidy/%.ok,$(filter %.c,$(KERNEL_SRCS)))
TIDY_USER   := $(patsubst %,$(BUILD)/tidy/%.ok,$(filter %.c,$(VDSO_SRCS) \
    $(filter-out $(KERNEL_SRCS),$(LIBZX_SRCS)) \
    $(wildcard userland/crt/*.c userland/programs/*/*.c tests/conformance/*.c tests/bench/*.c \
    tests/model/*.c tests/model/user/*.c)))
DEPS += $(addsuffix .d,$(TIDY_KERNEL) $(TIDY_USER))

$(TIDY_KERNEL): $(BUILD)/tidy/%.ok: % .clang-tidy $(BUILD)/k/.flags | $(KERNEL_GENERATED)
	$(call step,TIDY,$<)
	@mkdir -p $(@D)
	$(Q)clang-tidy --quiet $< -- --target=riscv64-linux-gnu $(KERNEL_CFLAGS) 2>$@.err || \
	    { cat $@.err; exit 1; }
	$(Q)$(TARGET_CC) $(KERNEL_CFLAGS) -M -MP -MT $@ -MF $@.d $<
	@touch $@

$(TIDY_USER): $(BUILD)/tidy/%.ok: % .clang-tidy $(BUILD)/u/.flags
	$(call step,TIDY,$<)
	@mkdir -p $(@D)
	$(Q)clang-tidy --quiet $< -- --target=riscv64-linux-gnu $(PROGRAM_CFLAGS) 2>$@.err || \
	    { cat $@.err; exit 1; }
	$(Q)$(TARGET_CC) $(PROGRAM_CFLAGS) -M -MP -MT $@ -MF $@.d $<
	@touch $@

tidy: $(TIDY_KERNEL) $(TIDY_USER)

.PHONY: check format check-format check-layers check-docs check-text check-headers check-errors \
    check-user check-locks errors tidy
