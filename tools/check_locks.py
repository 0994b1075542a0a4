#!/usr/bin/env python3
"""check_locks.py CLANG-FLAGS...: what a function locks it unlocks, on every way out.

Clang's thread-safety analysis of every file of the kernel, with the annotations of
kernel/sync/lock_check.h. EXEMPT names the functions that hand a lock on, each with its reason. A
mistake that is not noticed is an error too.
"""
import re
import subprocess
import sys

import sources

FOLDERS = ("kernel/", "arch/", "platform/", "drivers/", "formats/")
FLAGS = ["-include", "kernel/sync/lock_check.h", "-Wthread-safety", "-fsyntax-only", "-Wno-error"]
WARNING = re.compile(r"^(?:\./)?([^:\n]+):(\d+):\d+: warning: (.*\[-Wthread-safety-analysis\])$",
                     re.M)
FUNCTION = re.compile(r"^[A-Za-z][^;=]*?\b(\w+)\([^;]*$")

HANDS_OVER = "the lock passes to the thread that is switched to"
THE_QUEUE = "the lock is that of the queue that sched_lock_queue_of returns"
THE_BUCKET = "the lock is that of the bucket that bucket_lock was given, or of two"
ENTRY = "mmu_try_map_page leaves the lock to the function that it ends with"
EXEMPT = {
    ("kernel/sync/spinlock.h", "spin_lock"): "the lock itself",
    ("kernel/sync/spinlock.h", "spin_unlock"): "the lock itself",
    ("kernel/sched/mutex.h", "mutex_lock"): "the lock itself",
    ("kernel/sched/mutex.h", "mutex_unlock"): "the lock itself",
    ("kernel/vm/vmo.h", "vmo_lock"): "locks for its caller",
    ("kernel/vm/vmo.h", "vmo_unlock"): "unlocks for its caller",
    ("kernel/object/console.c", "console_lock"): "no locks once there is a panic",
    ("kernel/object/console.c", "console_unlock"): "no locks once there is a panic",
    ("kernel/sched/sched.c", "sched_reschedule_locked"): HANDS_OVER,
    ("kernel/sched/sched.c", "requeue_current"): HANDS_OVER,
    ("kernel/sched/sched_internal.h", "finish_switch"): HANDS_OVER,
    ("kernel/sched/park.c", "block_for_handed"): HANDS_OVER,
    ("kernel/sched/park.c", "wake_locked"): THE_QUEUE,
    ("kernel/sched/sched.c", "sched_bury_locked"): THE_QUEUE,
    ("kernel/sched/sched_internal.h", "sched_lock_queue_of"): THE_QUEUE,
    ("arch/riscv/mmu_map.c", "mmu_try_map_page"): ENTRY,
    ("arch/riscv/mmu_map.c", "fill_and_unlock"): ENTRY,
    ("arch/riscv/mmu_map.c", "find_fill_and_unlock"): ENTRY,
    ("kernel/sched/idle.c", "sched_idle"): HANDS_OVER,
    ("kernel/sched/park.c", "block"): HANDS_OVER,
    ("kernel/sched/park.c", "thread_unpark_hand_off"): THE_QUEUE,
    ("kernel/sched/park.c", "unpark"): THE_QUEUE,
    ("kernel/sched/park.c", "thread_signal"): THE_QUEUE,
    ("kernel/sched/park.c", "thread_runtime_ns"): THE_QUEUE,
}
EXEMPT.update({("kernel/object/futex.c", name): THE_BUCKET for name in (
    "bucket_lock", "wait_settle", "futex_wait", "futex_wake", "bucket_lock_two",
    "bucket_unlock_two", "futex_get_owner", "futex_forget_owner")})

HEAD = """
#include "kernel/sync/spinlock.h"
int example(struct spinlock *lock, int value);
int example(struct spinlock *lock, int value)
{
    irq_state_t irq = spin_lock_irqsave(lock);
    %s
    spin_unlock_irqrestore(lock, irq);
    return value;
}
"""
MISTAKES = ["if (value == 0) return 1;", "spin_unlock(lock);",
            "if (value == 1) spin_lock(lock);"]


def analyse(flags, arguments, text=None):
    """[(file, line, warning)], or None when it does not compile."""
    done = subprocess.run(["clang"] + flags + FLAGS + arguments, input=text, text=True,
                          capture_output=True, check=False)
    if done.returncode != 0:
        print(done.stderr.strip())
        return None
    return [(path, int(line), what) for path, line, what in WARNING.findall(done.stderr)]


def function_at(path, line, cache):
    """The name of the function that holds a line."""
    if path not in cache:
        cache[path] = sources.read(path).split("\n")
    for text in reversed(cache[path][:line]):
        match = FUNCTION.match(text)
        if match:
            return match.group(1)
    return "?"


def self_test(flags):
    """What of the examples is judged wrongly."""
    bad = 0
    for mistake in [""] + MISTAKES:
        found = analyse(flags, ["-x", "c", "-"], HEAD % mistake)
        noticed = found is None or any(path == "<stdin>" for path, _, _ in found)
        if noticed != bool(mistake):
            print(f"wrongly judged: {mistake or 'what is right'}")
            bad += 1
    return bad


def main():
    flags, cache = sys.argv[1:], {}
    bad = self_test(flags)
    reported = set()
    for path in sources.tracked(".c"):
        if not path.startswith(FOLDERS) or path == "arch/riscv/offsets.c":
            continue
        found = analyse(flags, [path])
        if found is None:
            bad += 1
            continue
        for place in found:
            key = (place[0], function_at(place[0], place[1], cache))
            if key not in EXEMPT and place not in reported:
                reported.add(place)
                print(f"{place[0]}:{place[1]}: in {key[1]}: {place[2]}")
                bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
