"""restic: init, backup, check of all data, restore, forget and prune."""
import json
import shutil
import unittest

from client_case import ClientCase


class Restic(ClientCase):
    def restic(self, *words):
        return self.run_tool(
            "/usr/bin/restic", "--repo", f"s3:{self.endpoint}/{self.bucket}/repo", "--no-cache",
            *words, more_env={"RESTIC_PASSWORD": "correct horse"})

    def test_backups_are_restored(self):
        tree = self.work / "tree"
        shutil.copytree(self.files, tree)
        for i in range(50):
            (tree / f"small-{i}").write_bytes(f"file {i}\n".encode() * (i + 1) * 10)
        self.restic("init")
        self.restic("backup", tree)
        self.restic("check", "--read-data")
        before = len(self.s3().keys(self.bucket))
        (tree / "64 MiB").unlink()
        (tree / "small-7").write_bytes(b"changed")
        self.restic("backup", tree)
        self.restic("restore", "latest", "--target", self.work / "out")
        self.assert_same_tree(tree, self.work / "out" / tree.relative_to("/"))
        self.restic("forget", "--keep-last", "1", "--prune")
        self.assertEqual(len(json.loads(self.restic("snapshots", "--json"))), 1)
        self.restic("check", "--read-data")
        self.assertLess(len(self.s3().keys(self.bucket)), before, "prune has deleted packs")
        self.restic("restore", "latest", "--target", self.work / "again")
        self.assert_same_tree(tree, self.work / "again" / tree.relative_to("/"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
