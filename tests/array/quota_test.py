"""A bucket's quota on a real array: set by the command, held by S3 and NFS alike, also after blades
have died."""
import json
import unittest

from nfs_client import DQUOT, JUKEBOX, OK, RpcClient
from s3_client import S3Error
from turbine_array import Array

MIB = 1 << 20


class Quota(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.array = Array(blades=6, partitions=32)
        cls.array.__enter__()
        cls.s3 = cls.array.s3()

    @classmethod
    def tearDownClass(cls):
        cls.array.__exit__(None, None, None)

    def bucket(self, name):
        self.s3.create_bucket(name)
        client = RpcClient(int(self.array.settings()["TURBINE_NFS_PORT"]))
        self.addCleanup(client.close)
        status, handle = client.mnt("/" + name)
        self.assertEqual(status, OK)
        return client, handle

    def listed(self, name):
        buckets = json.loads(self.array.run("bucket", "list", "-o", "json").stdout)
        return next(bucket for bucket in buckets if bucket["name"] == name)

    def wait_for_space(self, client, handle, total, free):
        self.array.wait_for(lambda: client.space(handle) == (total, free), 2,
                            f"{free} bytes free of {total}")

    def refused(self, bucket, key, size):
        with self.assertRaises(S3Error) as raised:
            self.s3.put(bucket, key, bytes(size))
        self.assertEqual((raised.exception.status, raised.exception.code), (403, "QuotaExceeded"))

    def write(self, client, handle, offset, size):
        """The status of a WRITE that is sent again while it is to wait."""
        result = []

        def answered():
            result.append(client.write(handle, offset, bytes(size)))
            return result[-1] != JUKEBOX
        self.array.wait_for(answered, 20, "an answer but JUKEBOX")
        return result[-1]

    def test_holds_to_the_byte_for_both_doors(self):
        client, root = self.bucket("both")
        self.s3.put("both", "before", bytes(MIB))
        said = self.array.run("bucket", "set", "both", "--quota", "3MiB").stdout
        self.assertIn("quota 3.0 MiB, of which 1.0 MiB are used", said)
        self.wait_for_space(client, root, 3 * MIB, 2 * MIB)
        self.s3.put("both", "d/file", bytes(MIB))
        directory = client.lookup(root, "d")[1]
        file = client.lookup(directory, "file")[1]
        self.assertEqual(self.write(client, file, MIB, MIB - 1), OK)
        self.assertEqual(self.write(client, file, 2 * MIB - 1, 2), DQUOT)
        self.refused("both", "two", 2)
        self.s3.put("both", "one", bytes(1))
        self.assertEqual(self.write(client, file, 2 * MIB - 1, 1), DQUOT)
        self.wait_for_space(client, root, 3 * MIB, 0)
        self.assertEqual(self.write(client, file, 0, MIB), OK, "nothing is longer")
        self.refused("both", "large", 8 * MIB)
        bucket = self.listed("both")
        self.assertEqual(bucket["quota_limit"], 3 * MIB)
        self.assertEqual(bucket["space"]["virtual"], 3 * MIB)
        self.assertEqual(bucket["object_count"], 3)
        self.assertIn("3.0 MiB", self.array.run("bucket", "list").stdout)
        self.s3.delete("both", "before")
        self.s3.put("both", "again", bytes(MIB))
        self.array.run("bucket", "set", "both", "--quota", "none")
        self.s3.put("both", "large", bytes(8 * MIB))
        self.assertIsNone(self.listed("both")["quota_limit"])

    def test_outlives_two_blades(self):
        client, root = self.bucket("lasting")
        for i in range(8):
            self.s3.put("lasting", f"d{i}/f", bytes(1000))
        self.array.run("bucket", "set", "lasting", "--quota", "10000")
        for name in ("blade-1", "blade-2"):
            self.array.kill(name)
        self.s3.put("lasting", "e/f", bytes(1999))
        self.refused("lasting", "g/f", 2)
        self.s3.put("lasting", "g/f", bytes(1))
        self.wait_for_space(client, root, 10_000, 0)
        for name in ("blade-1", "blade-2"):
            self.array.start(name)
        self.array.wait_until_whole()
        self.refused("lasting", "h", 1)
        self.s3.delete("lasting", "d3/f")
        self.s3.put("lasting", "h", bytes(1000))
        self.refused("lasting", "i", 1)

    def test_owner_and_mode(self):
        client, root = self.bucket("owned")
        said = self.array.run("bucket", "set", "owned", "--owner", "1000:100", "--mode", "0750")
        self.assertEqual(said.stdout, "owned: owner 1000:100, mode 0750, no quota\n")
        self.s3.put("owned", "f", b"x")
        self.assertNotEqual(client.lookup(root, "f")[0], OK, "others have no right to search")
        for wrong in (["--owner", "1000"], ["--mode", "9"], ["--quota", "much"], []):
            self.assertNotEqual(
                self.array.run("bucket", "set", "owned", *wrong, expect=None).returncode, 0)
        absent = self.array.run("bucket", "set", "absent", "--quota", "1GiB", expect=None)
        self.assertIn("bucket absent does not exist", absent.stderr)
        self.assertNotEqual(absent.returncode, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
