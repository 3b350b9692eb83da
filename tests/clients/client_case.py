"""What the tests of real clients share: the array, trees of files, and programs run in a clean
environment."""
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "array"))
from s3_client import S3  # pylint: disable=wrong-import-position

ARRAY = pathlib.Path(os.environ["TURBINE_CLIENTS_ARRAY"])
SIZES = {"empty": 0, "one byte": 1, "5 MiB": 5 << 20, "64 MiB": 64 << 20}
MANY = 2500


def settings():
    lines = (ARRAY / "env").read_text().splitlines()
    return dict(line.removeprefix("export ").split("=", 1) for line in lines)


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digests(tree):
    """relative path → (size, SHA-256) of every file below."""
    return {str(path.relative_to(tree)): (path.stat().st_size, sha256(path))
            for path in pathlib.Path(tree).rglob("*") if path.is_file()}


class ClientCase(unittest.TestCase):
    """A test gets an empty directory, a bucket name of its own, and `files` to send."""
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.root = pathlib.Path(tempfile.mkdtemp(prefix="turbine-client-"))
        cls.addClassCleanup(shutil.rmtree, cls.root, ignore_errors=True)
        cls.settings = settings()
        cls.endpoint = cls.settings["AWS_ENDPOINT_URL"]
        cls.files = cls.root / "files"
        for name, size in SIZES.items():
            path = cls.files / "deep + far" / "größe" / name if size == 1 else cls.files / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(os.urandom(size))

    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(dir=self.root))
        self.bucket = f"bucket-{uuid.uuid4().hex[:12]}"

    def environment(self):
        """Nothing of the user's: no configuration, no credentials but the array's."""
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        aws = {name: value for name, value in self.settings.items() if name.startswith("AWS_")}
        return {**kept, **aws, "HOME": str(self.root), "LANG": "C.UTF-8",
                "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1",
                "NO_PROXY": "127.0.0.1"}

    def run_tool(self, *words, expect=0, more_env=None, text=True):
        done = subprocess.run([str(word) for word in words], capture_output=True, text=text,
                              timeout=100, check=False, stdin=subprocess.DEVNULL,
                              env={**self.environment(), **(more_env or {})}, cwd=self.work)
        self.assertEqual(done.returncode, expect, (words, done.stdout[-2000:],
                                                   done.stderr[-2000:]))
        return done.stdout

    def curl(self, url, *words):
        """(HTTP status, body file) of one request by curl."""
        out = self.work / f"curl-{uuid.uuid4().hex}"
        status = self.run_tool("curl", "-sS", "-o", out, "-w", "%{http_code}", *words, url)
        return int(status), out

    def s3(self):
        """The tests' own client, to prepare and to look from another side."""
        env = self.settings
        return S3(env["AWS_ENDPOINT_URL"], env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"],
                  env["AWS_DEFAULT_REGION"])

    def fill(self, prefix="many", count=MANY, threads=4):
        """Puts `count` small objects; returns their keys, sorted."""
        keys = [f"{prefix}/{i // 100:02}/object-{i:05}" for i in range(count)]
        failures = []

        def put(some):
            s3 = self.s3()
            try:
                for key in some:
                    s3.put(self.bucket, key, key.encode())
            except Exception as error:  # pylint: disable=broad-except
                failures.append(error)
            s3.close()
        workers = [threading.Thread(target=put, args=(keys[i::threads],)) for i in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertEqual(failures, [])
        return keys

    def assert_same_tree(self, left, right):
        expected = digests(left)
        self.assertGreater(len(expected), 0)
        self.assertEqual(expected, digests(right))
