// The PLIC driver against a register-level model with the VisionFive 2's contexts: a first hart
// without S-mode, thresholds left at their maximum by the firmware, sources beyond 32.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "arch/arch.h"
#include "drivers/irq/plic.h"
#include "drivers/power/sifive_test.h"

#define SOURCES  136u
#define CONTEXTS 9u
#define WORDS    (SOURCES / 32 + 1)

static const struct plic_config config = {
    .base = 0xc000000,
    .size_bytes = 0x4000000,
    .source_count = SOURCES,
    .context_count = CONTEXTS,
};

static struct {
    uint32_t priority[SOURCES + 1];
    bool level[SOURCES + 1];   // the device's line
    bool claimed[SOURCES + 1]; // gateway closed until completion
    uint32_t enable[CONTEXTS][WORDS];
    uint32_t threshold[CONTEXTS];
    uint32_t completions; // accepted ones
    uint32_t test_word;   // last write to the test device
} dev;

static uint8_t *const window = (uint8_t *)0xc000000;       // never dereferenced
static uint8_t *const test_device = (uint8_t *)0x70000000; // the same

static bool enabled(uint32_t context, uint32_t irq)
{
    return (dev.enable[context][irq / 32] & 1u << irq % 32) != 0;
}

static uint32_t best(uint32_t context)
{
    uint32_t found = 0;
    for (uint32_t irq = 1; irq <= SOURCES; irq++) {
        if (dev.level[irq] && !dev.claimed[irq] && enabled(context, irq) &&
            dev.priority[irq] > dev.threshold[context] &&
            (found == 0 || dev.priority[irq] > dev.priority[found])) {
            found = irq;
        }
    }
    return found;
}

// Only the S-mode contexts of the four application harts belong to the kernel.
static void check_context(uint32_t context)
{
    assert_true(context < CONTEXTS);
    assert_true(context == 2 || context == 4 || context == 6 || context == 8);
}

// The register at an offset: pointer to a plain word, or null for claim/complete.
static uint32_t *plain_word(uint32_t off, uint32_t *context)
{
    assert_int_equal(off % 4, 0);
    if (off < 0x1000) {
        assert_true(off >= 4 && off / 4 <= SOURCES);
        return &dev.priority[off / 4];
    }
    if (off < 0x200000) {
        *context = (off - 0x2000) / 0x80;
        check_context(*context);
        uint32_t word = (off - 0x2000) % 0x80 / 4;
        assert_true(word < WORDS);
        return &dev.enable[*context][word];
    }
    *context = (off - 0x200000) / 0x1000;
    check_context(*context);
    uint32_t reg = (off - 0x200000) % 0x1000;
    assert_true(reg == 0 || reg == 4);
    return reg == 0 ? &dev.threshold[*context] : NULL;
}

uint32_t arch_mmio_read32(const volatile void *addr)
{
    uint32_t context = 0;
    uint32_t *word = plain_word((uint32_t)((const volatile uint8_t *)addr - window), &context);
    if (word != NULL) {
        return *word;
    }
    uint32_t irq = best(context);
    dev.claimed[irq] = irq != 0;
    return irq;
}

void arch_mmio_write32(volatile void *addr, uint32_t value)
{
    if (addr == test_device) {
        dev.test_word = value;
        return;
    }
    uint32_t context = 0;
    uint32_t *word = plain_word((uint32_t)((volatile uint8_t *)addr - window), &context);
    if (word != NULL) {
        *word = value;
        return;
    }
    // A completion counts only for a source that is enabled for this context.
    if (value >= 1 && value <= SOURCES && enabled(context, value)) {
        assert_true(dev.claimed[value]);
        dev.claimed[value] = false;
        dev.completions++;
    }
}

// ---- Tests ----

static struct plic plic;
static uint32_t handled[8];
static uint32_t handled_count;

static void handler(void *ctx, uint32_t irq)
{
    assert_ptr_equal(ctx, &handled_count);
    assert_true(handled_count < ARRAY_COUNT(handled));
    handled[handled_count++] = irq;
    dev.level[irq] = false;
}

static void handler_that_disables(void *ctx, uint32_t irq)
{
    (void)ctx;
    handled_count++;
    assert_int_equal(plic_disable(&plic, 2, irq), ZX_OK);
}

static void start(void)
{
    memset(&dev, 0, sizeof(dev));
    memset(dev.enable, 0xa5, sizeof(dev.enable)); // garbage from before
    for (uint32_t irq = 1; irq <= SOURCES; irq++) {
        dev.priority[irq] = 3;
    }
    for (uint32_t context = 0; context < CONTEXTS; context++) {
        dev.threshold[context] = 7;
    }
    handled_count = 0;
    assert_int_equal(plic_init(&plic, &config, window), ZX_OK);
    assert_int_equal(plic_init_context(&plic, 2), ZX_OK);
    assert_int_equal(plic_init_context(&plic, 4), ZX_OK);
}

static void test_init(void **state)
{
    (void)state;
    start();
    for (uint32_t irq = 1; irq <= SOURCES; irq++) {
        assert_int_equal(dev.priority[irq], 0);
        assert_false(enabled(2, irq));
        assert_false(enabled(4, irq));
    }
    assert_int_equal(dev.threshold[2], 0);
    assert_int_equal(dev.threshold[0], 7); // the firmware's
    assert_int_equal(dev.enable[0][0], 0xa5a5a5a5);
    assert_int_equal(plic_init_context(&plic, CONTEXTS), ZX_ERR_OUT_OF_RANGE);
}

static void test_source_32(void **state)
{
    (void)state;
    start();
    assert_int_equal(plic_set_handler(&plic, 32, handler, &handled_count), ZX_OK);
    assert_int_equal(plic_enable(&plic, 2, 32), ZX_OK);
    assert_int_equal(dev.enable[2][0], 0);
    assert_int_equal(dev.enable[2][1], 1);
    dev.level[32] = true;
    assert_int_equal(plic_dispatch(&plic, 4), 0); // not this hart's
    assert_int_equal(handled_count, 0);
    assert_int_equal(plic_dispatch(&plic, 2), 0);
    assert_int_equal(handled_count, 1);
    assert_int_equal(handled[0], 32);
    assert_int_equal(dev.completions, 1);
    dev.level[32] = true; // the gateway is open again
    plic_dispatch(&plic, 2);
    assert_int_equal(handled_count, 2);
}

static void test_several(void **state)
{
    (void)state;
    start();
    static const uint32_t irqs[] = {1, 31, 33, SOURCES};
    for (size_t i = 0; i < ARRAY_COUNT(irqs); i++) {
        assert_int_equal(plic_set_handler(&plic, irqs[i], handler, &handled_count), ZX_OK);
        assert_int_equal(plic_enable(&plic, 2, irqs[i]), ZX_OK);
        dev.level[irqs[i]] = true;
    }
    assert_int_equal(plic_disable(&plic, 2, 33), ZX_OK);
    plic_dispatch(&plic, 2);
    assert_int_equal(handled_count, 3);
    assert_int_equal(handled[2], SOURCES);
    assert_true(dev.level[33]);
}

static void test_unhandled_is_silenced(void **state)
{
    (void)state;
    start();
    assert_int_equal(plic_enable(&plic, 2, 40), ZX_OK);
    dev.level[40] = true;
    assert_int_equal(plic_dispatch(&plic, 2), 40);
    assert_false(enabled(2, 40));
    assert_false(dev.claimed[40]); // completed before it was switched off
    assert_int_equal(plic_dispatch(&plic, 2), 0);
}

static void test_disabled_while_handled(void **state)
{
    (void)state;
    start();
    assert_int_equal(plic_set_handler(&plic, 5, handler_that_disables, NULL), ZX_OK);
    assert_int_equal(plic_enable(&plic, 2, 5), ZX_OK);
    dev.level[5] = true;
    plic_dispatch(&plic, 2);
    assert_int_equal(handled_count, 1);
    assert_false(enabled(2, 5));
    assert_false(dev.claimed[5]); // or it would never fire again
    assert_int_equal(dev.completions, 1);
}

static void test_ranges(void **state)
{
    (void)state;
    start();
    assert_int_equal(plic_enable(&plic, 2, 0), ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(plic_enable(&plic, 2, SOURCES + 1), ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(plic_enable(&plic, CONTEXTS, 1), ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(plic_disable(&plic, 2, SOURCES + 1), ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(plic_set_handler(&plic, 0, handler, NULL), ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(plic_set_handler(&plic, SOURCES + 1, handler, NULL), ZX_ERR_OUT_OF_RANGE);
    struct plic_config bad = config;
    bad.size_bytes = 0x200000 + 0x1000 * CONTEXTS - 0x1000;
    assert_int_equal(plic_init(&plic, &bad, window), ZX_ERR_NOT_SUPPORTED);
    bad = config;
    bad.source_count = 1024;
    assert_false(plic_config_is_valid(&bad));
    bad.source_count = 0;
    assert_false(plic_config_is_valid(&bad));
    bad = config;
    bad.context_count = 15873;
    assert_false(plic_config_is_valid(&bad));
}

static void test_exit_status(void **state)
{
    (void)state;
    sifive_test_exit(test_device, 0);
    assert_int_equal(dev.test_word, 0x5555);
    sifive_test_exit(test_device, 7);
    assert_int_equal(dev.test_word, 0x00073333);
    sifive_test_exit(test_device, 0x100); // the host would see 0
    assert_int_equal(dev.test_word, 0x00013333);
    sifive_test_reset(test_device);
    assert_int_equal(dev.test_word, 0x7777);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_source_32),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_unhandled_is_silenced),
        cmocka_unit_test(test_disabled_while_handled),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_exit_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
