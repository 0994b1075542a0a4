# Tests of the portable kernel code on the build machine, under ASan and UBSan. Both archives are
# searched lazily: what a test defines itself wins over a fake, a fake over the kernel's own.

# Left out: the C library has the functions of string.c, and ASan watches over their arguments
# there; a panic on the host is the fake machine's.
HOST_EXCLUDE := kernel/lib/string.c kernel/lib/panic.c

HOST_CFLAGS := $(COMMON_CFLAGS) -O1 -fsanitize=address,undefined -fno-sanitize-recover=all \
    -fno-omit-frame-pointer -I. -Iabi -Ikernel/include -Itests/host/include
HOST_LIBS := -lcmocka -lfdt -lpthread

HOST_SRCS := $(filter-out $(HOST_EXCLUDE),$(wildcard kernel/lib/*.c kernel/sync/*.c \
    kernel/vm/*.c kernel/object/*.c formats/*.c platform/*.c drivers/*.c drivers/*/*.c \
    $(addprefix userland/libzx/,launch.c load.c procargs.c stack.c)))
HOST_TEST_SRCS := $(wildcard tests/host/test_*.c)
HOST_FAKE_SRCS := $(filter-out $(HOST_TEST_SRCS) $(wildcard tests/host/fuzz_*.c), \
    $(wildcard tests/host/*.c tests/model/*.c))
HOST_OBJS      := $(call objects,h,$(HOST_SRCS))
HOST_FAKE_OBJS := $(call objects,h,$(HOST_FAKE_SRCS))
HOST_TESTS     := $(patsubst tests/host/%.c,$(BUILD)/host/%,$(HOST_TEST_SRCS))

# The test of our own device trees runs on what dtc makes of them.
FLAGS_tests/host/test_board_trees.c := -DBOARD_DTB_FOLDER='"$(BUILD)/dtb/"'
$(BUILD)/h/tests/host/test_board_trees.c.o: | $(BOARD_DTBS)
$(BUILD)/host/test_board_trees: $(BOARD_DTBS)

$(eval $(call compile_rules,h,$(HOST_CC),$(HOST_CFLAGS)))
$(eval $(call stamp_rule,$(BUILD)/h/.lib,$(HOST_OBJS)))
$(eval $(call stamp_rule,$(BUILD)/h/.fakes,$(HOST_FAKE_OBJS)))

$(BUILD)/host/libportable.a: $(HOST_OBJS) $(BUILD)/h/.lib
$(BUILD)/host/libfakes.a: $(HOST_FAKE_OBJS) $(BUILD)/h/.fakes
$(BUILD)/host/libportable.a $(BUILD)/host/libfakes.a:
	$(call step,AR,$@)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(HOST_AR) qcsD $@ $(filter %.o,$^)

$(HOST_TESTS): $(BUILD)/host/%: $(BUILD)/h/tests/host/%.c.o $(BUILD)/host/libfakes.a \
               $(BUILD)/host/libportable.a
	$(call step,LD,$@)
	$(Q)$(HOST_CC) $(HOST_CFLAGS) -o $@ $< -Wl,--start-group $(BUILD)/host/libfakes.a \
	    $(BUILD)/host/libportable.a -Wl,--end-group $(HOST_LIBS)

DEPS += $(patsubst %.o,%.d,$(HOST_OBJS) $(HOST_FAKE_OBJS) $(call objects,h,$(HOST_TEST_SRCS)))

host-tests: $(HOST_TESTS)
host-test: $(HOST_TESTS)
	@$(PYTHON) tools/host_tests.py $(HOST_TESTS)

# The model test for longer: STEPS steps of SEED.
model: $(BUILD)/host/test_model
	@MODEL_STEPS='$(STEPS)' MODEL_SEED='$(SEED)' $<

.PHONY: host-tests host-test model

# Fuzzers: the readers of what comes from outside, built by Clang with libFuzzer and sanitizers.
# Each reads tests/host/corpus/NAME.
FUZZ_CC     := clang
FUZZ_CFLAGS := -std=gnu11 -g -O1 -fno-strict-aliasing -fno-omit-frame-pointer $(WARNINGS) \
    -fsanitize=address,undefined -fno-sanitize-recover=all -I. -Iabi -Ikernel/include \
    -Itests/host/include
FUZZ_LIB_SRCS := $(wildcard formats/*.c platform/*.c) kernel/lib/bootargs.c kernel/lib/printf.c \
    drivers/irq/plic_config.c drivers/uart/uart_config.c userland/libzx/procargs.c
FUZZ_SRCS := $(wildcard tests/host/fuzz_*.c)
FUZZERS   := $(patsubst tests/host/%.c,$(BUILD)/fuzz/%,$(FUZZ_SRCS))
FUZZ_OBJS := $(call objects,f,$(FUZZ_LIB_SRCS))

$(eval $(call compile_rules,f,$(FUZZ_CC),$(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link))
$(eval $(call stamp_rule,$(BUILD)/f/.lib,$(FUZZ_OBJS)))

$(FUZZERS): $(BUILD)/fuzz/%: $(BUILD)/f/tests/host/%.c.o $(FUZZ_OBJS) $(BUILD)/f/.lib
	$(call step,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $< $(FUZZ_OBJS)
DEPS += $(patsubst %.o,%.d,$(FUZZ_OBJS) $(call objects,f,$(FUZZ_SRCS)))

fuzzers: $(FUZZERS)
# SECONDS for each fuzzer; what is new goes to build/fuzz/corpus/NAME, findings to build/fuzz/found.
fuzz-host: $(FUZZERS)
	@$(PYTHON) tools/fuzz_host.py --seconds $(SECONDS) $(FUZZERS)

.PHONY: fuzzers fuzz-host
