/* Atomics: C11 operations under short names. Suffix-less ones are sequentially consistent. */
#pragma once

/* The ABI's headers bring in <stdatomic.h>, whose macros of the same names want _Atomic types. */
#include <stdatomic.h>

#include "kernel/lib/compiler.h"

#undef atomic_load
#undef atomic_store
#undef atomic_fetch_add
#undef atomic_fetch_sub
#undef atomic_fetch_or
#undef atomic_fetch_and
#undef atomic_exchange

#define atomic_load(p)             __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define atomic_load_acquire(p)     __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define atomic_load_relaxed(p)     __atomic_load_n(p, __ATOMIC_RELAXED)
#define atomic_store(p, v)         __atomic_store_n(p, v, __ATOMIC_SEQ_CST)
#define atomic_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#ifdef __riscv
/* A plain store, where GCC 12 would exchange. Aligned stores are single-copy atomic. */
#define atomic_store_relaxed(p, v) (*(volatile __typeof__(*(p)) *)(p) = (v))
#else
#define atomic_store_relaxed(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)
#endif
#define atomic_fetch_add(p, v)         __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST)
#define atomic_fetch_sub(p, v)         __atomic_fetch_sub(p, v, __ATOMIC_SEQ_CST)
#define atomic_fetch_or(p, v)          __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST)
#define atomic_fetch_and(p, v)         __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST)
#define atomic_exchange(p, v)          __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define atomic_fetch_add_relaxed(p, v) __atomic_fetch_add(p, v, __ATOMIC_RELAXED)
#define atomic_fetch_or_relaxed(p, v)  __atomic_fetch_or(p, v, __ATOMIC_RELAXED)
#define atomic_fetch_and_release(p, v) __atomic_fetch_and(p, v, __ATOMIC_RELEASE)
#define atomic_fence()                 __atomic_thread_fence(__ATOMIC_SEQ_CST)

/* True if *p was |*expected| and is now |desired|; else *expected is what was found. */
#define atomic_cas(p, expected, desired)                                                           \
    __atomic_compare_exchange_n(p, expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define atomic_cas_acquire(p, expected, desired)                                                   \
    __atomic_compare_exchange_n(p, expected, desired, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)
