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
RETRY_PAUSES = [0.5, 2.0]  # the second try, the third


def content(seed, size):
    return random.Random(seed).randbytes(size)


def digest(data):
    return hashlib.sha256(data).digest()


class Worker(threading.Thread):
    """Puts, overwrites, reads and deletes keys of its own, one after another. What is refused or
    stays unclear after `tries` tries is counted and kept in `errors`."""

    def __init__(self, s3, bucket, name, seed, key_count, tries=1):
        super().__init__(daemon=True)
        self.s3, self.bucket, self.prefix = s3, bucket, name
        self.random = random.Random(seed)
        self.keys = [f"{name}/{i % 7}/{i}" for i in range(key_count)]
        self.possible = {key: {ABSENT} for key in self.keys}  # digests, any of which may be there
        self.stop = threading.Event()
        self.tries = tries
        self.acknowledged = self.refused = self.unclear = self.reads = 0
        self.slowest = 0.0
        self.answered_at = []  # when a step ended well
        self.errors = []
        self.retried = []  # errors that another try followed
        self.failures = []

    def run(self):
        while not self.stop.is_set():
            try:
                self.step()
            except Exception as error:  # pylint: disable=broad-except
                self.failures.append(repr(error))
                return

    def step(self):
        key = self.random.choice(self.keys)
        kind = self.random.random()
        started = time.monotonic()
        try:
            if kind < 0.55:
                self.put(key)
            elif kind < 0.65:
                self.remove(key)
            else:
                self.check(key)
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
        self.slowest = max(self.slowest, time.monotonic() - started)

    def persist(self, call):
        """As SDKs do: another try after a 5xx or a lost connection, soon and then later."""
        for number in range(self.tries):
            started = time.monotonic()
            try:
                return call()
            except (S3Error, *UNCLEAR) as error:
                if number + 1 == self.tries or getattr(error, "status", 500) < 500:
                    raise
                self.retried.append(f"after {time.monotonic() - started:.2f} s: {error!r}")
            time.sleep(RETRY_PAUSES[number])
        raise AssertionError("no try was made")

    def longest_gap(self):
        """Between two answers, in seconds."""
        times = self.answered_at
        return max((after - before for before, after in zip(times, times[1:])), default=0.0)

    def put(self, key):
        data = content(self.random.getrandbits(64), self.random.choices(SIZES, WEIGHTS)[0])
        mark = digest(data)
        before = self.possible[key]
        self.possible[key] = before | {mark}  # until it is answered
        self.persist(lambda: self.s3.put(self.bucket, key, data))
        self.possible[key] = {mark}
        self.acknowledged += 1

    def remove(self, key):
        self.possible[key] = self.possible[key] | {ABSENT}
        self.persist(lambda: self.s3.delete(self.bucket, key))
        self.possible[key] = {ABSENT}
        self.acknowledged += 1

    def check(self, key):
        """An answer must be one of the possible contents; what was read stays."""
        try:
            mark = digest(self.persist(lambda: self.s3.get(self.bucket, key)))
        except S3Error as error:
            if error.status != 404:
                raise
            mark = ABSENT
        if mark not in self.possible[key]:
            raise AssertionError(f"{key} reads as {mark and mark.hex()[:12]}, possible: "
                                 f"{[m and m.hex()[:12] for m in self.possible[key]]}")
        self.possible[key] = {mark}
        self.reads += 1


class Load:
    """Workers that go on where they stopped; between, verify() reads every key."""

    def __init__(self, array, bucket, seed, workers=4, keys=40, tries=1):
        self.array, self.bucket = array, bucket
        self.workers = [Worker(array.s3(timeout=20), bucket, f"w{i}", f"{seed}-{i}", keys, tries)
                        for i in range(workers)]

    def start(self):
        fresh = []
        for old in self.workers:
            new = Worker(old.s3, old.bucket, old.prefix, old.random.getrandbits(64), len(old.keys),
                         old.tries)
            new.possible = old.possible
            fresh.append(new)
            new.start()
        self.workers = fresh

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

    def retried(self):
        return [error for worker in self.workers for error in worker.retried]

    def longest_gap(self):
        return max(worker.longest_gap() for worker in self.workers)

    def wait_for_answers(self, count, seconds):
        """Until each worker has had so many more. A worker that failed has none."""
        goals = [len(worker.answered_at) + count for worker in self.workers]
        self.array.wait_for(
            lambda: all(len(worker.answered_at) >= goal or worker.failures
                        for worker, goal in zip(self.workers, goals)),
            seconds, f"{count} answers to each worker ({self.errors()[-3:]})")

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
