/* The few devices that the kernel drives itself: the console's UART, the interrupt controllers, and
 * the register that ends an emulator. Glue between platform's discovery, the drivers, and the
 * kernel. */
#pragma once

#include "platform/boot_info.h"

/* Maps and starts the console's UART in polled mode and moves the log and panics to it; stays on the
 * firmware's console, with a line in the log, if there is none. After kheap_init. */
void devices_start_console(const struct boot_info *info);

/* Starts the interrupt controllers and turns on the console's interrupts, delivered to the boot
 * hart. Received characters go to |input| in interrupt context, without locks. */
void devices_start_interrupts(const struct boot_info *info, void (*input)(char c));

/* Prepares this hart's interrupt-controller context. Interrupts off. */
void devices_init_hart(const struct boot_info *info, uint64_t hart_id);

/* Writes to the console, "\n" as "\r\n". Any context. */
void devices_console_write(const char *text, size_t len_bytes);

/* Finds and maps the ways to stop the machine and hands one to panic. After kheap_init. */
void devices_start_power(const struct boot_info *info);

/* Stops the machine: |status| 0 is success; an emulator's exit status shows it. Waits until the
 * console's output has left. Returns if nothing worked. */
void devices_power_off(uint8_t status);
void devices_reboot(void);
