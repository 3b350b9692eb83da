"""A real Linux client mounts an array: workloads that check themselves, and the same kind of load
while two blades and then the serving gateway die under it."""
import hashlib
import os
import pathlib
import random
import signal
import subprocess
import sys
import time
import unittest

from turbine_array import SOAK, Array

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "kernel"))
from kernel_client import KernelClient  # noqa: E402  pylint: disable=wrong-import-position

SEED = int(os.environ.get("TURBINE_SEED", random.SystemRandom().getrandbits(32)))
ROUNDS = 10 if SOAK else 1
BUCKET = "files"
GATEWAYS = ["gateway-1", "gateway-2"]  # on one port
STALL_MAX = 5.0  # seconds, when a gateway dies; progress is printed once a second
TRUSTED, SQUASHED = "127.0.0.0/8(rw,no_root_squash,insecure)", "127.0.0.0/8(rw,insecure)"

# Of tests/kernel/workloads: name, arguments, arguments for the soak. The longest come first.
WORKLOADS = [
    ("many_files.sh", [f"--seed={SEED}"], [f"--seed={SEED}", "--files=50000"]),
    ("git.sh", [50], [600]),
    ("fio.sh", ["2m"], ["200m"]),
    ("build.sh", [16], [200]),
    ("tar.sh", [120], [3000]),
    ("random_io.sh", [f"--seed={SEED}", "--operations=700"],
     [f"--seed={SEED}", "--operations=50000"]),
    ("posix.sh", [], []),
    ("rename_storm.sh", [f"--seed={SEED}", "--operations=250"],
     [f"--seed={SEED}", "--operations=10000"]),
    ("sparse.sh", [], []),
    ("permissions.sh", ["trusted"], ["trusted"]),
]
PARALLEL = 3  # so many at once: while one waits, others compute

# What runs while processes die. Each prints lines of progress until /tmp/stop is there.
LOADS = {
    "mapped": "exec random_io --seed={seed} --bytes-max=300000 --until=/tmp/stop",
    "synced": "exec random_io --seed={seed} --bytes-max=100000 --sync --until=/tmp/stop",
    "renames": "exec rename_storm --seed={seed} --processes=2 --until=/tmp/stop",
    "listings": "i=0; while [ ! -e /tmp/stop ]; do many_files --seed={seed} --files=150 || exit 1; "
                "i=$((i + 1)); echo progress of listings: $i; done",
}


class KernelMount(unittest.TestCase):
    """One array and one guest for all tests."""

    @classmethod
    def setUpClass(cls):
        print(f"seed {SEED}", flush=True)
        cls.array = cls.enterClassContext(Array(blades=6, blade_size="4GiB", gateways=2))
        cls.s3 = cls.array.s3()
        cls.s3.create_bucket(BUCKET)
        cls.client = cls.enterClassContext(KernelClient(memory_mib=1024))
        print(f"the guest booted in {cls.client.boot_seconds:.1f} s", flush=True)
        cls.export(TRUSTED)
        cls.client.mount(f"/{BUCKET}", port=cls.array.nfs_port)
        cls.client.check("chmod 755 /mnt")

    @classmethod
    def export(cls, rule):
        cls.array.run("export", "set", BUCKET, "--rule", rule)

    def test_1_workloads(self):
        waiting = [(name, soak if SOAK else args) for name, args, soak in WORKLOADS]
        running, failed = [], []
        self.client.check("mkdir -p /mnt/permissions && chmod 1777 /mnt/permissions")
        while waiting or running:
            while waiting and len(running) < PARALLEL:
                name, args = waiting.pop(0)
                running.append((name, time.monotonic(), self.client.start_workload(name, *args)))
            self.array.wait_for(lambda: self.client.dead or any(
                each.status is not None for _, _, each in running), 3600 if SOAK else 300,
                f"one of {[name for name, _, _ in running]} to end")
            for each in [each for each in running
                         if each[2].status is not None or self.client.dead]:
                running.remove(each)
                name, started, command = each
                status = command.wait(1)
                print(f"{name}: exit {status} after {time.monotonic() - started:.1f} s",
                      flush=True)
                if status:
                    failed.append(f"{name} ended with {status}:\n" + command.output()[-5000:])
        self.assertEqual(failed, [], "\n".join(failed))

    def test_2_root_squash(self):
        self.client.check("mkdir -p /mnt/squashed && chmod 1777 /mnt/squashed")
        self.export(SQUASHED)
        try:
            self.wait_for_owner("65534")
            status, output = self.client.run(
                "cd /mnt/squashed && sh -eu /workloads/permissions.sh squashed")
            self.assertEqual(status, 0, output)
        finally:
            self.export(TRUSTED)
            self.wait_for_owner("0")

    def wait_for_owner(self, owner):
        """A change of the export's rules holds within two seconds, for this mount too."""
        probe = "cd /mnt/squashed && rm -f probe; echo >probe && stat -c %u probe"
        self.array.wait_for(lambda: self.client.run(probe)[1].strip() == owner, 10,
                            f"files of root to belong to {owner}")

    def test_3_two_doors(self):
        self.client.check("mkdir -p /mnt/doors && head -c 3000000 /dev/urandom >/mnt/doors/nfs")
        expected = self.client.check("sha256sum </mnt/doors/nfs").split()[0]
        s3 = self.array.s3()  # the class's connection has been idle for too long
        _, data = s3.call("GET", BUCKET, "doors/nfs")
        self.assertEqual(hashlib.sha256(data).hexdigest(), expected)
        data = random.Random(SEED).randbytes(3_000_000)
        s3.call("PUT", BUCKET, "doors/s3", body=data)
        got = self.client.check("sha256sum </mnt/doors/s3").split()[0]
        self.assertEqual(got, hashlib.sha256(data).hexdigest())

    def test_4_two_blades_and_the_gateway_die(self):
        dice = random.Random(SEED)
        for number in range(ROUNDS):
            self.one_round(dice, number)

    def one_round(self, dice, number):
        self.client.check("rm -f /tmp/stop; dmesg -c >/dev/null; rm -rf /mnt/load; mkdir /mnt/load")
        loads = {name: self.client.start_in(f"/mnt/load/{name}",
                                            text.format(seed=dice.getrandbits(32)))
                 for name, text in LOADS.items()}
        self.wait_for_progress(loads, "before anything died")
        blades = [f"blade-{i}" for i in dice.sample(range(1, 7), 2)]
        struck = time.monotonic()
        for name in blades:
            self.array.kill(name)
        self.wait_for_progress(loads, f"with {blades} dead")
        self.report(loads, struck, f"{blades} killed")
        gateway = self.serving_gateway()
        struck = time.monotonic()
        self.kill_with_calls_unread(gateway)
        self.wait_for_progress(loads, f"with {blades} and {gateway} dead")
        longest = self.report(loads, struck, f"{gateway} killed")
        self.assertLess(longest, STALL_MAX + 1, f"seconds without progress, {gateway} killed")
        for name in blades:
            self.array.run("blade", "start", name.removeprefix("blade-"))
        self.array.start(gateway)
        self.array.wait_until_whole()
        self.client.check("touch /tmp/stop")
        for name, load in loads.items():
            self.assertEqual(load.wait(120), 0, f"{name}:\n{load.output()[-5000:]}")
        self.verify_after_remount()
        print(f"round {number + 1} of {ROUNDS}: {blades} and {gateway}, nothing lost", flush=True)

    def wait_for_progress(self, loads, when):
        """Three further lines of each: what they wrote of is done."""
        counts = {name: self.progress(load) for name, load in loads.items()}
        for name, load in loads.items():
            load.wait_for(lambda each=load, at=counts[name]: each.status is not None
                          or self.progress(each) >= at + 3, 90, f"progress of {name} {when}")
            self.assertIsNone(load.status, f"{name} ended {when}:\n{load.output()[-5000:]}")

    @staticmethod
    def progress(load):
        return sum("progress" in line for line in load.lines)

    def report(self, loads, since, what):
        """The longest time without progress of loads that print it once a second."""
        gaps = {name: load.longest_gap(since) for name, load in loads.items()
                if name != "listings"}
        print(f"{what}: without progress for at most "
              + ", ".join(f"{gap:.1f} s ({name})" for name, gap in gaps.items()), flush=True)
        return max(gaps.values())

    def kill_with_calls_unread(self, gateway):
        """So that its connection ends with a reset. One that ends with a FIN is kept for 10 s by
        qemu's user-mode network, which then drops the client's SYN from the same port if the
        connection was 137 to 274 s old: its sequence number, which Linux draws from a clock that
        wraps at 274 s, seems to be an old one. (A Linux server goes by the time stamps.)"""
        self.array.signal(gateway, signal.SIGSTOP)
        self.array.wait_for(lambda: any(int(line.split()[0]) > 0 for line in self.connections()
                                        if f"pid={self.array.pid(gateway)}," in line),
                            10, f"calls that {gateway} has not read")
        self.array.kill(gateway)

    def connections(self):
        """Lines of ss: bytes unread, bytes unsent, addresses, processes."""
        done = subprocess.run(["ss", "-Htnp", "state", "established", "sport", "=",
                               f":{self.array.nfs_port}"], capture_output=True, text=True,
                              check=True)
        return done.stdout.splitlines()

    def serving_gateway(self):
        """The one that has the mount's connection."""
        connections = self.connections()
        for name in GATEWAYS:
            if any(f"pid={self.array.pid(name)}," in line for line in connections):
                return name
        raise AssertionError(f"no gateway serves the mount: {connections}")

    def verify_after_remount(self):
        """The server has what the client had, byte for byte, and the client saw no server error."""
        listing = ("cd /mnt/load && find . -type f -exec sha256sum {} + | sort; "
                   "find . ! -type f | sort")
        before = self.client.check(listing)
        self.assertGreater(len(before.splitlines()), 20)
        self.client.unmount()
        self.client.mount(f"/{BUCKET}", port=self.array.nfs_port)
        self.assertEqual(self.client.check(listing), before)
        messages = self.client.check("dmesg")
        for word in ["error", "stale", "refused"]:
            lines = [line for line in messages.lower().splitlines()
                     if "nfs" in line and word in line]
            self.assertEqual(lines, [], messages)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
