// Checks of a controller's description; touches no device.
#include "drivers/irq/plic_internal.h"

bool plic_config_is_valid(const struct plic_config *config)
{
    if (config->source_count < 1 || config->source_count > PLIC_SOURCE_LIMIT ||
        config->context_count < 1 || config->context_count > PLIC_CONTEXT_LIMIT) {
        return false;
    }
    uint32_t last_off = plic_context_off(config->context_count - 1, PLIC_CLAIM_COMPLETE);
    return is_aligned(config->base, 4) && config->size_bytes >= last_off + 4u;
}
