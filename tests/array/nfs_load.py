"""NFS clients that write, create, rename and remove, each in directories of its own, and know what
must be there. They ask again as a kernel's client does: the same call over a new connection when
one breaks, a new call after NFS3ERR_JUKEBOX."""
import random
import socket
import threading
import time

from nfs3_calls import GUARDED, Nfs3, arguments, decode
from nfs_client import JUKEBOX, NOENT, OK

PATIENCE = 20  # seconds without a reply, after which a client connects anew


class Worker:
    def __init__(self, port, root, number, seed):
        self.port = port
        self.dice = random.Random(f"{seed}/{number}")
        self.client = self.connect()
        self.directories = [self.client.ok("mkdir", root, b"%d-%d" % (number, i), mode=0o777).object
                            for i in range(3)]
        self.files = {}  # (directory, name) to (handle, bytes)
        self.made = 0
        self.answers = self.jukeboxes = self.reconnects = 0
        self.longest = (0.0, "")  # from asking to the answer
        self.error = None

    def connect(self):
        client = Nfs3(self.port)
        client.socket.settimeout(PATIENCE)
        return client

    def again(self):
        """A connection in place of one that broke; the next call has the next id all the same."""
        self.reconnects += 1
        xid = self.client.xid
        self.client.close()
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.client = self.connect()
                self.client.xid = xid
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise

    def ask(self, procedure, *values, **named):
        body = arguments(procedure, *values, **named)
        started = time.monotonic()
        while True:
            xid = self.client.next_xid()
            while True:
                try:
                    result = decode(procedure, self.client.raw(procedure, body, xid))
                    break
                except (ConnectionError, socket.timeout):
                    self.again()
            if result.status != JUKEBOX:
                break
            self.jukeboxes += 1
            time.sleep(0.1)  # clients of Linux wait for 5 s
        took = time.monotonic() - started
        self.longest = max(self.longest, (took, procedure))
        self.answers += 1
        assert result.status == OK or (procedure, result.status) == ("lookup", NOENT), (
            f"{procedure} {values[1:]}: status {result.status} after {took:.2f} s")
        return result

    def place(self):
        self.made += 1
        return self.dice.choice(self.directories), b"file-%d" % self.made

    def create(self):
        place = self.place()
        made = self.ask("create", *place, how=GUARDED)
        self.files[place] = (made.object, bytearray())

    def write(self, place):
        handle, data = self.files[place]
        size = self.dice.choice((1, 100, 4096, 60_000, 300_000))
        at = self.dice.randrange(len(data) + 1000)
        fresh = self.dice.randbytes(size)
        result = self.ask("write", handle, fresh, offset=at)
        assert result.count == size
        data.extend(bytes(max(0, at + size - len(data))))
        data[at:at + size] = fresh

    def rename(self, place):
        """Every other time over a file that is there."""
        to = self.dice.choice(list(self.files)) if self.dice.random() < 0.5 else self.place()
        if to == place:
            return
        self.ask("rename", *place, *to)
        self.files[to] = self.files.pop(place)

    def remove(self, place):
        self.ask("remove", *place)
        del self.files[place]

    def read(self, place):
        handle, data = self.files[place]
        got = self.ask("read", handle)
        assert got.data == data[:1 << 20], f"{place[1]}: wrong bytes"

    def step(self):
        kinds = [self.write, self.write, self.rename, self.remove, self.read]
        if not self.files or (len(self.files) < 30 and self.dice.random() < 0.3):
            self.create()
        else:
            self.dice.choice(kinds)(self.dice.choice(list(self.files)))

    def run(self, ended):
        try:
            while not ended.is_set():
                self.step()
        except Exception as error:  # pylint: disable=broad-except
            self.error = f"{type(error).__name__}: {error}"

    def check(self):
        """All that was answered is there, and nothing else."""
        for directory in self.directories:
            expected = {name for where, name in self.files if where == directory}
            got = self.client.names(directory)
            assert sorted(got) == sorted(expected), (set(got) ^ expected, len(got))
        for (directory, name), (handle, data) in self.files.items():
            assert self.client.ok("lookup", directory, name).object == handle
            at, got = 0, bytearray()
            while at < len(data):
                got += self.client.ok("read", handle, offset=at).data
                assert len(got) > at, "fewer bytes than were written"
                at = len(got)
            assert got == data, f"{name}: wrong bytes"
            assert self.client.attributes(handle).size == len(data)


class NfsLoad:
    """`with NfsLoad(port, root, seed) as load:` runs inside."""

    def __init__(self, port, root, seed, workers=6):
        self.workers = [Worker(port, root, number, seed) for number in range(workers)]
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=each.run, args=(self.ended,))
                        for each in self.workers]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def wait_for_answers(self, count, array):
        """So many to each from now on."""
        goals = [(each, each.answers + count) for each in self.workers]
        array.wait_for(lambda: all(each.error or each.answers >= goal for each, goal in goals), 60,
                       f"{count} answers to each client: {[e.answers for e in self.workers]}")

    def fresh_times(self):
        for each in self.workers:
            each.longest = (0.0, "")

    def longest(self):
        return max(each.longest for each in self.workers)

    def errors(self):
        return [each.error for each in self.workers if each.error]

    def sum(self, what):
        return sum(getattr(each, what) for each in self.workers)

    def check(self):
        for each in self.workers:
            each.check()

    def close(self):
        for each in self.workers:
            each.client.close()
