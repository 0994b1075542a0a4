// zx_system_powerctl commands.
#ifndef ZIRCON_SYSCALLS_SYSTEM_H_
#define ZIRCON_SYSCALLS_SYSTEM_H_

#include <zircon/types.h>

__BEGIN_CDECLS

#define ZX_SYSTEM_POWERCTL_ENABLE_ALL_CPUS              1u
#define ZX_SYSTEM_POWERCTL_DISABLE_ALL_CPUS_BUT_PRIMARY 2u
#define ZX_SYSTEM_POWERCTL_REBOOT                       5u
#define ZX_SYSTEM_POWERCTL_REBOOT_BOOTLOADER            6u
#define ZX_SYSTEM_POWERCTL_REBOOT_RECOVERY              7u
#define ZX_SYSTEM_POWERCTL_SHUTDOWN                     8u

// arg may be NULL. An extension of Beryl's: with SHUTDOWN, a status other than 0 says that what ran
// has failed; on an emulator it becomes the emulator's exit status.
typedef struct zx_system_powerctl_arg {
    union {
        struct {
            uint8_t status;
        } shutdown;
        uint8_t reserved[12];
    };
} zx_system_powerctl_arg_t;

__END_CDECLS

#endif // ZIRCON_SYSCALLS_SYSTEM_H_
