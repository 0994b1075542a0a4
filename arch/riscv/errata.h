/* Defects of cores that the kernel works around. */
#pragma once

/* Looks which of them this machine has. Once, on the boot hart, before other harts run; after
 * sbi_init and with the log working. */
void errata_init(void);
