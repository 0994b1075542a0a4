/* Exception channels: a fault is caught, looked at, repaired; the order of handlers; news for
 * debuggers; the state of stopped threads. */
#include "tests/conformance/child.h"
#include "tests/conformance/hold_register.h"

#include <stdatomic.h>
#include <string.h>
#include <zircon/syscalls/debug.h>
#include <zircon/syscalls/exception.h>

#include "userland/libzx/thread.h"

static zx_handle_t channel_for(zx_handle_t task, uint32_t options)
{
    zx_handle_t channel;

    ASSERT_OK(zx_task_create_exception_channel(task, options, &channel));
    return channel;
}

static zx_handle_t next_exception(zx_handle_t channel, zx_excp_type_t type)
{
    zx_exception_info_t info = {0};
    zx_handle_t exception;

    ASSERT_OK(zx_object_wait_one(channel, ZX_CHANNEL_READABLE, zx_deadline_after(PATIENCE), NULL));
    ASSERT_OK(zx_channel_read(channel, 0, &info, &exception, sizeof(info), 1, NULL, NULL));
    EXPECT_EQ(info.type, type);
    return exception;
}

static void resume(zx_handle_t exception, uint32_t state)
{
    ASSERT_OK(zx_object_set_property(exception, ZX_PROP_EXCEPTION_STATE, &state, sizeof(state)));
    close_handle(exception);
}

static bool has_message(zx_handle_t channel)
{
    return zx_object_wait_one(channel, ZX_CHANNEL_READABLE, 0, NULL) == ZX_OK;
}

/* ---- A thread of this process faults ---- */

struct faulter {
    volatile uint64_t *at;
    uint64_t value;
    double sum;
};

static int fault_and_go_on(void *arg)
{
    struct faulter *faulter = arg;
    double before = faulter->sum;

    faulter->value = *faulter->at;
    faulter->sum = before + 0.5;
    return 17;
}

/* Reads the report of a fault, points the register that held the address at a good place, and lets
 * the thread try again. */
TEST(exception, a_fault_is_caught_and_repaired)
{
    zx_handle_t vmo = vmo_new(PAGE), exception, task;
    zx_vaddr_t addr = map_anywhere(0, vmo, PAGE);
    struct faulter faulter = {.at = (volatile uint64_t *)addr, .sum = 1.25};
    zx_thread_state_general_regs_t regs;
    zx_exception_report_t report;
    uint64_t good = 0x600df00d;
    struct thread *thread;

    zx_handle_t channel = channel_for(zx_process_self(), 0);
    ASSERT_OK(thread_spawn("faulter", fault_and_go_on, &faulter, &thread));
    exception = next_exception(channel, ZX_EXCP_FATAL_PAGE_FAULT);
    ASSERT_OK(zx_exception_get_thread(exception, &task));
    EXPECT_EQ(koid_of(task), koid_of(thread_handle(thread)));
    EXPECT(thread_reaches_state(task, ZX_THREAD_STATE_BLOCKED_EXCEPTION));
    ASSERT_OK(zx_object_get_info(task, ZX_INFO_THREAD_EXCEPTION_REPORT, &report, sizeof(report),
                                 NULL, NULL));
    EXPECT_EQ(report.header.size, sizeof(report));
    EXPECT_EQ(report.header.type, ZX_EXCP_FATAL_PAGE_FAULT);
    EXPECT_EQ(report.context.arch.u.riscv_64.cause, 13); /* load page fault */
    EXPECT_EQ(report.context.arch.u.riscv_64.tval, addr);
    EXPECT_STATUS((zx_status_t)report.context.synth_code, ZX_ERR_ACCESS_DENIED);

    ASSERT_OK(zx_thread_read_state(task, ZX_THREAD_STATE_GENERAL_REGS, &regs, sizeof(regs)));
    uint64_t *words = &regs.pc;
    int found = 0;
    for (size_t i = 1; i < sizeof(regs) / 8; i++) {
        if (words[i] == addr) {
            words[i] = (uint64_t)&good;
            found++;
        }
    }
    EXPECT(found > 0);
    ASSERT_OK(zx_thread_write_state(task, ZX_THREAD_STATE_GENERAL_REGS, &regs, sizeof(regs)));
    resume(exception, ZX_EXCEPTION_STATE_HANDLED);
    EXPECT_EQ(thread_join(thread), 17);
    EXPECT_EQ(faulter.value, good);
    EXPECT(faulter.sum == 1.75);
    EXPECT_STATUS(zx_object_get_info(task, ZX_INFO_THREAD_EXCEPTION_REPORT, &report, sizeof(report),
                                     NULL, NULL),
                  ZX_ERR_BAD_STATE);
    close_handle(task);
    close_handle(channel);
    unmap(addr, PAGE);
    close_handle(vmo);
}

TEST(exception, permission_given_meanwhile)
{
    zx_handle_t vmo = vmo_new(PAGE);
    zx_vaddr_t addr = map_anywhere(0, vmo, PAGE);
    struct faulter faulter = {.at = (volatile uint64_t *)addr};
    struct thread *thread;

    vmo_store(vmo, 0, 99);
    zx_handle_t channel = channel_for(zx_process_self(), 0);
    ASSERT_OK(thread_spawn("faulter", fault_and_go_on, &faulter, &thread));
    zx_handle_t exception = next_exception(channel, ZX_EXCP_FATAL_PAGE_FAULT);
    ASSERT_OK(zx_vmar_protect(zx_vmar_root_self(), ZX_VM_PERM_READ, addr, PAGE));
    resume(exception, ZX_EXCEPTION_STATE_HANDLED);
    EXPECT_EQ(thread_join(thread), 17);
    EXPECT_EQ(faulter.value, 99);
    close_handle(channel);
    unmap(addr, PAGE);
    close_handle(vmo);
}

TEST(exception, the_handler_may_end_the_thread)
{
    struct faulter faulter = {.at = (volatile uint64_t *)8};
    struct thread *thread;

    zx_handle_t channel = channel_for(zx_process_self(), 0);
    ASSERT_OK(thread_spawn("faulter", fault_and_go_on, &faulter, &thread));
    resume(next_exception(channel, ZX_EXCP_FATAL_PAGE_FAULT), ZX_EXCEPTION_STATE_THREAD_EXIT);
    EXPECT_EQ(thread_join(thread), 0); /* it never returned 17 */
    close_handle(channel);
}

/* ---- Order of the handlers ---- */

TEST(exception, handlers_are_asked_in_order)
{
    zx_handle_t job, parent, channels[5], exception;
    static const uint32_t types[] = {ZX_EXCEPTION_CHANNEL_TYPE_DEBUGGER,
                                     ZX_EXCEPTION_CHANNEL_TYPE_PROCESS,
                                     ZX_EXCEPTION_CHANNEL_TYPE_DEBUGGER,
                                     ZX_EXCEPTION_CHANNEL_TYPE_JOB, ZX_EXCEPTION_CHANNEL_TYPE_JOB};
    zx_exception_info_t info;
    zx_info_thread_t state;
    uint32_t second = ZX_EXCEPTION_STRATEGY_SECOND_CHANCE;

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &parent));
    ASSERT_OK(zx_job_create(parent, 0, &job));
    struct child child = child_start("echo", NULL, ZX_HANDLE_INVALID, job);
    close_handle(child.channel);
    EXPECT_OK(zx_object_wait_one(child.process, ZX_PROCESS_TERMINATED, zx_deadline_after(PATIENCE),
                                 NULL));
    close_handle(child.process);

    zx_handle_t vmar, process, thread;
    process = process_new(job, &vmar);
    ASSERT_OK(zx_thread_create(process, "t", 1, 0, &thread));
    channels[0] = channel_for(process, ZX_EXCEPTION_CHANNEL_DEBUGGER);
    channels[1] = channel_for(process, 0);
    channels[2] = channels[0];
    channels[3] = channel_for(job, 0);
    channels[4] = channel_for(parent, 0);
    ASSERT_OK(zx_process_start(process, thread, 0x200000, 0, ZX_HANDLE_INVALID, 0));
    close_handle(next_exception(channels[0], ZX_EXCP_THREAD_STARTING));
    for (int i = 0; i < 5; i++) {
        ASSERT_OK(zx_object_wait_one(channels[i], ZX_CHANNEL_READABLE, zx_deadline_after(PATIENCE),
                                     NULL));
        for (int other = 0; other < 5; other++)
            EXPECT_EQ(has_message(channels[other]), channels[other] == channels[i]);
        ASSERT_OK(zx_channel_read(channels[i], 0, &info, &exception, sizeof(info), 1, NULL, NULL));
        EXPECT_EQ(info.type, ZX_EXCP_FATAL_PAGE_FAULT);
        EXPECT_EQ(info.pid, koid_of(process));
        EXPECT_EQ(info.tid, koid_of(thread));
        EXPECT_OK(zx_object_get_info(thread, ZX_INFO_THREAD, &state, sizeof(state), NULL, NULL));
        EXPECT_EQ(state.state, ZX_THREAD_STATE_BLOCKED_EXCEPTION);
        EXPECT_EQ(state.wait_exception_channel_type, types[i]);
        if (i == 0)
            EXPECT_OK(zx_object_set_property(exception, ZX_PROP_EXCEPTION_STRATEGY, &second,
                                             sizeof(second)));
        else if (i != 2)
            EXPECT_STATUS(zx_object_set_property(exception, ZX_PROP_EXCEPTION_STRATEGY, &second,
                                                 sizeof(second)),
                          ZX_ERR_BAD_STATE);
        close_handle(exception);
    }
    /* Nobody wanted it. The debugger still hears of the end. */
    EXPECT_OK(
        zx_object_wait_one(process, ZX_PROCESS_TERMINATED, zx_deadline_after(PATIENCE), NULL));
    close_handle(next_exception(channels[0], ZX_EXCP_THREAD_EXITING));
    EXPECT_OK(zx_object_wait_one(channels[1], ZX_CHANNEL_PEER_CLOSED, 0, NULL));
    for (int i = 0; i < 5; i++) {
        if (i != 2)
            close_handle(channels[i]);
    }
    close_handle(thread);
    close_handle(vmar);
    close_handle(process);
    close_handle(job);
    close_handle(parent);
}

/* ---- Debuggers ---- */

static int return_at_once(void *arg)
{
    (void)arg;
    return 3;
}

TEST(exception, a_debugger_hears_of_threads)
{
    zx_thread_state_general_regs_t regs = {0};
    struct thread *thread;
    zx_info_process_t info;
    zx_handle_t debugger = channel_for(zx_process_self(), ZX_EXCEPTION_CHANNEL_DEBUGGER);

    ASSERT_OK(
        zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS, &info, sizeof(info), NULL, NULL));
    EXPECT(info.flags & ZX_INFO_PROCESS_FLAG_DEBUGGER_ATTACHED);

    ASSERT_OK(thread_spawn("news", return_at_once, NULL, &thread));
    zx_handle_t exception = next_exception(debugger, ZX_EXCP_THREAD_STARTING);
    EXPECT_OK(zx_thread_read_state(thread_handle(thread), ZX_THREAD_STATE_GENERAL_REGS, &regs,
                                   sizeof(regs)));
    EXPECT(regs.pc != 0);
    EXPECT(regs.sp != 0);
    EXPECT_EQ(regs.ra, 0);
    close_handle(exception);
    exception = next_exception(debugger, ZX_EXCP_THREAD_EXITING);
    EXPECT_STATUS(zx_object_wait_one(thread_handle(thread), ZX_THREAD_TERMINATED,
                                     zx_deadline_after(ZX_MSEC(5)), NULL),
                  ZX_ERR_TIMED_OUT);
    close_handle(exception);
    EXPECT_EQ(thread_join(thread), 3);
    close_handle(debugger);
    ASSERT_OK(
        zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.flags, ZX_INFO_PROCESS_FLAG_STARTED);
}

TEST(exception, a_jobs_debugger_hears_of_processes)
{
    zx_handle_t job, below, process;

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    ASSERT_OK(zx_job_create(job, 0, &below));
    zx_handle_t debugger = channel_for(job, ZX_EXCEPTION_CHANNEL_DEBUGGER);
    struct child child = child_start("exit", "5", ZX_HANDLE_INVALID, below);
    zx_handle_t exception = next_exception(debugger, ZX_EXCP_PROCESS_STARTING);
    ASSERT_OK(zx_exception_get_process(exception, &process));
    EXPECT_EQ(koid_of(process), koid_of(child.process));
    EXPECT_STATUS(
        zx_object_wait_one(process, ZX_PROCESS_TERMINATED, zx_deadline_after(ZX_MSEC(5)), NULL),
        ZX_ERR_TIMED_OUT);
    close_handle(process);
    close_handle(exception); /* nobody has to handle it */
    EXPECT_EQ(child_end(&child), 5);
    EXPECT(!has_message(debugger));
    close_handle(debugger);
    close_handle(below);
    close_handle(job);
}

TEST(exception, raised_for_the_jobs_debugger)
{
    zx_handle_t job, thread;
    zx_exception_report_t report;

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    zx_handle_t debugger = channel_for(job, ZX_EXCEPTION_CHANNEL_DEBUGGER);
    struct child child = child_start("raise", NULL, ZX_HANDLE_INVALID, job);
    close_handle(next_exception(debugger, ZX_EXCP_PROCESS_STARTING));
    zx_handle_t exception = next_exception(debugger, ZX_EXCP_USER);
    ASSERT_OK(zx_exception_get_thread(exception, &thread));
    ASSERT_OK(zx_object_get_info(thread, ZX_INFO_THREAD_EXCEPTION_REPORT, &report, sizeof(report),
                                 NULL, NULL));
    EXPECT_EQ(report.context.synth_code, 0x1234);
    EXPECT_EQ(report.context.synth_data, 0x5678);
    close_handle(thread);
    close_handle(exception);
    EXPECT_EQ(child_end(&child), 0);
    close_handle(debugger);
    close_handle(job);
}

TEST(exception, raising_checks_its_arguments)
{
    zx_exception_context_t context = {.synth_code = 1};
    const uint32_t target = ZX_EXCEPTION_TARGET_JOB_DEBUGGER;

    EXPECT_STATUS(zx_thread_raise_exception(0, ZX_EXCP_USER, &context), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_thread_raise_exception(2, ZX_EXCP_USER, &context), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_thread_raise_exception(target, ZX_EXCP_GENERAL, &context),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_thread_raise_exception(target, ZX_EXCP_USER, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_OK(zx_thread_raise_exception(target, ZX_EXCP_USER, &context)); /* nobody listens */
}

/* ---- Channels and exception objects ---- */

TEST(exception, channels_check_their_arguments)
{
    zx_handle_t job, channel, out = SENTINEL_HANDLE, event;
    static const zx_rights_t needed[] = {ZX_RIGHT_INSPECT, ZX_RIGHT_DUPLICATE, ZX_RIGHT_TRANSFER,
                                         ZX_RIGHT_MANAGE_THREAD, ZX_RIGHT_ENUMERATE};

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    EXPECT_STATUS(zx_task_create_exception_channel(job, 2, &out), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_task_create_exception_channel(job, 0, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_task_create_exception_channel(ZX_HANDLE_INVALID, 0, &out), ZX_ERR_BAD_HANDLE);
    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_task_create_exception_channel(event, 0, &out), ZX_ERR_WRONG_TYPE);
    close_handle(event);
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        zx_handle_t weak = duplicate_without(job, needed[i]);
        EXPECT_STATUS(zx_task_create_exception_channel(weak, 0, &out), ZX_ERR_ACCESS_DENIED);
        close_handle(weak);
    }
    EXPECT_STATUS(
        zx_task_create_exception_channel(zx_thread_self(), ZX_EXCEPTION_CHANNEL_DEBUGGER, &out),
        ZX_ERR_INVALID_ARGS);
    channel = channel_for(job, 0);
    EXPECT_STATUS(zx_task_create_exception_channel(job, 0, &out), ZX_ERR_ALREADY_BOUND);
    EXPECT_EQ(out, SENTINEL_HANDLE);
    EXPECT_STATUS(zx_channel_write(channel, 0, NULL, 0, NULL, 0), ZX_ERR_ACCESS_DENIED);
    close_handle(channel);
    close_handle(channel_for(job, 0));
    ASSERT_OK(zx_task_kill(job));
    EXPECT_STATUS(zx_task_create_exception_channel(job, 0, &out), ZX_ERR_BAD_STATE);
    close_handle(job);
}

TEST(exception, the_object_itself)
{
    struct faulter faulter = {.at = (volatile uint64_t *)8};
    struct thread *thread;
    zx_handle_t out = SENTINEL_HANDLE, gate, task;
    uint32_t value;

    ASSERT_OK(zx_event_create(0, &gate));
    zx_handle_t channel = channel_for(zx_process_self(), 0);
    ASSERT_OK(thread_spawn("faulter", fault_and_go_on, &faulter, &thread));
    zx_handle_t exception = next_exception(channel, ZX_EXCP_FATAL_PAGE_FAULT);
    EXPECT_EQ(rights_of(exception), 0x80C2);
    EXPECT_EQ(basic_info(exception).type, ZX_OBJ_TYPE_EXCEPTION);
    EXPECT_OK(zx_object_get_property(exception, ZX_PROP_EXCEPTION_STATE, &value, sizeof(value)));
    EXPECT_EQ(value, ZX_EXCEPTION_STATE_TRY_NEXT);
    EXPECT_OK(zx_object_get_property(exception, ZX_PROP_EXCEPTION_STRATEGY, &value, sizeof(value)));
    EXPECT_EQ(value, ZX_EXCEPTION_STRATEGY_FIRST_CHANCE);
    value = 3;
    EXPECT_STATUS(zx_object_set_property(exception, ZX_PROP_EXCEPTION_STATE, &value, sizeof(value)),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_object_set_property(exception, ZX_PROP_EXCEPTION_STATE, &value, 3),
                  ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_STATUS(zx_exception_get_thread(gate, &out), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_exception_get_process(gate, &out), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_exception_get_thread(ZX_HANDLE_INVALID, &out), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_exception_get_process(ZX_HANDLE_INVALID, &out), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_exception_get_thread(exception, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_exception_get_process(exception, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_OK(zx_exception_get_process(exception, &task));
    EXPECT_EQ(koid_of(task), koid_of(zx_process_self()));
    close_handle(task);
    EXPECT_EQ(out, SENTINEL_HANDLE);
    resume(exception, ZX_EXCEPTION_STATE_THREAD_EXIT);
    thread_join(thread);
    close_handle(channel);
    close_handle(gate);
}

/* What a thread's channel gives is no more than the handle it was made with. */
TEST(exception, a_threads_channel_gives_no_process)
{
    struct faulter faulter = {.at = (volatile uint64_t *)8};
    zx_handle_t out = SENTINEL_HANDLE, task, debugger;
    struct thread *thread;

    debugger = channel_for(zx_process_self(), ZX_EXCEPTION_CHANNEL_DEBUGGER);
    ASSERT_OK(thread_spawn("faulter", fault_and_go_on, &faulter, &thread));
    zx_handle_t starting = next_exception(debugger, ZX_EXCP_THREAD_STARTING);
    zx_handle_t weak = duplicate_without(thread_handle(thread), ZX_RIGHT_WRITE);
    zx_handle_t channel = channel_for(weak, 0);
    close_handle(weak);
    close_handle(debugger);
    close_handle(starting);
    zx_handle_t exception = next_exception(channel, ZX_EXCP_FATAL_PAGE_FAULT);
    EXPECT_STATUS(zx_exception_get_process(exception, &out), ZX_ERR_ACCESS_DENIED);
    EXPECT_EQ(out, SENTINEL_HANDLE);
    ASSERT_OK(zx_exception_get_thread(exception, &task));
    EXPECT_EQ(rights_of(task), ZX_DEFAULT_THREAD_RIGHTS & ~ZX_RIGHT_WRITE);
    close_handle(task);
    resume(exception, ZX_EXCEPTION_STATE_THREAD_EXIT);
    thread_join(thread);
    close_handle(channel);
}

/* ---- Suspended threads ---- */

struct spinner {
    atomic_int is_ready;
    atomic_int stop;
    double result;
};

static int spin_with_a_number(void *arg)
{
    struct spinner *spinner = arg;

    spinner->result = hold_in_fs5(2.5, &spinner->is_ready, &spinner->stop);
    return 0;
}

static zx_handle_t suspend(zx_handle_t thread)
{
    zx_handle_t token;

    ASSERT_OK(zx_task_suspend_token(thread, &token));
    EXPECT_OK(zx_object_wait_one(thread, ZX_THREAD_SUSPENDED, zx_deadline_after(PATIENCE), NULL));
    return token;
}

TEST(exception, fp_registers_of_a_suspended_thread)
{
    struct spinner spinner = {0};
    zx_thread_state_fp_regs_t fp;
    struct thread *thread;
    double number;

    ASSERT_OK(thread_spawn("spinner", spin_with_a_number, &spinner, &thread));
    zx_handle_t task = thread_handle(thread);
    while (!atomic_load(&spinner.is_ready))
        zx_nanosleep(zx_deadline_after(ZX_USEC(100)));
    EXPECT_STATUS(zx_thread_read_state(task, ZX_THREAD_STATE_FP_REGS, &fp, sizeof(fp)),
                  ZX_ERR_BAD_STATE);
    zx_handle_t token = suspend(task);
    ASSERT_OK(zx_thread_read_state(task, ZX_THREAD_STATE_FP_REGS, &fp, sizeof(fp)));
    memcpy(&number, &fp.q[21].low, sizeof(number)); /* fs5 is f21 */
    EXPECT(number == 2.5);
    number = -7.0;
    memcpy(&fp.q[21].low, &number, sizeof(number));
    ASSERT_OK(zx_thread_write_state(task, ZX_THREAD_STATE_FP_REGS, &fp, sizeof(fp)));
    close_handle(token);
    atomic_store(&spinner.stop, 1);
    thread_join(thread);
    EXPECT(spinner.result == -7.0);
}

TEST(exception, states_check_their_arguments)
{
    struct spinner spinner = {0};
    zx_thread_state_fp_regs_t fp;
    zx_thread_state_general_regs_t regs;
    struct thread *thread;
    zx_handle_t weak;

    ASSERT_OK(thread_spawn("spinner", spin_with_a_number, &spinner, &thread));
    zx_handle_t task = thread_handle(thread);
    EXPECT_STATUS(zx_thread_read_state(task, 0, &regs, sizeof(regs)), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_thread_write_state(task, 1, &fp, sizeof(fp)), ZX_ERR_BAD_STATE);
    zx_handle_t token = suspend(task);
    ASSERT_OK(zx_thread_read_state(task, 0, &regs, sizeof(regs)));
    ASSERT_OK(zx_thread_read_state(task, 1, &fp, sizeof(fp)));
    EXPECT_STATUS(zx_thread_read_state(task, 0, &regs, sizeof(regs) - 1), ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_STATUS(zx_thread_read_state(task, 1, &fp, sizeof(fp) - 1), ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_STATUS(zx_thread_write_state(task, 1, &fp, sizeof(fp) - 1), ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_STATUS(zx_thread_write_state(task, 1, &fp, sizeof(fp) + 1), ZX_ERR_INVALID_ARGS);
    for (uint32_t kind = ZX_THREAD_STATE_VECTOR_REGS; kind <= ZX_THREAD_STATE_SINGLE_STEP; kind++) {
        zx_status_t want = kind == 3 ? ZX_ERR_INVALID_ARGS : ZX_ERR_NOT_SUPPORTED;
        EXPECT_STATUS(zx_thread_read_state(task, kind, &fp, sizeof(fp)), want);
        EXPECT_STATUS(zx_thread_write_state(task, kind, &fp, sizeof(fp)), want);
    }
    EXPECT_STATUS(zx_thread_read_state(task, 99, &fp, sizeof(fp)), ZX_ERR_INVALID_ARGS);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++) {
        void *bad = (void *)bad_addresses[i];
        EXPECT_STATUS(zx_thread_read_state(task, 0, bad, sizeof(regs)), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_thread_write_state(task, 0, bad, sizeof(regs)), ZX_ERR_INVALID_ARGS);
    }
    weak = duplicate_without(task, ZX_RIGHT_READ);
    EXPECT_STATUS(zx_thread_read_state(weak, 0, &regs, sizeof(regs)), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    weak = duplicate_without(task, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_thread_write_state(weak, 0, &regs, sizeof(regs)), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_task_suspend_token(weak, &weak), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    EXPECT_STATUS(zx_thread_read_state(zx_process_self(), 0, &regs, sizeof(regs)),
                  ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_thread_write_state(zx_process_self(), 0, &regs, sizeof(regs)),
                  ZX_ERR_WRONG_TYPE);
    close_handle(token);
    atomic_store(&spinner.stop, 1);
    thread_join(thread);
}

TEST(exception, two_tokens_and_who_may_have_them)
{
    struct spinner spinner = {0};
    zx_handle_t out = SENTINEL_HANDLE, event;
    struct thread *thread;

    ASSERT_OK(thread_spawn("spinner", spin_with_a_number, &spinner, &thread));
    zx_handle_t task = thread_handle(thread), first = suspend(task), second = suspend(task);
    EXPECT_EQ(rights_of(first), 0x8002);
    EXPECT_EQ(basic_info(first).type, ZX_OBJ_TYPE_SUSPEND_TOKEN);
    close_handle(first);
    EXPECT_OK(zx_object_wait_one(task, ZX_THREAD_SUSPENDED, 0, NULL));
    close_handle(second);
    EXPECT_OK(zx_object_wait_one(task, ZX_THREAD_RUNNING, zx_deadline_after(PATIENCE), NULL));
    EXPECT_STATUS(zx_task_suspend_token(zx_thread_self(), &out), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_task_suspend_token(zx_process_self(), &out), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_task_suspend_token(zx_job_default(), &out), ZX_ERR_WRONG_TYPE);
    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_task_suspend_token(event, &out), ZX_ERR_WRONG_TYPE);
    close_handle(event);
    atomic_store(&spinner.stop, 1);
    EXPECT_OK(zx_object_wait_one(task, ZX_THREAD_TERMINATED, zx_deadline_after(PATIENCE), NULL));
    EXPECT_STATUS(zx_task_suspend_token(task, &out), ZX_ERR_BAD_STATE);
    EXPECT_EQ(out, SENTINEL_HANDLE);
    thread_join(thread);
}
