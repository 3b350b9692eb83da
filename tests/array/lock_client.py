"""A client host's lock manager in raw NLM version 4 calls, as far as it calls."""
import struct

from nfs_client import NFS, OK, RpcClient, opaque

NLM = (100021, 4)
TEST, LOCK, UNLOCK = 1, 2, 4
GRANTED, DENIED, BLOCKED, FAILED = 0, 1, 3, 9


class LockClient(RpcClient):
    """Its processes are numbers."""
    state = 3

    def lock_of(self, handle, process, begin=0, length=0):
        return (opaque(b"client") + opaque(handle) + opaque(b"%d@client" % process) +
                struct.pack(">IQQ", process, begin, length))

    def status(self, procedure, arguments):
        result = self.call(NLM, procedure, opaque(b"cookie") + arguments)
        assert result[:12] == opaque(b"cookie"), result
        return struct.unpack(">I", result[12:16])[0]

    def lock(self, handle, process, block=False, **span):
        return self.status(LOCK, struct.pack(">II", block, 1) +
                           self.lock_of(handle, process, **span) +
                           struct.pack(">II", 0, self.state))

    def unlock(self, handle, process, **span):
        return self.status(UNLOCK, self.lock_of(handle, process, **span))

    def test(self, handle, process, **span):
        return self.status(TEST, struct.pack(">I", 1) + self.lock_of(handle, process, **span))

    def lookup(self, directory, name):
        result = self.call(NFS, 3, opaque(directory) + opaque(name))
        assert struct.unpack(">I", result[:4])[0] == OK, result
        size = struct.unpack(">I", result[4:8])[0]
        return result[8:8 + size]
