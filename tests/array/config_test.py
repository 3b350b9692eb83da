"""The cluster store is lost and comes back from a backup, while the blades have gone on since."""
import json
import shutil
import stat
import subprocess
import unittest

from etcd_member import Etcd
from turbine_array import Array, turbine


class Contents:
    """Objects of which each acknowledged one is remembered."""

    def __init__(self, array):
        self.array = array
        array.s3().create_bucket("bucket")
        self.bodies = {}

    def put(self, name, count=60, shards=True):
        s3 = self.array.s3()
        for i in range(count):
            # In many directories, which lie in many partitions; small ones and one with shards.
            key = f"{name}-{i}/object"
            body = f"{name} {i} ".encode() * (40_000 if i == 0 and shards else 300)
            s3.put("bucket", key, body)
            self.bodies[key] = body

    def check(self, test):
        s3 = self.array.s3()
        for key, body in self.bodies.items():
            test.assertEqual(s3.get("bucket", key), body, key)


class ConfigTest(unittest.TestCase):
    def array(self, blades=6, partitions=32, **flags):
        array = Array(blades=blades, partitions=partitions, **flags)
        array.__enter__()
        self.addCleanup(array.__exit__, None)
        return array

    def backup(self, array):
        path = array.root / "array.backup"
        array.run("config", "backup", path)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        return path

    def moved(self, array):
        """How many partitions had other replicas than the backup says, by the manager's log."""
        lines = [line for line in array.log("manager", 10_000).splitlines()
                 if "the restoration has ended" in line]
        self.assertEqual(len(lines), 1, lines)
        return int(lines[0].split("has ended: ")[1].split(" ")[0])

    def test_restores_a_lost_store_of_an_array_that_is_as_it_was(self):
        array = self.array()
        contents = Contents(array)
        contents.put("before")
        array.run("user", "create", "anna")
        path = self.backup(array)
        document = json.loads(path.read_text())
        self.assertEqual(document["format"], "turbine-config-backup")
        checksum = subprocess.run(f"jq -cj 'del(.checksum)' {path} | sha256sum", shell=True,
                                  capture_output=True, text=True, check=True).stdout.split()[0]
        self.assertEqual(document["checksum"], f"sha256:{checksum}")
        on_stdout = json.loads(array.run("config", "backup", "-").stdout)
        self.assertEqual(on_stdout["array_id"], document["array_id"])
        contents.put("after")
        array.run("user", "create", "berta")

        self.assertIn("turbine down", array.run("config", "restore", path, expect=4).stderr)
        array.run("down")
        self.assertIn("--force", array.run("config", "restore", path, expect=7).stderr)
        cut = array.root / "cut.backup"
        cut.write_text(path.read_text()[:-100])
        self.assertIn("cut", array.run("config", "restore", cut, expect=1).stderr)
        shutil.rmtree(array.dir / "manager")
        self.assertIn("every blade", array.run("config", "restore", path).stdout)
        array.up()
        array.wait_until_whole()
        contents.check(self)
        contents.put("restored")
        contents.check(self)
        self.assertEqual(self.moved(array), 0)
        users = array.run("user", "list").stdout
        self.assertIn("anna", users)
        self.assertNotIn("berta", users)
        # And so once more: nothing of the restoration stays behind.
        array.run("down")
        array.up()
        array.wait_until_whole()
        contents.check(self)

    def test_refuses_the_backup_of_another_array(self):
        first, second = self.array(blades=1), self.array(blades=1)
        path = self.backup(first)
        second.run("down")
        shutil.rmtree(second.dir / "manager")
        refused = second.run("config", "restore", path, "--force", expect=7)
        self.assertIn("nothing was changed", refused.stderr)
        first.run("down")
        shutil.rmtree(first.dir / "manager")
        unknown = first.run("config", "restore", "--lost-blade", 1, "--lost-blade", 2, path,
                            expect=2)
        self.assertIn("no blade 2", unknown.stderr)

    def test_loses_nothing_where_primaries_have_moved_since_the_backup(self):
        partitions = 128  # any three blades have some together
        array = self.array(partitions=partitions)
        contents = Contents(array)
        contents.put("before")
        path = self.backup(array)
        # One after the other, so that replicas move to other blades: in the end some partitions
        # have none on a blade that the backup names, and what is acknowledged now only there.
        for victim in (1, 3, 5):
            array.kill(f"blade-{victim}")
            array.wait_for(lambda: array.status()[1]["partitions"]["recruiting"], 30,
                           "replicas to be missed")
            array.wait_for(lambda: not array.status()[1]["partitions"]["recruiting"], 90,
                           "replicas on the other blades")
            contents.put(f"without-{victim}", shards=victim != 5)  # three blades take none
        contents.put("moved", count=300, shards=False)
        array.kill_everything()
        shutil.rmtree(array.dir / "manager")
        array.run("config", "restore", path)

        array.start("manager")
        for blade in (1, 2, 3, 4, 5):
            array.start(f"blade-{blade}")
        code, status = array.status()
        self.assertEqual(code, 12)
        self.assertEqual(status["partitions"]["unavailable"], partitions,
                         "the blades that were dead may not lead what they led")
        self.assertIn("blade 6 has started", status["advice"])
        array.start("blade-6")
        array.start("gateway-1")
        array.wait_until_whole()
        contents.check(self)
        contents.put("restored")
        contents.check(self)
        self.assertGreater(self.moved(array), 0)

    def test_restores_a_lost_etcd_under_blades_that_run(self):
        etcd = Etcd()
        self.addCleanup(etcd.stop)
        etcd.start()
        array = self.array(**{"cluster-store": etcd.url()})
        contents = Contents(array)
        contents.put("before")
        path = self.backup(array)
        array.run("blade", "stop", "3")
        contents.put("without-blade-3")
        config = array.dir / "etc" / "manager.toml"
        running = turbine("config", "restore", path, "--config", config, "--force")
        self.assertEqual(running.returncode, 4, running.stderr)
        self.assertIn("stop all managers", running.stderr)

        array.kill("manager")
        etcd.kill()
        shutil.rmtree(etcd.root / "data")
        etcd.start()
        contents.put("without-a-store")  # service goes on with the last map
        done = turbine("config", "restore", path, "--config", config)
        self.assertEqual(done.returncode, 0, done.stderr)
        array.start("manager")
        # What runs since before the restoration is sent away; a supervisor starts it again.
        for blade in (1, 2, 4, 5, 6):
            name = f"blade-{blade}"
            array.wait_for(lambda name=name: array.gone(name), 30, f"{name} to end")
            self.assertIn("must be started again", array.log(name, 1000))
        for blade in range(1, 7):
            array.start(f"blade-{blade}")
        array.wait_until_whole()
        contents.check(self)
        contents.put("restored")
        contents.check(self)


if __name__ == "__main__":
    unittest.main()
