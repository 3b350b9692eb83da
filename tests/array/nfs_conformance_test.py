"""What RFC 1813 says of each procedure, over raw RPC to an array of six blades and two gateways."""
import os
import random
import struct
import sys
import time
import unittest

from nfs3_calls import (
    BADHANDLE, BADTYPE, BLK, CHR, DIR, EXCLUSIVE, EXIST, FBIG, FIFO, FILE_SYNC, GUARDED, INVAL,
    ISDIR, LNK, MLINK, NAMETOOLONG, NOTDIR, NOTEMPTY, NOT_SYNC, NUMBERS, REG, SOCK, UNCHECKED,
    UNSTABLE, XDEV, Nfs3, arguments, clients_of_both, decode, mounted)
from nfs_client import ACCES, MOUNT, NFS, NOENT, OK, PERM, ROFS, STALE, opaque
from turbine_array import SOAK, Array

TIB = 1 << 40
FILE_BYTES_MAX = 16 * TIB
SEED = int(os.environ.get("TURBINE_SEED", random.SystemRandom().getrandbits(32)))
# First arguments are a handle of a file, or of a directory.
OF_FILES = ("getattr", "setattr", "access", "readlink", "read", "write", "fsstat", "fsinfo",
            "pathconf", "commit")
OF_DIRECTORIES = {"lookup": (b"n",), "create": (b"n",), "mkdir": (b"n",), "symlink": (b"n",),
                  "mknod": (b"n",), "remove": (b"n",), "rmdir": (b"n",), "readdir": (),
                  "readdirplus": ()}


class OnArray(unittest.TestCase):
    """Each test class has an export of its own; the array is everybody's."""

    @classmethod
    def setUpClass(cls):
        cls.root = mounted(ARRAY, cls.__name__.lower(), "127.0.0.2(ro,insecure)",
                           "127.0.0.0/8(rw,insecure,no_root_squash)")
        cls.port = int(ARRAY.settings()["TURBINE_NFS_PORT"])

    def client(self, **how):
        client = Nfs3(self.port, **how)
        self.addCleanup(client.close)
        return client

    def setUp(self):
        self.root_user = self.client()
        self.alice = self.client(uid=1001)
        self.bob = self.client(uid=1002)
        name = self.id().rsplit(".", 1)[1].encode()
        self.dir = self.root_user.ok("mkdir", self.root, name, mode=0o777).object

    def removed(self, client):
        """Handles of a file and of a directory that are gone."""
        file = client.file(self.dir, b"going", b"data")
        directory = client.ok("mkdir", self.dir, b"going-too", mode=0o777).object
        client.ok("remove", self.dir, b"going")
        client.ok("rmdir", self.dir, b"going-too")
        return file, directory

    def check(self, rows):
        """(client, status, procedure, values, named)."""
        for client, status, procedure, values, named in rows:
            with self.subTest(procedure, values=values[1:], named=named):
                self.assertEqual(client.do(procedure, *values, **named).status, status)

    def check_wcc(self, client, handle, wcc, before):
        """`before`: attributes taken before the change, by the only client there is."""
        if wcc.after:
            self.assertEqual(wcc.after, client.attributes(handle))
        if wcc.before:
            self.assertIsNotNone(wcc.after)
            self.assertEqual((wcc.before.size, wcc.before.mtime, wcc.before.ctime),
                             (before.size, before.mtime, before.ctime))
            self.assertGreater(wcc.after.ctime, wcc.before.ctime)


class Errors(OnArray):
    def test_names(self):
        user, where = self.alice, self.dir
        user.ok("create", where, b"f" * 255)
        file = user.ok("lookup", where, b"f" * 255).object
        bad = {b"f" * 256: NAMETOOLONG, b"": INVAL, b"a/b": INVAL, b"/": INVAL, b"a\0b": INVAL,
               b"\0": INVAL}
        rows = []
        for name, status in bad.items():
            rows += [(user, status, procedure, (where, name), {}) for procedure in
                     ("lookup", "create", "mkdir", "symlink", "mknod", "remove", "rmdir")]
            rows += [(user, status, "create", (where, name), {"how": EXCLUSIVE}),
                     (user, status, "rename", (where, name, where, b"n"), {}),
                     (user, status, "rename", (where, b"f" * 255, where, name), {}),
                     (user, status, "link", (file, where, name), {})]
        for name in (b".", b".."):
            rows += [(user, EXIST, procedure, (where, name), {}) for procedure in
                     ("create", "mkdir", "symlink", "mknod")]
            rows += [(user, INVAL, "rename", (where, name, where, b"n"), {}),
                     (user, INVAL, "rename", (where, b"f" * 255, where, name), {}),
                     (user, EXIST, "link", (file, where, name), {}),
                     (user, ISDIR, "remove", (where, name), {})]
        rows += [(user, INVAL, "rmdir", (where, b"."), {}),
                 (user, EXIST, "rmdir", (where, b".."), {})]
        self.check(rows)
        self.assertEqual(user.names(where), [b"f" * 255], "nothing else was made")

    def test_names_that_are_not_utf8(self):
        user, where = self.alice, self.dir
        names = [b"\xff\xfe", b"caf\xe9", b"\xc3\xa9", b"\xed\xa0\x80", b"%2F", b"\x01\x7f",
                 b" ", b"...", b"-", b"a\\b", b"\xf0\x9f\x8c\x80", b"\xff" * 255]
        for name in names:
            handle = user.file(where, name, name)
            self.assertEqual(user.ok("lookup", where, name).object, handle)
        self.assertEqual(sorted(user.names(where)), sorted(names))
        for name in names:
            user.ok("rename", where, name, where, name[:200] + b"+")
            self.assertEqual(user.do("lookup", where, name).status, NOENT)
            self.assertEqual(user.ok("read", user.ok("lookup", where, name[:200] + b"+").object)
                             .data, name)

    def test_each_kind_where_another_is_wanted(self):
        user, where = self.alice, self.dir
        file = user.file(where, b"file", b"data")
        link = user.ok("symlink", where, b"link").object
        fifo = user.ok("mknod", where, b"fifo").object
        full = user.ok("mkdir", where, b"full").object
        user.ok("mkdir", full, b"inner")
        user.ok("mkdir", where, b"empty")
        rows = [(user, NOTDIR, procedure, (handle, *values), {})
                for procedure, values in OF_DIRECTORIES.items() for handle in (file, link, fifo)]
        rows += [(user, NOENT, procedure, (where, b"absent"), {}) for procedure in
                 ("lookup", "remove", "rmdir")]
        rows += [(user, EXIST, procedure, (where, name), {})
                 for procedure in ("create", "mkdir", "symlink", "mknod")
                 for name in (b"file", b"link", b"fifo", b"full")]
        rows += [
            (user, EXIST, "create", (where, b"full"), {"how": UNCHECKED}),
            (user, EXIST, "create", (where, b"file"), {"how": EXCLUSIVE, "verifier": 7}),
            (user, ISDIR, "read", (where,), {}),
            (user, INVAL, "read", (link,), {}),
            (user, INVAL, "read", (fifo,), {}),
            (user, ISDIR, "write", (where,), {}),
            (user, INVAL, "write", (fifo,), {}),
            (user, ISDIR, "write", (where,), {"data": b""}),
            (user, INVAL, "write", (fifo,), {"data": b""}),
            (user, ISDIR, "setattr", (where,), {"size": 0}),
            (user, INVAL, "setattr", (fifo,), {"size": 0}),
            (user, INVAL, "setattr", (file,), {"mtime": (1, 1_000_000_000)}),
            (user, INVAL, "readlink", (file,), {}),
            (user, INVAL, "readlink", (where,), {}),
            (user, ISDIR, "remove", (where, b"empty"), {}),
            (user, NOTDIR, "rmdir", (where, b"file"), {}),
            (user, NOTDIR, "rmdir", (where, b"link"), {}),
            (user, NOTEMPTY, "rmdir", (where, b"full"), {}),
            (user, NOENT, "rename", (where, b"absent", where, b"n"), {}),
            # RFC 1813 lets a server say NFS3ERR_EXIST too; POSIX has these.
            (user, ISDIR, "rename", (where, b"file", where, b"full"), {}),
            (user, NOTDIR, "rename", (where, b"empty", where, b"file"), {}),
            (user, NOTEMPTY, "rename", (where, b"empty", where, b"full"), {}),
            (user, INVAL, "rename", (where, b"full", full, b"below-itself"), {}),
            (user, NOTDIR, "rename", (file, b"a", where, b"b"), {}),
            (user, NOTDIR, "rename", (where, b"file", fifo, b"b"), {}),
            (user, EXIST, "link", (file, where, b"fifo"), {}),
            (user, NOTDIR, "link", (file, fifo, b"n"), {}),
            (user, PERM, "link", (full, where, b"n"), {}),
            (user, BADTYPE, "mknod", (where, b"n"), {"kind": REG}),
            (user, BADTYPE, "mknod", (where, b"n"), {"kind": DIR}),
            (user, BADTYPE, "mknod", (where, b"n"), {"kind": LNK}),
            (user, BADTYPE, "mknod", (where, b"n"), {"kind": 99}),
            (user, NAMETOOLONG, "symlink", (where, b"n"), {"target": b"t" * 1025}),
            (user, INVAL, "symlink", (where, b"n"), {"target": b""}),
            (user, INVAL, "symlink", (where, b"n"), {"target": b"a\0b"}),
        ]
        self.check(rows)
        self.assertEqual(sorted(user.names(where)), [b"empty", b"fifo", b"file", b"full", b"link"])
        self.assertEqual(user.ok("read", file).data, b"data")

    def test_permissions(self):
        where = self.dir
        file = self.alice.file(where, b"file", b"data", mode=0o600)
        own = self.alice.ok("mkdir", where, b"own", mode=0o700).object
        self.alice.file(own, b"inner", mode=0o666)
        sticky = self.root_user.ok("mkdir", where, b"sticky", mode=0o1777).object
        self.alice.file(sticky, b"hers")
        bob = self.bob
        rows = [(bob, ACCES, procedure, (own, *values), {}) for procedure, values in
                OF_DIRECTORIES.items()]
        rows += [
            (bob, ACCES, "read", (file,), {}),
            (bob, ACCES, "write", (file,), {}),
            (bob, ACCES, "write", (file,), {"data": b""}),
            (bob, ACCES, "setattr", (file,), {"size": 0}),
            (bob, ACCES, "setattr", (file,), {"mtime": "now"}),
            (bob, PERM, "setattr", (file,), {"mtime": (1, 1)}),
            (bob, PERM, "setattr", (file,), {"mode": 0o666}),
            (bob, PERM, "setattr", (file,), {"uid": 1002}),
            (bob, PERM, "setattr", (file,), {"gid": 1002}),
            (self.alice, PERM, "setattr", (file,), {"uid": 1002}),
            (self.alice, PERM, "setattr", (file,), {"gid": 5}),
            (self.alice, PERM, "create", (where, b"n"), {"uid": 1002}),
            (bob, ACCES, "rename", (own, b"inner", where, b"n"), {}),
            (bob, ACCES, "rename", (where, b"file", own, b"n"), {}),
            (bob, ACCES, "link", (file, own, b"n"), {}),
            (bob, ACCES, "create", (where, b"file"), {"how": UNCHECKED, "size": 0}),
        ]
        self.check(rows)
        for procedure, values in {"remove": (b"hers",), "rename": (b"hers", where, b"n")}.items():
            self.assertIn(bob.do(procedure, sticky, *values).status, (ACCES, PERM))
        self.assertEqual(bob.ok("access", file).access, 0)
        self.assertEqual(self.alice.ok("access", file).access, 0x01 | 0x04 | 0x08)
        self.assertEqual(self.alice.ok("access", own).access, 0x1F)
        self.assertEqual(self.alice.ok("read", file).data, b"data")

    def test_a_read_only_export(self):
        reader = self.client(source="127.0.0.2")
        file = self.root_user.file(self.dir, b"file", b"data", mode=0o666)
        self.check([(reader, ROFS, procedure, (self.dir, *values), {}) for procedure, values in
                    OF_DIRECTORIES.items() if procedure not in ("lookup", "readdir", "readdirplus")
                    ] + [
            (reader, ROFS, "write", (file,), {}),
            (reader, ROFS, "setattr", (file,), {"mode": 0o600}),
            (reader, ROFS, "rename", (self.dir, b"file", self.dir, b"n"), {}),
            (reader, ROFS, "link", (file, self.dir, b"n"), {}),
            (reader, OK, "read", (file,), {}),
            (reader, OK, "lookup", (self.dir, b"file"), {}),
            (reader, OK, "readdirplus", (self.dir,), {})])
        self.assertEqual(reader.ok("access", file).access, 0x01)
        self.assertEqual(self.root_user.names(self.dir), [b"file"])

    def test_handles(self):
        user = self.alice
        file, directory = self.removed(user)
        alive = user.file(self.dir, b"alive")
        with Array(blades=1, partitions=1) as other:
            foreign = mounted(other, "other")
        handles = [(STALE, foreign), (BADHANDLE, b""), (BADHANDLE, alive[:-1]),
                   (BADHANDLE, alive + b"\0"), (BADHANDLE, bytes(64)), (BADHANDLE, b"\xff" * 28)]
        rows = [(user, status, procedure, (handle, *values), {}) for status, handle in handles
                for procedure, values in {**{name: () for name in OF_FILES},
                                          **OF_DIRECTORIES}.items()]
        rows += [(user, STALE, procedure, (file,), {}) for procedure in OF_FILES
                 if procedure != "readlink"]
        rows += [(user, STALE, procedure, (directory, *values), {}) for procedure, values in
                 OF_DIRECTORIES.items()]
        for status, handle in [*handles, (STALE, directory)]:
            rows += [(user, status, "rename", (handle, b"a", self.dir, b"b"), {}),
                     (user, status, "rename", (self.dir, b"alive", handle, b"b"), {}),
                     (user, status, "link", (alive, handle, b"b"), {})]
        rows += [(user, status, "link", (handle, self.dir, b"b"), {}) for status, handle in
                 [*handles, (STALE, file)]]
        self.check(rows)
        for bit in range(8 * len(alive)):
            flipped = bytearray(alive)
            flipped[bit // 8] ^= 1 << bit % 8
            status = user.do("getattr", bytes(flipped)).status
            self.assertEqual(status, BADHANDLE if bit < 32 else STALE, bit)
        self.assertEqual(user.attributes(alive).type, REG)

    def test_other_exports(self):
        user = self.alice
        other = mounted(ARRAY, "errors-other")
        there = self.root_user.ok("mkdir", other, b"there", mode=0o777).object
        file = user.file(self.dir, b"file")
        self.check([(user, XDEV, "rename", (self.dir, b"file", there, b"n"), {}),
                    (user, XDEV, "link", (file, there, b"n"), {})])

    def test_limits(self):
        user = self.alice
        file = user.file(self.dir, b"file")
        self.check([(user, FBIG, "write", (file,), {"offset": FILE_BYTES_MAX}),
                    (user, FBIG, "write", (file,), {"offset": FILE_BYTES_MAX - 1, "data": b"xy"}),
                    (user, FBIG, "write", (file,), {"offset": (1 << 64) - 1}),
                    (user, FBIG, "setattr", (file,), {"size": FILE_BYTES_MAX + 1}),
                    (user, FBIG, "setattr", (file,), {"size": (1 << 64) - 1})])
        self.assertEqual(user.attributes(file).size, 0)
        user.ok("write", file, b"end", offset=FILE_BYTES_MAX - 3)
        self.assertEqual(user.attributes(file).size, FILE_BYTES_MAX)
        self.assertEqual(user.ok("read", file, offset=FILE_BYTES_MAX - 5).data, b"\0\0end")
        self.assertEqual(user.ok("fsinfo", self.dir).maxfilesize, FILE_BYTES_MAX)

    @unittest.skipUnless(SOAK, "32 000 names")
    def test_links(self):
        user = self.alice
        file = user.file(self.dir, b"file")
        most = user.ok("pathconf", file).linkmax
        calls = [("link", (file, self.dir, b"%d" % number), {}) for number in range(most - 1)]
        self.assertEqual({each.status for each in user.all(calls)}, {OK})
        self.assertEqual(user.attributes(file).nlink, most)
        self.assertEqual(user.do("link", file, self.dir, b"n").status, MLINK)


class Contention(OnArray):
    def test_renames_to_and_fro_do_not_wait_for_each_other(self):
        """Two directories of two partitions: each rename holds what the other one needs."""
        here = self.alice.ok("mkdir", self.dir, b"here").object
        others = [self.alice.ok("mkdir", self.dir, b"%d" % i).object for i in range(16)]
        fileids = [self.alice.attributes(each).fileid >> 52 for each in (here, *others)]
        there = others[next(i for i, each in enumerate(fileids[1:]) if each != fileids[0])]
        again = self.client(uid=1001)
        for number in range(60):
            self.alice.file(here, b"a")
            began = time.monotonic()
            for client, values in ((self.alice, (here, b"a", there, b"b")),
                                   (again, (there, b"b", here, b"a"))):
                client.send(client.next_xid(), "rename", arguments("rename", *values))
            statuses = [decode("rename", client.receive()[1]).status
                        for client in (self.alice, again)]
            self.assertLess(time.monotonic() - began, 5, f"round {number}: {statuses}")
            self.assertIn(statuses, ([OK, OK], [OK, NOENT]))
            left = here if statuses == [OK, OK] else there
            self.alice.ok("remove", left, b"a" if left == here else b"b")


class Rpc(OnArray):
    def reply(self, message):
        self.root_user.socket.sendall(struct.pack(">I", 0x80000000 | len(message)) + message)
        return struct.unpack(">%dI" % ((len(reply := self.root_user.record())) // 4), reply)

    def test_what_is_not_served(self):
        header = self.root_user.message(5, 0, b"")[24:]

        def call(program, version, procedure, rpc=2, body=b""):
            return self.reply(struct.pack(">IIIIII", 5, 0, rpc, program, version, procedure) +
                              header + body)
        accepted = (5, 1, 0, 0, 0)
        self.assertEqual(call(*NFS, 0), (*accepted, 0))
        for program in (100227, 100099, 0, 400000):  # NFSACL, and nobody's
            self.assertEqual(call(program, 3, 0), (*accepted, 1))
        for version in (0, 2, 4, 0xFFFFFFFF):
            self.assertEqual(call(100003, version, 0), (*accepted, 2, 3, 3))
            self.assertEqual(call(100005, version, 0), (*accepted, 2, 3, 3))
        for procedure in (22, 99, 0xFFFFFFFF):
            self.assertEqual(call(*NFS, procedure), (*accepted, 3))
            self.assertEqual(call(*MOUNT, procedure), (*accepted, 3))
        self.assertEqual(call(*NFS, 0, rpc=3), (5, 1, 1, 0, 2, 2))

    def test_arguments_that_are_none(self):
        file = self.alice.file(self.dir, b"file", b"data")
        bodies = {"lookup": (self.dir, b"n"), "create": (self.dir, b"n"), "write": (file,),
                  "setattr": (file,), "read": (file,), "rename": (self.dir, b"a", self.dir, b"b"),
                  "link": (file, self.dir, b"n"), "symlink": (self.dir, b"n"),
                  "mknod": (self.dir, b"n"), "mkdir": (self.dir, b"n"), "readdir": (self.dir,),
                  "readdirplus": (self.dir,), "access": (file,), "commit": (file,)}
        for procedure, values in bodies.items():
            body = arguments(procedure, *values)
            for wrong in [body[:-4], body[:4], b"", body + bytes(4), b"\xff" * len(body)]:
                with self.subTest(procedure, wrong=len(wrong)):
                    message = self.root_user.message(9, NUMBERS[procedure], wrong)
                    self.assertEqual(self.reply(message), (9, 1, 0, 0, 0, 4))
        self.assertEqual(self.alice.ok("read", file).data, b"data")
        self.assertEqual(self.alice.names(self.dir), [b"file"])


class Success(OnArray):
    def test_attributes_of_each_kind(self):
        user, seen = self.root_user, set()
        made = {REG: user.ok("create", self.dir, b"reg", mode=0o640, uid=7, gid=8),
                DIR: user.ok("mkdir", self.dir, b"dir", mode=0o750, uid=7, gid=8),
                LNK: user.ok("symlink", self.dir, b"lnk", mode=0o777, uid=7, gid=8),
                CHR: user.ok("mknod", self.dir, b"chr", CHR, (5, 0xFFFFFFFF), mode=0o600),
                BLK: user.ok("mknod", self.dir, b"blk", BLK, (8, 1), mode=0o660),
                SOCK: user.ok("mknod", self.dir, b"sock", SOCK, mode=0o600),
                FIFO: user.ok("mknod", self.dir, b"fifo", FIFO, mode=0o600)}
        for kind, result in made.items():
            with self.subTest(kind=kind):
                attributes = user.attributes(result.object)
                self.assertEqual(result.attributes, attributes)
                self.assertEqual(attributes.type, kind)
                self.assertNotIn(attributes.fileid, seen)
                seen.add(attributes.fileid)
                self.assertEqual(attributes.nlink, 2 if kind == DIR else 1)
                self.assertEqual(attributes.fsid, user.attributes(self.root).fsid)
                if kind in (REG, DIR, LNK):
                    self.assertEqual((attributes.uid, attributes.gid), (7, 8))
                self.assertTrue(attributes.mtime[1] or attributes.ctime[1], "nanoseconds")
        self.assertGreater(max(seen), 1 << 32, "file ids have 64 bits")
        self.assertEqual([(a.major, a.minor) for a in map(user.attributes, (
            made[CHR].object, made[BLK].object))], [(5, 0xFFFFFFFF), (8, 1)])
        self.assertEqual(user.attributes(made[LNK].object).size, len(b"target"))
        self.assertEqual(user.ok("readlink", made[LNK].object).target, b"target")
        self.assertEqual(user.attributes(self.dir).nlink, 3)
        found = {entry.name: entry for page in user.pages(self.dir) for entry in page}
        for result in made.values():
            entry = next(e for e in found.values() if e.object == result.object)
            self.assertEqual(entry.fileid, result.attributes.fileid)
            if entry.attributes:
                self.assertEqual(entry.attributes, result.attributes)
        self.assertEqual(found[b"."].fileid, user.attributes(self.dir).fileid)
        self.assertEqual(found[b".."].fileid, user.attributes(self.root).fileid)
        self.assertEqual(user.ok("lookup", self.dir, b"..").object, self.root)
        self.assertEqual(user.ok("lookup", self.root, b"..").object, self.root)

    def test_changes_are_told(self):
        user, other = self.alice, self.root_user.ok("mkdir", self.root, b"o", mode=0o777).object
        steps = [("create", (b"a",), {}), ("mkdir", (b"b",), {}), ("symlink", (b"c",), {}),
                 ("mknod", (b"d",), {}), ("remove", (b"d",), {}), ("rmdir", (b"b",), {})]
        for procedure, values, named in steps:
            with self.subTest(procedure):
                before = user.attributes(self.dir)
                result = user.ok(procedure, self.dir, *values, **named)
                self.assertIsNotNone(result.wcc.before)
                self.check_wcc(user, self.dir, result.wcc, before)
                self.assertGreater(user.attributes(self.dir).mtime, before.mtime)
        file = user.ok("lookup", self.dir, b"a").object
        for procedure, values, named in [
                ("write", (b"1234",), {}), ("write", (b"5",), {"offset": 100_000}),
                ("setattr", (), {"mode": 0o600}), ("setattr", (), {"size": 3}),
                ("commit", (), {})]:
            with self.subTest(procedure, named=named):
                before = user.attributes(file)
                result = user.ok(procedure, file, *values, **named)
                self.check_wcc(user, file, result.wcc, before)
        before, far = user.attributes(self.dir), user.attributes(other)
        result = user.ok("rename", self.dir, b"a", other, b"a")
        self.check_wcc(user, self.dir, result.wcc, before)
        self.check_wcc(user, other, result.to_wcc, far)
        # The other partition of a RENAME may hear of its end a little later.
        ARRAY.wait_for(lambda: user.attributes(self.dir).mtime > before.mtime, 5, "the new time")
        before = user.attributes(self.dir)
        result = user.ok("link", file, self.dir, b"e")
        self.check_wcc(user, self.dir, result.wcc, before)
        self.assertEqual(result.attributes, user.attributes(file))
        self.assertEqual(result.attributes.nlink, 2)

    def test_setattr(self):
        user = self.root_user
        file = user.file(self.dir, b"file", b"data")
        user.ok("setattr", file, atime=(0xFFFFFFFF, 999_999_999), mtime=(0, 1), mode=0o7777,
                uid=0xFFFFFFFE, gid=12)
        got = user.attributes(file)
        self.assertEqual((got.atime, got.mtime, got.mode, got.uid, got.gid),
                         ((0xFFFFFFFF, 999_999_999), (0, 1), 0o7777, 0xFFFFFFFE, 12))
        seconds, nanoseconds = got.ctime
        wrong = [(seconds, (nanoseconds + 1) % 1_000_000_000), (seconds + 1, nanoseconds), (0, 0)]
        for guard in wrong:
            self.assertEqual(user.do("setattr", file, guard=guard, size=0).status, NOT_SYNC)
        self.assertEqual(user.attributes(file), got)
        user.ok("setattr", file, guard=got.ctime, size=2, mtime="now")
        now = user.attributes(file)
        self.assertEqual(now.size, 2)
        self.assertGreater(now.mtime, got.mtime)
        self.assertGreater(now.ctime, got.ctime)
        self.assertEqual(user.do("setattr", file, guard=got.ctime, size=0).status, NOT_SYNC)

    def test_a_directory_is_there_when_its_making_is_answered(self):
        for number in range(100):
            made = self.alice.ok("mkdir", self.dir, b"%d" % number).object
            self.alice.ok("setattr", made, mode=0o700)
            self.alice.ok("create", made, b"f")

    def test_create(self):
        user = self.alice
        made = user.ok("create", self.dir, b"f", EXCLUSIVE, verifier=0x0123456789ABCDEF)
        again = user.ok("create", self.dir, b"f", EXCLUSIVE, verifier=0x0123456789ABCDEF)
        self.assertEqual(made.object, again.object)
        self.assertEqual(user.do("create", self.dir, b"f", EXCLUSIVE, verifier=1).status, EXIST)
        user.ok("setattr", made.object, mode=0o644, atime="now", mtime="now")
        user.ok("write", made.object, b"data")
        same = user.ok("create", self.dir, b"f", UNCHECKED, mode=0o600)
        self.assertEqual((same.object, same.attributes.size, same.attributes.mode),
                         (made.object, 4, 0o644))
        empty = user.ok("create", self.dir, b"f", UNCHECKED, size=0)
        self.assertEqual((empty.object, empty.attributes.size), (made.object, 0))
        sized = user.ok("create", self.dir, b"g", GUARDED, size=5000)
        self.assertEqual(sized.attributes.size, 5000)
        self.assertEqual(user.ok("read", sized.object).data, bytes(5000))

    def test_rename(self):
        user = self.alice
        one = user.ok("mkdir", self.dir, b"one").object
        two = user.ok("mkdir", self.dir, b"two").object
        file, old = user.file(one, b"f", b"new"), user.file(two, b"f", b"old")
        user.ok("rename", one, b"f", two, b"f")
        self.assertEqual(user.ok("lookup", two, b"f").object, file)
        self.assertEqual(user.do("getattr", old).status, STALE)
        self.assertEqual((user.names(one), user.names(two)), ([], [b"f"]))
        user.ok("link", file, one, b"same")
        user.ok("rename", one, b"same", two, b"f")  # of one file: nothing happens
        self.assertEqual((user.names(one), user.attributes(file).nlink), ([b"same"], 2))
        user.ok("remove", one, b"same")
        user.ok("mkdir", two, b"d")
        before = user.attributes(one).nlink
        user.ok("rename", two, b"d", one, b"d")
        self.assertEqual(user.attributes(one).nlink, before + 1)
        moved = user.ok("lookup", one, b"d").object
        self.assertEqual(user.ok("lookup", moved, b"..").object, one)
        user.ok("mkdir", two, b"empty")
        user.ok("rename", one, b"d", two, b"empty")
        self.assertEqual(user.names(one), [])

    def test_bytes(self):
        user = self.alice
        file = user.file(self.dir, b"file")
        dice = random.Random(SEED)
        mib = dice.randbytes(1 << 20)
        for stable in (UNSTABLE, FILE_SYNC):
            result = user.ok("write", file, mib, offset=stable << 20, stable=stable)
            self.assertEqual((result.count, result.committed), (1 << 20, FILE_SYNC))
        self.assertEqual(user.ok("commit", file).verifier, result.verifier)
        got = user.ok("read", file, offset=0)
        self.assertEqual((got.data == mib, got.count, got.eof), (True, 1 << 20, 0))
        got = user.ok("read", file, offset=1 << 20 | 5, count=0xFFFFFFFF)
        self.assertEqual((got.count, got.eof), (1 << 20, 0))
        got = user.ok("read", file, offset=(2 << 20) + 5)
        self.assertEqual((got.data == mib[5:], got.eof), (True, 1))
        self.assertEqual(user.ok("read", file, count=0).count, 0)
        end = user.attributes(file).size
        self.assertEqual(vars(user.ok("read", file, offset=end)).get("eof"), 1)
        far = user.ok("read", file, offset=(1 << 64) - 1)
        self.assertEqual((far.count, far.eof), (0, 1))
        self.assertEqual(user.ok("write", file, b"").count, 0)

    def test_holes_and_truncation(self):
        user, dice, model = self.alice, random.Random(SEED), bytearray()
        file = user.file(self.dir, b"file")
        for step in range(60):
            if dice.random() < 0.3:
                size = dice.randrange(3 << 20)
                user.ok("setattr", file, size=size)
                model = model[:size] + bytes(max(0, size - len(model)))
            else:
                data = dice.randbytes(dice.choice((1, 511, 4096, 70_000, 300_000)))
                at = dice.randrange(3 << 20)
                user.ok("write", file, data, offset=at)
                model += bytes(max(0, at + len(data) - len(model)))
                model[at:at + len(data)] = data
            at, count = dice.randrange(3 << 20), dice.choice((1, 5000, 1 << 20))
            got = user.ok("read", file, offset=at, count=count)
            self.assertTrue(got.data == model[at:at + count], f"seed {SEED}, step {step}")
            self.assertEqual(got.eof, at + len(got.data) >= len(model), f"seed {SEED}, {step}")
            self.assertEqual(got.attributes.size, len(model))

    def test_what_the_file_system_says(self):
        user = self.alice
        stat, info = user.ok("fsstat", self.root), user.ok("fsinfo", self.root)
        self.assertGreaterEqual(stat.tbytes, stat.fbytes)
        self.assertGreaterEqual(stat.fbytes, stat.abytes)
        self.assertGreater(stat.abytes, 0)
        self.assertLess(stat.tbytes, 6 << 30, "without redundancy")
        self.assertGreaterEqual(stat.tfiles, stat.ffiles)
        self.assertGreater(stat.afiles, 0)
        self.assertEqual((info.rtmax, info.wtmax), (1 << 20, 1 << 20))
        self.assertLessEqual(max(info.rtpref, info.wtpref, info.dtpref), 1 << 20)
        self.assertEqual((info.seconds, info.nseconds, info.properties), (0, 1, 0x1B))
        path = user.ok("pathconf", self.root)
        self.assertEqual((path.name_max, path.no_trunc, path.chown_restricted,
                          path.case_insensitive, path.case_preserving), (255, 1, 1, 0, 1))
        self.assertGreaterEqual(path.linkmax, 32_000)


class ExactlyOnce(OnArray):
    """The same answer, but for attributes: the state around the call may be another by now, so that
    a copy carries none, or those of the moment."""

    def same(self, procedure, first, later):
        first, later = decode(procedure, first), decode(procedure, later)
        for name in ("status", "object", "count", "committed", "verifier"):
            self.assertEqual(getattr(later, name, None), getattr(first, name, None), name)
        for name in ("attributes", "wcc", "to_wcc"):
            told = getattr(later, name, None)
            told = getattr(told, "after", told) if told else None
            if told and hasattr(told, "fileid"):
                before = getattr(first, name)
                self.assertEqual(told, getattr(before, "after", before), name)

    def test_a_call_sent_twice_through_two_gateways(self):
        one, two = clients_of_both(ARRAY, self.port, uid=1001).values()
        for client in (one, two):
            self.addCleanup(client.close)
        file = one.file(self.dir, b"file", b"0123")
        for name in (b"r", b"m"):
            one.file(self.dir, name)
        one.ok("mkdir", self.dir, b"d")
        guard = one.attributes(file).ctime
        calls = [("setattr", (file,), {"guard": guard, "mode": 0o600}),
                 ("write", (file, b"AB"), {"offset": 1}), ("write", (file, bytes(1 << 20)), {}),
                 ("create", (self.dir, b"c"), {}), ("create", (self.dir, b"x"), {"how": EXCLUSIVE}),
                 ("create", (self.dir, b"s"), {"size": 10}), ("mkdir", (self.dir, b"n"), {}),
                 ("symlink", (self.dir, b"l"), {}), ("mknod", (self.dir, b"p"), {}),
                 ("remove", (self.dir, b"r"), {}), ("rmdir", (self.dir, b"d"), {}),
                 ("rename", (self.dir, b"m", self.dir, b"m2"), {}),
                 ("link", (file, self.dir, b"h"), {}),
                 ("remove", (self.dir, b"absent"), {}), ("mkdir", (self.dir, b"file"), {})]
        for procedure, values, named in calls:
            with self.subTest(procedure, named=named):
                body, xid = arguments(procedure, *values, **named), one.next_xid()
                first = one.raw(procedure, body, xid)
                state = one.attributes(self.dir), one.attributes(file)
                self.same(procedure, first, two.raw(procedure, body, xid))
                self.same(procedure, first, one.raw(procedure, body, xid))
                self.assertEqual((one.attributes(self.dir), one.attributes(file)), state)
                self.assertIn(decode(procedure, first).status,
                              (NOENT,) if b"absent" in values else
                              (EXIST,) if procedure == "mkdir" and b"file" in values else (OK,))

    def test_at_once_through_two_gateways(self):
        one, two = clients_of_both(ARRAY, self.port, uid=1001).values()
        for client in (one, two):
            self.addCleanup(client.close)
        for number in range(100):
            body, xid = arguments("mkdir", self.dir, b"%d" % number), one.next_xid()
            for client in (one, two):
                client.send(xid, "mkdir", body)
            answers = [client.receive()[1] for client in (one, two)]
            self.same("mkdir", *sorted(answers, key=len, reverse=True))
            self.assertEqual(decode("mkdir", answers[0]).status, OK)

    def test_an_overwrite_is_not_undone_by_an_old_copy(self):
        one, two = clients_of_both(ARRAY, self.port, uid=1001).values()
        for client in (one, two):
            self.addCleanup(client.close)
        file = one.file(self.dir, b"file")
        body, xid = arguments("write", file, b"old"), one.next_xid()
        first = one.raw("write", body, xid)
        one.ok("write", file, b"new")
        self.same("write", first, two.raw("write", body, xid))
        self.assertEqual(two.ok("read", file).data, b"new")


if __name__ == "__main__":
    print(f"seed {SEED}", flush=True)
    with Array(blades=6, gateways=2, partitions=16) as ARRAY:
        ended = unittest.main(verbosity=2, exit=False).result
        if not ended.wasSuccessful():
            sys.exit(1)
