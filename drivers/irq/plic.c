// See plic_internal.h for the sources.
#include "drivers/irq/plic.h"

#include "arch/arch.h"
#include "drivers/irq/plic_internal.h"

#define PRIORITY_NEVER  0u
#define PRIORITY_NORMAL 1u

static uint32_t reg_read(const struct plic *plic, uint32_t off)
{
    return arch_mmio_read32(plic->regs + off);
}

static void reg_write(const struct plic *plic, uint32_t off, uint32_t value)
{
    arch_mmio_write32(plic->regs + off, value);
}

static bool source_exists(const struct plic *plic, uint32_t irq)
{
    return irq >= 1 && irq <= plic->config.source_count;
}

zx_status_t plic_init(struct plic *plic, const struct plic_config *config, volatile void *mmio)
{
    if (!plic_config_is_valid(config)) {
        return ZX_ERR_NOT_SUPPORTED;
    }
    plic->regs = mmio;
    plic->config = *config;
    for (uint32_t irq = 0; irq < PLIC_MAX_SOURCES; irq++) {
        plic->handlers[irq].fn = NULL;
        plic->handlers[irq].ctx = NULL;
    }
    for (uint32_t irq = 1; irq <= config->source_count; irq++) {
        reg_write(plic, PLIC_PRIORITY_BASE + irq * 4, PRIORITY_NEVER);
    }
    return ZX_OK;
}

zx_status_t plic_init_context(struct plic *plic, uint32_t context)
{
    if (context >= plic->config.context_count) {
        return ZX_ERR_OUT_OF_RANGE;
    }
    for (uint32_t irq = 0; irq <= plic->config.source_count; irq += 32) {
        reg_write(plic, plic_enable_off(context, irq), 0);
    }
    reg_write(plic, plic_context_off(context, PLIC_THRESHOLD), 0);
    return ZX_OK;
}

zx_status_t plic_set_handler(struct plic *plic, uint32_t irq, plic_handler_fn fn, void *ctx)
{
    if (!source_exists(plic, irq) || irq >= PLIC_MAX_SOURCES) {
        return ZX_ERR_OUT_OF_RANGE;
    }
    plic->handlers[irq].fn = fn;
    plic->handlers[irq].ctx = ctx;
    return ZX_OK;
}

zx_status_t plic_enable(struct plic *plic, uint32_t context, uint32_t irq)
{
    if (!source_exists(plic, irq) || context >= plic->config.context_count) {
        return ZX_ERR_OUT_OF_RANGE;
    }
    uint32_t off = plic_enable_off(context, irq);
    reg_write(plic, PLIC_PRIORITY_BASE + irq * 4, PRIORITY_NORMAL);
    reg_write(plic, off, reg_read(plic, off) | 1u << irq % 32);
    return ZX_OK;
}

zx_status_t plic_disable(struct plic *plic, uint32_t context, uint32_t irq)
{
    if (!source_exists(plic, irq) || context >= plic->config.context_count) {
        return ZX_ERR_OUT_OF_RANGE;
    }
    uint32_t off = plic_enable_off(context, irq);
    reg_write(plic, off, reg_read(plic, off) & ~(1u << irq % 32));
    return ZX_OK;
}

uint32_t plic_claim(struct plic *plic, uint32_t context)
{
    return reg_read(plic, plic_context_off(context, PLIC_CLAIM_COMPLETE));
}

void plic_complete(struct plic *plic, uint32_t context, uint32_t irq)
{
    // A completion for a source that the context has not enabled is ignored (chapter 9), and the
    // source would then never fire again for anyone.
    uint32_t off = plic_enable_off(context, irq);
    uint32_t enabled = reg_read(plic, off);
    bool masked = (enabled & 1u << irq % 32) == 0;
    if (masked) {
        reg_write(plic, off, enabled | 1u << irq % 32);
    }
    reg_write(plic, plic_context_off(context, PLIC_CLAIM_COMPLETE), irq);
    if (masked) {
        reg_write(plic, off, enabled);
    }
}

uint32_t plic_dispatch(struct plic *plic, uint32_t context)
{
    uint32_t unhandled = 0;
    for (uint32_t left = plic->config.source_count; left > 0; left--) {
        uint32_t irq = plic_claim(plic, context);
        if (!source_exists(plic, irq)) {
            break;
        }
        plic_handler_fn fn = irq < PLIC_MAX_SOURCES ? plic->handlers[irq].fn : NULL;
        if (fn != NULL) {
            fn(plic->handlers[irq].ctx, irq);
        }
        plic_complete(plic, context, irq);
        if (fn == NULL) {
            plic_disable(plic, context, irq);
            unhandled = irq;
        }
    }
    return unhandled;
}
