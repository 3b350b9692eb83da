"""READDIR and READDIRPLUS of a real array: large directories list completely and once, and listings
go on where they were across changes, other gateways and restarts."""
import random
import sys
import unittest

from nfs3_calls import BAD_COOKIE, TOOSMALL, Nfs3, clients_of_both, mounted
from nfs_client import OK
from turbine_array import SOAK, Array

ENTRIES = 1_000_000 if SOAK else 20_000


def make(client, directory, names):
    calls = (("create", (directory, name), {}) for name in names)
    return {result.status for result in client.all(calls)}


class Directories(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = mounted(ARRAY, "directories")
        cls.port = int(ARRAY.settings()["TURBINE_NFS_PORT"])

    def setUp(self):
        self.client = Nfs3(self.port)
        self.addCleanup(self.client.close)
        name = self.id().rsplit(".", 1)[1].encode()
        self.dir = self.client.ok("mkdir", self.root, name).object

    def test_every_size_of_page(self):
        names = [b"%d" % number + b"n" * (number * 5 % 240) for number in range(200)]
        self.assertEqual(make(self.client, self.dir, names), {OK})
        for count in (400, 512, 1000, 4096, 65_536, 1 << 20, 0xFFFFFFFF):
            with self.subTest(count=count):
                got = self.client.names(self.dir, "readdir", count=count)
                self.assertEqual(sorted(got), sorted(names))
                got = self.client.names(self.dir, dircount=0xFFFFFFFF, maxcount=max(count, 600))
                self.assertEqual(sorted(got), sorted(names))
        self.assertEqual(sorted(self.client.names(self.dir, dircount=300)), sorted(names))

    def test_limits_are_kept(self):
        make(self.client, self.dir, [b"n" * number for number in range(1, 256)])
        for count in (0, 10, 100):
            with self.subTest(count=count):
                self.assertEqual(self.client.do("readdir", self.dir, count=count).status, TOOSMALL)
                self.assertEqual(
                    self.client.do("readdirplus", self.dir, maxcount=count).status, TOOSMALL)
        for cookie in (999_999_999, (1 << 64) - 1):
            self.assertEqual(self.client.do("readdir", self.dir, cookie=cookie).status, BAD_COOKIE)
        last = self.client.ok("readdir", self.dir).entries[-1].cookie
        self.assertEqual(self.client.do("readdir", self.dir, cookie=last, verifier=1).status,
                         BAD_COOKIE)
        other = self.client.ok("mkdir", self.root, b"other").object
        self.assertIn(self.client.do("readdir", other, cookie=last).status, (OK, BAD_COOKIE))

    def test_cookies_are_not_reused(self):
        seen = set()
        for _ in range(50):
            self.client.file(self.dir, b"again")
            page = self.client.ok("readdir", self.dir).entries
            cookie = next(entry.cookie for entry in page if entry.name == b"again")
            self.assertNotIn(cookie, seen)
            seen.add(cookie)
            self.client.ok("remove", self.dir, b"again")
        for cookie in seen:  # of entries that are gone: the listing goes on behind them
            self.assertEqual(self.client.ok("readdir", self.dir, cookie=cookie).entries, [])

    def test_many_entries_while_others_change_them(self):
        """Through both gateways by turns; one restarts half way. What is there all the time is
        listed once, and nothing twice."""
        stay = {b"stay-%07d" % number for number in range(ENTRIES)}
        names = [*stay, *(b"goes-%d" % number for number in range(500))]
        random.Random(1).shuffle(names)
        self.assertEqual(make(self.client, self.dir, names), {OK})
        both = clients_of_both(ARRAY, self.port)
        changer = Nfs3(self.port)
        self.addCleanup(changer.close)
        for procedure, limits in (("readdir", {"count": 32_768}),
                                  ("readdirplus", {"dircount": 32_768, "maxcount": 131_072})):
            listed, cookie, page, turn = [], 0, None, 0
            while page is None or not page.eof:
                turn += 1
                name = ("gateway-1", "gateway-2")[turn % 2]
                page = both[name].ok(procedure, self.dir, cookie=cookie, **limits)
                listed += [entry.name for entry in page.entries]
                cookie = page.entries[-1].cookie if page.entries else cookie
                changes = [("create", (self.dir, b"%s-%d" % (procedure.encode(), turn)), {}),
                           ("create", (self.dir, b"zz-%s-%d" % (procedure.encode(), turn)), {})]
                if page.entries and page.entries[-1].name.startswith((b"goes", b"zz-", b"read")):
                    changes.append(("remove", (self.dir, page.entries[-1].name), {}))
                self.assertEqual({each.status for each in changer.all(changes)}, {OK})
                if turn == 4:
                    for client in (*both.values(), changer):
                        client.close()
                    ARRAY.kill("gateway-2")
                    ARRAY.start("gateway-2")
                    both = clients_of_both(ARRAY, self.port)
                    changer = Nfs3(self.port)
                    self.addCleanup(changer.close)
            self.assertGreater(turn, 6)
            self.assertEqual(len(listed), len(set(listed)), f"{procedure}: nothing twice")
            self.assertEqual(stay - set(listed), set(), f"{procedure}: all of it")
        for client in both.values():
            client.close()
        self.client = Nfs3(self.port)
        self.addCleanup(self.client.close)
        attributes = {entry.fileid for page in self.client.pages(self.dir, maxcount=1 << 20,
                                                                 dircount=1 << 20)
                      for entry in page if entry.name in stay and entry.attributes
                      and entry.object}
        self.assertEqual(len(attributes), ENTRIES, "attributes and a handle of each")


if __name__ == "__main__":
    with Array(blades=6, gateways=2, partitions=16, blade_size="4GiB" if SOAK else "1GiB"
               ) as ARRAY:
        ended = unittest.main(verbosity=2, exit=False).result
        if not ended.wasSuccessful():
            sys.exit(1)
