/* The reader of processargs messages: what it accepts can be used as libzx's start-up does, and a
 * message built again from it says the same. The first byte of the input is the number of handles.
 */
#include <zircon/errors.h>

#include "tests/host/fuzz.h"
#include "userland/libzx/procargs.h"

#define MAX_STRINGS 256u
#define MAX_HANDLES 64u
#define MAX_BYTES   65536u

struct strings {
    const char *at[MAX_STRINGS];
    uint32_t count;
};

/* Every string of a block, read to its end. False: more than fit here. */
static bool collect(const unsigned char *bytes, size_t size, uint32_t offset, uint32_t count,
                    struct strings *out)
{
    if (count > MAX_STRINGS)
        return false;
    out->count = count;
    for (uint32_t i = 0; i < count; i++) {
        CHECK(offset < size);
        out->at[i] = (const char *)bytes + offset;
        offset += (uint32_t)strlen(out->at[i]) + 1;
        CHECK(offset <= size);
    }
    return true;
}

static void check_same(const struct strings *a, const struct strings *b)
{
    CHECK(a->count == b->count);
    for (uint32_t i = 0; i < a->count; i++)
        CHECK(strcmp(a->at[i], b->at[i]) == 0);
}

static void check_message(const unsigned char *bytes, size_t size, uint32_t count_handles,
                          const struct procargs *args)
{
    static unsigned char buffer[MAX_BYTES];
    uint32_t infos[MAX_HANDLES];
    struct strings argv, envp, argv_again, envp_again;
    struct procargs again;
    size_t actual = 0;

    for (uint32_t i = 0; i < count_handles; i++)
        infos[i] = procargs_handle_info(args, i);
    if (!collect(bytes, size, args->args_off, args->args_num, &argv) ||
        !collect(bytes, size, args->environ_off, args->environ_num, &envp))
        return;
    if (procargs_build(buffer, sizeof(buffer), infos, count_handles, argv.at, argv.count, envp.at,
                       envp.count, &actual) != ZX_OK)
        return;
    CHECK(actual <= sizeof(buffer));
    unsigned char *exact = fuzz_copy(buffer, actual);
    CHECK(procargs_parse(exact, actual, count_handles, &again) == ZX_OK);
    for (uint32_t i = 0; i < count_handles; i++)
        CHECK(procargs_handle_info(&again, i) == infos[i]);
    CHECK(collect(exact, actual, again.args_off, again.args_num, &argv_again));
    CHECK(collect(exact, actual, again.environ_off, again.environ_num, &envp_again));
    check_same(&argv, &argv_again);
    check_same(&envp, &envp_again);
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    uint32_t count_handles = data[0] % MAX_HANDLES;
    unsigned char *bytes = fuzz_copy(data + 1, size - 1);
    struct procargs args, before;

    memset(&args, 0x5a, sizeof(args));
    before = args;
    zx_status_t status = procargs_parse(bytes, size - 1, count_handles, &args);
    CHECK(status == ZX_OK || status == ZX_ERR_INVALID_ARGS);
    if (status == ZX_OK)
        check_message(bytes, size - 1, count_handles, &args);
    else
        CHECK(memcmp(&args, &before, sizeof(args)) == 0);
    free(bytes);
    return 0;
}
