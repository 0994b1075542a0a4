// Turns the argument lists of syscalls.def into C.
//
//   ZX_PARAMS(count, list...)      (type name, type name)       or (void)
//   ZX_ARGS(count, list...)        name, name                   nothing for no arguments
//   ZX_CASTS(count, regs, list...) (type)regs[0], (type)regs[1] the arguments out of an array of
//                                                               uint64_t registers; a narrow type
//                                                               takes the low bits
//   ZX_PASS(count, list...)        (type)a0, (type)a1           the same out of variables a0..a7
#ifndef ZIRCON_SYSCALL_MACROS_H_
#define ZIRCON_SYSCALL_MACROS_H_

#define ZX_PARAMS(count, ...)      ZX_PARAMS_##count(__VA_ARGS__)
#define ZX_ARGS(count, ...)        ZX_ARGS_##count(__VA_ARGS__)
#define ZX_CASTS(count, regs, ...) ZX_CASTS_##count(regs, __VA_ARGS__)
#define ZX_PASS(count, ...)        ZX_PASS_##count(__VA_ARGS__)

#define ZX_PARAMS_0(ignored)                                (void)
#define ZX_PARAMS_1(t0, n0)                                 (t0 n0)
#define ZX_PARAMS_2(t0, n0, t1, n1)                         (t0 n0, t1 n1)
#define ZX_PARAMS_3(t0, n0, t1, n1, t2, n2)                 (t0 n0, t1 n1, t2 n2)
#define ZX_PARAMS_4(t0, n0, t1, n1, t2, n2, t3, n3)         (t0 n0, t1 n1, t2 n2, t3 n3)
#define ZX_PARAMS_5(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4) (t0 n0, t1 n1, t2 n2, t3 n3, t4 n4)
#define ZX_PARAMS_6(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5)                                \
    (t0 n0, t1 n1, t2 n2, t3 n3, t4 n4, t5 n5)
#define ZX_PARAMS_7(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5, t6, n6)                        \
    (t0 n0, t1 n1, t2 n2, t3 n3, t4 n4, t5 n5, t6 n6)
#define ZX_PARAMS_8(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5, t6, n6, t7, n7)                \
    (t0 n0, t1 n1, t2 n2, t3 n3, t4 n4, t5 n5, t6 n6, t7 n7)

#define ZX_ARGS_0(ignored)
#define ZX_ARGS_1(t0, n0)                                                 n0
#define ZX_ARGS_2(t0, n0, t1, n1)                                         n0, n1
#define ZX_ARGS_3(t0, n0, t1, n1, t2, n2)                                 n0, n1, n2
#define ZX_ARGS_4(t0, n0, t1, n1, t2, n2, t3, n3)                         n0, n1, n2, n3
#define ZX_ARGS_5(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4)                 n0, n1, n2, n3, n4
#define ZX_ARGS_6(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5)         n0, n1, n2, n3, n4, n5
#define ZX_ARGS_7(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5, t6, n6) n0, n1, n2, n3, n4, n5, n6
#define ZX_ARGS_8(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5, t6, n6, t7, n7)                  \
    n0, n1, n2, n3, n4, n5, n6, n7

#define ZX_CASTS_0(regs, ignored)
#define ZX_CASTS_1(regs, t0, n0)                 (t0)(regs)[0]
#define ZX_CASTS_2(regs, t0, n0, t1, n1)         (t0)(regs)[0], (t1)(regs)[1]
#define ZX_CASTS_3(regs, t0, n0, t1, n1, t2, n2) (t0)(regs)[0], (t1)(regs)[1], (t2)(regs)[2]
#define ZX_CASTS_4(regs, t0, n0, t1, n1, t2, n2, t3, n3)                                           \
    (t0)(regs)[0], (t1)(regs)[1], (t2)(regs)[2], (t3)(regs)[3]
#define ZX_CASTS_5(regs, t0, n0, t1, n1, t2, n2, t3, n3, t4, n4)                                   \
    (t0)(regs)[0], (t1)(regs)[1], (t2)(regs)[2], (t3)(regs)[3], (t4)(regs)[4]
#define ZX_CASTS_6(regs, t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5)                           \
    (t0)(regs)[0], (t1)(regs)[1], (t2)(regs)[2], (t3)(regs)[3], (t4)(regs)[4], (t5)(regs)[5]
#define ZX_CASTS_7(regs, t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5, t6, n6)                   \
    (t0)(regs)[0], (t1)(regs)[1], (t2)(regs)[2], (t3)(regs)[3], (t4)(regs)[4], (t5)(regs)[5],      \
        (t6)(regs)[6]
#define ZX_CASTS_8(regs, t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5, t6, n6, t7, n7)           \
    (t0)(regs)[0], (t1)(regs)[1], (t2)(regs)[2], (t3)(regs)[3], (t4)(regs)[4], (t5)(regs)[5],      \
        (t6)(regs)[6], (t7)(regs)[7]

#define ZX_PASS_0(ignored)
#define ZX_PASS_1(t0, n0)                                 (t0) a0
#define ZX_PASS_2(t0, n0, t1, n1)                         (t0) a0, (t1)a1
#define ZX_PASS_3(t0, n0, t1, n1, t2, n2)                 (t0) a0, (t1)a1, (t2)a2
#define ZX_PASS_4(t0, n0, t1, n1, t2, n2, t3, n3)         (t0) a0, (t1)a1, (t2)a2, (t3)a3
#define ZX_PASS_5(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4) (t0) a0, (t1)a1, (t2)a2, (t3)a3, (t4)a4
#define ZX_PASS_6(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5)                                  \
    (t0) a0, (t1)a1, (t2)a2, (t3)a3, (t4)a4, (t5)a5
#define ZX_PASS_7(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5, t6, n6)                          \
    (t0) a0, (t1)a1, (t2)a2, (t3)a3, (t4)a4, (t5)a5, (t6)a6
#define ZX_PASS_8(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5, t6, n6, t7, n7)                  \
    (t0) a0, (t1)a1, (t2)a2, (t3)a3, (t4)a4, (t5)a5, (t6)a6, (t7)a7

#endif // ZIRCON_SYSCALL_MACROS_H_
