"""Load with a memory: what was acknowledged must read back, byte for byte."""
import hashlib
import http.client
import random
import threading
import time

from s3_client import S3Error

ABSENT = None
UNCLEAR = (OSError, http.client.HTTPException)
SIZES = [0, 1, 100, 4096, 20_000, 70_000, 300_000, 1_200_000, 3_000_000]
WEIGHTS = [2, 2, 10, 20, 10, 10, 8, 4, 1]


def content(seed, size):
    return random.Random(seed).randbytes(size)


def digest(data):
    return hashlib.sha256(data).digest()


class Client(threading.Thread):
    """Does one thing after another until told to stop. What is refused or stays unclear is counted
    and kept in `errors`; anything else that goes wrong ends it and is in `failures`."""

    def __init__(self, s3, bucket, name, seed):
        super().__init__(daemon=True)
        self.s3, self.bucket, self.prefix = s3, bucket, name
        self.random = random.Random(seed)
        self.stop = threading.Event()
        self.refused = self.unclear = 0
        self.answered_at = []  # when a step ended well
        self.errors = []
        self.failures = []

    def successor(self):
        """One that goes on where this one stopped."""
        raise NotImplementedError

    def act(self, key):
        raise NotImplementedError

    def some_key(self):
        return self.random.choice(self.keys)

    def run(self):
        while not self.stop.is_set():
            try:
                self.step()
            except Exception as error:  # pylint: disable=broad-except
                self.failures.append(repr(error))
                return

    def step(self):
        key = self.some_key()
        started = time.monotonic()
        try:
            self.act(key)
            self.answered_at.append(time.monotonic())
        except S3Error as error:
            if error.status != 503:
                raise
            self.refused += 1
            self.errors.append(f"{key} after {time.monotonic() - started:.2f} s: {error}")
            time.sleep(0.02)
        except UNCLEAR as error:
            self.unclear += 1
            self.errors.append(f"{key} after {time.monotonic() - started:.2f} s: {error!r}")
            time.sleep(0.05)

    def longest_gap(self):
        """Between two answers, in seconds."""
        times = self.answered_at
        return max((after - before for before, after in zip(times, times[1:])), default=0.0)


class Worker(Client):
    """Puts, overwrites, reads and deletes keys of its own."""

    def __init__(self, s3, bucket, name, seed, key_count):
        super().__init__(s3, bucket, name, seed)
        self.keys = [f"{name}/{i % 7}/{i}" for i in range(key_count)]
        self.possible = {key: {ABSENT} for key in self.keys}  # digests, any of which may be there
        self.acknowledged = self.reads = 0

    def successor(self):
        new = Worker(self.s3, self.bucket, self.prefix, self.random.getrandbits(64),
                     len(self.keys))
        new.possible = self.possible
        return new

    def act(self, key):
        kind = self.random.random()
        if kind < 0.55:
            self.put(key)
        elif kind < 0.65:
            self.remove(key)
        else:
            self.check(key)

    def put(self, key):
        data = content(self.random.getrandbits(64), self.random.choices(SIZES, WEIGHTS)[0])
        mark = digest(data)
        before = self.possible[key]
        self.possible[key] = before | {mark}  # until it is answered
        self.s3.put(self.bucket, key, data)
        self.possible[key] = {mark}
        self.acknowledged += 1

    def remove(self, key):
        self.possible[key] = self.possible[key] | {ABSENT}
        self.s3.delete(self.bucket, key)
        self.possible[key] = {ABSENT}
        self.acknowledged += 1

    def check(self, key):
        """An answer must be one of the possible contents; what was read stays."""
        try:
            mark = digest(self.s3.get(self.bucket, key))
        except S3Error as error:
            if error.status != 404:
                raise
            mark = ABSENT
        if mark not in self.possible[key]:
            raise AssertionError(f"{key} reads as {mark and mark.hex()[:12]}, possible: "
                                 f"{[m and m.hex()[:12] for m in self.possible[key]]}")
        self.possible[key] = {mark}
        self.reads += 1


class Clients:
    """Several at once, which go on where they stopped."""

    def __init__(self, array, workers):
        self.array, self.workers = array, workers

    def start(self):
        self.workers = [worker.successor() for worker in self.workers]
        for worker in self.workers:
            worker.start()

    def stop(self):
        for worker in self.workers:
            worker.stop.set()
        for worker in self.workers:
            worker.join(60)
            assert not worker.is_alive(), "a request hangs"
            assert not worker.failures, worker.failures

    def total(self, what):
        return sum(getattr(worker, what) for worker in self.workers)

    def errors(self):
        return [error for worker in self.workers for error in worker.errors]

    def longest_gap(self):
        return max(worker.longest_gap() for worker in self.workers)

    def wait_for_answers(self, count, seconds):
        """Until each worker has had so many more. A worker that failed has none."""
        goals = [len(worker.answered_at) + count for worker in self.workers]
        self.array.wait_for(
            lambda: all(len(worker.answered_at) >= goal or worker.failures
                        for worker, goal in zip(self.workers, goals)),
            seconds, f"{count} answers to each worker ({self.errors()[-3:]})")


class Load(Clients):
    """Workers; when they are stopped, verify() reads every key."""

    def __init__(self, array, bucket, seed, workers=4, keys=40):
        super().__init__(array, [Worker(array.s3(timeout=20), bucket, f"w{i}", f"{seed}-{i}", keys)
                                 for i in range(workers)])

    def verify(self, seconds=20, revive=lambda: None):
        """Every key must be readable soon after all blades are back; revive() brings back those
        that died meanwhile."""
        for worker in self.workers:
            for key in worker.keys:
                deadline = time.monotonic() + seconds
                while True:
                    try:
                        worker.check(key)
                        break
                    except (S3Error, *UNCLEAR) as error:
                        if time.monotonic() > deadline:
                            raise AssertionError(f"{key} is not readable: {error}") from error
                        revive()
                        time.sleep(0.05)
        revive()

    def read_what_answers(self, slowest_allowed=2):
        """Reads all once while blades are dead: right bytes, or 503 in time. Returns (answered,
        refused, seconds of the slowest refusal)."""
        answered = refused = 0
        slowest = 0.0
        for worker in self.workers:
            for key in worker.keys:
                started = time.monotonic()
                try:
                    worker.check(key)
                    answered += 1
                except S3Error as error:
                    assert error.status == 503, error
                    refused += 1
                    slowest = max(slowest, time.monotonic() - started)
        assert slowest < slowest_allowed, f"a 503 took {slowest:.1f} s"
        return answered, refused, slowest
