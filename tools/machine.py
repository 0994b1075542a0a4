"""Machines to run Beryl on: QEMU's command lines, and consoles that are read line by line."""
import os
import re
import select
import shlex
import shutil
import subprocess
import sys
import termios
import time

QEMU = "qemu-system-riscv64"
UBOOT = "/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin"
MACHINES = ("virt", "sifive_u", "uboot")
SECTOR_BYTES = 512
PARTITION_START_BYTES = 1 << 20
DISK_BYTES = 64 << 20
# Escape sequences (U-Boot moves the cursor) and control characters other than tab.
UNPRINTABLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b.|[\x00-\x08\x0b-\x1f\x7f]")


class SetupError(Exception):
    """The machine cannot be started at all; the text says why."""


def run_tool(argv, **kwargs):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          **kwargs)
    if done.returncode:
        raise SetupError(f"{shlex.join(argv)}: {done.stdout.decode(errors='replace').strip()}")


def make_boot_disk(build, append):
    """A disk for U-Boot: one active FAT partition with Image and extlinux/extlinux.conf."""
    folder = os.path.join(build, "uboot")
    os.makedirs(folder, exist_ok=True)
    disk, conf = os.path.join(folder, "disk.img"), os.path.join(folder, "extlinux.conf")
    with open(conf, "w", encoding="ascii") as file:
        file.write("default beryl\ntimeout 1\nlabel beryl\n    kernel /Image\n"
                   f"    append {append}\n")
    entry = bytearray(16)
    entry[0], entry[4] = 0x80, 0x0C  # active; FAT32 with LBA addressing
    entry[8:12] = (PARTITION_START_BYTES // SECTOR_BYTES).to_bytes(4, "little")
    entry[12:16] = ((DISK_BYTES - PARTITION_START_BYTES) // SECTOR_BYTES).to_bytes(4, "little")
    with open(disk, "wb") as file:
        file.truncate(DISK_BYTES)
        file.seek(446)
        file.write(entry)
        file.seek(510)
        file.write(b"\x55\xaa")
    part = f"{disk}@@{PARTITION_START_BYTES}"
    sectors = str((DISK_BYTES - PARTITION_START_BYTES) // SECTOR_BYTES)
    env = dict(os.environ, MTOOLS_SKIP_CHECK="1")
    run_tool(["mformat", "-i", part, "-F", "-T", sectors, "::"], env=env)
    run_tool(["mmd", "-i", part, "::/extlinux"], env=env)
    run_tool(["mcopy", "-i", part, os.path.join(build, "Image"), "::/Image"], env=env)
    run_tool(["mcopy", "-i", part, conf, "::/extlinux/extlinux.conf"], env=env)
    return disk


def qemu_command(build, machine="virt", harts=4, mem="512M", append="", interactive=False,
                 extra=(), disk=None):
    """The argument list that boots BUILD/Image. For U-Boot: from the disk given, which it leaves as
    it was, or else from one that is made here."""
    if machine not in MACHINES:
        raise SetupError(f"MACHINE={machine}: not one of {', '.join(MACHINES)}")
    if not shutil.which(QEMU):
        raise SetupError(f"{QEMU} is not installed")
    image = os.path.join(build, "Image")
    if not os.path.exists(image):
        raise SetupError(f"{image} is not built")
    # Hart 0 of sifive_u has no MMU; HARTS counts those that can run the kernel.
    smp = harts + 1 if machine == "sifive_u" else harts
    argv = [QEMU, "-machine", "sifive_u" if machine == "sifive_u" else "virt", "-bios", "default",
            "-smp", str(smp), "-m", mem]
    if machine == "uboot":
        disk = disk or make_boot_disk(build, append)
        argv += ["-kernel", UBOOT, "-drive", f"if=none,id=boot,format=raw,snapshot=on,file={disk}",
                 "-device", "virtio-blk-device,drive=boot"]
    else:
        argv += ["-kernel", image, "-append", append]
    if interactive:
        argv += ["-nographic"]
    else:
        argv += ["-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot"]
    return argv + list(extra)


class ProcessConsole:
    """The console of a process: its standard output, read as it comes."""

    def __init__(self, argv):
        # Standard input stays open and silent: an end of file would reach the guest's UART.
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.fd = self.process.stdout.fileno()

    def read(self, timeout_seconds):
        """Bytes; None when nothing came in time; b"" at the end."""
        ready, _, _ = select.select([self.fd], [], [], max(timeout_seconds, 0))
        return os.read(self.fd, 65536) if ready else None

    def write(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def exit_status(self, timeout_seconds=10):
        """The exit status; None when the process had to be killed."""
        try:
            return self.process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            return None

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                pass


class TtyConsole:
    """A board on a serial line: 115200 baud, 8N1, raw."""

    def __init__(self, path):
        try:
            self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
            attributes = termios.tcgetattr(self.fd)
        except (OSError, termios.error) as error:
            raise SetupError(f"{path}: {error}") from error
        attributes[0] = attributes[1] = attributes[3] = 0
        attributes[2] = termios.CS8 | termios.CREAD | termios.CLOCAL
        attributes[4] = attributes[5] = termios.B115200
        attributes[6][termios.VMIN], attributes[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self.fd, termios.TCSANOW, attributes)
        termios.tcflush(self.fd, termios.TCIOFLUSH)

    def read(self, timeout_seconds):
        ready, _, _ = select.select([self.fd], [], [], max(timeout_seconds, 0))
        if not ready:
            return None
        try:
            return os.read(self.fd, 65536)
        except OSError:
            return b""  # the adapter was unplugged, or the other side of a pty closed

    def write(self, data):
        os.write(self.fd, data)

    def exit_status(self, timeout_seconds=10):
        del timeout_seconds
        return 0

    def close(self):
        os.close(self.fd)


class LineReader:
    """Lines of a console, with time limits, kept in a log file."""

    def __init__(self, console, log_path=None, echo=False):
        self.console = console
        self.pending = b""
        self.ended = False
        self.echo = echo
        self.log = open(log_path, "wb") if log_path else None

    def fill(self, timeout_seconds):
        """Takes in what comes next; False when nothing came in time or ever will."""
        data = self.console.read(timeout_seconds)
        if data is None:
            return False
        if not data:
            self.ended = True
            return False
        if self.log:
            self.log.write(data)
            self.log.flush()
        if self.echo:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        self.pending += data
        return True

    def line(self, timeout_seconds):
        """The next line without its end; None when none came in time. At the end of the console
        what was left of a line comes first, then None with `ended` set."""
        deadline = time.monotonic() + timeout_seconds
        while b"\n" not in self.pending and not self.ended:
            left = deadline - time.monotonic()
            if not self.fill(left) and not self.ended and time.monotonic() >= deadline:
                return None
        if b"\n" not in self.pending and not self.pending:
            return None
        raw, _, self.pending = self.pending.partition(b"\n")
        return UNPRINTABLE.sub("", raw.decode(errors="replace"))

    def wait_for(self, text, timeout_seconds):
        """Reads until text is seen, without waiting for a line's end; False when it never came."""
        deadline = time.monotonic() + timeout_seconds
        wanted = text.encode()
        while wanted not in self.pending:
            if self.ended or time.monotonic() >= deadline:
                return False
            self.fill(deadline - time.monotonic())
        self.pending = self.pending.partition(wanted)[2]
        return True

    def close(self):
        if self.log:
            self.log.close()
        self.console.close()
