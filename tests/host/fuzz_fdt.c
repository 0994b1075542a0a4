/* Platform discovery: whatever tree the loader hands over, the kernel reads only inside it, and the
 * memory that it would then give out is RAM, once, and reserved by nobody. */
#include "platform/boot_info.h"
#include "platform/fdt.h"
#include "tests/host/fuzz.h"

#define ADDRESS_LIMIT ((uint64_t)1 << 56)

static void check_banks(const struct boot_info *info)
{
    uint64_t end = 0;
    CHECK(info->bank_count <= BOOT_MAX_BANKS);
    for (uint32_t i = 0; i < info->bank_count; i++) {
        const struct boot_range *bank = &info->banks[i];
        CHECK(bank->size_bytes > 0 && bank->base % 4096 == 0 && bank->size_bytes % 4096 == 0);
        CHECK(i == 0 || bank->base > end);
        CHECK(bank->base < ADDRESS_LIMIT && bank->size_bytes <= ADDRESS_LIMIT - bank->base);
        end = bank->base + bank->size_bytes;
    }
}

static bool in_a_bank(const struct boot_info *info, const struct boot_range *range)
{
    for (uint32_t i = 0; i < info->bank_count; i++) {
        const struct boot_range *bank = &info->banks[i];
        if (range->base >= bank->base &&
            range->base + range->size_bytes <= bank->base + bank->size_bytes)
            return true;
    }
    return false;
}

static void check_free(const struct boot_info *info)
{
    paddr_t cursor = 0;
    uint64_t end = 0, count = 0;
    struct boot_range range;

    CHECK(info->reserved_count <= BOOT_MAX_RESERVED);
    while (boot_info_next_free(info, &cursor, &range)) {
        CHECK(range.size_bytes > 0 && range.base >= end && in_a_bank(info, &range));
        CHECK(++count <= BOOT_MAX_BANKS + BOOT_MAX_RESERVED);
        end = range.base + range.size_bytes;
        for (uint32_t i = 0; i < info->reserved_count; i++) {
            const struct boot_range *reserved = &info->reserved[i].range;
            CHECK(reserved->base + reserved->size_bytes <= range.base || reserved->base >= end);
        }
    }
}

static void check_info(const struct boot_info *info, const uint8_t *blob, size_t size)
{
    check_banks(info);
    check_free(info);
    CHECK(info->hart_count <= BOOT_MAX_HARTS && info->plic_count <= BOOT_MAX_PLICS);
    CHECK(info->hart_count > 0 && info->boot_hart < info->hart_count && info->timebase_hz > 0);
    CHECK(info->harts[info->boot_hart].state == BOOT_HART_USABLE);
    for (uint32_t i = 0; i < info->hart_count; i++)
        CHECK(info->harts[i].plic == BOOT_NO_PLIC || info->harts[i].plic < info->plic_count);
    CHECK(info->console.plic == BOOT_NO_PLIC || info->console.plic < info->plic_count);
    CHECK(strlen(info->bootargs) < size && strlen(info->model) < size);
    if (info->rng_seed != NULL)
        CHECK(info->rng_seed >= blob && info->rng_seed_bytes <= size &&
              info->rng_seed + info->rng_seed_bytes <= blob + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct boot_info info;
    uint8_t *blob = fuzz_copy(data, size);
    struct fdt fdt;
    char err[128];

    if (fdt_open(blob, size, &fdt) == FDT_OK) {
        memset(err, 0x5a, sizeof(err));
        zx_status_t status = boot_info_from_fdt(&fdt, 0, &info, err, sizeof(err));
        if (status == ZX_OK) {
            check_info(&info, blob, size);
            if (boot_info_reserve(&info, 0x80200000, 0x200000, BOOT_RESERVED_KERNEL, false) == 0)
                check_free(&info);
        } else {
            CHECK(memchr(err, '\0', sizeof(err)) != NULL);
        }
    }
    free(blob);
    return 0;
}
