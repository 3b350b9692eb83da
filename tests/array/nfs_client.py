"""NFS version 3 and MOUNT in raw calls, from any address and port of this machine."""
import itertools
import random
import socket
import struct

NFS, MOUNT, PORTMAP = (100003, 3), (100005, 3), (100000, 2)

OK, PERM, NOENT, ACCES, ROFS, DQUOT, STALE, JUKEBOX = 0, 1, 2, 13, 30, 69, 70, 10008
ATTRIBUTES_BYTES = 84


def opaque(data):
    return struct.pack(">I", len(data)) + data + b"\0" * (-len(data) % 4)


class RpcClient:
    """One connection. `source`: its address, `privileged`: from a port below 1024 (for root)."""

    def __init__(self, port, host="127.0.0.1", source="127.0.0.1", privileged=False, uid=0):
        # As all clients of one address: a call that begins anew must not look like one repeated.
        self.xids = itertools.count(random.getrandbits(31))
        self.uid = uid
        ports = range(600, 1024) if privileged else [0]
        for local in ports:
            self.socket = socket.socket()
            self.socket.settimeout(20)
            try:
                self.socket.bind((source, local))
                self.socket.connect((host, port))
                return
            except OSError:
                self.socket.close()
                if local == ports[-1]:
                    raise

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def call(self, program, procedure, arguments=b""):
        """The results as bytes; an RPC error is an exception."""
        xid = next(self.xids)
        credential = bytes(4) + opaque(b"test") + struct.pack(">III", self.uid, self.uid, 0)
        head = struct.pack(">IIIIII", xid, 0, 2, *program, procedure)
        message = head + struct.pack(">I", 1) + opaque(credential) + bytes(8) + arguments
        self.socket.sendall(struct.pack(">I", 0x80000000 | len(message)) + message)
        reply = self.record()
        assert struct.unpack(">IIIIII", reply[:24]) == (xid, 1, 0, 0, 0, 0), reply[:24]
        return reply[24:]

    def record(self):
        whole, last = b"", False
        while not last:
            mark = struct.unpack(">I", self.exactly(4))[0]
            last = bool(mark & 0x80000000)
            whole += self.exactly(mark & 0x7FFFFFFF)
        return whole

    def exactly(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise ConnectionError("the server has closed the connection")
            data += piece
        return data

    def null(self, program=NFS):
        assert self.call(program, 0) == b""

    def mnt(self, path):
        """(status, handle)."""
        result = self.call(MOUNT, 1, opaque(path.encode()))
        status = struct.unpack(">I", result[:4])[0]
        if status != OK:
            return status, None
        size = struct.unpack(">I", result[4:8])[0]
        return status, result[8:8 + size]

    def exports(self):
        """{path: [client, …]}."""
        result = self.call(MOUNT, 5)
        found = {}
        at = 0

        def number():
            nonlocal at
            at += 4
            return struct.unpack(">I", result[at - 4:at])[0]

        def text():
            nonlocal at
            size = number()
            at += size + -size % 4
            return result[at - size - -size % 4:][:size].decode()
        while number():
            path, groups = text(), []
            while number():
                groups.append(text())
            found[path] = groups
        return found

    def getattr(self, handle):
        return struct.unpack(">I", self.call(NFS, 1, opaque(handle))[:4])[0]

    def touch(self, handle):
        """SETATTR of the modification time: the status."""
        attributes = struct.pack(">IIIIII", 0, 0, 0, 0, 0, 1)
        result = self.call(NFS, 2, opaque(handle) + attributes + bytes(4))
        return struct.unpack(">I", result[:4])[0]

    def rename(self, directory, old, new):
        places = [opaque(directory) + opaque(name.encode()) for name in (old, new)]
        return struct.unpack(">I", self.call(NFS, 14, b"".join(places))[:4])[0]

    def lookup(self, directory, name):
        """(status, handle)."""
        result = self.call(NFS, 3, opaque(directory) + opaque(name.encode()))
        status, size = struct.unpack(">II", result[:8])
        return status, result[8:8 + size] if status == OK else None

    def write(self, handle, offset, data):
        """The status."""
        file_sync = 2
        arguments = opaque(handle) + struct.pack(">QII", offset, len(data), file_sync)
        return struct.unpack(">I", self.call(NFS, 7, arguments + opaque(data))[:4])[0]

    def space(self, handle):
        """(total, free) bytes of the handle's file system."""
        result = self.call(NFS, 18, opaque(handle))
        status, attributes_follow = struct.unpack(">II", result[:8])
        assert status == OK, status
        return struct.unpack_from(">QQ", result, 8 + ATTRIBUTES_BYTES * attributes_follow)
