"""The C++ client of include/turbine against a real array, and S3's view of the same objects."""
import hashlib
import os
import subprocess
import unittest

from turbine_array import Array

TOOL = os.environ["TURBINE_OBJECT_TOOL"]
CHECK = os.environ["TURBINE_CLIENT_CHECK"]


def random_bytes(size):
    return os.urandom(size)


class ClientApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.array = Array(blades=6)
        cls.array.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.array.__exit__(None, None, None)

    def tool(self, *words, data=b"", expect=0):
        done = subprocess.run([TOOL, self.array.dir, *words], input=data, capture_output=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, expect, (words, done.stderr))
        return done

    def test_one_client_keeps_what_it_promises(self):
        done = subprocess.run([CHECK, self.array.dir], capture_output=True, text=True, timeout=120,
                              check=False)
        self.assertEqual((done.returncode, done.stdout), (0, "ok\n"), done.stderr)

    def test_s3_sees_what_the_client_wrote_and_the_reverse(self):
        s3 = self.array.s3()
        self.tool("mb", "both")
        for number, size in enumerate([0, 1, 4096, 70_000, 3_000_001]):
            data = random_bytes(size)
            self.tool("put", "both", f"dir/native-{number}", data=data)
            self.assertEqual(s3.get("both", f"dir/native-{number}"), data)
            s3.put("both", f"dir/s3-{number}", data)
            self.assertEqual(self.tool("get", "both", f"dir/s3-{number}").stdout, data)
            head = self.tool("head", "both", f"dir/s3-{number}").stdout.decode()
            self.assertIn(f"etag {hashlib.md5(data).hexdigest()}\n", head)
        headers = s3.call("HEAD", "both", "dir/native-1")[0]
        self.assertEqual(headers["x-amz-meta-made-by"], "object_tool")
        self.assertEqual(headers["content-length"], "1")
        listed = [line.split(" ", 1)[1] for line in
                  self.tool("ls", "both", "dir/").stdout.decode().splitlines()]
        self.assertEqual(listed, s3.keys("both"))
        self.assertEqual(self.tool("get", "both", "dir/native-4", "5", "0").stdout, b"")
        self.assertEqual(self.tool("rm", "both", "dir/s3-0").stdout, b"removed\n")
        self.assertEqual(self.tool("rm", "both", "dir/s3-0").stdout, b"was not there\n")
        refused = self.tool("rb", "both", expect=1)
        self.assertTrue(refused.stderr.startswith(b"not_empty: "), refused.stderr)

    def test_failures_are_said(self):
        self.assertIn(b"not_found: ", self.tool("get", "nowhere", "x", expect=1).stderr)
        self.assertIn(b"invalid: ", self.tool("mb", "No_Bucket", expect=1).stderr)
        self.assertIn(b"usage: ", self.tool("put", "nowhere", expect=2).stderr)

    def test_reads_go_on_without_two_blades(self):
        with Array(blades=6) as array:
            s3 = array.s3()
            s3.create_bucket("load")
            data = random_bytes(2_000_000)
            keys = [f"p{i}/object" for i in range(24)]
            for key in keys:
                s3.put("load", key, data)
            for blade in ["blade-2", "blade-5"]:
                array.kill(blade)
            answered = 0
            for key in keys:
                done = subprocess.run([TOOL, array.dir, "get", "load", key], capture_output=True,
                                      timeout=60, check=False)
                if done.returncode == 0:
                    self.assertEqual(done.stdout, data)
                    answered += 1
                else:  # its name lives on a dead blade
                    self.assertTrue(done.stderr.startswith(b"unavailable: "), done.stderr)
            self.assertGreater(answered, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
