"""Locks of a real array: they outlive blades and gateways, go when their client begins anew, and
come to those who wait for them."""
import os
import queue
import socket
import socketserver
import struct
import subprocess
import sys
import threading
import unittest

from lock_client import BLOCKED, DENIED, GRANTED, NLM, LockClient
from nfs_client import OK, PORTMAP, opaque
from turbine_array import Array

IN_NAMESPACE = "TURBINE_TEST_IN_NAMESPACE"
NSM = (100024, 1)
GRANTED_CALL, NOTIFY = 5, 6


def file_in(array, client, bucket, name="f"):
    """The handle of a new file."""
    array.run("bucket", "create", bucket)
    array.s3().put(bucket, name, b"x")
    found = []

    def mounted():
        status, handle = client.mnt("/" + bucket)
        found.append(handle)
        return status == OK
    array.wait_for(mounted, 5, "the export of " + bucket)
    return client.lookup(found[-1], name.encode())


class Locks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.array = Array(blades=4, partitions=16, gateways=2)
        cls.array.__enter__()
        cls.port = int(cls.array.settings()["TURBINE_NFS_PORT"])

    @classmethod
    def tearDownClass(cls):
        cls.array.__exit__(None, None, None)

    def client(self):
        client = LockClient(self.port)
        self.addCleanup(client.close)
        return client

    def test_outlive_blades_and_gateways(self):
        client = self.client()
        file = file_in(self.array, client, "outlive")
        self.assertEqual(client.lock(file, 1, begin=10, length=10), GRANTED)
        self.assertEqual(client.lock(file, 2, begin=15, length=1), DENIED)
        for number in range(1, 5):
            self.array.kill(f"blade-{number}")
            self.assertEqual(client.test(file, 2, begin=15, length=1), DENIED)
            self.assertEqual(client.test(file, 2, begin=20), GRANTED)
            self.array.start(f"blade-{number}")
            self.array.wait_until_whole()
        for name in ("gateway-1", "gateway-2"):
            self.array.kill(name)
            client = self.client()
            self.assertEqual(client.test(file, 2, begin=15, length=1), DENIED)
            self.array.start(name)
        self.assertEqual(client.unlock(file, 1), GRANTED)
        self.assertEqual(client.lock(file, 2, begin=15, length=1), GRANTED)

    def test_go_when_their_client_begins_anew(self):
        client = self.client()
        file = file_in(self.array, client, "anew")
        self.assertEqual(client.lock(file, 1, length=10), GRANTED)
        client.state = 5
        self.assertEqual(client.lock(file, 2, begin=10, length=10), GRANTED)
        with socket.socket(type=socket.SOCK_DGRAM) as monitor:
            monitor.settimeout(20)
            monitor.connect(("127.0.0.1", self.port))
            call = struct.pack(">IIIIII", 77, 0, 2, *NSM, NOTIFY) + bytes(16)
            monitor.send(call + opaque(b"client") + struct.pack(">I", 5))
            self.assertEqual(monitor.recv(1000), struct.pack(">IIIIII", 77, 1, 0, 0, 0, 0))
        self.assertEqual(client.test(file, 3, length=10), GRANTED)
        self.assertEqual(client.test(file, 3, begin=10, length=1), DENIED)


class Waiting(unittest.TestCase):
    """In a network of its own, where port 111 is free for the client's port mapper."""

    def test_who_waits_is_called_back(self):
        if IN_NAMESPACE in os.environ:
            self.skipTest("this is inside")
        unshare = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
        inside = f"ip link set lo up && exec {sys.executable} {__file__} InNamespace"
        done = subprocess.run([*unshare, "sh", "-c", inside], capture_output=True, text=True,
                              env={**os.environ, IN_NAMESPACE: "1"}, timeout=200, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class ClientHost(socketserver.ThreadingTCPServer):
    """A client's port mapper, and its lock manager on the same port: keeps what it is granted."""
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 111), self.Connection)
        self.granted = queue.Queue()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Connection(socketserver.BaseRequestHandler):
        def handle(self):
            mark = struct.unpack(">I", self.request.recv(4, socket.MSG_WAITALL))[0] & 0x7FFFFFFF
            call = self.request.recv(mark, socket.MSG_WAITALL)
            xid, _, _, *program, procedure = struct.unpack(">IIIIII", call[:24])
            size = struct.unpack(">I", call[28:32])[0]
            arguments = call[32 + size + 8:]
            if (tuple(program), procedure) == (PORTMAP, 3):
                result = struct.pack(">I", 111)
            else:
                assert (tuple(program), procedure) == (NLM, GRANTED_CALL), (program, procedure)
                length = struct.unpack(">I", arguments[:4])[0]
                at = 4 + length + -length % 4
                self.server.granted.put((arguments[at + 4:], self.client_address[0]))
                result = arguments[:at] + struct.pack(">I", GRANTED)
            reply = struct.pack(">IIIIII", xid, 1, 0, 0, 0, 0) + result
            self.request.sendall(struct.pack(">I", 0x80000000 | len(reply)) + reply)


@unittest.skipUnless(IN_NAMESPACE in os.environ, "run by Waiting")
class InNamespace(unittest.TestCase):
    def test_who_waits_is_called_back(self):
        with ClientHost() as host, Array(blades=4, partitions=4) as array:
            port = int(array.settings()["TURBINE_NFS_PORT"])
            with LockClient(port) as client:
                file = file_in(array, client, "waiting")
                self.assertEqual(client.lock(file, 1), GRANTED)
                self.assertEqual(client.lock(file, 2, block=True, begin=5), BLOCKED)
                self.assertEqual(client.lock(file, 3, block=True, begin=5, length=1), BLOCKED)
                self.assertEqual(client.unlock(file, 1), GRANTED)
                told, address = host.granted.get(timeout=20)
                self.assertEqual(told, client.lock_of(file, 2, begin=5))
                self.assertEqual(address, "127.0.0.1")
                self.assertEqual(client.test(file, 9, begin=9), DENIED)
                # The other waits on while blades die.
                for number in (1, 2, 3, 4):
                    array.kill(f"blade-{number}")
                    self.assertEqual(client.test(file, 9, begin=9), DENIED)
                    array.start(f"blade-{number}")
                    array.wait_until_whole()
                self.assertEqual(client.unlock(file, 2), GRANTED)
                told, _ = host.granted.get(timeout=20)
                self.assertEqual(told, client.lock_of(file, 3, begin=5, length=1))
                self.assertEqual(client.test(file, 9, begin=6), GRANTED)
                self.assertTrue(host.granted.empty())
            host.shutdown()


if __name__ == "__main__":
    unittest.main(verbosity=2)
