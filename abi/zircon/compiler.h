// Compiler-dependent spellings shared by every ABI header. Usable from C, C++ and assembly.
#ifndef ZIRCON_COMPILER_H_
#define ZIRCON_COMPILER_H_

#ifndef __ASSEMBLER__

#ifdef __cplusplus
#define __BEGIN_CDECLS               extern "C" {
#define __END_CDECLS                 }
#define ZX_STATIC_ASSERT(cond, text) static_assert(cond, text)
#else
#define __BEGIN_CDECLS
#define __END_CDECLS
#define ZX_STATIC_ASSERT(cond, text) _Static_assert(cond, text)
#endif

#define __NO_RETURN  __attribute__((__noreturn__))
#define __LEAF_FN    __attribute__((__leaf__))
#define __CONST      __attribute__((__const__))
#define __ALIGNED(x) __attribute__((__aligned__(x)))

#ifndef __WEAK
#define __WEAK __attribute__((__weak__))
#endif
#ifndef __UNUSED
#define __UNUSED __attribute__((__unused__))
#endif

// Marks a pointer whose target lies in user memory, so that a checker can tell the two apart.
#ifndef __user
#ifdef __CHECKER__
#define __user __attribute__((noderef, address_space(1)))
#else
#define __user
#endif
#endif

// Checks the place of a field in an ABI structure at compile time.
#define ZX_ASSERT_OFFSET(type, field, offset)                                                      \
    ZX_STATIC_ASSERT(__builtin_offsetof(type, field) == (offset), #type "." #field)
#define ZX_ASSERT_SIZE(type, size) ZX_STATIC_ASSERT(sizeof(type) == (size), #type)

#endif // __ASSEMBLER__

#endif // ZIRCON_COMPILER_H_
