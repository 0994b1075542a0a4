/* The behaviour that the bootargs chose. */
#include "kernel/syscall/abi.h"

static enum abi_mode abi_mode = ABI_DOCUMENTED;

void abi_set_mode(enum abi_mode mode)
{
    abi_mode = mode;
}

enum abi_mode abi_get_mode(void)
{
    return abi_mode;
}
