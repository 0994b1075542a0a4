/* Channels, events, ports and waiting, with host threads as the threads. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <zircon/syscalls/object.h>

#include "kernel/object/channel.h"
#include "kernel/object/event.h"
#include "kernel/object/port.h"
#include "kernel/object/wait.h"
#include "kernel/sched/sched.h"
#include "kernel/vm/kheap.h"
#include "tests/host/fake_arch.h"

#define MIB (1ul << 20)

static struct handle_table *table;
static uint64_t heap_before;

static uint64_t heap_objects(void)
{
    struct kheap_stats stats;
    kheap_get_stats(&stats);
    return stats.count_objects;
}

static int boot(void **state)
{
    (void)state;
    fake_boot(64 * MIB);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    heap_before = heap_objects();
    table = handle_table_create(99);
    thread_current()->handles = table;
    return table ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    handle_table_destroy(table);
    assert_int_equal(object_count_live(ZX_OBJ_TYPE_NONE), 0);
    assert_int_equal(heap_objects(), heap_before);
    return 0;
}

/* The object stays alive by the handle alone. */
static zx_handle_t install(struct object *object)
{
    zx_handle_t value = ZX_HANDLE_INVALID;
    struct handle *handle = handle_create(object, object->ops->default_rights);
    object_put(object);
    assert_int_equal(handle_table_add(table, handle, &value), ZX_OK);
    return value;
}

static void close_value(zx_handle_t value)
{
    struct handle *handle = handle_table_remove(table, value);
    assert_non_null(handle);
    handle_close(handle);
}

static struct message *text(const char *bytes)
{
    struct message *message = NULL;
    assert_int_equal(message_create((uint32_t)strlen(bytes), 0, &message), ZX_OK);
    memcpy(message->bytes, bytes, strlen(bytes));
    return message;
}

static zx_status_t read_any(struct object *end, struct message **out)
{
    uint32_t bytes, handles;
    return channel_read(end, UINT32_MAX, UINT32_MAX, false, &bytes, &handles, out);
}

static void expect_text(struct object *end, const char *bytes)
{
    struct message *message = NULL;
    assert_int_equal(read_any(end, &message), ZX_OK);
    assert_int_equal(message->count_bytes, strlen(bytes));
    assert_memory_equal(message->bytes, bytes, strlen(bytes));
    message_destroy(message);
}

/* ---- Channel --------------------------------------------------------------------------------- */

static void test_order_and_signals(void **state)
{
    struct object *a, *b;
    struct message *message;
    (void)state;
    assert_int_equal(channel_create(&a, &b), ZX_OK);
    zx_handle_t ha = install(a), hb = install(b);
    assert_int_equal(object_poll_signals(a), ZX_CHANNEL_WRITABLE);
    assert_int_equal(read_any(b, &message), ZX_ERR_SHOULD_WAIT);
    assert_int_equal(channel_write(a, text("one")), ZX_OK);
    assert_int_equal(channel_write(a, text("two")), ZX_OK);
    assert_int_equal(object_poll_signals(b), ZX_CHANNEL_WRITABLE | ZX_CHANNEL_READABLE);
    assert_int_equal(object_poll_signals(a), ZX_CHANNEL_WRITABLE);
    expect_text(b, "one");
    /* What was sent can still be read after its sender has gone. */
    close_value(ha);
    assert_int_equal(object_poll_signals(b), ZX_CHANNEL_PEER_CLOSED | ZX_CHANNEL_READABLE);
    expect_text(b, "two");
    assert_int_equal(object_poll_signals(b), ZX_CHANNEL_PEER_CLOSED);
    assert_int_equal(read_any(b, &message), ZX_ERR_PEER_CLOSED);
    message = text("three");
    assert_int_equal(channel_write(b, message), ZX_ERR_PEER_CLOSED);
    message_destroy(message);
    close_value(hb);
}

static void test_limits(void **state)
{
    struct object *a, *b;
    struct message *message;
    uint32_t bytes = 0, handles = 0;
    (void)state;
    assert_int_equal(message_create(ZX_CHANNEL_MAX_MSG_BYTES + 1, 0, &message),
                     ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(message_create(0, ZX_CHANNEL_MAX_MSG_HANDLES + 1, &message),
                     ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(channel_create(&a, &b), ZX_OK);
    zx_handle_t ha = install(a), hb = install(b);
    assert_int_equal(channel_write(a, text("abcd")), ZX_OK);
    assert_int_equal(channel_read(b, 3, 0, false, &bytes, &handles, &message),
                     ZX_ERR_BUFFER_TOO_SMALL);
    assert_int_equal(bytes, 4);
    assert_int_equal(handles, 0);
    assert_int_equal(channel_read(b, 3, 0, true, &bytes, &handles, &message),
                     ZX_ERR_BUFFER_TOO_SMALL);
    assert_int_equal(read_any(b, &message), ZX_ERR_SHOULD_WAIT);
    for (unsigned i = 0; i < CHANNEL_MAX_MESSAGES; i++)
        assert_int_equal(channel_write(a, text("x")), ZX_OK);
    message = text("x");
    assert_int_equal(channel_write(a, message), ZX_ERR_SHOULD_WAIT);
    expect_text(b, "x");
    assert_int_equal(channel_write(a, message), ZX_OK);
    close_value(ha);
    close_value(hb);
}

/* Each channel holds, in a message, the only handles of the next one; with so many of them any
 * recursion would overrun the small stack. */
#define CHAIN_LENGTH 20000
static void *chain_body(void *arg)
{
    struct object *a, *b;
    struct handle *inner[2] = {NULL, NULL};
    (void)arg;
    fake_set_hart(1);
    for (unsigned i = 0; i < CHAIN_LENGTH; i++) {
        struct message *message;
        assert_int_equal(channel_create(&a, &b), ZX_OK);
        assert_int_equal(message_create(0, inner[0] ? 2 : 0, &message), ZX_OK);
        if (inner[0])
            memcpy(message->handles, inner, sizeof(inner));
        assert_int_equal(channel_write(a, message), ZX_OK);
        inner[0] = handle_create(a, 0);
        inner[1] = handle_create(b, 0);
        object_put(a);
        object_put(b);
    }
    assert_int_equal(object_count_live(ZX_OBJ_TYPE_CHANNEL), 2 * CHAIN_LENGTH);
    handle_close(inner[0]);
    handle_close(inner[1]);
    return NULL;
}

static void test_chain(void **state)
{
    pthread_attr_t attr;
    pthread_t thread;
    (void)state;
    pthread_attr_init(&attr);
    assert_int_equal(pthread_attr_setstacksize(&attr, 128 * 1024), 0);
    assert_int_equal(pthread_create(&thread, &attr, chain_body, NULL), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attr);
    assert_int_equal(object_count_live(ZX_OBJ_TYPE_CHANNEL), 0);
}

/* An end that would travel through itself could only be reached by itself: it is closed. */
static void test_end_inside_peer(void **state)
{
    struct object *a, *b;
    struct message *message;
    (void)state;
    assert_int_equal(channel_create(&a, &b), ZX_OK);
    zx_handle_t ha = install(a);
    assert_int_equal(message_create(0, 1, &message), ZX_OK);
    message->handles[0] = handle_create(b, b->ops->default_rights);
    object_put(b);
    assert_int_equal(channel_write(a, message), ZX_OK);
    assert_int_equal(object_count_live(ZX_OBJ_TYPE_CHANNEL), 1);
    assert_true(object_poll_signals(a) & ZX_CHANNEL_PEER_CLOSED);
    close_value(ha);
    assert_int_equal(object_count_live(ZX_OBJ_TYPE_CHANNEL), 0);
}

/* ---- Call ------------------------------------------------------------------------------------ */

struct server {
    struct object *end;
    unsigned count_calls;
};

/* Answers in reverse order, pairwise, so that replies must find their callers by txid. */
static void *server_body(void *arg)
{
    struct server *server = arg;
    fake_set_hart(1);
    for (unsigned done = 0; done < server->count_calls; done += 2) {
        struct message *held[2];
        for (unsigned i = 0; i < 2; i++) {
            while (read_any(server->end, &held[i]) != ZX_OK)
                sched_yield();
        }
        assert_int_equal(channel_write(server->end, held[1]), ZX_OK);
        assert_int_equal(channel_write(server->end, held[0]), ZX_OK);
    }
    return NULL;
}

struct client {
    struct object *end;
    unsigned hart;
    uint32_t first;
};

#define CALLS_PER_CLIENT 300u
static void *client_body(void *arg)
{
    struct client *client = arg;
    struct channel_call call = {0};
    fake_set_hart(client->hart);
    for (uint32_t i = 0; i < CALLS_PER_CLIENT; i++) {
        uint32_t words[2] = {0, client->first + i};
        struct message *message, *reply = NULL;
        bool sent = false;
        assert_int_equal(message_create(sizeof(words), 0, &message), ZX_OK);
        memcpy(message->bytes, words, sizeof(words));
        assert_int_equal(channel_call(client->end, &call, message, ZX_TIME_INFINITE, &sent, &reply),
                         ZX_OK);
        assert_true(sent);
        assert_true((message_txid(reply) & 0x80000000u) != 0);
        memcpy(words, reply->bytes, sizeof(words));
        assert_int_equal(words[1], client->first + i);
        message_destroy(reply);
    }
    return NULL;
}

static void test_calls(void **state)
{
    struct object *a, *b;
    pthread_t threads[3];
    (void)state;
    assert_int_equal(channel_create(&a, &b), ZX_OK);
    struct server server = {b, 2 * CALLS_PER_CLIENT};
    struct client clients[2] = {{a, 2, 1000}, {a, 3, 5000}};
    pthread_create(&threads[0], NULL, server_body, &server);
    pthread_create(&threads[1], NULL, client_body, &clients[0]);
    pthread_create(&threads[2], NULL, client_body, &clients[1]);
    for (unsigned i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    object_put(a);
    object_put(b);
}

/* The answer to a call that is interrupted waits for its caller, or goes when the caller does. */
static void test_call_is_suspended(void **state)
{
    struct object *a, *b;
    struct message *message, *reply = NULL;
    struct channel_call call = {0};
    bool sent;
    (void)state;
    assert_int_equal(channel_create(&a, &b), ZX_OK);
    assert_int_equal(channel_call_finish(&call, ZX_TIME_INFINITE, &reply), ZX_ERR_INVALID_ARGS);
    for (unsigned i = 0; i < 3; i++) {
        thread_signal(thread_current(), THREAD_SIGNAL_SUSPEND);
        assert_int_equal(channel_call(a, &call, text("call"), ZX_TIME_INFINITE, &sent, &reply),
                         ZX_ERR_INTERNAL_INTR_RETRY);
        assert_true(sent);
        assert_int_equal(channel_call_finish(&call, ZX_TIME_INFINITE, &reply),
                         ZX_ERR_INTERNAL_INTR_RETRY);
        thread_clear_signal(thread_current(), THREAD_SIGNAL_SUSPEND);
        assert_int_equal(read_any(b, &message), ZX_OK);
        if (i == 2)
            message_destroy(message);
        else
            assert_int_equal(channel_write(b, message), ZX_OK);
        assert_int_equal(object_poll_signals(a) & ZX_CHANNEL_READABLE, 0);
        if (i == 0) {
            assert_int_equal(channel_call_finish(&call, ZX_TIME_INFINITE, &reply), ZX_OK);
            message_destroy(reply);
        } else {
            channel_call_abandon(&call);
        }
        channel_call_abandon(&call);
        assert_int_equal(channel_call_finish(&call, ZX_TIME_INFINITE, &reply), ZX_ERR_INVALID_ARGS);
    }
    object_put(a);
    object_put(b);
}

static void test_call_ends(void **state)
{
    struct object *a, *b;
    struct message *reply = NULL;
    struct channel_call call = {0};
    bool sent;
    (void)state;
    assert_int_equal(channel_create(&a, &b), ZX_OK);
    zx_handle_t ha = install(a), hb = install(b);
    assert_int_equal(
        channel_call(a, &call, text("call"), clock_monotonic_ns() + 1000000, &sent, &reply),
        ZX_ERR_TIMED_OUT);
    assert_true(sent);
    thread_signal(thread_current(), THREAD_SIGNAL_KILL);
    assert_int_equal(channel_call(a, &call, text("call"), ZX_TIME_INFINITE, &sent, &reply),
                     ZX_ERR_INTERNAL_INTR_KILLED);
    thread_clear_signal(thread_current(), THREAD_SIGNAL_KILL);
    /* A reply that comes too late is an ordinary message. */
    struct message *late;
    assert_int_equal(read_any(b, &late), ZX_OK);
    assert_int_equal(channel_write(b, late), ZX_OK);
    assert_int_equal(object_poll_signals(a) & ZX_CHANNEL_READABLE, ZX_CHANNEL_READABLE);
    close_value(hb);
    struct message *message = text("call");
    assert_int_equal(channel_call(a, &call, message, ZX_TIME_INFINITE, &sent, &reply),
                     ZX_ERR_PEER_CLOSED);
    assert_false(sent);
    message_destroy(message);
    close_value(ha);
}

/* ---- Waiting --------------------------------------------------------------------------------- */

struct waiting {
    zx_handle_t value;
    zx_handle_t other;
    bool started;
    zx_status_t status;
    uint32_t observed;
};

static void entry_get(struct wait_entry *entry, zx_handle_t value, uint32_t signals)
{
    entry->value = value;
    entry->signals = signals;
    assert_int_equal(handle_table_get(handle_table_current(), value, ZX_OBJ_TYPE_NONE, 0,
                                      &entry->object, NULL, &entry->identity),
                     ZX_OK);
}

static void *waiting_body(void *arg)
{
    struct waiting *waiting = arg;
    struct wait_entry entries[2];
    fake_set_hart(1);
    thread_current()->handles = table;
    entry_get(&entries[0], waiting->other, ZX_USER_SIGNAL_7);
    entry_get(&entries[1], waiting->value, ZX_EVENT_SIGNALED);
    atomic_store(&waiting->started, true);
    waiting->status =
        wait_for_signals(entries, 2, ZX_THREAD_STATE_BLOCKED_WAIT_MANY, ZX_TIME_INFINITE);
    waiting->observed = entries[1].observed;
    object_put(entries[0].object);
    object_put(entries[1].object);
    return NULL;
}

/* Ends the wait at different moments of its beginning. */
static void end_wait(bool by_closing, unsigned delay)
{
    struct object *event, *other;
    pthread_t thread;
    assert_int_equal(event_create(&event), ZX_OK);
    assert_int_equal(event_create(&other), ZX_OK);
    struct waiting waiting = {.value = install(event), .other = install(other)};
    pthread_create(&thread, NULL, waiting_body, &waiting);
    while (!atomic_load(&waiting.started))
        sched_yield();
    for (unsigned i = 0; i < delay; i++)
        sched_yield();
    if (by_closing)
        close_value(waiting.value);
    else
        object_update_signals(event, 0, ZX_EVENT_SIGNALED);
    pthread_join(thread, NULL);
    if (by_closing) {
        assert_int_equal(waiting.status, ZX_ERR_CANCELED);
        assert_int_equal(waiting.observed, ZX_SIGNAL_HANDLE_CLOSED);
    } else {
        assert_int_equal(waiting.status, ZX_OK);
        assert_int_equal(waiting.observed, ZX_EVENT_SIGNALED);
        close_value(waiting.value);
    }
    close_value(waiting.other);
}

static void test_wait_ends(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 400; i++) {
        end_wait(true, i % 20);
        end_wait(false, i % 20);
    }
}

static void test_wait_at_once(void **state)
{
    struct object *event;
    struct wait_entry entry;
    (void)state;
    assert_int_equal(event_create(&event), ZX_OK);
    zx_handle_t value = install(event);
    entry_get(&entry, value, ZX_EVENT_SIGNALED);
    assert_int_equal(wait_for_signals(&entry, 1, ZX_THREAD_STATE_BLOCKED_WAIT_ONE, 0),
                     ZX_ERR_TIMED_OUT);
    assert_int_equal(entry.observed, 0);
    object_update_signals(event, 0, ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_3);
    assert_int_equal(
        wait_for_signals(&entry, 1, ZX_THREAD_STATE_BLOCKED_WAIT_ONE, ZX_TIME_INFINITE_PAST),
        ZX_OK);
    assert_int_equal(entry.observed, ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_3);
    entry.signals = 0;
    assert_int_equal(wait_for_signals(&entry, 1, ZX_THREAD_STATE_BLOCKED_WAIT_ONE, 0),
                     ZX_ERR_TIMED_OUT);
    /* The handle is closed between the lookup and the wait. */
    entry.signals = ZX_USER_SIGNAL_7;
    close_value(value);
    assert_int_equal(
        wait_for_signals(&entry, 1, ZX_THREAD_STATE_BLOCKED_WAIT_ONE, ZX_TIME_INFINITE),
        ZX_ERR_CANCELED);
    assert_int_equal(entry.observed & ZX_SIGNAL_HANDLE_CLOSED, ZX_SIGNAL_HANDLE_CLOSED);
    object_put(entry.object);
}

static void test_eventpair(void **state)
{
    struct object *a, *b;
    (void)state;
    assert_int_equal(eventpair_create(&a, &b), ZX_OK);
    assert_int_equal(object_related_koid(a), b->koid);
    zx_handle_t ha = install(a), hb = install(b);
    assert_int_equal(a->ops->signal_peer(a, 0, ZX_EVENTPAIR_SIGNALED), ZX_OK);
    assert_int_equal(object_poll_signals(a), 0);
    assert_int_equal(object_poll_signals(b), ZX_EVENTPAIR_SIGNALED);
    close_value(hb);
    assert_int_equal(object_poll_signals(a), ZX_EVENTPAIR_PEER_CLOSED);
    assert_int_equal(a->ops->signal_peer(a, 0, ZX_EVENTPAIR_SIGNALED), ZX_ERR_PEER_CLOSED);
    close_value(ha);
}

/* ---- Port ------------------------------------------------------------------------------------ */

static zx_status_t watch(struct object *port, struct object *source, zx_handle_t value,
                         uint64_t key, uint32_t options)
{
    struct port_watch args = {.source = source,
                              .value = value,
                              .key = key,
                              .signals = ZX_EVENT_SIGNALED,
                              .options = options};
    struct object *same;
    assert_int_equal(
        handle_table_get(table, value, ZX_OBJ_TYPE_NONE, 0, &same, NULL, &args.identity), ZX_OK);
    zx_status_t status = port_watch(port, &args);
    object_put(same);
    return status;
}

static void test_port(void **state)
{
    struct object *port, *event;
    zx_port_packet_t packet = {.key = 5, .type = 77, .user.u64 = {1, 2, 3, 4}};
    zx_port_packet_t got;
    (void)state;
    assert_int_equal(port_create(&port), ZX_OK);
    assert_int_equal(event_create(&event), ZX_OK);
    zx_handle_t hp = install(port), he = install(event);
    assert_int_equal(port_wait(port, 0, &got), ZX_ERR_TIMED_OUT);
    assert_int_equal(port_queue(port, &packet), ZX_OK);
    assert_int_equal(watch(port, event, he, 6, ZX_WAIT_ASYNC_TIMESTAMP), ZX_OK);
    object_update_signals(event, 0, ZX_EVENT_SIGNALED);
    assert_int_equal(port_wait(port, 0, &got), ZX_OK);
    assert_int_equal(got.key, 5);
    assert_int_equal(got.type, ZX_PKT_TYPE_USER);
    assert_int_equal(got.user.u64[3], 4);
    assert_int_equal(port_wait(port, 0, &got), ZX_OK);
    assert_int_equal(got.key, 6);
    assert_int_equal(got.type, ZX_PKT_TYPE_SIGNAL_ONE);
    assert_int_equal(got.signal.observed, ZX_EVENT_SIGNALED);
    assert_int_equal(got.signal.trigger, ZX_EVENT_SIGNALED);
    assert_int_equal(got.signal.count, 1);
    assert_true(got.signal.timestamp != 0);
    /* Satisfied already: at once, unless only edges count. */
    assert_int_equal(watch(port, event, he, 7, 0), ZX_OK);
    assert_int_equal(watch(port, event, he, 8, ZX_WAIT_ASYNC_EDGE), ZX_OK);
    assert_int_equal(port_wait(port, 0, &got), ZX_OK);
    assert_int_equal(got.key, 7);
    assert_int_equal(port_wait(port, 0, &got), ZX_ERR_TIMED_OUT);
    object_update_signals(event, ZX_EVENT_SIGNALED, 0);
    object_update_signals(event, 0, ZX_EVENT_SIGNALED);
    assert_int_equal(port_wait(port, 0, &got), ZX_OK);
    assert_int_equal(got.key, 8);
    /* The source's handle is closed between the lookup and the watch. */
    object_get(event);
    close_value(he);
    struct port_watch late = {.source = event, .value = he, .identity = &late, .signals = 1};
    assert_int_equal(port_watch(port, &late), ZX_ERR_BAD_HANDLE);
    object_put(event);
    close_value(hp);
}

static void test_port_cancel(void **state)
{
    struct object *port, *event;
    zx_port_packet_t got;
    const void *identity;
    struct object *same;
    (void)state;
    assert_int_equal(port_create(&port), ZX_OK);
    assert_int_equal(event_create(&event), ZX_OK);
    zx_handle_t hp = install(port), he = install(event);
    assert_int_equal(handle_table_get(table, he, ZX_OBJ_TYPE_NONE, 0, &same, NULL, &identity),
                     ZX_OK);
    object_put(same);
    assert_false(port_cancel(port, event, identity, 1));
    assert_int_equal(watch(port, event, he, 1, 0), ZX_OK);
    assert_int_equal(watch(port, event, he, 2, 0), ZX_OK);
    assert_true(port_cancel(port, event, identity, 1));
    object_update_signals(event, 0, ZX_EVENT_SIGNALED);
    assert_true(port_cancel(port, event, identity, 2)); /* queued by now */
    assert_int_equal(port_wait(port, 0, &got), ZX_ERR_TIMED_OUT);
    /* Closing the handle ends its watches, closing the port all. */
    object_update_signals(event, ZX_EVENT_SIGNALED, 0);
    assert_int_equal(watch(port, event, he, 3, 0), ZX_OK);
    object_get(event);
    close_value(he);
    object_update_signals(event, 0, ZX_EVENT_SIGNALED);
    assert_int_equal(port_wait(port, 0, &got), ZX_ERR_TIMED_OUT);
    object_update_signals(event, ZX_EVENT_SIGNALED, 0);
    he = install(event);
    assert_int_equal(watch(port, event, he, 4, 0), ZX_OK);
    close_value(hp);
    object_update_signals(event, 0, ZX_EVENT_SIGNALED);
    close_value(he);
}

static void test_port_full(void **state)
{
    struct object *port;
    zx_port_packet_t packet = {.key = 1};
    (void)state;
    assert_int_equal(port_create(&port), ZX_OK);
    zx_handle_t hp = install(port);
    for (unsigned i = 0; i < PORT_MAX_USER_PACKETS; i++)
        assert_int_equal(port_queue(port, &packet), ZX_OK);
    assert_int_equal(port_queue(port, &packet), ZX_ERR_SHOULD_WAIT);
    assert_int_equal(port_wait(port, 0, &packet), ZX_OK);
    assert_int_equal(port_queue(port, &packet), ZX_OK);
    close_value(hp);
}

/* Two threads fire and watch while a third closes the handle or the port under them. */
struct race {
    struct object *port;
    struct object *event;
    zx_handle_t he;
    bool stop;
};

static void *race_fire(void *arg)
{
    struct race *race = arg;
    fake_set_hart(1);
    while (!atomic_load(&race->stop)) {
        object_update_signals(race->event, 0, ZX_EVENT_SIGNALED);
        object_update_signals(race->event, ZX_EVENT_SIGNALED, 0);
        sched_yield();
    }
    return NULL;
}

static void *race_drain(void *arg)
{
    struct race *race = arg;
    zx_port_packet_t packet;
    fake_set_hart(2);
    while (!atomic_load(&race->stop))
        (void)!port_wait(race->port, 0, &packet);
    return NULL;
}

static void test_port_races(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 60; round++) {
        struct race race = {.stop = false};
        pthread_t threads[2];
        assert_int_equal(port_create(&race.port), ZX_OK);
        assert_int_equal(event_create(&race.event), ZX_OK);
        object_get(race.port);
        object_get(race.event);
        zx_handle_t hp = install(race.port);
        race.he = install(race.event);
        pthread_create(&threads[0], NULL, race_fire, &race);
        pthread_create(&threads[1], NULL, race_drain, &race);
        for (unsigned i = 0; i < 200; i++) {
            assert_int_equal(watch(race.port, race.event, race.he, i, i & ZX_WAIT_ASYNC_EDGE),
                             ZX_OK);
            if (i % 3 == 0)
                port_cancel(race.port, NULL, NULL, i);
        }
        close_value(round % 2 ? hp : race.he);
        atomic_store(&race.stop, true);
        pthread_join(threads[0], NULL);
        pthread_join(threads[1], NULL);
        close_value(round % 2 ? race.he : hp);
        object_put(race.port);
        object_put(race.event);
    }
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_order_and_signals), TEST(test_limits),     TEST(test_chain),
        TEST(test_end_inside_peer),   TEST(test_calls),      TEST(test_call_is_suspended),
        TEST(test_call_ends),         TEST(test_wait_ends),  TEST(test_wait_at_once),
        TEST(test_eventpair),         TEST(test_port),       TEST(test_port_cancel),
        TEST(test_port_full),         TEST(test_port_races),
    };

    return cmocka_run_group_tests_name("channel", tests, boot, NULL);
}
