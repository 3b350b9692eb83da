"""An array whose cluster store is etcd, with three managers: they and etcd die, service goes on."""
import http.client
import json
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

from etcd_member import Etcd
from s3_client import S3Error
from turbine_array import BINARY, Array, free_ports, turbine

TAKE_OVER_SECONDS_MAX = 5


class Load:
    """Puts and gets all the time on a connection of its own; every failure is kept."""

    def __init__(self, array):
        self.s3 = array.s3()
        self.failures = []
        self.count = 0
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.ending.is_set():
            key, body = f"load/{self.count % 50}", str(self.count).encode() * 3000
            try:
                self.s3.put("bucket", key, body)
                if self.s3.get("bucket", key) != body:
                    self.failures.append(f"{self.count}: another body")
            except (OSError, S3Error, http.client.HTTPException) as error:
                self.failures.append(f"{self.count}: {error!r}")
            self.count += 1

    def end(self):
        self.ending.set()
        self.thread.join()


class EtcdTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.etcd = Etcd()
        cls.addClassCleanup(cls.etcd.stop)
        cls.etcd.start()
        cls.array = Array(blades=6, managers=3, **{"cluster-store": cls.etcd.url()})
        cls.array.__enter__()
        cls.addClassCleanup(cls.array.__exit__, None)
        cls.array.s3().create_bucket("bucket")

    def leader(self):
        """Name of the manager that says it leads, or None."""
        for name in ("manager", "manager-2", "manager-3"):
            if self.array.pid(name) is None:
                continue
            try:
                status, body = self.array.http(name, "/health/ready")
            except OSError:
                continue
            if status == 200 and json.loads(body)["status"] == "ready":
                return name
        return None

    def wait_healthy(self, seconds=30):
        self.array.wait_for(lambda: self.array.status()[0] == 0, seconds, "a healthy array")

    def start_manager(self, name):
        """`up` refuses on an array that runs, so as a supervisor would."""
        config = self.array.dir / "etc" / f"{name}.toml"
        log = open(self.array.root / f"{name}.log", "ab")
        process = subprocess.Popen([BINARY, "manager", "--config", config], stdout=log,
                                   stderr=log)
        log.close()
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        address = self.array.dir / "run" / f"{name}.http"

        def serves():
            try:
                with urllib.request.urlopen(f"http://{address.read_text()}/health/ready",
                                            timeout=2) as page:
                    return page.status == 200
            except OSError:
                return False
        self.array.wait_for(serves, 10, f"{name} again")

    def test_1_a_manager_takes_over_while_clients_notice_nothing(self):
        first = self.leader()
        self.assertIsNotNone(first)
        load = Load(self.array)
        self.addCleanup(load.end)
        begin = time.monotonic()
        self.array.kill(first)
        self.array.wait_for(lambda: self.leader() not in (None, first), 20, "another leader")
        self.array.wait_for(lambda: self.array.status()[0] == 0, 20, "status of the new leader")
        took = time.monotonic() - begin
        load.end()
        print(f"took over after {took:.1f} s, {load.count} objects meanwhile")
        self.assertLess(took, TAKE_OVER_SECONDS_MAX)
        self.assertGreater(load.count, 10)
        self.assertEqual(load.failures, [])
        # What only a manager can do works with the new one.
        self.array.run("user", "create", "anna")
        self.array.run("blade", "stop", "2")
        self.assertIn(self.array.status()[0], (10, 11, 12))
        self.array.run("blade", "start", "2")
        self.wait_healthy()
        # A standby refuses, and names the one that leads.
        standby = ({"manager", "manager-2", "manager-3"} - {first, self.leader()}).pop()
        status, body = self.array.http(standby, "/api/v1/blades")
        self.assertEqual(status, 401, body)
        token = self.array.settings()["TURBINE_TOKEN"]
        status, body = self.array.http(standby, "/api/v1/blades", token)
        self.assertEqual(status, 503, body)
        self.assertIn(f"{self.leader()}.sock does", json.loads(body)["detail"])
        self.start_manager(first)

    def test_2_etcd_dies_and_service_goes_on_with_the_last_map(self):
        load = Load(self.array)
        self.addCleanup(load.end)
        self.etcd.kill()
        self.array.wait_for(lambda: self.leader() is None, 10, "the leader to step down")
        done = self.array.run("status", expect=6)
        self.assertIn("no manager leads", done.stderr)
        before = load.count
        self.array.wait_for(lambda: load.count > before + 20, 30, "service without a store")
        load.end()
        self.assertEqual(load.failures, [])
        self.etcd.start()
        self.array.wait_for(self.leader, 10, "a leader")
        self.wait_healthy()
        self.array.run("user", "create", "otto")

    def test_3_comes_back_after_down_with_all_it_knew(self):
        self.array.run("user", "create", "berta")
        self.array.s3().put("bucket", "kept", b"x" * 100_000)
        self.array.run("down")
        self.array.up()
        self.wait_healthy()
        users = self.array.run("user", "list").stdout
        self.assertIn("berta", users)
        self.assertEqual(self.array.s3().get("bucket", "kept"), b"x" * 100_000)

    def test_4_says_what_is_wrong_with_the_store(self):
        with tempfile.TemporaryDirectory() as root:
            ports = ["--s3-port", free_ports(1)[0], "--admin-port", free_ports(1)[0]]
            small = ["up", "--dir", f"{root}/a", "--blades", 1, "--blade-size", "256MiB", *ports]
            done = turbine(*small, "--cluster-store", "etcd://127.0.0.1:1")
            self.assertEqual(done.returncode, 1)
            self.assertIn("etcd://127.0.0.1:1", done.stderr)
            self.assertIn("refused", done.stderr)
            done = turbine(*small, "--cluster-store", "http://x")
            self.assertIn("etcd://", done.stderr)
            self.assertEqual(done.returncode, 2)
            shutil.rmtree(f"{root}/a")
            done = turbine(*small, "--managers", 2)
            self.assertEqual(done.returncode, 2)
            self.assertIn("--cluster-store", done.stderr)


if __name__ == "__main__":
    unittest.main()
