#include "kernel/object/debuglog.h"

#include <zircon/syscalls/object.h>

#include "kernel/lib/string.h"
#include "kernel/object/console.h"
#include "kernel/object/process.h"
#include "kernel/object/thread.h"
#include "kernel/sched/sched.h"
#include "kernel/vm/kheap.h"

#define COUNT_RECORDS 64u
#define SEVERITY_INFO 0x30

struct debuglog {
    struct object object;
    bool is_reader; /* fixed */
    /* Of a reader, under the_ring.lock: */
    struct list_node node;
    uint64_t next_sequence; /* what it reads next, if that is still there */
};

/* Under the_ring.lock. Record n is in place n % COUNT_RECORDS from its writing until record
 * n + COUNT_RECORDS. */
static zx_log_record_t records[COUNT_RECORDS];

static struct {
    struct spinlock lock; /* rank PAIR */
    struct list_node readers;
    uint64_t next_sequence;
} the_ring = {.lock = SPINLOCK_INIT(LOCK_RANK_PAIR), .readers = LIST_INIT(the_ring.readers)};

static struct debuglog *debuglog_from(struct object *object)
{
    return container_of(object, struct debuglog, object);
}

static void debuglog_destroy(struct object *object)
{
    struct debuglog *log = debuglog_from(object);
    irq_state_t irq = spin_lock_irqsave(&the_ring.lock);
    list_remove(&log->node);
    spin_unlock_irqrestore(&the_ring.lock, irq);
    kfree(log);
}

static const struct object_ops debuglog_ops = {
    .type = ZX_OBJ_TYPE_DEBUGLOG,
    .default_rights = ZX_DEFAULT_LOG_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .destroy = debuglog_destroy,
};

static uint64_t oldest_locked(void)
{
    return the_ring.next_sequence < COUNT_RECORDS ? 0 : the_ring.next_sequence - COUNT_RECORDS;
}

static void update_reader_locked(struct debuglog *log)
{
    bool has_more = log->next_sequence < the_ring.next_sequence;
    object_update_signals(&log->object, has_more ? 0 : ZX_LOG_READABLE,
                          has_more ? ZX_LOG_READABLE : 0);
}

zx_status_t debuglog_create(bool is_reader, struct object **out)
{
    struct debuglog *log = kzalloc(sizeof(*log));
    if (!log)
        return ZX_ERR_NO_MEMORY;
    object_init(&log->object, &debuglog_ops, ZX_LOG_WRITABLE);
    list_init(&log->node);
    log->is_reader = is_reader;
    if (is_reader) {
        irq_state_t irq = spin_lock_irqsave(&the_ring.lock);
        log->next_sequence = oldest_locked();
        list_push_back(&the_ring.readers, &log->node);
        update_reader_locked(log);
        spin_unlock_irqrestore(&the_ring.lock, irq);
    }
    *out = &log->object;
    return ZX_OK;
}

void debuglog_write(uint32_t flags, const char *text, size_t len_bytes)
{
    const struct user_thread *thread = user_thread_current();
    zx_log_record_t *record;
    console_write(text, len_bytes);
    if (len_bytes == 0 || text[len_bytes - 1] != '\n')
        console_write("\n", 1);
    irq_state_t irq = spin_lock_irqsave(&the_ring.lock);
    record = &records[the_ring.next_sequence % COUNT_RECORDS];
    memset(record, 0, sizeof(*record));
    record->sequence = the_ring.next_sequence++;
    record->datalen = (uint16_t)len_bytes;
    record->severity = SEVERITY_INFO;
    record->flags = (uint8_t)flags;
    record->timestamp = clock_monotonic_ns();
    record->pid = thread->process->object.koid;
    record->tid = thread->object.koid;
    memcpy(record->data, text, len_bytes);
    list_for_each (node, &the_ring.readers)
        update_reader_locked(list_entry(node, struct debuglog, node));
    spin_unlock_irqrestore(&the_ring.lock, irq);
}

zx_status_t debuglog_read(struct object *object, zx_log_record_t *out, size_t *out_bytes)
{
    struct debuglog *log = debuglog_from(object);
    zx_status_t status = ZX_ERR_SHOULD_WAIT;
    if (!log->is_reader)
        return ZX_ERR_BAD_STATE;
    irq_state_t irq = spin_lock_irqsave(&the_ring.lock);
    log->next_sequence = MAX(log->next_sequence, oldest_locked());
    if (log->next_sequence < the_ring.next_sequence) {
        *out = records[log->next_sequence++ % COUNT_RECORDS];
        *out_bytes = offsetof(zx_log_record_t, data) + out->datalen;
        status = ZX_OK;
    }
    update_reader_locked(log);
    spin_unlock_irqrestore(&the_ring.lock, irq);
    return status;
}
