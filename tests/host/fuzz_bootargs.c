/* The kernel's command line: words are pieces of it, and a name's value is that of its last word.
 */
#include "kernel/lib/bootargs.h"
#include "tests/host/fuzz.h"

/* The value that the words one by one give to |name|; false: no such word. */
static bool value_by_words(const char *line, const char *name, char *out, size_t out_bytes)
{
    const char *cursor = line;
    size_t name_len = strlen(name);
    char word[4096];
    bool found = false;

    while (bootargs_next(&cursor, word, sizeof(word))) {
        bool with_value = strncmp(word, name, name_len) == 0 && word[name_len] == '=';
        if (strcmp(word, name) != 0 && !with_value)
            continue;
        found = true;
        snprintf(out, out_bytes, "%s", with_value ? word + name_len + 1 : "");
    }
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"run", "abi", "seed", "harts", "poweroff", "a"};
    char got[16], want[16], word[8];
    uint64_t number = 0x5a5a;

    if (size >= 4096)
        return 0;
    char *line = (char *)fuzz_copy(data, size);
    line = realloc(line, size + 1);
    CHECK(line != NULL);
    line[size] = '\0';
    size_t count = 0;
    for (const char *cursor = line; bootargs_next(&cursor, word, sizeof(word)); count++) {
        CHECK(cursor >= line && cursor <= line + strlen(line));
        CHECK(strlen(word) < sizeof(word) && count <= size);
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        memset(got, 0x5a, sizeof(got));
        bool found = bootargs_get(line, names[i], got, sizeof(got));
        CHECK(found == value_by_words(line, names[i], want, sizeof(want)));
        CHECK(found ? strcmp(got, want) == 0 : got[0] == 0x5a);
        CHECK(bootargs_get(line, names[i], NULL, 0) == found);
        if (!bootargs_get_u64(line, names[i], &number))
            CHECK(number == 0x5a5a);
        number = 0x5a5a;
    }
    free(line);
    return 0;
}
