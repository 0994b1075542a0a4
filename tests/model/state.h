/* The model: an arena of pages and VMOs that are arrays of bytes. There is nothing clever in it:
 * a snapshot is a full copy, a mapping is a note in each of its pages. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zircon/errors.h>
#include <zircon/types.h>

#define MODEL_PAGE_BYTES  4096ul
#define MODEL_ARENA_PAGES 64u
#define MODEL_ARENA_ALIGN (1ul << 20)
#define MODEL_VMARS       8u
#define MODEL_VMOS        20u
#define MODEL_VMO_PAGES   12u
#define MODEL_VMO_BYTES   (MODEL_VMO_PAGES * MODEL_PAGE_BYTES)

#define MODEL_PERMS   (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE)
#define MODEL_CAN_MAP (ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE)

/* What one VMO, with its slices and references, holds. */
struct model_memory {
    uint8_t bytes[MODEL_VMO_BYTES];
    uint64_t size, content;
    unsigned count_users;
    bool resizable;
};

struct model_vmo {
    struct model_memory *memory; /* NULL: free */
    bool is_open;                /* there is a handle; without one it lives while it is mapped */
    bool resizable;
    bool lacks_resize_right; /* a reference made without ZX_VMO_CHILD_RESIZABLE */
    bool is_slice;           /* has sizes of its own */
    uint64_t offset;         /* of the slice in the memory */
    uint64_t size, content;  /* of the slice */
    uint64_t id;
};

struct model_vmar {
    bool is_used, is_open, is_dead;
    unsigned parent, first, count; /* pages of the arena */
    uint32_t options;              /* ZX_VM_CAN_MAP_*, ZX_VM_COMPACT */
};

/* One page of the arena. */
struct model_page {
    unsigned vmar; /* the innermost region */
    bool is_mapped;
    unsigned vmo;
    uint64_t vmo_page;
    uint32_t perms, max_perms;
};

/* Steps by what came of them. */
#define MODEL_KINDS 17u
struct model_count {
    uint64_t done, refused, idle;
};

struct real;

struct model {
    struct real *real;
    uint64_t seed;
    uint32_t step;
    uint64_t random; /* of this step */
    struct model_vmo vmos[MODEL_VMOS];
    struct model_memory memories[MODEL_VMOS];
    struct model_vmar vmars[MODEL_VMARS];
    struct model_page pages[MODEL_ARENA_PAGES];
    unsigned kind; /* of this step */
    struct model_count counts[MODEL_KINDS];
    bool has_failed;
    bool is_wrong;     /* the model forgets to clear what is decommitted: to test the test */
    bool is_verbose;   /* tells each call */
    char message[256]; /* the first failure */
    char call[256];    /* the last call */
};

/* A model of the fresh arena of |real|. */
void model_init(struct model *model, struct real *real, uint64_t seed);
/* Closes everything in |real| but the arena, whose contents are unmapped. */
void model_finish(struct model *model);

/* The next number after |*state|, which advances. */
uint64_t model_mix(uint64_t *state);
/* Random numbers of the step. */
uint64_t model_random(struct model *model);
uint64_t model_below(struct model *model, uint64_t limit);

/* Notes the call that is about to be made. */
void model_call(struct model *model, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Notes a failure; the first one stays. */
void model_fail(struct model *model, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Counts the step and compares. True: both are ZX_OK. */
bool model_expect(struct model *model, zx_status_t got, zx_status_t want);

static inline uint64_t model_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}
static inline uint64_t model_max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}
static inline uint64_t model_round_up(uint64_t bytes)
{
    return (bytes + MODEL_PAGE_BYTES - 1) / MODEL_PAGE_BYTES * MODEL_PAGE_BYTES;
}
static inline bool model_is_aligned(uint64_t bytes)
{
    return bytes % MODEL_PAGE_BYTES == 0;
}

/* ---- VMOs (vmo.c) --------------------------------------------------------------------------- */

static inline uint64_t model_vmo_size(const struct model_vmo *vmo)
{
    return vmo->is_slice ? vmo->size : vmo->memory->size;
}
static inline uint8_t *model_vmo_bytes(const struct model_vmo *vmo)
{
    return vmo->memory->bytes + vmo->offset;
}
static inline bool model_vmo_contains(const struct model_vmo *vmo, uint64_t offset, uint64_t len)
{
    return offset <= model_vmo_size(vmo) && len <= model_vmo_size(vmo) - offset;
}

/* The first VMO with a handle at or after |from|, cyclically; MODEL_VMOS: there is none. */
unsigned model_pick_vmo(struct model *model);
/* Forgets VMOs that have neither a handle nor a mapping. */
void model_collect_vmos(struct model *model);
/* Compares the pages around [offset, offset + len) of a VMO. */
void model_check_vmo(struct model *model, unsigned vmo, uint64_t offset, uint64_t len);

/* One step each. */
void model_step_vmo_create(struct model *model);
void model_step_vmo_child(struct model *model);
void model_step_vmo_close(struct model *model);
void model_step_vmo_read(struct model *model);
void model_step_vmo_write(struct model *model);
void model_step_vmo_op(struct model *model);
void model_step_vmo_set_size(struct model *model);
void model_step_vmo_stream_size(struct model *model);
void model_step_vmo_transfer(struct model *model);

/* ---- Regions (vmar.c, map.c, range.c) ------------------------------------------------------- */

/* A region with a handle, which may be dead. */
unsigned model_pick_vmar(struct model *model);
/* Where |vmar| or what it is in touches the page: |vmar| itself or its child there. */
unsigned model_child_at(const struct model *model, unsigned vmar, unsigned page);
/* The region and what is in it is dead; its pages are the parent's. */
void model_kill_vmar(struct model *model, unsigned vmar);
/* Nothing is mapped there. */
void model_clear_pages(struct model *model, unsigned first, unsigned count);

/* A request for a place in a region, in pages and bytes as the call has them. */
struct model_place {
    uint32_t options;
    uint64_t offset, len;
};
/* A random one. */
void model_random_place(struct model *model, unsigned vmar, struct model_place *place);
/* What the call answers to it, but for the checks that come before; *out_first: the page, if it is
 * SPECIFIC. */
zx_status_t model_place_status(const struct model *model, unsigned vmar,
                               const struct model_place *place, unsigned *out_first);
/* Number of the places that satisfy a request that is not SPECIFIC; the nth in *out. */
unsigned model_count_places(const struct model *model, unsigned vmar,
                            const struct model_place *place, unsigned nth, unsigned *out);
static inline bool model_is_specific(uint32_t options)
{
    return (options & (ZX_VM_SPECIFIC | ZX_VM_SPECIFIC_OVERWRITE)) != 0;
}
/* True if the place that was chosen is one of those; else it is a failure. */
bool model_check_place(struct model *model, unsigned vmar, const struct model_place *place,
                       uint64_t addr, unsigned *out_first);
/* Permissions of a region. */
static inline uint32_t model_vmar_perms(const struct model_vmar *vmar)
{
    return (vmar->options & ZX_VM_CAN_MAP_READ ? ZX_VM_PERM_READ : 0) |
           (vmar->options & ZX_VM_CAN_MAP_WRITE ? ZX_VM_PERM_WRITE : 0) |
           (vmar->options & ZX_VM_CAN_MAP_EXECUTE ? ZX_VM_PERM_EXECUTE : 0);
}
/* A random range around |vmar|: its address, its length in bytes. */
void model_random_range(struct model *model, unsigned vmar, uint64_t *out_addr, uint64_t *out_len);
/* True if the range of whole pages lies in the region; gives its pages. */
bool model_range_pages(const struct model *model, unsigned vmar, uint64_t addr, uint64_t len,
                       unsigned *out_first, unsigned *out_count);

void model_step_vmar_allocate(struct model *model);
void model_step_vmar_destroy(struct model *model);
void model_step_vmar_close(struct model *model);
void model_step_map(struct model *model);
void model_step_unmap(struct model *model);
void model_step_protect(struct model *model);
void model_step_op_range(struct model *model);
void model_step_access(struct model *model);

/* ---- Checks (check.c) ----------------------------------------------------------------------- */

/* The real regions and mappings, page by page. */
void model_check_regions(struct model *model);
/* All bytes and sizes of all VMOs with handles, and all mapped pages. */
void model_check_everything(struct model *model);
