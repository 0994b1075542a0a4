/* Kernel heap: caches of equal objects in slabs, and kmalloc over size classes. */
#pragma once

#include "kernel/lib/compiler.h"

struct kcache;

/* Before the first allocation, after pmm_init. */
void kheap_init(void);

/* Gives a hart magazines of its own: until then it goes to the slabs each time. On the boot hart,
 * once a hart. */
void kheap_init_hart(unsigned hart_index);

/* Empties all magazines, so that the number of pages in use says what is in use. False: there was
 * nothing in them. No lock of rank KHEAP or inner. */
bool kheap_drain(void);

/* A cache of objects of |object_bytes|, aligned to |align_bytes| (power of two, <= 64). |name| is
 * kept. Caches live for ever. Panics without memory: boot only. */
struct kcache *kcache_create(const char *name, size_t object_bytes, size_t align_bytes);

/* Uninitialised object or NULL. Any context without a lock of rank KHEAP or inner. */
MUST_USE void *kcache_alloc(struct kcache *cache);
MUST_USE void *kcache_zalloc(struct kcache *cache);
void kcache_free(struct kcache *cache, void *object);

/* 16-byte aligned; more than half a page: whole pages. NULL without memory or for absurd sizes. */
MUST_USE void *kmalloc(size_t len_bytes);
MUST_USE void *kzalloc(size_t len_bytes);
void kfree(void *object); /* NULL is allowed */

struct kheap_stats {
    uint64_t count_pages;   /* held from the pmm */
    uint64_t count_objects; /* live objects, all caches and kmalloc */
    uint64_t used_bytes;
};
void kheap_get_stats(struct kheap_stats *out);

/* Calls fn for each cache: name, object size, live objects, pages. */
void kheap_for_each_cache(void (*fn)(void *ctx, const char *name, size_t object_bytes,
                                     uint64_t count_objects, uint64_t count_pages),
                          void *ctx);
