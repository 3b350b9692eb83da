"""Arrays of real processes for tests: started in a temporary directory on free ports."""
import fcntl
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from s3_client import S3

BINARY = os.environ["TURBINE_BINARY"]
SOAK = bool(os.environ.get("TURBINE_SOAK"))


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def turbine(*arguments, env=None, timeout=120):
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True,
                          timeout=timeout, env={**os.environ, **(env or {})}, check=False)


def locked(file):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False


class Array:
    """`with Array(blades=6) as array:` is up inside; processes and files go at the end, the files
    stay when the test failed."""

    def __init__(self, blades=6, blade_size="1GiB", env=None, **flags):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="turbine-array-"))
        self.dir = self.root / "array"
        self.blades = blades
        self.flags = {"blades": blades, "blade-size": blade_size, **flags}
        self.env = env or {}
        self.up_seconds = 0.0
        self.clients = []
        self.children = []

    def __enter__(self):
        try:
            started = time.monotonic()
            self.up()
            self.up_seconds = time.monotonic() - started
        except BaseException:
            self.stop_all()
            raise
        return self

    def __exit__(self, failure, *_):
        for client in self.clients:
            client.close()
        self.stop_all()
        if failure is None:
            shutil.rmtree(self.root, ignore_errors=True)
        else:
            print(f"left for inspection: {self.root}")

    def up(self, expect=0):
        """The first time on free ports; they may be taken between the look and the start."""
        for attempt in range(5):
            arguments = ["up", "--dir", self.dir]
            if not (self.dir / "array.toml").exists() or attempt > 0:
                self.s3_port, self.admin_port, self.nfs_port = free_ports(3)
            arguments += ["--s3-port", self.s3_port, "--admin-port", self.admin_port,
                          "--nfs-port", self.nfs_port]
            for name, value in self.flags.items():
                arguments += [f"--{name}", value]
            done = turbine(*arguments, env=self.env)
            if done.returncode != 4 or "is taken" not in done.stderr:
                break
        assert expect in (None, done.returncode), (done.returncode, done.stdout, done.stderr)
        return done

    def run(self, *arguments, expect=0):
        done = turbine(*arguments, "--dir", self.dir, env=self.env)
        if expect is not None:
            assert done.returncode == expect, (arguments, done.returncode, done.stdout,
                                               done.stderr)
        return done

    def status(self):
        done = self.run("status", "-o", "json", expect=None)
        return done.returncode, json.loads(done.stdout) if done.stdout else None

    def settings(self):
        lines = (self.dir / "env").read_text().splitlines()
        return dict(line.removeprefix("export ").split("=", 1) for line in lines)

    def s3(self, timeout=30):
        env = self.settings()
        self.clients.append(S3(env["AWS_ENDPOINT_URL"], env["AWS_ACCESS_KEY_ID"],
                               env["AWS_SECRET_ACCESS_KEY"], env["AWS_DEFAULT_REGION"], timeout))
        return self.clients[-1]

    def names(self):
        return sorted(path.stem for path in (self.dir / "run").glob("*.pid"))

    def pid(self, name):
        """The process's pid, or None when it does not run (any more)."""
        try:
            pid = int((self.dir / "run" / f"{name}.pid").read_text())
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if str(self.dir).encode() in command else None

    def start(self, name):
        """A manager or gateway of an array that is up, as a supervisor starts it: `up` starts all
        or nothing, and `blade start` blades."""
        (self.dir / "run" / f"{name}.http").unlink(missing_ok=True)
        with open(self.dir / "run" / f"{name}.pid", "r+b") as pid_file, \
                open(self.dir / "log" / f"{name}.log", "ab") as log:
            assert locked(pid_file), f"{name} runs"  # as long as somebody who inherits it lives
            child = subprocess.Popen(
                [BINARY, name.split("-")[0], "--config", self.dir / "etc" / f"{name}.toml"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                pass_fds=[pid_file.fileno()], env={**os.environ, **self.env})
            self.children.append(child)
            pid_file.truncate()
            pid_file.write(f"{child.pid}\n".encode())
        self.wait_for(lambda: self.is_ready(name), 30, f"{name} to be ready")

    def is_ready(self, name):
        try:
            return self.http(name, "/health/ready")[0] == 200
        except OSError:
            return False

    def wait_until_whole(self, seconds=60):
        """Until each shard and each replica is where it belongs; says how long it took."""
        started = time.monotonic()

        def whole():
            code, status = self.status()
            return (code == 0 and status["protection"]["metadata_tolerance"] == 2
                    and not status["partitions"]["recruiting"]
                    and not status["partitions"]["at_risk"])
        try:
            self.wait_for(whole, seconds, "the array to be whole")
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.run('status', expect=None).stdout}") from error
        return time.monotonic() - started

    def gone(self, name):
        """It does not run, and nothing of it keeps another one from starting."""
        if self.pid(name):
            return False
        with open(self.dir / "run" / f"{name}.pid", "rb") as pid_file:
            return locked(pid_file)

    def kill(self, name, which=signal.SIGKILL):
        self.signal(name, which)
        if which == signal.SIGKILL:
            self.wait_for(lambda: self.gone(name), 10, f"{name} to be gone")

    def signal(self, name, which):
        pid = self.pid(name)
        assert pid, f"{name} does not run"
        os.kill(pid, which)

    def http(self, name, path, token=None):
        """(status, body) of the process's own page: /metrics, /health/live, /health/ready."""
        address = (self.dir / "run" / f"{name}.http").read_text().strip()
        request = urllib.request.Request(f"http://{address}{path}")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, name, metric):
        for line in self.http(name, "/metrics")[1].splitlines():
            if line.split(" ")[0] == metric:
                return float(line.split(" ")[1])
        raise AssertionError(f"{name} has no metric {metric}")

    def rss_bytes(self, name):
        for line in pathlib.Path(f"/proc/{self.pid(name)}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) << 10
        raise AssertionError(f"{name} has no VmRSS")

    def cpu_seconds(self):
        """Of all processes together, since their starts."""
        ticks = 0
        for name in self.names():
            text = pathlib.Path(f"/proc/{self.pid(name)}/stat").read_text()
            fields = text.rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def wait_until_scrubbed(self, seconds=60):
        """Until each blade has read all its shards once since its start, and nothing is left to
        repair."""
        def done():
            names = [name for name in self.names() if name.startswith("blade")]
            for name in names:
                if (self.metric(name, "turbine_blade_scrubbed_bytes_total")
                        < self.metric(name, "turbine_blade_used_bytes")):
                    return False
            return self.status()[0] == 0 and not self.status()[1]["jobs"]
        self.wait_for(done, seconds, "scrub and repair")

    def kill_everything(self):
        for name in self.names():
            pid = self.pid(name)
            if pid:
                os.kill(pid, signal.SIGKILL)
        self.wait_for(lambda: not any(map(self.pid, self.names())), 10, "all to be gone")

    def stop_all(self):
        if self.dir.exists() and any(map(self.pid, self.names())):
            turbine("down", "--dir", self.dir)
            self.kill_everything()
        for child in self.children:
            child.wait()

    def log(self, name, lines=30):
        path = self.dir / "log" / f"{name}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])

    @staticmethod
    def wait_for(condition, seconds, what):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            result = condition()
            if result:
                return result
            time.sleep(0.02)
        raise AssertionError(f"waited {seconds} s for {what}")
