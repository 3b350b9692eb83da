"""Commands, outputs and exit codes on a real array."""
import json
import os
import re
import socket
import stat
import subprocess
import tempfile
import time
import unittest

from turbine_array import BINARY, Array, free_ports, turbine


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.array = Array(blades=6, blade_size="8GiB")
        started = time.monotonic()
        cls.array.__enter__()
        cls.up_seconds = time.monotonic() - started

    @classmethod
    def tearDownClass(cls):
        cls.array.__exit__(None, None, None)

    def json_of(self, *arguments, expect=0):
        return json.loads(self.array.run(*arguments, "-o", "json", expect=expect).stdout)

    def test_up_takes_seconds_and_files_are_sparse(self):
        self.assertLess(self.up_seconds, 10)
        image = (self.array.dir / "blade-1" / "blade.img").stat()
        self.assertGreaterEqual(image.st_size, 8 << 30)
        self.assertLess(image.st_blocks * 512, 1 << 30)

    def test_env_is_private_and_complete(self):
        mode = (self.array.dir / "env").stat().st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o600)
        self.assertEqual(set(self.array.settings()), {
            "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION",
            "TURBINE_ADMIN", "TURBINE_TOKEN", "TURBINE_NFS_PORT"})

    def test_secrets_are_private(self):
        for path in [self.array.dir / "array.toml", *(self.array.dir / "etc").glob("*.toml")]:
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)

    def test_identity_keeps_its_format(self):
        text = (self.array.dir / "blade-3" / "identity.toml").read_text()
        self.assertRegex(text, r'''\A#.*\narray_id = "[0-9a-f]{32}"\nblade_id = 3\n'''
                         r'''incarnation = "[0-9a-f]{16}"\nstate = "ready"\n\Z''')

    def test_second_up_refuses(self):
        done = self.array.run("up", expect=4)
        self.assertIn("is up", done.stderr)

    def test_status_is_short_and_says_what_may_be_lost(self):
        done = self.array.run("status")
        lines = done.stdout.splitlines()
        self.assertLessEqual(len(lines), 30)
        self.assertIn("2 more blades may be lost", lines[-1])
        status = self.json_of("status")
        self.assertEqual(status["state"], "healthy")
        self.assertEqual(status["protection"]["layout"], "4+2")
        self.assertEqual(status["protection"]["data_tolerance"], 2)
        self.assertEqual(status["protection"]["metadata_tolerance"], 2)
        self.assertEqual(status["protection"]["metadata_replicas"], 3)
        self.assertEqual(status["blades"], {"total": 6, "alive": 6, "suspect": 0, "full": 0})

    def test_blades_are_listed(self):
        blades = self.json_of("blade", "list")
        self.assertEqual([blade["name"] for blade in blades],
                         [f"blade-{i}" for i in range(1, 7)])
        self.assertEqual({blade["status"] for blade in blades}, {"healthy"})

    def test_buckets_come_and_go(self):
        self.array.run("bucket", "create", "from-the-cli")
        self.array.run("bucket", "create", "from-the-cli", expect=4)
        self.array.run("bucket", "create", "Not_A_Bucket", expect=2)
        names = [bucket["name"] for bucket in self.json_of("bucket", "list")]
        self.assertIn("from-the-cli", names)
        s3 = self.array.s3()
        s3.put("from-the-cli", "x", b"1")
        self.array.run("bucket", "delete", "from-the-cli", expect=4)
        s3.delete("from-the-cli", "x")
        self.array.run("bucket", "delete", "from-the-cli")
        self.array.run("bucket", "delete", "from-the-cli", expect=3)

    def test_users_and_keys_come_and_go(self):
        done = self.array.run("user", "create", "alice")
        shown = dict(line.split(" ", 1) for line in done.stdout.splitlines())
        self.assertEqual(set(shown), {"name", "id", "access_key", "secret_key"})
        self.array.run("user", "create", "alice", expect=4)
        s3 = self.array.s3()
        s3.access_key, s3.secret_key = shown["access_key"], shown["secret_key"]
        self.array.wait_for(lambda: s3.raw("GET", "")[0] != 403, 2, "the key to be known")
        second = self.json_of("key", "create", "alice")
        users = {user["name"]: user for user in self.json_of("user", "list")}
        self.assertIn(second["access_key"], users["alice"]["access_keys"])
        self.array.run("key", "revoke", shown["access_key"])
        self.array.wait_for(lambda: s3.raw("GET", "")[0] == 403, 2, "the key to be refused")
        self.array.run("key", "revoke", shown["access_key"], expect=3)
        self.array.run("user", "delete", "alice")
        self.array.run("user", "delete", "alice", expect=3)

    def test_stats_are_of_every_process(self):
        names = {process["name"] for process in self.json_of("stats", "--interval", "0.2")}
        self.assertLessEqual({"gateway-1", "manager", *(f"blade-{i}" for i in range(1, 7))}, names)

    def test_array_is_found_by_environment_too(self):
        env = self.array.settings()
        self.assertEqual(turbine("status", env=env).returncode, 0)
        self.assertEqual(turbine("status", env={**env, "TURBINE_TOKEN": "wrong"}).returncode, 5)
        nobody = {**env, "TURBINE_ADMIN": f"http://127.0.0.1:{free_ports(1)[0]}"}
        self.assertEqual(turbine("status", env=nobody).returncode, 6)

    def test_admin_api_wants_the_token(self):
        url = self.array.settings()["TURBINE_ADMIN"]

        def curl(path, *more):
            return subprocess.run(["curl", "-s", "-w", "%{http_code} %{content_type}", "-o",
                                   "/dev/null", url + path, *more], capture_output=True, text=True,
                                  check=True).stdout
        for path in ["/api/v1/arrays", "/api/v1/blades", "/api/v1/object-store-users", "/x"]:
            self.assertEqual(curl(path), "401 application/problem+json")
            self.assertEqual(curl(path, "-H", "Authorization: Bearer x"),
                             "401 application/problem+json")
        self.assertTrue(curl("/health/live").startswith("200"))
        self.assertTrue(curl("/health/ready").startswith("200"))

    def test_every_process_has_health_and_metrics(self):
        for name in self.array.names():
            for path in ["/health/live", "/health/ready"]:
                self.assertEqual(self.array.http(name, path)[0], 200, (name, path))
            status, text = self.array.http(name, "/metrics")
            self.assertEqual(status, 200)
            self.assertIn("turbine_process_cpu_seconds_total", self.metrics_of(text), name)
            # The manager tells strangers nothing, not even what is not there.
            self.assertEqual(self.array.http(name, "/nothing-here")[0],
                             401 if name == "manager" else 404)

    def metrics_of(self, text):
        """Reads Prometheus' text format strictly; returns the names of all metrics."""
        types, samples = {}, set()
        for line in text.splitlines():
            if line.startswith("# HELP "):
                self.assertRegex(line, r"^# HELP [a-z0-9_]+ \S")
            elif line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.assertNotIn(name, types)
                self.assertIn(kind, ["counter", "gauge", "histogram", "summary"])
                types[name] = kind
            else:
                found = re.fullmatch(r'(([a-z0-9_]+)(?:\{(?:[a-z_]+="[^"\\]*",?)*\})?) (\S+)', line)
                self.assertIsNotNone(found, line)
                float(found[3])
                self.assertNotIn(found[1], samples)
                samples.add(found[1])
                family = re.sub("_(bucket|sum|count)$", "", found[2])
                self.assertTrue(found[2] in types or family in types, line)
        self.assertTrue(text.endswith("\n"))
        return types

    def test_unknown_commands_are_usage_errors(self):
        for words in [["frobnicate"], ["up"], ["blade"], ["bucket"], ["status", "--nope"]]:
            self.assertEqual(turbine(*words).returncode, 2, words)
        self.assertEqual(turbine("status", "--dir", "/nonexistent").returncode, 3)

    def test_every_help_has_an_example(self):
        words = ["up", "down", "status", "stats", "manager", "gateway", "blade", "blade list",
                 "blade start", "blade stop", "bucket list", "bucket create", "bucket set",
                 "bucket delete", "user list", "user create", "user delete", "key create",
                 "key revoke", "export list", "export set", "export test"]
        for word in words:
            done = turbine(*word.split(), "--help")
            self.assertEqual(done.returncode, 0, word)
            self.assertIn("Example:\n  turbine " + word, done.stdout)


class StartAndStop(unittest.TestCase):
    def test_down_up_keeps_objects(self):
        with Array(blades=3) as array:
            s3 = array.s3()
            s3.create_bucket("load")
            s3.put("load", "small", b"x" * 100)
            s3.put("load", "large", os.urandom(1 << 20))
            large = s3.get("load", "large")
            s3.close()
            done = array.run("down")
            self.assertIn("stopped", done.stdout)
            self.assertFalse(any(map(array.pid, array.names())))
            array.run("status", expect=6)
            self.assertIn("not running", array.run("down").stdout)
            array.up()
            self.assertEqual(s3.get("load", "small"), b"x" * 100)
            self.assertEqual(s3.get("load", "large"), large)

    def test_layouts_of_small_arrays(self):
        for blades, layout in [(1, "1+0"), (2, "1+1"), (3, "2+1"), (4, "2+2"), (5, "3+2")]:
            with self.subTest(blades=blades), Array(blades=blades) as array:
                code, status = array.status()
                self.assertEqual((code, status["protection"]["layout"]), (0, layout))
                if blades == 1:
                    self.assertIn("no protection", array.run("status").stdout)

    def test_dead_blade_shows_and_comes_back(self):
        with Array(blades=4) as array:
            array.run("blade", "start", "1", expect=4)
            array.run("blade", "start", "9", expect=3)
            array.kill("blade-2")
            array.wait_for(lambda: array.status()[0] == 10, 10, "status to say degraded")
            self.assertIn("turbine blade start 2", array.run("status", expect=10).stdout)
            array.run("blade", "start", "2")
            array.wait_for(lambda: array.status()[0] == 0, 10, "status to say healthy")
            self.assertIn("stopped", array.run("blade", "stop", "2").stdout)
            self.assertIn("was not running", array.run("blade", "stop", "2").stdout)
            array.wait_for(lambda: array.status()[0] == 10, 10, "status to say degraded")
            array.run("blade", "start", "2")

    def test_taken_port_is_named_and_nothing_is_left(self):
        taken = socket.socket()
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port, other = taken.getsockname()[1], free_ports(1)[0]
        for flag, free_one in [("--s3-port", "--admin-port"), ("--admin-port", "--s3-port")]:
            with tempfile.TemporaryDirectory() as root:
                done = turbine("up", "--dir", root + "/a", flag, port, free_one, other)
                self.assertEqual(done.returncode, 4)
                self.assertIn(f"port {port} ", done.stderr)
                self.assertIn(flag, done.stderr)
        taken.close()

    def test_two_ups_at_once_make_one_array(self):
        with tempfile.TemporaryDirectory() as root:
            directory = root + "/a"
            s3_port, admin_port = free_ports(2)
            words = [BINARY, "up", "--dir", directory, "--blades", "2", "--blade-size", "1GiB",
                     "--s3-port", str(s3_port), "--admin-port", str(admin_port)]
            both = [subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                     text=True) for _ in range(2)]
            try:
                for each in both:
                    each.communicate(timeout=60)
                self.assertEqual(sorted(each.returncode for each in both), [0, 4])
            finally:
                turbine("down", "--dir", directory)

    def test_foreign_or_lost_devices_are_refused(self):
        with Array(blades=3) as array:
            array.run("blade", "stop", "1")
            array.run("blade", "stop", "2")
            first, second = (array.dir / f"blade-{i}" / "blade.img" for i in (1, 2))
            kept = first.with_suffix(".kept")
            first.rename(kept)
            first.write_bytes(b"")
            os.truncate(first, kept.stat().st_size)
            done = array.run("blade", "start", "1", expect=1)
            self.assertIn("blade-1", done.stderr)
            first.unlink()
            second.rename(first)
            done = array.run("blade", "start", "1", expect=1)
            self.assertIn("blade 2", done.stderr)
            first.rename(second)
            kept.rename(first)
            array.run("blade", "start", "1")
            array.run("blade", "start", "2")
            array.wait_for(lambda: array.status()[0] == 0, 10, "status to say healthy")

    def test_failed_start_shows_the_log_and_stops_the_others(self):
        with Array(blades=2) as array:
            array.run("down")
            image = array.dir / "blade-2" / "blade.img"
            image.rename(image.with_suffix(".away"))
            done = array.run("up", expect=1)
            self.assertIn("blade-2 ended while starting", done.stderr)
            self.assertIn("blade.img", done.stderr)
            self.assertFalse(any(map(array.pid, array.names())))


if __name__ == "__main__":
    unittest.main(verbosity=2)
