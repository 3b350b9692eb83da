#!/usr/bin/env python3
"""A real Linux NFS client: a Debian kernel in qemu that mounts exports and runs what it is told.

    tests/kernel/kernel_client.py [options] HOST:/EXPORT WORKLOAD...

mounts the export and runs each WORKLOAD (a file, or a name out of tests/kernel/workloads) in a new
directory of the mount, one after the other, in one boot. Prints what they print; the exit code is
that of the first that fails. HOST is the host's loopback address, or one that a tap device reaches.

Emulated (TCG), so rates are the guest's and not the server's. The host's 127.0.0.1 is 10.0.2.2 in
the guest; the server sees calls from 127.0.0.1 and unprivileged ports.
"""
import argparse
import math
import os
import pathlib
import queue
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import guest_image

HERE = pathlib.Path(__file__).resolve().parent
OPTIONS = "vers=3,proto=tcp,nolock"
BOOT_SECONDS = 120


class GuestError(Exception):
    """The guest did not boot, died, or did not end in time; the end of its console is attached."""


class Command:
    """One that runs in the guest. Lines arrive as they are written."""

    def __init__(self, client, number, text):
        self.client, self.number, self.text = client, number, text
        self.lines, self.times, self.status = [], [], None
        self.changed = threading.Condition()

    def add(self, line):
        with self.changed:
            self.lines.append(line)
            self.times.append(time.monotonic())
            self.changed.notify_all()

    def end(self, status):
        with self.changed:
            self.status = status
            self.changed.notify_all()

    def wait_for(self, condition, seconds, what):
        """Until condition() holds; GuestError when it does not in time, or the guest has died."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while not condition():
                left = deadline - time.monotonic()
                if self.client.dead or left <= 0:
                    why = "the guest died" if self.client.dead else f"waited {seconds} s"
                    raise GuestError(f"{why} for {what} of `{self.text}`, which wrote:\n"
                                     + "\n".join(self.lines[-40:]) + self.client.console_end())
                self.changed.wait(min(left, 1))

    def wait_for_line(self, text, seconds, count=1):
        """Until `count` lines that hold `text` were written, or the command has ended."""
        def seen():
            return (self.status is not None
                    or sum(text in line for line in self.lines) >= count)
        self.wait_for(seen, seconds, f"'{text}'")
        return sum(text in line for line in self.lines) >= count

    def wait(self, seconds=300):
        """The exit status."""
        self.wait_for(lambda: self.status is not None, seconds, "the end")
        return self.status

    def output(self):
        return "\n".join(self.lines)

    def longest_gap(self, since, text="progress"):
        """Seconds between two lines that hold the text, the second of them after `since`, a time of
        time.monotonic()."""
        times = [at for at, line in zip(self.times, self.lines) if text in line]
        return max([later - earlier for earlier, later in zip(times, times[1:])
                    if later > since], default=0.0)


class KernelClient:
    """`with KernelClient() as client:` is booted inside, and gone afterwards.

    programs: host programs to add, with their libraries. files: {path in the guest: host path}.
    network: "user", or "tap:DEVICE:ADDRESS" for a tap device that is there, the guest being
    ADDRESS/24. All of tests/kernel/workloads is at /workloads, $TURBINE_GUEST_PROGRAMS at
    /usr/bin."""

    def __init__(self, programs=(), files=None, network="user", memory_mib=1024, cpus=1,
                 verbose=False, pcap=None):
        self.programs, self.files = list(programs), dict(files or {})
        self.network, self.memory_mib, self.cpus = network, memory_mib, cpus
        self.verbose, self.pcap = verbose, pcap
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="turbine-guest-"))
        self.ready = threading.Event()
        self.commands, self.numbers, self.lock = {}, 0, threading.Lock()
        self.dead, self.qemu, self.port = False, None, None
        self.boot_seconds = 0.0

    def __enter__(self):
        try:
            self.boot()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def boot(self):
        """For those who close() it themselves, also when this fails."""
        started = time.monotonic()
        image = guest_image.image(guest_image.cache_directory())
        initrd = self.work / "initrd"
        self.pack_extras(self.work / "extra.cpio")
        with open(initrd, "wb") as out:
            for part in [image / "base.cpio", self.work / "extra.cpio"]:
                with open(part, "rb") as archive:
                    shutil.copyfileobj(archive, out)
        memory = max(self.memory_mib, initrd.stat().st_size // (1 << 20) * 2 + 256)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.work / "port"))
        listener.listen()
        listener.settimeout(30)
        (self.work / "console").touch()
        with open(self.work / "qemu", "wb") as log:
            self.qemu = subprocess.Popen(self.qemu_command(image, initrd, memory), stdout=log,
                                         stderr=log, stdin=subprocess.DEVNULL)
        try:
            self.port = listener.accept()[0]
        except TimeoutError as error:
            raise GuestError(f"qemu did not start: {self.qemu_log()}") from error
        finally:
            listener.close()
        threading.Thread(target=self.receive, daemon=True).start()
        deadline = time.monotonic() + BOOT_SECONDS
        while not self.ready.wait(0.2):
            if self.dead or time.monotonic() > deadline:
                raise GuestError("the guest did not boot" + self.console_end())
        self.set_clock()
        self.boot_seconds = time.monotonic() - started

    def qemu_command(self, image, initrd, memory):
        if self.network == "user":
            device = "user,id=net,net=10.0.2.0/24,ipv6=off"
        else:
            device = f"tap,id=net,ifname={self.network.split(':')[1]},script=no,downscript=no"
        command = [
            guest_image.which("qemu-system-x86_64"), "-machine", "q35", "-accel", "tcg", "-cpu",
            "max", "-smp", self.cpus, "-m", memory, "-nodefaults", "-no-user-config", "-display",
            "none", "-no-reboot", "-kernel", image / "kernel", "-initrd", initrd, "-append",
            # no_timer_check: on a busy machine the kernel may see no timer tick, and panic.
            "console=ttyS0 quiet panic=-1 reboot=t mitigations=off random.trust_cpu=on "
            "cryptomgr.notests no_timer_check", "-serial", f"file:{self.work / 'console'}",
            "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=port,path={self.work / 'port'}",
            "-device", "virtserialport,chardev=port,nr=1",
            "-netdev", device, "-device",
            f"virtio-net-pci,netdev=net,mac=52:54:00:00:00:{self.last_byte():02x},romfile="]
        if self.pcap:
            command += ["-object", f"filter-dump,id=dump,netdev=net,file={self.pcap}"]
        return list(map(str, command))

    def address(self):
        return "10.0.2.15" if self.network == "user" else self.network.split(":")[2]

    def last_byte(self):
        return int(self.address().rpartition(".")[2])

    def pack_extras(self, archive):
        """What differs from run to run goes into an archive of its own; the kernel unpacks both."""
        root = self.work / "extra"
        settings = {"NAME": f"guest-{os.getpid()}-{self.last_byte()}", "ADDRESS": self.address()}
        (root / "run.d").mkdir(parents=True)
        (root / "run.d/settings").write_text("".join(f"{name}={shlex.quote(value)}\n"
                                                     for name, value in settings.items()))
        shutil.copytree(HERE / "workloads", root / "workloads")
        for program in [*os.environ.get("TURBINE_GUEST_PROGRAMS", "").split(":"), *self.programs]:
            if program:
                guest_image.add_program(root, program)
        for target, source in self.files.items():
            guest_image.add_file(root, source, target)
        guest_image.pack(root, archive)

    def receive(self):
        with self.port.makefile("r", encoding="utf-8", errors="replace") as lines:
            try:
                for line in lines:
                    self.take(line.rstrip("\n"))
            except OSError:
                pass
        self.dead = True
        with self.lock:
            commands = list(self.commands.values())
        for command in commands:
            with command.changed:
                command.changed.notify_all()

    def take(self, line):
        number, _, rest = line.partition(" ")
        if line == "ready":
            self.ready.set()
            return
        with self.lock:
            command = self.commands.get(number)
        if command and rest.startswith("| "):
            if self.verbose:
                print(rest[2:], flush=True)
            command.add(rest[2:])
        elif command and rest.startswith("= "):
            command.end(int(rest[2:]))

    def set_clock(self):
        """The clock chip counts whole seconds; sets the guest's time at the turn of one."""
        turn = math.ceil(time.time() + 0.1)
        time.sleep(turn - time.time())
        assert self.start(f"date -s @{turn} >/dev/null").wait(30) == 0

    def start(self, text):
        """Runs a line of shell in the guest; returns the Command at once."""
        assert "\n" not in text, "a command is one line"
        with self.lock:
            self.numbers += 1
            command = Command(self, str(self.numbers), text)
            self.commands[command.number] = command
        self.port.sendall(f"{command.number} {text}\n".encode())
        return command

    def run(self, text, seconds=300):
        """(status, output) of a line of shell."""
        command = self.start(text)
        return command.wait(seconds), command.output()

    def check(self, text, seconds=300):
        """Its output; GuestError when it fails."""
        status, output = self.run(text, seconds)
        if status:
            raise GuestError(f"`{text}` ended with {status}:\n{output}{self.console_end()}")
        return output

    def mount(self, export, directory="/mnt", port=None, host="10.0.2.2", options=OPTIONS):
        """Mounts HOST:/EXPORT. With `port` no port mapper is asked."""
        if port:
            options = f"port={port},mountport={port},{options}"
        self.check(f"mkdir -p {directory} && mount.nfs {host}:{export} {directory} -o {options}",
                   seconds=150)

    def start_lock_daemons(self):
        """What a mount with locks needs: without statd mount.nfs refuses it; the server asks
        rpcbind for the kernel's lock manager."""
        self.check("rpcbind -w && rpc.statd --no-notify")

    def unmount(self, directory="/mnt"):
        """What was removed while it was open may hold the mount for a moment."""
        self.check(f"for i in 1 2 3 4 5 6 7 8 9 10; do umount {directory} && exit 0; sleep 0.3; "
                   "done; exit 1", seconds=150)

    def start_workload(self, name, *arguments, directory=None, below="/mnt"):
        """Starts one out of tests/kernel/workloads in a directory of its own, which it may use
        alone."""
        words = " ".join(shlex.quote(str(each)) for each in arguments)
        return self.start_in(f"{below}/{directory or name.removesuffix('.sh')}",
                             f"exec sh -eu /workloads/{name} {words}")

    def start_in(self, directory, text):
        """As start(), in a directory that is made if it is not there."""
        return self.start(f"mkdir -p {directory} && cd {directory} && {text}")

    def console_end(self):
        text = (self.work / "console").read_text(errors="replace")
        lines = [line for line in text.splitlines() if line.strip()]
        return "\nThe console ends:\n" + "\n".join(lines[-20:]) + self.qemu_log()

    def qemu_log(self):
        return (self.work / "qemu").read_text(errors="replace")

    def close(self):
        if self.qemu:
            self.qemu.kill()
            self.qemu.wait()
        if self.port:
            self.port.close()
        shutil.rmtree(self.work, ignore_errors=True)


def run_all(client, args):
    host, _, export = args.target.partition(":")
    if host in ("127.0.0.1", "localhost") and args.network == "user":
        host = "10.0.2.2"
    client.mount(export, port=args.port, host=host, options=args.options)
    print(f"booted in {client.boot_seconds:.1f} s", file=sys.stderr)
    failed = 0
    for workload in args.workload:
        started = time.monotonic()
        name = pathlib.Path(workload).name
        status = client.start_workload(name).wait(args.seconds)
        print(f"{name}: {'ok' if status == 0 else f'exit {status}'}, "
              f"{time.monotonic() - started:.1f} s", file=sys.stderr)
        failed = failed or status
    client.unmount()
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", metavar="HOST:/EXPORT")
    parser.add_argument("workload", nargs="+")
    parser.add_argument("-o", "--options", default=OPTIONS)
    parser.add_argument("-p", "--port", type=int, help="of NFS and MOUNT; no port mapper is asked")
    parser.add_argument("-t", "--seconds", type=float, default=600, help="for each workload")
    parser.add_argument("-n", "--network", default="user", help="user, or tap:DEVICE:ADDRESS")
    parser.add_argument("-b", "--program", action="append", default=[],
                        help="a host program to add, with its libraries")
    parser.add_argument("--pcap", help="write the guest's traffic there")
    parser.add_argument("--cpus", type=int, default=1)
    args = parser.parse_args()
    files = {f"/workloads/{pathlib.Path(each).name}": each
             for each in args.workload if pathlib.Path(each).exists()}
    try:
        with KernelClient(args.program, files, args.network, cpus=args.cpus, verbose=True,
                          pcap=args.pcap) as client:
            return run_all(client, args)
    except (GuestError, guest_image.ImageError) as error:
        print(f"kernel_client: {error}", file=sys.stderr)
        return 125


if __name__ == "__main__":
    sys.exit(main())
