// ps and kill: walks over the tree of jobs.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/status.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/object.h>

#include "userland/programs/shell/commands.h"

#define MAX_DEPTH 32

void *get_info_array(zx_handle_t handle, uint32_t topic, size_t record_bytes, size_t *count)
{
    size_t capacity = 16, actual = 0, avail = 0;
    void *records = NULL;
    zx_status_t status;

    // What is counted may grow between two calls.
    do {
        free(records);
        records = malloc(capacity * record_bytes);
        if (records == NULL) {
            printf("out of memory\n");
            return NULL;
        }
        status =
            zx_object_get_info(handle, topic, records, capacity * record_bytes, &actual, &avail);
        capacity = avail + 16;
    } while (status == ZX_OK && actual < avail);
    if (status != ZX_OK) {
        printf("%s\n", zx_status_get_string(status));
        free(records);
        return NULL;
    }
    *count = actual;
    return records;
}

static void get_name(zx_handle_t handle, char name[ZX_MAX_NAME_LEN])
{
    if (zx_object_get_property(handle, ZX_PROP_NAME, name, ZX_MAX_NAME_LEN) != ZX_OK)
        strcpy(name, "?");
}

// ---- ps ----

static const char *thread_state_name(zx_thread_state_t state)
{
    switch (state) {
    case ZX_THREAD_STATE_NEW:
        return "new";
    case ZX_THREAD_STATE_RUNNING:
        return "running";
    case ZX_THREAD_STATE_SUSPENDED:
        return "suspended";
    case ZX_THREAD_STATE_DYING:
        return "dying";
    case ZX_THREAD_STATE_DEAD:
        return "dead";
    case ZX_THREAD_STATE_BLOCKED_EXCEPTION:
        return "in an exception";
    case ZX_THREAD_STATE_BLOCKED_SLEEPING:
        return "sleeping";
    case ZX_THREAD_STATE_BLOCKED_FUTEX:
        return "waiting for a futex";
    case ZX_THREAD_STATE_BLOCKED_PORT:
        return "waiting on a port";
    case ZX_THREAD_STATE_BLOCKED_CHANNEL:
        return "waiting for a reply";
    case ZX_THREAD_STATE_BLOCKED_WAIT_ONE:
        return "waiting for an object";
    case ZX_THREAD_STATE_BLOCKED_WAIT_MANY:
        return "waiting for objects";
    case ZX_THREAD_STATE_BLOCKED_INTERRUPT:
        return "waiting for an interrupt";
    case ZX_THREAD_STATE_BLOCKED_PAGER:
        return "waiting for a pager";
    default:
        return "?";
    }
}

static void print_row(int depth, const char *kind, zx_koid_t koid, const char *name)
{
    char tree[64];

    snprintf(tree, sizeof(tree), "%*s%s %llu", depth * 2, "", kind, (unsigned long long)koid);
    printf("%-24s %-20s ", tree, name);
}

static void print_threads(zx_handle_t process, int depth)
{
    size_t count;
    zx_koid_t *koids = get_info_array(process, ZX_INFO_PROCESS_THREADS, sizeof(*koids), &count);

    for (size_t i = 0; koids != NULL && i < count; i++) {
        zx_handle_t thread;
        zx_info_thread_t info;
        char name[ZX_MAX_NAME_LEN];

        if (zx_object_get_child(process, koids[i], ZX_RIGHT_SAME_RIGHTS, &thread) != ZX_OK)
            continue; // it has ended since
        get_name(thread, name);
        print_row(depth, "thread", koids[i], name);
        if (zx_object_get_info(thread, ZX_INFO_THREAD, &info, sizeof(info), NULL, NULL) == ZX_OK)
            printf("%s", thread_state_name(info.state));
        printf("\n");
        zx_handle_close(thread);
    }
    free(koids);
}

static void print_process(zx_handle_t process, zx_koid_t koid, int depth)
{
    zx_info_process_t info = {0};
    zx_info_task_stats_t stats;
    char name[ZX_MAX_NAME_LEN];

    get_name(process, name);
    print_row(depth, "process", koid, name);
    zx_object_get_info(process, ZX_INFO_PROCESS, &info, sizeof(info), NULL, NULL);
    if ((info.flags & ZX_INFO_PROCESS_FLAG_EXITED) != 0)
        printf("ended with %lld", (long long)info.return_code);
    else if ((info.flags & ZX_INFO_PROCESS_FLAG_STARTED) == 0)
        printf("not started");
    else if (zx_object_get_info(process, ZX_INFO_TASK_STATS, &stats, sizeof(stats), NULL, NULL) ==
             ZX_OK)
        printf("%llu KiB private, %llu KiB shared, %llu KiB mapped",
               (unsigned long long)stats.mem_private_bytes / 1024,
               (unsigned long long)stats.mem_shared_bytes / 1024,
               (unsigned long long)stats.mem_mapped_bytes / 1024);
    printf("\n");
    print_threads(process, depth + 1);
}

static void print_job(zx_handle_t job, zx_koid_t koid, int depth)
{
    char name[ZX_MAX_NAME_LEN];
    size_t count;
    zx_handle_t child;

    get_name(job, name);
    print_row(depth, "job", koid, name);
    printf("\n");
    zx_koid_t *koids = get_info_array(job, ZX_INFO_JOB_PROCESSES, sizeof(*koids), &count);
    for (size_t i = 0; koids != NULL && i < count; i++) {
        if (zx_object_get_child(job, koids[i], ZX_RIGHT_SAME_RIGHTS, &child) != ZX_OK)
            continue;
        print_process(child, koids[i], depth + 1);
        zx_handle_close(child);
    }
    free(koids);
    koids = get_info_array(job, ZX_INFO_JOB_CHILDREN, sizeof(*koids), &count);
    for (size_t i = 0; koids != NULL && i < count && depth < MAX_DEPTH; i++) {
        if (zx_object_get_child(job, koids[i], ZX_RIGHT_SAME_RIGHTS, &child) != ZX_OK)
            continue;
        print_job(child, koids[i], depth + 1);
        zx_handle_close(child);
    }
    free(koids);
}

void command_ps(const char *const *argv, uint32_t argc)
{
    zx_info_handle_basic_t info = {0};

    (void)argv;
    (void)argc;
    zx_object_get_info(zx_job_default(), ZX_INFO_HANDLE_BASIC, &info, sizeof(info), NULL, NULL);
    print_job(zx_job_default(), info.koid, 0);
}

// ---- Finding and ending a process ----

static zx_status_t find_in_job(zx_handle_t job, zx_koid_t koid, int depth, zx_handle_t *process)
{
    zx_status_t status = zx_object_get_child(job, koid, ZX_RIGHT_SAME_RIGHTS, process);
    size_t count;

    if (status != ZX_ERR_NOT_FOUND || depth == MAX_DEPTH)
        return status;
    zx_koid_t *koids = get_info_array(job, ZX_INFO_JOB_CHILDREN, sizeof(*koids), &count);
    for (size_t i = 0; koids != NULL && i < count && status == ZX_ERR_NOT_FOUND; i++) {
        zx_handle_t child;

        if (zx_object_get_child(job, koids[i], ZX_RIGHT_SAME_RIGHTS, &child) != ZX_OK)
            continue;
        status = find_in_job(child, koid, depth + 1, process);
        zx_handle_close(child);
    }
    free(koids);
    return status;
}

zx_status_t find_process(zx_koid_t koid, zx_handle_t *process)
{
    zx_info_handle_basic_t info;
    zx_handle_t found;
    zx_status_t status = find_in_job(zx_job_default(), koid, 0, &found);

    if (status != ZX_OK)
        return status;
    status = zx_object_get_info(found, ZX_INFO_HANDLE_BASIC, &info, sizeof(info), NULL, NULL);
    if (status == ZX_OK && info.type != ZX_OBJ_TYPE_PROCESS)
        status = ZX_ERR_NOT_FOUND; // a job has that number
    if (status == ZX_OK)
        *process = found;
    else
        zx_handle_close(found);
    return status;
}

bool open_process_argument(const char *word, zx_handle_t *process)
{
    char *end;
    zx_koid_t koid = strtoull(word, &end, 10);

    if (*word == '\0' || *end != '\0') {
        printf("%s is no process number; ps lists them\n", word);
        return false;
    }
    zx_status_t status = find_process(koid, process);
    if (status == ZX_ERR_NOT_FOUND)
        printf("there is no process %s; ps lists them\n", word);
    else if (status != ZX_OK)
        printf("process %s: %s\n", word, zx_status_get_string(status));
    return status == ZX_OK;
}

void command_kill(const char *const *argv, uint32_t argc)
{
    zx_handle_t process;

    if (argc != 2) {
        printf("usage: kill PID\n");
        return;
    }
    if (!open_process_argument(argv[1], &process))
        return;
    zx_status_t status = zx_task_kill(process);
    if (status != ZX_OK)
        printf("kill: %s\n", zx_status_get_string(status));
    zx_handle_close(process);
}
