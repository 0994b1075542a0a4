"""Machines that boot to the shell: the demo passes, the prompt comes, and the shell answers."""
import time

import machine
import run

PROMPT = "beryl> "
COMMAND, ANSWER = b"help\n", "stop the machine"


def boot_to_shell(argv, limit_seconds, log_path, powers_off=True, command=COMMAND, answer=ANSWER,
                  loader=None):
    """(None or what went wrong, the lines of the console). Nothing is typed before the prompt, but
    for the second part of `loader` once its first has been seen: the boot loader's menu. A
    machine that cannot power off says so and is still there; it ends with a reset."""
    console = machine.ProcessConsole(argv)
    reader = machine.LineReader(console, log_path)
    deadline = time.monotonic() + limit_seconds
    lines = []
    try:
        if loader:
            if not reader.wait_for(loader[0], deadline - time.monotonic()):
                return f"the boot loader never says `{loader[0]}`", lines
            console.write(loader[1])
        while not any(line.startswith(run.DEMO_PASS) for line in lines):
            line = reader.line(deadline - time.monotonic())
            if line is None:
                return f"no line begins with `{run.DEMO_PASS}`", lines
            lines.append(line)
        if not reader.wait_for(PROMPT, deadline - time.monotonic()):
            return "no prompt of the shell", lines
        console.write(command)
        while not any(answer in line for line in lines):
            line = reader.line(deadline - time.monotonic())
            if line is None:
                return "the shell does not answer: no console input", lines
            lines.append(line)
        if not powers_off:
            console.write(b"poweroff\n")
            if not reader.wait_for(run.CANNOT_POWER_OFF, deadline - time.monotonic()) or \
                    not reader.wait_for(PROMPT, deadline - time.monotonic()):
                return "powering off neither succeeds nor fails", lines
        console.write(b"poweroff\n" if powers_off else b"reboot\n")
        while not reader.ended and time.monotonic() < deadline:
            line = reader.line(deadline - time.monotonic())
            lines += [line] if line else []
        status = console.exit_status() if reader.ended else None
        return (None if status == 0 else f"QEMU's exit status is {status}"), lines
    finally:
        reader.close()
