"""One etcd of one member for tests of arrays."""
import json
import pathlib
import shutil
import subprocess
import tempfile
import urllib.request

from turbine_array import Array, free_ports


class Etcd:
    """`start()` returns when it is healthy; the data lives until `stop()`."""

    def __init__(self, host="127.0.0.1", port=None):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="turbine-etcd-"))
        self.host = host
        self.port, self.peer_port = free_ports(2)
        self.port = port or self.port
        self.process = None
        self.log = open(self.root / "log", "ab")  # closed by stop()

    def url(self):
        return f"etcd://{self.host}:{self.port}"

    def start(self):
        client = f"http://{self.host}:{self.port}"
        peer = f"http://{self.host}:{self.peer_port}"
        self.process = subprocess.Popen(
            ["etcd", "--data-dir", self.root / "data", "--listen-client-urls", client,
             "--advertise-client-urls", client, "--listen-peer-urls", peer,
             "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}"],
            stdout=self.log, stderr=self.log)
        Array.wait_for(self.healthy, 20, f"etcd; see {self.root}/log")

    def healthy(self):
        assert self.process.poll() is None, (self.root / "log").read_text()[-2000:]
        try:
            with urllib.request.urlopen(f"http://{self.host}:{self.port}/health",
                                        timeout=2) as page:
                return json.load(page)["health"] == "true"
        except OSError:
            return False

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    def stop(self):
        self.kill()
        self.log.close()
        shutil.rmtree(self.root, ignore_errors=True)
