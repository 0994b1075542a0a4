#!/usr/bin/env python3
"""`make debug`: QEMU halted with its gdb stub, gdb attached; the console goes to build/log/."""
import os
import signal
import subprocess
import sys

import machine


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "build"
    env = os.environ.get
    folder = os.path.join(build, "log")
    os.makedirs(folder, exist_ok=True)
    socket, console = os.path.join(folder, "gdb.sock"), os.path.join(folder, "debug.log")
    if os.path.exists(socket):
        os.remove(socket)
    stub = ["-S", "-chardev", f"socket,path={socket},server=on,wait=off,id=gdb0",
            "-gdb", "chardev:gdb0"]
    try:
        argv = machine.qemu_command(build, env("MACHINE", "virt"), int(env("HARTS", "4")),
                                    env("MEM", "512M"), env("APPEND", ""), extra=stub)
    except (machine.SetupError, ValueError) as error:
        sys.exit(f"debug: {error}")
    argv[argv.index("stdio")] = f"file:{console}"
    print(f"  console: tail -f {console}", flush=True)
    qemu = subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True)
    # Ctrl-C is for gdb, which stops the machine with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gdb = ["gdb-multiarch", "-q", "-x", "tools/gdb/beryl.gdb",
           "-ex", f"file {build}/kernel.elf",
           "-ex", f"target remote {socket}", "-ex", "beryl-attached"] + sys.argv[2:]
    try:
        status = subprocess.run(gdb, check=False,
                                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    finally:
        qemu.kill()
        qemu.wait()
    sys.exit(status.returncode)


if __name__ == "__main__":
    main()
