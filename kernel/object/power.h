/* Turning the machine off. */
#pragma once

#include <zircon/types.h>

#include "arch/arch.h"

/* What the platform can do itself, tried before the firmware: called with interrupts off, returns
 * if it cannot. |status|: 0 for success; what a machine that can tell its user (an emulator)
 * exits with. Set once, at boot. */
typedef void (*power_hook)(enum power_action action, uint8_t status);
void power_set_hook(power_hook hook);

/* Powers off or reboots, through the hook, then the firmware. Returns only if neither could. */
void power_down(enum power_action action, uint8_t status);
