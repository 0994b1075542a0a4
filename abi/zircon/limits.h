// Page sizes. RISC-V has one base page size.
#ifndef ZIRCON_LIMITS_H_
#define ZIRCON_LIMITS_H_

#define ZX_MIN_PAGE_SHIFT 12
#define ZX_MAX_PAGE_SHIFT 12
#define ZX_MIN_PAGE_SIZE  (1u << ZX_MIN_PAGE_SHIFT)
#define ZX_MAX_PAGE_SIZE  (1u << ZX_MAX_PAGE_SHIFT)
#define ZX_PAGE_SHIFT     12
#define ZX_PAGE_SIZE      ((uintptr_t)1u << ZX_PAGE_SHIFT)
#define ZX_PAGE_MASK      (ZX_PAGE_SIZE - 1u)

#endif // ZIRCON_LIMITS_H_
