"""Wrong disks, slow and many clients, clean stops, dead partitions that answer in time."""
import ctypes
import json
import resource
import signal
import socket
import struct
import time
import unittest

from blade_disk import SUPERBLOCKS, image
from s3_client import S3Error
from turbine_array import Array


def xxh3(data):
    library = ctypes.CDLL("libxxhash.so.0")
    library.XXH3_64bits_withSeed.restype = ctypes.c_uint64
    return library.XXH3_64bits_withSeed(data, ctypes.c_size_t(len(data)), ctypes.c_uint64(0))


def set_format_version(path, version):
    """A superblock as a newer program would write it: whole, but of another version."""
    with open(path, "r+b") as file:
        for offset in SUPERBLOCKS:
            file.seek(offset)
            body = bytearray(file.read(4096)[:-8])
            struct.pack_into("<I", body, 8, version)  # docs/format/superblock.md
            file.seek(offset)
            file.write(bytes(body) + struct.pack("<Q", xxh3(bytes(body))))


class WrongDisks(unittest.TestCase):
    def test_disks_of_another_array_are_refused(self):
        with Array(blades=1) as ours, Array(blades=1) as theirs:
            for array in (ours, theirs):
                array.run("down")
            # The device alone, then directory and device together.
            image(ours, 1).rename(ours.root / "kept.img")
            image(theirs, 1).rename(image(ours, 1))
            done = ours.run("up", expect=1)
            self.assertIn("blade-1 ended while starting", done.stderr)
            self.assertRegex(done.stderr, r"device belongs to blade 1 of array [0-9a-f]{32}")
            image(ours, 1).rename(image(theirs, 1))
            (ours.dir / "blade-1").rename(ours.root / "kept")
            (theirs.dir / "blade-1").rename(ours.dir / "blade-1")
            done = ours.run("up", expect=1)
            self.assertRegex(done.stderr, r"belongs to blade 1 of array [0-9a-f]{32}")
            (ours.dir / "blade-1").rename(theirs.dir / "blade-1")
            (ours.root / "kept").rename(ours.dir / "blade-1")
            (ours.root / "kept.img").rename(image(ours, 1))
            ours.up()

    def test_newer_format_is_refused(self):
        with Array(blades=1) as array:
            array.run("down")
            set_format_version(image(array, 1), 2)
            done = array.run("up", expect=1)
            self.assertIn("the device has format 2, this program knows 1", done.stderr)
            set_format_version(image(array, 1), 1)
            array.up()


class DeadPartitions(unittest.TestCase):
    DEAD = (1, 4, 5)

    def test_each_operation_answers_in_time_and_all_is_back(self):
        with Array(blades=6, partitions=64) as array:
            s3 = array.s3()
            s3.create_bucket("load")
            objects = {f"d{i}/o{i}": str(i).encode() * 100 for i in range(120)}
            for key, body in objects.items():
                s3.put("load", key, body)
            for victim in self.DEAD:  # at once, so that some partitions lose all replicas
                array.signal(f"blade-{victim}", signal.SIGKILL)
            array.wait_for(lambda: array.status()[1]["blades"]["alive"] == 3, 10, "3 to be dead")
            code, status = array.status()
            self.assertEqual((code, status["protection"]["data_tolerance"],
                              status["protection"]["metadata_tolerance"]), (12, 0, 0))
            self.assertGreater(status["partitions"]["unavailable"], 0, "those of the three")
            self.assertLess(status["partitions"]["unavailable"], 32)
            self.assertIn("have no live replica and answer 503", status["advice"])
            served, refused, slowest = self.use(s3, objects)
            print(f"served {served}, refused {refused}, the slowest after {slowest:.2f} s")
            self.assertLess(slowest, 2)
            self.assertGreater(min(served.values()), 0)
            self.assertGreater(min(refused.values()), 0)
            for victim in self.DEAD:
                array.run("blade", "start", victim)
            array.wait_until_whole()
            for key, body in objects.items():
                self.assertEqual(s3.get("load", key), body)

    def use(self, s3, objects):
        served, refused = {"GET": 0, "PUT": 0}, {"GET": 0, "PUT": 0}
        slowest = 0.0
        for key, body in objects.items():
            for method in served:
                started = time.monotonic()
                try:
                    answer = s3.call(method, "load", key,
                                     **({"body": body} if method == "PUT" else {}))[1]
                    self.assertEqual(answer, body if method == "GET" else b"")
                    served[method] += 1
                except S3Error as error:
                    self.assertEqual((error.status, error.code), (503, "ServiceUnavailable"))
                    refused[method] += 1
                    slowest = max(slowest, time.monotonic() - started)
        return served, refused, slowest


class Clients(unittest.TestCase):
    def limit_files(self, count):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))

    def test_slow_and_many_clients_do_not_stop_others(self):
        self.limit_files(1024)  # as a login has it; the array's processes raise it for themselves
        with Array(blades=2) as array:
            self.limit_files(8192)
            s3 = array.s3()
            s3.create_bucket("load")
            s3.put("load", "large", b"x" * (32 << 20))
            address = ("127.0.0.1", array.s3_port)
            idle = [socket.create_connection(address) for _ in range(1500)]
            for each in idle[:500]:  # half a request head
                each.sendall(b"GET /load/large HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            # Those who ask for much and read nothing hold a bounded part of it.
            before = array.rss_bytes("gateway-1")
            greedy = []
            for _ in range(20):
                one = socket.create_connection(address)
                headers = s3._headers("GET", "/load/large", "", "UNSIGNED-PAYLOAD")
                one.sendall(b"GET /load/large HTTP/1.1\r\n" + "".join(
                    f"{name}: {value}\r\n" for name, value in headers.items()).encode() + b"\r\n")
                greedy.append(one)
            for i in range(50):
                started = time.monotonic()
                s3.put("load", f"small-{i}", b"y" * 1000)
                self.assertEqual(s3.get("load", f"small-{i}"), b"y" * 1000)
                self.assertLess(time.monotonic() - started, 2)
            self.assertLess(array.rss_bytes("gateway-1") - before, 400 << 20)
            self.assertEqual(s3.get("load", "large"), b"x" * (32 << 20))
            for each in idle[:3]:  # told that it took too long, and closed
                each.settimeout(30)
                self.assertIn(b"RequestTimeout", each.recv(4096))
            for each in idle + greedy:
                each.close()
            s3.put("load", "after", b"z")


class CleanStop(unittest.TestCase):
    def test_every_process_ends_cleanly_on_sigterm(self):
        with Array(blades=2) as array:
            s3 = array.s3()
            s3.create_bucket("load")
            for i in range(50):
                s3.put("load", f"{i}", b"x" * 3000)
            s3.close()
            for name in ["gateway-1", "blade-1", "blade-2", "manager"]:
                array.kill(name, signal.SIGTERM)
                array.wait_for(lambda gone=name: not array.pid(gone), 10, f"{name} to end")
                self.assertIn(f"{name} has stopped", array.log(name, 3))
                self.assertNotIn("error", array.log(name, 5).lower())
            array.run("down")
            array.up()
            # A clean end leaves nothing to replay.
            self.assertRegex(array.log("blade-1"), r"replayed \d{1,2} records")
            self.assertEqual(s3.get("load", "49"), b"x" * 3000)


class JsonEverywhere(unittest.TestCase):
    def test_each_command_speaks_json(self):
        with Array(blades=2) as array:
            def run(*words, expect=0):
                return json.loads(array.run(*words, "-o", "json", expect=expect).stdout)
            run("status")
            run("stats", "--interval", "0.1")
            run("blade", "list")
            run("blade", "stop", "2")
            run("blade", "start", "2")
            run("bucket", "create", "bucket-1")
            run("bucket", "list")
            run("bucket", "delete", "bucket-1")
            run("user", "create", "u")
            run("user", "list")
            key = run("key", "create", "u")["access_key"]
            run("key", "revoke", key)
            run("user", "delete", "u")
            run("down")
            run("up")
            done = array.run("bucket", "delete", "nope", "-o", "json", expect=3)
            self.assertIn("nope", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
