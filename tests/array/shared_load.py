"""Load on keys that all clients share, with a history of what each asked and was told."""
import hashlib
import itertools
import json
import os
import random
import struct
import subprocess
import threading
import time

from checked_load import UNCLEAR, Client, Clients
from s3_client import S3Error

CHECKER = os.environ["TURBINE_HISTORY"]  # tests/sim/history_main.cpp
KEYS = 8  # at a time: few, so that clients meet
SIZES = [16, 100, 4096, 20_000, 70_000, 300_000, 1_200_000]
WEIGHTS = [10, 20, 20, 10, 8, 6, 2]
RETRY_PAUSES = [0.5, 2.0]  # the second try, the third
RECONNECT = 0.05  # the chance with each operation: the kernel shares connections among gateways


class History:
    """A file of JSON lines, one for each operation; tests/sim/history_file.hpp says what is in
    them. Versions name contents; each is put by one client, with one try or several."""

    def __init__(self, path):
        self.path = path
        self.file = open(path, "w", encoding="utf-8")
        self.lock = threading.Lock()
        self.versions = itertools.count(1)
        self.etags = {}

    def close(self):
        self.file.close()

    def content(self, size):
        """(version, bytes) of a new content."""
        version = next(self.versions)
        data = struct.pack(">Q", version) + random.Random(version).randbytes(size - 8)
        self.etags[version] = hashlib.md5(data).hexdigest()
        return version, data

    def version_of(self, data, etag):
        """Of what was read, which must be all of one content."""
        version = struct.unpack(">Q", data[:8])[0] if len(data) >= 8 else 0
        read = hashlib.md5(data).hexdigest()
        if self.etags.get(version) != read or etag.strip('"') != read:
            raise AssertionError(f"{len(data)} bytes that begin as version {version} have MD5 "
                                 f"{read} and ETag {etag}, put with {self.etags.get(version)}")
        return version

    def note(self, **record):
        with self.lock:
            self.file.write(json.dumps(record) + "\n")

    def check(self, path=None):
        """(whether it is linearizable, what the checker says)."""
        self.file.flush()
        done = subprocess.run([CHECKER, path or self.path], capture_output=True, text=True,
                              timeout=300, check=False)
        assert done.returncode in (0, 1), (done.returncode, done.stderr)
        return done.returncode == 0, done.stdout.strip()

    def records(self):
        self.file.flush()
        with open(self.path, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]


class SharingClient(Client):
    """Gets, puts, puts on a condition and deletes keys that others use at the same time. Tries
    again as SDKs do, each try an operation of its own: all of them may have happened."""

    def __init__(self, s3, bucket, name, seed, load):
        super().__init__(s3, bucket, name, seed)
        self.load, self.history = load, load.history
        self.keys = load.keys
        self.seen = {}  # versions by key, for conditions
        self.retried = []  # what was asked, and the error that another try followed

    def successor(self):
        return SharingClient(self.s3, self.bucket, self.prefix, self.random.getrandbits(64),
                             self.load)

    def act(self, key):
        if self.random.random() < RECONNECT:
            self.s3.close()
        kind = self.random.random()
        if kind < 0.45:
            self.get(key)
        elif kind < 0.75:
            self.put(key)
        elif kind < 0.82:
            self.put(key, if_version=0)
        elif kind < 0.88:
            self.put(key, if_version=self.seen.get(key))
        else:
            self.delete(key)

    def get(self, key):
        def ask(answer):
            headers, data = self.s3.call("GET", self.bucket, key)
            answer["version"] = self.seen[key] = self.history.version_of(data, headers["ETag"])
        self.persist({"op": "get", "key": key}, ask)

    def put(self, key, if_version=None):
        version, data = self.history.content(self.random.choices(SIZES, WEIGHTS)[0])
        asked = {"op": "put", "key": key, "version": version}
        headers = {}
        if if_version is not None:
            asked["if_version"] = if_version
            headers = ({"if-match": f'"{self.history.etags[if_version]}"'} if if_version
                       else {"if-none-match": "*"})

        def ask(_answer):
            self.s3.call("PUT", self.bucket, key, body=data, headers=headers)
            self.seen[key] = version
        self.persist(asked, ask)

    def delete(self, key):
        self.persist({"op": "delete", "key": key},
                     lambda _answer: self.s3.delete(self.bucket, key))

    def persist(self, asked, ask):
        """Another try after a 5xx or a lost connection, soon and then later."""
        for pause in [*RETRY_PAUSES, None]:
            started = time.monotonic()
            try:
                return self.once(asked, ask)
            except (S3Error, *UNCLEAR) as error:
                if pause is None or getattr(error, "status", 500) < 500:
                    raise
                self.retried.append((asked, f"{time.monotonic() - started:.2f} s: {error!r}"))
            time.sleep(pause)

    def once(self, asked, ask):
        answer = {"client": self.prefix, **asked, "begin": time.monotonic_ns()}
        result = "unknown"
        try:
            ask(answer)
            result = "ok"
        except S3Error as error:
            if error.status < 500:
                result = {404: "absent", 412: "precondition_failed"}.get(error.status)
                if result is None:
                    raise
                self.seen.pop(asked["key"], None)
            else:
                raise
        finally:
            if result:
                self.history.note(**answer, end=time.monotonic_ns(), result=result)


class SharedLoad(Clients):
    """Clients on one small set of keys, a new one after each fresh_keys(), so that the history of
    a key stays short enough to be checked."""

    def __init__(self, array, bucket, seed, clients=6):
        self.history = History(array.root / "history.jsonl")
        self.all_keys, self.keys = [], []
        self.generation = 0
        self.fresh_keys()
        super().__init__(array, [
            SharingClient(array.s3(timeout=20), bucket, f"c{i}", f"{seed}-{i}", self)
            for i in range(clients)])

    def fresh_keys(self):
        """In directories of their own, some of them empty at times."""
        self.generation += 1
        self.keys = [f"r{self.generation}/{i % 4}/{i}" for i in range(KEYS)]
        self.all_keys += self.keys

    def set_timeout(self, seconds):
        """After which clients give up; to be set while they are stopped."""
        for worker in self.workers:
            worker.s3.timeout = seconds
            worker.s3.close()

    def retried(self):
        return [each for worker in self.workers for each in worker.retried]

    def read(self, keys):
        """Once each, without a second try."""
        reader = self.workers[0].successor()
        for key in keys:
            reader.get(key)
        assert not reader.retried, reader.retried
