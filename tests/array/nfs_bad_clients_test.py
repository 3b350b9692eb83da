"""Clients that are many, slow or wrong: a gateway's memory stays bounded, and others are served."""
import resource
import socket
import struct
import time
import unittest

from nfs3_calls import NUMBERS, Nfs3, arguments, mounted
from nfs_client import OK
from turbine_array import SOAK, Array

CONNECTIONS = 10_000 if SOAK else 1_000
LAST = 0x80000000
MIB = 1 << 20
RECORD_BYTES_MAX = MIB + 4096  # docs/NFS.md


class BadClients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(CONNECTIONS + 4000, hard), hard))
        cls.array = Array(blades=3, partitions=8)
        cls.array.__enter__()
        cls.port = int(cls.array.settings()["TURBINE_NFS_PORT"])
        cls.root = mounted(cls.array, "bucket")

    @classmethod
    def tearDownClass(cls):
        cls.array.__exit__(None, None, None)

    def setUp(self):
        self.open = []
        self.user = Nfs3(self.port)
        self.file = self.user.file(self.root, self.id().rsplit(".", 1)[1].encode())
        self.user.ok("write", self.file, b"x" * MIB)
        self.before = self.array.rss_bytes("gateway-1")

    def tearDown(self):
        for each in [*self.open, self.user]:
            each.close()
        connections = "turbine_nfs_connections"
        self.array.wait_for(lambda: self.array.metric("gateway-1", connections) == 0, 20,
                            "all connections to end")
        self.assertEqual(self.array.metric("gateway-1", "turbine_nfs_bytes_inflight"), 0)

    def connect(self):
        # Clients beyond one local address' ports, and so that no port is taken twice.
        one = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        self.open.append(one)
        return one

    def served(self, within, large=True):
        """Small calls at once, and such as need memory."""
        started = time.monotonic()
        for _ in range(5):
            self.user.ok("getattr", self.file)
            self.user.ok("write", self.file, b"small")
        self.assertLess(time.monotonic() - started, 5, "small calls wait for nobody")
        if large:
            self.assertEqual(self.user.ok("read", self.file).count, MIB)
            self.user.ok("write", self.file, b"y" * MIB)
        self.assertLess(time.monotonic() - started, within)

    def grown(self):
        return self.array.rss_bytes("gateway-1") - self.before

    def cut(self, one):
        """Waits until the gateway closes it."""
        one.settimeout(30)
        try:
            while one.recv(65_536):
                pass
        except ConnectionResetError:
            pass

    def test_many_connections(self):
        for _ in range(CONNECTIONS):
            self.connect()
        self.array.wait_for(
            lambda: self.array.metric("gateway-1", "turbine_nfs_connections") > CONNECTIONS, 60,
            "all to be accepted")
        message = self.user.message(7, NUMBERS["getattr"], arguments("getattr", self.file))
        call = struct.pack(">I", LAST | len(message)) + message
        for one in self.open:
            one.sendall(call)
        for one in self.open:
            mark = struct.unpack(">I", one.recv(4, socket.MSG_WAITALL))[0] & ~LAST
            reply = one.recv(mark, socket.MSG_WAITALL)
            self.assertEqual(struct.unpack(">7I", reply[:28]), (7, 1, 0, 0, 0, 0, OK))
        self.served(within=10)
        self.assertLess(self.grown(), CONNECTIONS * 20_000 + (32 << 20))

    def test_records_that_are_none(self):
        junk = {"empty fragments": bytes(4),
                "many fragments": struct.pack(">I", 4) + b"abcd",
                "too long": struct.pack(">I", LAST | (RECORD_BYTES_MAX + 1)),
                "two gigabytes": struct.pack(">I", LAST | 0x7FFFFFFF),
                "too long in parts": struct.pack(">I", RECORD_BYTES_MAX - 8) +
                bytes(RECORD_BYTES_MAX - 8) + struct.pack(">I", LAST | 9),
                "a reply": struct.pack(">I", LAST | 24) + struct.pack(">IIIIII", 1, 1, 0, 0, 0, 0),
                "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "short": struct.pack(">I", LAST | 0)}
        for what, data in junk.items():
            with self.subTest(what):
                one = self.connect()
                try:
                    for _ in range(20):
                        one.sendall(data)
                except OSError:
                    pass  # it is closed already
                self.cut(one)
        self.served(within=10)

    def test_a_flood_of_fragments(self):
        """A call in 16 pieces is one; many connections send such, and then one piece more."""
        message = self.user.message(7, NUMBERS["getattr"], arguments("getattr", self.file))
        step = -(-len(message) // 16)
        pieces = [message[at:at + step] for at in range(0, len(message), step)]
        call = b"".join(struct.pack(">I", len(piece) | (LAST if piece is pieces[-1] else 0)) + piece
                        for piece in pieces)
        for _ in range(200):
            self.connect().sendall(call * 20)
        for one in self.open:
            reply = one.recv(4, socket.MSG_WAITALL)
            self.assertEqual(struct.unpack(">I", reply)[0] & LAST, LAST)
        self.served(within=20)
        self.assertLess(self.grown(), 200 << 20)

    def test_records_that_do_not_end(self):
        """Each claims the memory of a whole record, together more than there is."""
        for number in range(400):
            one = self.connect()
            if number % 2:
                one.sendall(struct.pack(">I", 8) + b"12345678" + struct.pack(">I", 100))
            else:
                message = self.user.message(9, NUMBERS["write"], arguments(
                    "write", self.file, bytes(MIB)))
                one.sendall(struct.pack(">I", LAST | len(message)) + message[:200_000])
        self.served(within=20)
        self.assertLess(self.grown(), 400 << 20)

    def test_clients_that_do_not_read(self):
        """Each asks for 32 MiB, together 1.5 GiB, and reads nothing."""
        message = self.user.message(7, NUMBERS["read"], arguments("read", self.file))
        call = struct.pack(">I", LAST | len(message)) + message
        for _ in range(48):
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.connect(("127.0.0.1", self.port))
            self.open.append(one)
            one.sendall(call * 32)
        self.served(within=20)
        self.assertLess(self.grown(), 400 << 20)


if __name__ == "__main__":
    unittest.main(verbosity=2)
