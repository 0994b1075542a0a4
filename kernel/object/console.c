#include "kernel/object/console.h"

#include "kernel/lib/list.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/spinlock.h"

struct console_reader {
    struct list_node node;
    struct thread *thread;
};

static struct spinlock lock = SPINLOCK_INIT(LOCK_RANK_UART);
static bool is_panic; /* atomic */

/* Under lock: */
static void (*output)(void *ctx, const char *text, size_t len_bytes);
static void *output_ctx;
static bool user_line_open; /* the last character of a user's was not a newline */
static bool log_line_open;
static char input[CONSOLE_INPUT_BYTES];
static uint32_t input_head, input_tail; /* characters ever put in and taken out */

static struct spinlock readers_lock = SPINLOCK_INIT(LOCK_RANK_PAIR);
static struct list_node readers = LIST_INIT(readers); /* under readers_lock */

static irq_state_t console_lock(void)
{
    return atomic_load_relaxed(&is_panic) ? arch_irq_save() : spin_lock_irqsave(&lock);
}

static void console_unlock(irq_state_t irq)
{
    if (atomic_load_relaxed(&is_panic))
        arch_irq_restore(irq);
    else
        spin_unlock_irqrestore(&lock, irq);
}

void console_set_output(void (*write)(void *ctx, const char *text, size_t len_bytes), void *ctx)
{
    irq_state_t irq = console_lock();
    output = write;
    output_ctx = ctx;
    console_unlock(irq);
}

void console_enter_panic(void)
{
    atomic_store(&is_panic, true);
}

/* ---- Output ---------------------------------------------------------------------------------- */

static void output_raw(const char *text, size_t len_bytes)
{
    if (output && len_bytes > 0)
        output(output_ctx, text, len_bytes);
}

/* Writes |text| with "\r\n" for each "\n". */
static void output_text(const char *text, size_t len_bytes)
{
    size_t start = 0;
    for (size_t i = 0; i < len_bytes; i++) {
        if (text[i] != '\n')
            continue;
        output_raw(text + start, i - start);
        output_raw("\r\n", 2);
        start = i + 1;
    }
    output_raw(text + start, len_bytes - start);
}

void console_write(const char *text, size_t len_bytes)
{
    if (len_bytes == 0)
        return;
    irq_state_t irq = console_lock();
    output_text(text, len_bytes);
    user_line_open = text[len_bytes - 1] != '\n';
    console_unlock(irq);
}

void console_write_log(void *ctx, const char *text, size_t len_bytes)
{
    (void)ctx;
    if (len_bytes == 0)
        return;
    irq_state_t irq = console_lock();
    if (user_line_open && !log_line_open)
        output_raw("\r\n", 2);
    user_line_open = false;
    output_text(text, len_bytes);
    log_line_open = text[len_bytes - 1] != '\n';
    console_unlock(irq);
}

/* ---- Input ----------------------------------------------------------------------------------- */

static bool input_take(char *out)
{
    if (input_head == input_tail)
        return false;
    *out = input[input_tail++ % CONSOLE_INPUT_BYTES];
    return true;
}

/* The scheduler's locks may not be taken inside the console's, so readers are woken after it. */
static void wake_readers(void)
{
    irq_state_t irq = spin_lock_irqsave(&readers_lock);
    list_for_each (node, &readers)
        thread_unpark(list_entry(node, struct console_reader, node)->thread);
    spin_unlock_irqrestore(&readers_lock, irq);
}

void console_with_lock(void (*fn)(void *ctx), void *ctx)
{
    irq_state_t irq = console_lock();
    uint32_t head = input_head;
    fn(ctx);
    bool has_input = input_head != head;
    console_unlock(irq);
    if (has_input)
        wake_readers();
}

void console_input_locked(char c)
{
    if (input_head - input_tail < CONSOLE_INPUT_BYTES)
        input[input_head++ % CONSOLE_INPUT_BYTES] = c;
}

static void input_one(void *ctx)
{
    console_input_locked(*(const char *)ctx);
}

void console_input(char c)
{
    console_with_lock(input_one, &c);
}

zx_status_t console_read(char *out, size_t max_bytes, zx_time_t deadline_ns, size_t *out_bytes)
{
    struct console_reader reader = {.thread = thread_current()};
    irq_state_t irq = spin_lock_irqsave(&readers_lock);
    list_push_back(&readers, &reader.node);
    spin_unlock_irqrestore(&readers_lock, irq);

    size_t count = 0;
    zx_status_t status = ZX_OK;
    for (;;) {
        irq = console_lock();
        while (count < max_bytes && input_take(&out[count]))
            count++;
        console_unlock(irq);
        if (count > 0 || status != ZX_OK)
            break;
        status = thread_park(deadline_ns, true);
    }
    irq = spin_lock_irqsave(&readers_lock);
    list_remove(&reader.node);
    spin_unlock_irqrestore(&readers_lock, irq);
    if (count == 0)
        return status;
    *out_bytes = count;
    return ZX_OK;
}
