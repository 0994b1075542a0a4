/* A QEMU plugin that counts how often each instruction runs and writes "ADDRESS COUNT" lines, in
 * hexadecimal and decimal, at the machine's end. Arguments: out=FILE, and until=user to end the
 * machine when an instruction of a user program comes up. Made for QEMU's plugin interface 1, whose
 * header few systems install: what is used of it is declared here. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

/* Addresses between the physical ones (no RAM of a profile reaches so high) and the kernel's. */
#define USER_FIRST 0x100000000u
#define USER_END   (UINT64_C(1) << 38)

#define SLOTS (1u << 18) /* of the hash table: more than there are instructions */

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef uint64_t qemu_plugin_id_t;

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*cb)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op, void *ptr,
                                                uint64_t imm);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*cb)(qemu_plugin_id_t, void *),
                                    void *data);

EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv);

static struct slot {
    uint64_t addr, count;
} slots[SLOTS];
static const char *out_path;
static int until_user;

static void write_counts(void)
{
    FILE *out = fopen(out_path, "w");

    if (out == NULL) {
        perror(out_path);
        _Exit(1);
    }
    for (size_t i = 0; i < SLOTS; i++) {
        if (slots[i].count != 0)
            fprintf(out, "%" PRIx64 " %" PRIu64 "\n", slots[i].addr, slots[i].count);
    }
    fclose(out);
}

static struct slot *slot_of(uint64_t addr)
{
    size_t at = (addr * UINT64_C(0x9e3779b97f4a7c15)) >> 46;

    for (size_t tries = 0; tries < SLOTS; tries++, at = (at + 1) % SLOTS) {
        if (slots[at].addr == addr || slots[at].addr == 0) {
            slots[at].addr = addr;
            return &slots[at];
        }
    }
    fprintf(stderr, "profile: too many instructions\n");
    _Exit(1);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint64_t addr = qemu_plugin_insn_vaddr(insn);
        if (until_user && addr >= USER_FIRST && addr < USER_END) {
            write_counts();
            _Exit(0);
        }
        /* 0: QEMU_PLUGIN_INLINE_ADD_U64 */
        qemu_plugin_register_vcpu_insn_exec_inline(insn, 0, &slot_of(addr)->count, 1);
    }
}

static void ended(qemu_plugin_id_t id, void *data)
{
    (void)id;
    (void)data;
    write_counts();
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "out=", 4) == 0)
            out_path = argv[i] + 4;
        else if (strcmp(argv[i], "until=user") == 0)
            until_user = 1;
    }
    if (out_path == NULL)
        return -1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ended, NULL);
    return 0;
}
