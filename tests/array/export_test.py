"""Exports of a real array: who may mount what, changed while clients are connected; ports; handles
that outlive gateways and the cluster store."""
import json
import os
import shutil
import subprocess
import sys
import unittest

from nfs_client import ACCES, MOUNT, NOENT, OK, PORTMAP, ROFS, STALE, RpcClient
from turbine_array import Array

IN_NAMESPACE = "TURBINE_TEST_IN_NAMESPACE"


class Exports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.array = Array(blades=3, partitions=16, gateways=2)
        cls.array.__enter__()
        cls.port = int(cls.array.settings()["TURBINE_NFS_PORT"])

    @classmethod
    def tearDownClass(cls):
        cls.array.__exit__(None, None, None)

    def client(self, **how):
        client = RpcClient(self.port, **how)
        self.addCleanup(client.close)
        return client

    def clients_of_both(self):
        """One connection to each gateway; the kernel decides where a connection goes."""
        found = {}

        def connected():
            before = self.connections()
            client = self.client()
            client.null()
            for name, count in self.connections().items():
                if count > before[name]:
                    found[name] = client
            return len(found) == 2
        self.array.wait_for(connected, 20, "a connection to each gateway")
        return list(found.values())

    def connections(self):
        return {name: self.array.metric(name, "turbine_nfs_connections")
                for name in ("gateway-1", "gateway-2")}

    def bucket(self, name):
        self.array.run("bucket", "create", name)
        return "/" + name

    def wait_for_mnt(self, client, path, status):
        self.array.wait_for(lambda: client.mnt(path)[0] == status, 2, f"MNT {path}: {status}")

    def test_the_port_serves_and_is_told(self):
        with self.client() as client:
            client.null()
            client.null(MOUNT)
        line = (f"mount -t nfs -o vers=3,proto=tcp,port={self.port},mountport={self.port},nolock "
                "127.0.0.1:/BUCKET /mnt")
        self.assertIn(line, self.array.run("status").stdout)
        self.assertEqual(self.array.status()[1]["nfs"], [f"127.0.0.1:{self.port}"])

    def test_every_bucket_and_the_whole_array_are_exports(self):
        path = self.bucket("exported")
        for client in self.clients_of_both():
            self.assertEqual(client.mnt(path)[0], OK)
            self.assertEqual(client.mnt("/")[0], OK)
            self.assertEqual(client.mnt("/no-such-bucket")[0], NOENT)
            self.assertEqual(client.exports()[path], ["127.0.0.0/8", "::1"])

    def test_rules_decide_by_client(self):
        path = self.bucket("by-client")
        self.array.run("export", "set", "by-client", "--rule", "127.0.0.5(ro,insecure)", "--rule",
                       "127.0.0.4/31(rw,insecure)")
        five, four = (self.client(source=f"127.0.0.{i}") for i in (5, 4))
        self.wait_for_mnt(self.client(), path, ACCES)
        status, handle = five.mnt(path)
        self.assertEqual(status, OK)
        self.assertEqual(four.mnt(path), (OK, handle))
        self.assertEqual(five.touch(handle), ROFS)
        self.assertNotEqual(four.touch(handle), ROFS)
        self.assertEqual(self.client(source="127.0.0.6").getattr(handle), STALE)

    def test_secure_wants_a_privileged_port(self):
        path = self.bucket("privileged")
        self.array.run("export", "set", "privileged", "--rule", "127.0.0.0/8(rw)")
        self.wait_for_mnt(self.client(), path, ACCES)
        if os.geteuid() == 0:
            self.assertEqual(self.client(privileged=True).mnt(path)[0], OK)

    def test_changes_reach_connected_clients_of_every_gateway(self):
        path = self.bucket("changing")
        clients = self.clients_of_both()
        handles = {client.mnt(path)[1] for client in clients}
        self.assertEqual(len(handles), 1, "the same from every gateway")
        handle = handles.pop()
        for arguments, status in ((["--nobody"], STALE), (["--inherit"], OK)):
            self.array.run("export", "set", "changing", *arguments)
            for client in clients:
                self.array.wait_for(lambda: client.getattr(handle) == status, 2, arguments)
        try:
            self.array.run("export", "set", "--default", "--nobody")
            for client in clients:
                self.array.wait_for(lambda: client.getattr(handle) == STALE, 2, "no default")
                self.assertEqual(client.mnt("/")[0], OK, "which has rules of its own")
        finally:
            self.array.run("export", "set", "--default", "--rule", "127.0.0.0/8(rw,insecure)",
                           "--rule", "::1(rw,insecure)")

    def test_a_bucket_that_another_gateway_made_is_met_at_once(self):
        one, other = self.clients_of_both()
        for i in range(5):
            handle = one.mnt(self.bucket(f"met-{i}"))[1]
            self.assertEqual(other.getattr(handle), OK)

    def test_a_renamed_bucket_has_the_rules_of_its_new_name(self):
        path = self.bucket("renamed-from")
        self.array.run("export", "set", "renamed-to", "--nobody")
        one, other = self.clients_of_both()
        handle = one.mnt(path)[1]
        self.assertEqual(other.getattr(handle), OK)
        root = one.mnt("/")[1]
        self.array.run("export", "set", "/", "--rule", "127.0.0.0/8(rw,no_root_squash,insecure)")
        self.array.wait_for(lambda: one.rename(root, "renamed-from", "renamed-to") == OK, 2,
                            "root to be root")
        for client in (one, other):
            self.array.wait_for(lambda: client.getattr(handle) == STALE, 2, "the new rules")
            self.assertEqual(client.mnt("/renamed-to")[0], ACCES)
        self.array.run("export", "set", "renamed-to", "--inherit")
        self.array.wait_for(lambda: other.getattr(handle) == OK, 2, "the handle to be good again")

    def test_a_client_mounts_and_lists_what_s3_wrote(self):
        path = self.bucket("both-doors")
        self.array.s3().put("both-doors", "dir/object", b"content")
        for place, name in ((path, "dir"), (path + "/dir", "object"), ("/", "both-doors")):
            url = (f"nfs://127.0.0.1{place}?nfsport={self.port}&mountport={self.port}&version=3")
            done = subprocess.run(["nfs-ls", url], capture_output=True, text=True, timeout=60,
                                  check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn(name, done.stdout.split(), place)

    def test_handles_outlive_a_gateway(self):
        path = self.bucket("lasting")
        handle = self.client().mnt(path)[1]
        for name in ("gateway-1", "gateway-2"):
            self.array.kill(name)
            self.array.start(name)
        self.assertEqual(self.client().getattr(handle), OK)
        self.assertEqual(self.client().mnt(path), (OK, handle))

    def test_commands_show_what_decides(self):
        self.bucket("shown")
        run = self.array.run
        shown = run("export", "set", "shown", "--rule",
                    "10.1.2.3/8(rw,all_squash,anonuid=7)").stdout
        rule = "10.0.0.0/8(rw,all_squash,anonuid=7,anongid=65534,secure)"
        self.assertIn(rule, shown)
        rows = {row["name"]: row for row in json.loads(run("export", "list", "-o", "json").stdout)}
        self.assertEqual([each["text"] for each in rows["/shown"]["rules"]], [rule])
        self.assertEqual(rows["/shown"]["from"], "own")
        self.assertIn("*", rows)
        self.assertIn(rule, run("export", "list").stdout)

        allowed = run("export", "test", "shown", "--client", "10.9.9.9").stdout
        self.assertIn("rule    1 of the rules of /shown", allowed)
        self.assertIn("user 7 and group 65534", allowed)
        refused = run("export", "test", "shown", "--client", "11.0.0.1", expect=5).stdout
        self.assertIn("refused", refused)
        run("export", "test", "/", "--client", "127.0.0.1")
        run("export", "test", "no-such-bucket", "--client", "127.0.0.1", expect=3)

        run("export", "set", "not-there-yet", "--nobody")
        self.assertIn("no such bucket", run("export", "list").stdout)
        run("export", "set", "not-there-yet", "--inherit")
        run("export", "set", "not-there-yet", "--inherit", expect=3)
        for wrong in (["shown"], ["--nobody"], ["shown", "--default", "--nobody"],
                      ["shown", "--nobody", "--inherit"], ["/", "--inherit"],
                      ["shown", "--rule", "host(rw)"], ["shown", "--rule", "*(wr)"]):
            run("export", "set", *wrong, expect=2)

    def test_calls_are_counted(self):
        self.client().null()
        text = "".join(self.array.http(name, "/metrics")[1] for name in ("gateway-1", "gateway-2"))
        self.assertIn('operation="nfs3.NULL"', text)


class Lifetimes(unittest.TestCase):
    def test_handles_outlive_the_cluster_store(self):
        with Array(blades=1, partitions=4) as array:
            array.run("bucket", "create", "photos")
            array.run("export", "set", "photos", "--rule", "127.0.0.0/8(rw,insecure)")
            port = int(array.settings()["TURBINE_NFS_PORT"])
            with RpcClient(port) as client:
                status, handle = client.mnt("/photos")
                self.assertEqual(status, OK)
            backup = array.root / "array.backup"
            array.run("config", "backup", backup)
            array.run("down")
            shutil.rmtree(array.dir / "manager")
            array.run("config", "restore", backup)
            array.up()
            with RpcClient(port) as client:
                array.wait_for(lambda: client.getattr(handle) == OK, 20, "the handle to be good")
                self.assertEqual(client.exports()["/photos"], ["127.0.0.0/8"])

    def test_a_taken_nfs_port(self):
        with Array(blades=1, partitions=4) as array, Array(blades=1, partitions=4) as other:
            other.run("down")
            arguments = ["up", "--nfs-port", array.settings()["TURBINE_NFS_PORT"]]
            self.assertIn("--nfs-port", other.run(*arguments, expect=4).stderr)


class Names(unittest.TestCase):
    """In a network of its own, where port 111 is free, and with its own /run, where rpcbind is."""

    def test_tools_find_the_ports_and_exports(self):
        if IN_NAMESPACE in os.environ:
            self.skipTest("this is inside")
        unshare = ["unshare", "-nm"] if os.geteuid() == 0 else ["unshare", "-rnm"]
        inside = ("ip link set lo up && mount -t tmpfs none /run && "
                  f"exec {sys.executable} {__file__} InNamespace")
        done = subprocess.run([*unshare, "sh", "-c", inside], capture_output=True, text=True,
                              env={**os.environ, IN_NAMESPACE: "1"}, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


@unittest.skipUnless(IN_NAMESPACE in os.environ, "run by Names")
class InNamespace(unittest.TestCase):
    def tool(self, *words):
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, (words, done.stdout, done.stderr))
        return done.stdout

    def registered(self):
        lines = self.tool("rpcinfo", "-p", "127.0.0.1").splitlines()
        return [line.split() for line in lines]

    def test_the_port_mapper_tells_ports_and_exports(self):
        with Array(blades=1, partitions=4, **{"portmap-port": 111}) as array:
            array.run("bucket", "create", "photos")
            port = array.settings()["TURBINE_NFS_PORT"]
            with RpcClient(111) as client:
                client.null(PORTMAP)
            listed = self.registered()
            self.assertIn(["100003", "3", "tcp", port, "nfs"], listed)
            self.assertIn(["100005", "3", "tcp", port, "mountd"], listed)
            self.assertIn(["100000", "2", "tcp", "111", "portmapper"], listed)
            shown = self.tool("showmount", "-e", "127.0.0.1")
            self.assertRegex(shown, r"/photos +127\.0\.0\.0/8,::1")

    def test_a_running_rpcbind_is_told(self):
        rpcbind = subprocess.Popen(["rpcbind", "-f", "-w"], stderr=subprocess.DEVNULL)
        self.addCleanup(rpcbind.wait)
        self.addCleanup(rpcbind.kill)
        Array.wait_for(lambda: os.path.exists("/run/rpcbind.sock"), 10, "rpcbind")
        with Array(blades=1, partitions=4) as array:
            array.run("bucket", "create", "photos")
            port = array.settings()["TURBINE_NFS_PORT"]
            array.kill("gateway-1")
            config = array.dir / "etc" / "gateway-1.toml"
            config.write_text(config.read_text().replace("register_rpcbind = false",
                                                         "register_rpcbind = true"))
            array.start("gateway-1")
            nfs, mount = (["100003", "3", "tcp", port, "nfs"],
                          ["100005", "3", "tcp", port, "mountd"])
            self.assertIn(nfs, self.registered())
            self.assertIn(mount, self.registered())
            self.assertIn("/photos", self.tool("showmount", "-e", "127.0.0.1"))
            array.kill("gateway-1")
            array.start("gateway-1")
            self.assertEqual(self.registered().count(nfs), 1, "what a killed one left is replaced")
            array.run("down")
            self.assertNotIn(nfs, self.registered())


if __name__ == "__main__":
    unittest.main(verbosity=2)
