"""Two real Linux clients mount an array with locks: they exclude each other, who waits is called
back, and locks outlive blades and gateways, and go when their client begins anew."""
import base64
import concurrent.futures
import itertools
import pathlib
import sys
import tempfile
import time
import unittest

from lock_client import DENIED, FAILED, GRANTED, LockClient
from nfs_client import OK
from turbine_array import SOAK, Array

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "kernel"))
# pylint: disable=wrong-import-position
import guest_image  # noqa: E402
import guest_network  # noqa: E402
from kernel_client import KernelClient  # noqa: E402

BUCKET, BLADES = "files", 4
GATEWAYS = ["gateway-1", "gateway-2"]  # on one port
GUESTS = ["10.9.0.2", "10.9.0.3"]
RULE = "10.9.0.0/24(rw)"  # privileged ports only, root is squashed
OPTIONS = "vers=3,proto=tcp,lock"
INCREMENTS = 1000 if SOAK else 30
# Who waits asks again after 30 s by itself: whoever has the lock sooner was called back.
CALLED_BACK_SECONDS = 20
ASKED_AGAIN_SECONDS = 100


class GuestLock:
    """A process of a guest that asks for a lock, and keeps what it gets until release()."""
    numbers = itertools.count(1)

    def __init__(self, guest, name, *options, user="root"):
        self.guest = guest
        self.until = f"/tmp/release-{next(self.numbers)}"
        self.command = guest.start(
            f"exec su -s /bin/sh {user} -c 'exec file_lock hold /mnt/{name} --until={self.until} "
            + " ".join(options) + "'")
        if not self.command.wait_for_line("asks", 60):
            raise AssertionError(self.command.output())
        self.process = self.command.lines[0]

    def verdict(self, seconds=60):
        """"holds" or "refused"."""
        self.command.wait_for(lambda: len(self.command.lines) > 2, seconds, "the lock")
        return self.command.lines[2]

    def wait_until_blocked(self):
        """The server has answered that it will call back."""
        self.guest.check(f"until grep -q nlmclnt_block /proc/{self.process}/stack; "
                         "do sleep 0.05; done", seconds=60)
        assert self.waits(), self.command.output()

    def waits(self):
        return self.command.status is None and len(self.command.lines) == 2

    def release(self):
        """The process lives on: nothing but the release frees the lock."""
        self.guest.check(f"touch {self.until}")
        assert self.command.wait_for_line("released", 60), self.command.output()

    def kill(self):
        self.guest.check(f"kill -KILL {self.process}")
        self.command.wait(60)


def kernel_client(address, files=None):
    return KernelClient(["sm-notify"], files, guest_network.of_guest(address), memory_mib=512)


class KernelLocks(unittest.TestCase):
    """One array and two guests for all tests."""

    @classmethod
    def setUpClass(cls):
        for address in GUESTS:
            guest_network.add_guest(address)
        cls.array = cls.enterClassContext(Array(blades=BLADES, partitions=16, gateways=2, **{
            "listen": guest_network.HOST, "portmap-port": 111}))
        cls.array.run("export", "set", "--default", "--rule", RULE)
        cls.array.run("bucket", "create", BUCKET)
        cls.a, cls.b = map(kernel_client, GUESTS)
        cls.addClassCleanup(lambda: [guest.close() for guest in (cls.a, cls.b)])
        with concurrent.futures.ThreadPoolExecutor() as threads:
            list(threads.map(cls.boot_and_mount, (cls.a, cls.b)))

    @classmethod
    def boot_and_mount(cls, guest):
        guest.boot()
        print(f"booted in {guest.boot_seconds:.1f} s", flush=True)
        guest.start_lock_daemons()
        cls.mount(guest)

    @classmethod
    def mount(cls, guest):
        guest.mount(f"/{BUCKET}", port=cls.array.nfs_port, host=guest_network.HOST,
                    options=OPTIONS)

    def setUp(self):
        self.started = time.monotonic()
        self.addCleanup(lambda: print(f"{time.monotonic() - self.started:.1f} s, ", end=""))

    def raw(self, name):
        """A third client, which calls by itself, and a file."""
        client = LockClient(self.array.nfs_port, guest_network.HOST, guest_network.HOST,
                            privileged=True)
        self.addCleanup(client.close)
        status, root = client.mnt(f"/{BUCKET}")
        self.assertEqual(status, OK)
        return client, client.lookup(root, name.encode())

    def refused(self, guest, name, *options):
        self.assertEqual(GuestLock(guest, name, "--try", *options).verdict(), "refused", options)

    def held(self, guest, name, *options, **who):
        lock = GuestLock(guest, name, *options, **who)
        self.assertEqual(lock.verdict(), "holds", options)
        return lock

    def test_1_locks_exclude_other_clients(self):
        self.a.check("echo x >/mnt/one")
        raw, handle = self.raw("one")
        for kind in ("", "--flock"):
            with self.subTest(kind or "fcntl"):
                first = self.held(self.a, "one", kind)
                self.refused(self.b, "one", kind)
                self.refused(self.b, "one", kind, "--shared")
                self.assertEqual(raw.lock(handle, 1), DENIED)
                first.release()
                second = self.held(self.b, "one", kind, "--try", "--shared")
                third = self.held(self.a, "one", kind, "--try", "--shared")
                self.refused(self.b, "one", kind)
                self.assertEqual(raw.lock(handle, 1), DENIED)
                second.kill()
                third.kill()
                self.take(raw, handle)
                self.refused(self.a, "one", kind)
                self.assertEqual(raw.unlock(handle, 1), GRANTED)

    def take(self, raw, handle):
        """Soon, for the last locks and waits of processes that were killed may be on their way."""
        self.array.wait_for(lambda: raw.lock(handle, 1) == GRANTED, 20, "nobody to hold the lock")

    def test_2_ranges_of_bytes(self):
        first = self.held(self.a, "ranges", "--begin=10", "--length=10")
        second = self.held(self.b, "ranges", "--begin=20")  # to the end
        third = self.held(self.b, "ranges", "--length=10")
        self.refused(self.b, "ranges", "--begin=19", "--length=1")
        self.refused(self.a, "ranges", "--begin=1000000000000", "--length=1")
        self.refused(self.a, "ranges", "--begin=9", "--length=1")
        for lock in (first, second, third):
            lock.kill()

    def test_3_who_waits_is_called_back(self):
        took = []
        for kind, how in [("", "unlock"), ("", "close"), ("", "kill"), ("--flock", "unlock"),
                          ("--flock", "close")]:
            with self.subTest(kind=kind or "fcntl", how=how):
                first = self.held(self.a, "waiting", kind, f"--release={how}")
                second = GuestLock(self.b, "waiting", kind)
                second.wait_until_blocked()
                begun = time.monotonic()
                if how == "kill":
                    first.kill()
                else:
                    first.release()
                self.assertEqual(second.verdict(CALLED_BACK_SECONDS), "holds")
                took.append(f"{kind} {how} {time.monotonic() - begun:.2f} s")
                self.refused(self.a, "waiting", kind)
                second.kill()
        print("called back after", ", ".join(took), flush=True)

    def test_4_users_lock_what_is_theirs(self):
        self.a.check("su -s /bin/sh user -c 'umask 077; echo x >/mnt/private'")
        first = self.held(self.a, "private", user="user")
        second = GuestLock(self.b, "private", user="user")
        second.wait_until_blocked()
        first.release()
        self.assertEqual(second.verdict(CALLED_BACK_SECONDS), "holds")
        raw, handle = self.raw("private")  # its root is squashed
        self.assertEqual(raw.lock(handle, 1), FAILED)
        second.kill()

    def test_5_who_waits_for_another_kind_of_client(self):
        self.a.check("echo x >/mnt/raw")
        raw, handle = self.raw("raw")
        self.assertEqual(raw.lock(handle, 1), GRANTED)
        first, second = GuestLock(self.a, "raw"), GuestLock(self.b, "raw")
        first.wait_until_blocked()
        second.wait_until_blocked()
        second.kill()  # it waits no longer
        self.assertEqual(raw.unlock(handle, 1), GRANTED)
        self.assertEqual(first.verdict(CALLED_BACK_SECONDS), "holds")
        self.assertEqual(raw.test(handle, 1), DENIED)
        first.release()
        self.take(raw, handle)
        self.assertEqual(raw.unlock(handle, 1), GRANTED)

    def count(self):
        """Both guests count in one file, each time under a lock."""
        self.a.check("rm -f /mnt/count")
        return [guest.start(f"exec file_lock count /mnt/count --increments={INCREMENTS}")
                for guest in (self.a, self.b)]

    def assert_counted(self, counts):
        for each in counts:
            self.assertEqual(each.wait(600), 0, each.output())
        for guest in (self.a, self.b):
            number = guest.check("od -A n -t d8 -N 8 /mnt/count").strip()
            self.assertEqual(number, str(2 * INCREMENTS))

    def test_6_what_is_written_under_a_lock_is_read_under_the_next(self):
        counts = self.count()
        self.assert_counted(counts)
        waited = [int(each.lines[-1].split()[-2]) for each in counts]
        print("counters waited at most", waited, "ms", flush=True)
        self.assertLess(max(waited), CALLED_BACK_SECONDS * 1000)

    def test_7_locks_outlive_blades(self):
        first = self.held(self.a, "blades")
        second = GuestLock(self.b, "blades")
        second.wait_until_blocked()
        counts = self.count()
        for number in range(1, BLADES + 1):
            self.array.kill(f"blade-{number}")
            self.refused(self.b, "blades")
            self.array.start(f"blade-{number}")
            self.array.wait_until_whole()
        self.assertTrue(second.waits(), second.command.output())
        first.release()
        self.assertEqual(second.verdict(CALLED_BACK_SECONDS), "holds")
        self.assert_counted(counts)
        second.kill()

    def test_8_locks_outlive_gateways(self):
        first = self.held(self.a, "gateways")
        second = GuestLock(self.b, "gateways")
        second.wait_until_blocked()
        counts = self.count()
        for name in GATEWAYS:
            self.array.kill(name)
            raw, handle = self.raw("gateways")
            self.assertEqual(raw.lock(handle, 1), DENIED)
            self.assertTrue(second.waits(), second.command.output())
            self.refused(self.b, "gateways")
            self.array.start(name)
        first.release()
        begun = time.monotonic()
        self.assertEqual(second.verdict(ASKED_AGAIN_SECONDS), "holds")
        print(f"who waited had the lock after {time.monotonic() - begun:.1f} s", flush=True)
        self.refused(self.a, "gateways")
        second.release()
        self.held(self.a, "gateways", "--try").kill()
        self.assert_counted(counts)
        for guest in (self.a, self.b):
            self.assertNotIn("reclaim", guest.check("dmesg"))

    def test_9_locks_go_when_their_client_begins_anew(self):
        self.held(self.b, "anew")
        waiting = GuestLock(self.a, "anew")
        waiting.wait_until_blocked()
        with tempfile.NamedTemporaryFile() as disk:
            disk.write(base64.b64decode(self.b.check("tar -C /var/lib/nfs -c . | base64")))
            disk.flush()
            self.b.close()  # as power goes: it tells nobody
            type(self).b = kernel_client(GUESTS[1], {"/nfs.tar": disk.name})
            self.b.boot()
        self.refused(self.a, "anew", "--shared")
        self.assertTrue(waiting.waits(), waiting.command.output())
        self.b.check("tar -C /var/lib/nfs -xf /nfs.tar && rpcbind -w && sm-notify")
        self.assertEqual(waiting.verdict(CALLED_BACK_SECONDS), "holds")
        self.b.check("rpc.statd --no-notify")
        self.mount(self.b)
        self.refused(self.b, "anew")
        waiting.release()
        self.held(self.b, "anew", "--try").kill()


if __name__ == "__main__":
    guest_image.image(guest_image.cache_directory())  # may download, which it can't inside
    guest_network.enter()
    sys.exit(unittest.main(verbosity=2))
