"""Every procedure of NFS version 3 (RFC 1813): arguments out of values, results as values. A result
with a byte too many or too few is an exception."""
import random
import struct
import types

from nfs_client import NFS, OK, RpcClient, opaque

(IO, EXIST, XDEV, NOTDIR, ISDIR, INVAL, FBIG, MLINK, NAMETOOLONG, NOTEMPTY) = (
    5, 17, 18, 20, 21, 22, 27, 31, 63, 66)
BADHANDLE, NOT_SYNC, BAD_COOKIE, NOTSUPP, TOOSMALL, BADTYPE = (
    10001, 10002, 10003, 10004, 10005, 10007)

REG, DIR, BLK, CHR, LNK, SOCK, FIFO = range(1, 8)
UNCHECKED, GUARDED, EXCLUSIVE = range(3)
UNSTABLE, DATA_SYNC, FILE_SYNC = range(3)

NUMBERS = {name: number for number, name in enumerate(
    "null getattr setattr lookup access readlink read write create mkdir symlink mknod remove "
    "rmdir rename link readdir readdirplus fsstat fsinfo pathconf commit".split())}


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        values = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return values if len(values) > 1 else values[0]

    def opaque(self):
        size = self.take("I")
        found = self.data[self.at:self.at + size]
        self.at += size + -size % 4
        assert len(found) == size and self.at <= len(self.data), "a short result"
        return found

    def maybe(self, read):
        present = self.take("I")
        assert present in (0, 1), present
        return read() if present else None

    def attributes(self):
        names = "type mode nlink uid gid size used major minor fsid fileid".split()
        values = self.take("IIIIIQQIIQQ")
        times = [self.take("II") for _ in range(3)]
        return types.SimpleNamespace(**dict(zip(names, values)), atime=times[0], mtime=times[1],
                                     ctime=times[2])

    def before(self):
        size, *times = self.take("QIIII")
        return types.SimpleNamespace(size=size, mtime=tuple(times[:2]), ctime=tuple(times[2:]))

    def wcc(self):
        before = self.maybe(self.before)
        return types.SimpleNamespace(before=before, after=self.maybe(self.attributes))

    def made(self):
        return {"object": self.maybe(self.opaque), "attributes": self.maybe(self.attributes)}

    def entries(self, plus):
        found = []
        while self.take("I"):
            entry = types.SimpleNamespace(fileid=self.take("Q"), name=self.opaque(),
                                          cookie=self.take("Q"))
            if plus:
                entry.attributes = self.maybe(self.attributes)
                entry.object = self.maybe(self.opaque)
            found.append(entry)
        return found


def results(procedure, reader):
    """The fields of a result that is OK."""
    post, wcc = (lambda: reader.maybe(reader.attributes)), reader.wcc
    fields = {"attributes": post} if procedure not in ("lookup", "getattr") else {}
    if procedure == "getattr":
        return {"attributes": reader.attributes()}
    if procedure in ("setattr", "remove", "rmdir"):
        return {"wcc": wcc()}
    if procedure == "lookup":
        return {"object": reader.opaque(), "attributes": post(), "directory": post()}
    if procedure in ("create", "mkdir", "symlink", "mknod"):
        return {**reader.made(), "wcc": wcc()}
    if procedure == "rename":
        return {"wcc": wcc(), "to_wcc": wcc()}
    if procedure == "link":
        return {"attributes": post(), "wcc": wcc()}
    if procedure == "write":
        return {"wcc": wcc(), "count": reader.take("I"), "committed": reader.take("I"),
                "verifier": reader.take("Q")}
    if procedure == "commit":
        return {"wcc": wcc(), "verifier": reader.take("Q")}
    found = {name: read() for name, read in fields.items()}
    if procedure == "access":
        found["access"] = reader.take("I")
    elif procedure == "readlink":
        found["target"] = reader.opaque()
    elif procedure == "read":
        found["count"], found["eof"] = reader.take("II")
        found["data"] = reader.opaque()
    elif procedure in ("readdir", "readdirplus"):
        found["verifier"] = reader.take("Q")
        found["entries"] = reader.entries(procedure == "readdirplus")
        found["eof"] = reader.take("I")
    else:
        names, form = {
            "fsstat": ("tbytes fbytes abytes tfiles ffiles afiles invarsec", "QQQQQQI"),
            "fsinfo": ("rtmax rtpref rtmult wtmax wtpref wtmult dtpref maxfilesize seconds "
                       "nseconds properties", "IIIIIIIQIII"),
            "pathconf": ("linkmax name_max no_trunc chown_restricted case_insensitive "
                         "case_preserving", "IIIIII")}[procedure]
        found.update(zip(names.split(), reader.take(form)))
    return found


def failure(procedure, reader):
    """What a result that failed carries: attributes or changes, each of which may be absent."""
    if procedure == "getattr":
        return {}
    if procedure == "rename":
        return {"wcc": reader.wcc(), "to_wcc": reader.wcc()}
    if procedure == "link":
        return {"attributes": reader.maybe(reader.attributes), "wcc": reader.wcc()}
    if procedure in ("setattr", "write", "create", "mkdir", "symlink", "mknod", "remove", "rmdir",
                     "commit"):
        return {"wcc": reader.wcc()}
    return {"attributes": reader.maybe(reader.attributes)}


def decode(procedure, data):
    reader = Reader(data)
    status = reader.take("I")
    fields = (failure if status else results)(procedure, reader)
    assert reader.at == len(data), f"{procedure}: {len(data) - reader.at} bytes too many"
    return types.SimpleNamespace(status=status, **fields)


def where(directory, name):
    return opaque(directory) + opaque(name)


def when(time):
    """None: stays; "now": the server's; (seconds, nanoseconds)."""
    if time is None:
        return struct.pack(">I", 0)
    return struct.pack(">I", 1) if time == "now" else struct.pack(">III", 2, *time)


def sattr(mode=None, uid=None, gid=None, size=None, atime=None, mtime=None):
    def maybe(value, form="I"):
        return bytes(4) if value is None else struct.pack(">I" + form, 1, value)
    return (maybe(mode) + maybe(uid) + maybe(gid) + maybe(size, "Q") + when(atime) + when(mtime))


class Arguments:
    """Of the procedures that take more than a handle."""

    @staticmethod
    def setattr(handle, guard=None, **attributes):
        check = bytes(4) if guard is None else struct.pack(">III", 1, *guard)
        return opaque(handle) + sattr(**attributes) + check

    lookup = remove = rmdir = staticmethod(where)

    @staticmethod
    def access(handle, bits=0x3F):
        return opaque(handle) + struct.pack(">I", bits)

    @staticmethod
    def read(handle, offset=0, count=1 << 20):
        return opaque(handle) + struct.pack(">QI", offset, count)

    @staticmethod
    def write(handle, data=b"x", offset=0, stable=FILE_SYNC):
        return opaque(handle) + struct.pack(">QII", offset, len(data), stable) + opaque(data)

    @staticmethod
    def create(directory, name, how=GUARDED, verifier=0, **attributes):
        last = struct.pack(">Q", verifier) if how == EXCLUSIVE else sattr(**attributes)
        return where(directory, name) + struct.pack(">I", how) + last

    @staticmethod
    def mkdir(directory, name, **attributes):
        return where(directory, name) + sattr(**attributes)

    @staticmethod
    def symlink(directory, name, target=b"target", **attributes):
        return where(directory, name) + sattr(**attributes) + opaque(target)

    @staticmethod
    def mknod(directory, name, kind=FIFO, device=(0, 0), **attributes):
        body = sattr(**attributes) if kind in (CHR, BLK, SOCK, FIFO) else b""
        body += struct.pack(">II", *device) if kind in (CHR, BLK) else b""
        return where(directory, name) + struct.pack(">I", kind) + body

    @staticmethod
    def rename(directory, name, to, to_name):
        return where(directory, name) + where(to, to_name)

    @staticmethod
    def link(handle, directory, name):
        return opaque(handle) + where(directory, name)

    @staticmethod
    def readdir(handle, cookie=0, verifier=0, count=8192):
        return opaque(handle) + struct.pack(">QQI", cookie, verifier, count)

    @staticmethod
    def readdirplus(handle, cookie=0, verifier=0, dircount=8192, maxcount=32768):
        return opaque(handle) + struct.pack(">QQII", cookie, verifier, dircount, maxcount)

    @staticmethod
    def commit(handle, offset=0, count=0):
        return opaque(handle) + struct.pack(">QI", offset, count)


def arguments(procedure, *values, **named):
    return getattr(Arguments, procedure, opaque)(*values, **named)


class Nfs3(RpcClient):
    """One connection; `client.do("lookup", directory, b"name")`. The array knows a call that is
    sent again by the client's address, whatever the connection: transaction ids begin anywhere, as
    those of clients do."""

    def __init__(self, port, gid=None, groups=(), **how):
        super().__init__(port, **how)
        self.gid = self.uid if gid is None else gid
        self.groups = groups
        self.xid = random.SystemRandom().getrandbits(32)

    def next_xid(self):
        self.xid = (self.xid + 1) & 0xFFFFFFFF
        return self.xid

    def message(self, xid, procedure, body, program=NFS):
        ids = struct.pack(f">III{len(self.groups)}I", self.uid, self.gid, len(self.groups),
                          *self.groups)
        credential = bytes(4) + opaque(b"test") + ids
        return (struct.pack(">IIIIII", xid, 0, 2, *program, procedure) + struct.pack(">I", 1) +
                opaque(credential) + bytes(8) + body)

    def send(self, xid, procedure, body):
        """Of an NFS procedure, by name."""
        message = self.message(xid, NUMBERS[procedure], body)
        self.socket.sendall(struct.pack(">I", 0x80000000 | len(message)) + message)

    def receive(self):
        """(xid, result)."""
        reply = self.record()
        xid, *rest = struct.unpack(">IIIIII", reply[:24])
        assert rest == [1, 0, 0, 0, 0], reply[:24]
        return xid, reply[24:]

    def raw(self, procedure, body, xid=None):
        xid = self.next_xid() if xid is None else xid
        self.send(xid, procedure, body)
        got, result = self.receive()
        assert got == xid, (got, xid)
        return result

    def do(self, procedure, *values, **named):
        return decode(procedure, self.raw(procedure, arguments(procedure, *values, **named)))

    def ok(self, procedure, *values, **named):
        result = self.do(procedure, *values, **named)
        assert result.status == OK, f"{procedure} {values[1:]} {named}: status {result.status}"
        return result

    def all(self, calls, window=48):
        """Many at a time: [(procedure, values, named), …] to their results, in that order."""
        found, sent = {}, {}
        for number, (procedure, values, named) in enumerate(calls):
            if len(sent) - len(found) >= window:
                self.take_one(sent, found)
            xid = self.next_xid()
            sent[xid] = (number, procedure)
            self.send(xid, procedure, arguments(procedure, *values, **named))
        while len(found) < len(sent):
            self.take_one(sent, found)
        return [found[number] for number in range(len(sent))]

    def take_one(self, sent, found):
        xid, result = self.receive()
        number, procedure = sent[xid]
        found[number] = decode(procedure, result)

    def attributes(self, handle):
        return self.ok("getattr", handle).attributes

    def file(self, directory, name, data=b"", **attributes):
        """The handle of a new one."""
        handle = self.ok("create", directory, name, **attributes).object
        if data:
            self.ok("write", handle, data)
        return handle

    def pages(self, directory, procedure="readdirplus", cookie=0, **limits):
        """Lists of entries up to the end."""
        while True:
            page = self.ok(procedure, directory, cookie=cookie, **limits)
            assert page.verifier == 0
            yield page.entries
            if page.eof:
                return
            assert page.entries, "neither entries nor the end"
            cookie = page.entries[-1].cookie

    def names(self, directory, procedure="readdirplus", **limits):
        """Of all pages, without dots."""
        return [entry.name for page in self.pages(directory, procedure, **limits)
                for entry in page if entry.name not in (b".", b"..")]


def mounted(array, bucket, *rules):
    """The handle of a new bucket's root; without rules, everybody of this host may do all."""
    rules = rules or ["127.0.0.0/8(rw,insecure,no_root_squash)"]
    array.run("export", "set", bucket, *[word for rule in rules for word in ("--rule", rule)])
    array.run("bucket", "create", bucket)
    port = int(array.settings()["TURBINE_NFS_PORT"])

    def in_force():
        with Nfs3(port) as client:
            status, root = client.mnt("/" + bucket)
            if status != OK:
                return None
            return root
    return array.wait_for(in_force, 10, f"the export of {bucket}")


def clients_of_both(array, port, **how):
    """{gateway: a connection to it}; the kernel decides where a connection goes."""
    found = {}

    def counts():
        return {name: array.metric(name, "turbine_nfs_connections")
                for name in ("gateway-1", "gateway-2")}

    def connected():
        before = counts()
        client = Nfs3(port, **how)
        client.null()
        grown = [name for name, count in counts().items() if count > before[name]]
        if len(grown) == 1 and grown[0] not in found:
            found[grown[0]] = client
        else:
            client.close()
        return len(found) == 2
    array.wait_for(connected, 20, "a connection to each gateway")
    return found
