/* The first process: the kernel finds `init` in the ramdisk, loads it and starts it. Everything
 * else is started by init. */
#pragma once

#include "arch/mmu.h"

struct userboot_args {
    const char *bootargs;     /* the kernel command line: becomes init's environment */
    struct ram_range ramdisk; /* a cpio archive (newc) in reserved RAM */
};

/* Starts init and waits for its end; then powers the machine off, with a status that says whether
 * init was content. Runs on a kernel thread. Panics if there is no init that can be started. */
void userboot_start(const struct userboot_args *args);
