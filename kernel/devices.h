/* The few devices that the kernel drives itself: the console's UART, the interrupt controllers, the
 * register that ends an emulator, a source of randomness, a watchdog. Glue between platform's
 * discovery, the drivers, and the kernel. */
#pragma once

#include "platform/boot_info.h"

/* Gives the log and the console the firmware's output. First of all. */
void devices_start_early_console(void);

/* Maps and starts the console's UART in polled mode; stays on the firmware's console, with a line
 * in the log, if there is none. After arch_vm_init. */
void devices_start_console(const struct boot_info *info);

/* Starts the interrupt controllers and the console's interrupt. It is delivered to the first hart
 * that is prepared at its controller: the boot hart, unless that belongs to another one. After the
 * console. */
void devices_start_interrupts(const struct boot_info *info);

/* Prepares this hart's interrupt-controller context, and takes the console's interrupt there if no
 * hart has it yet. Interrupts off; may run on several harts at once. */
void devices_init_hart(const struct boot_info *info, uint64_t hart_id);

/* Takes |len_bytes| bytes from the machine's source of randomness. False, with |out| untouched, if
 * it has none or the source does not work; the log says which. Boot only, after arch_vm_init. */
bool devices_read_random(const struct boot_info *info, void *out, size_t len_bytes);

/* Feeds a watchdog that the firmware has started, from here on; one that does not run stays as it
 * is. After the timers are there, interrupts off or on. */
void devices_start_watchdog(const struct boot_info *info);

/* Finds the ways to stop the machine, for powerctl and for panics. After kheap_init. */
void devices_start_power(const struct boot_info *info);

/* The same for panics during the first steps, through the linear window that there is before
 * arch_vm_init; stop it before that. |info| may be what an unsuccessful discovery left. */
void devices_start_early_power(const struct boot_info *info);
void devices_stop_early_power(void);
