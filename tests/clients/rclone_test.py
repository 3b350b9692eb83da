"""rclone: modification times in metadata, multipart ETags, server-side copies, purge."""
import unittest

from client_case import ClientCase


class Rclone(ClientCase):
    def rclone(self, *words, **more):
        remote = {"TYPE": "s3", "PROVIDER": "Other", "ENV_AUTH": "true",
                  "ENDPOINT": self.endpoint, "REGION": self.settings["AWS_DEFAULT_REGION"],
                  # Parts from 10 MiB on, twelve and more of them.
                  "UPLOAD_CUTOFF": "10M", "CHUNK_SIZE": "5M"}
        env = {f"RCLONE_CONFIG_ARRAY_{name}": value for name, value in remote.items()}
        return self.run_tool("/usr/bin/rclone", "--config=", "--retries=1",
                             "--low-level-retries=1", *words, more_env=env, **more)

    def test_files_come_back_as_they_were(self):
        self.rclone("mkdir", f"array:{self.bucket}")
        self.assertIn(self.bucket, self.rclone("lsd", "array:"))
        self.rclone("copy", self.files, f"array:{self.bucket}/in")
        # Sizes, MD5 and times agree: nothing is to be sent a second time.
        self.assertEqual(self.rclone("sync", "--dry-run", "--checksum", self.files,
                                     f"array:{self.bucket}/in"), "")
        self.rclone("check", "--download", self.files, f"array:{self.bucket}/in")
        self.rclone("copy", f"array:{self.bucket}/in", f"array:{self.bucket}/copy")
        self.rclone("move", f"array:{self.bucket}/copy", f"array:{self.bucket}/moved")
        self.assertEqual(self.rclone("lsf", f"array:{self.bucket}"), "in/\nmoved/\n")
        self.rclone("copy", f"array:{self.bucket}/moved", self.work / "out")
        self.assert_same_tree(self.files, self.work / "out")
        self.assertEqual(self.rclone("cat", "--offset=1000", "--count=10",
                                     f"array:{self.bucket}/in/5 MiB", text=False),
                         (self.files / "5 MiB").read_bytes()[1000:1010])
        self.rclone("purge", f"array:{self.bucket}")
        self.assertNotIn(self.bucket, self.rclone("lsd", "array:"))

    def test_many_keys_are_listed_and_deleted(self):
        self.rclone("mkdir", f"array:{self.bucket}")
        keys = self.fill()
        self.assertEqual(sorted(self.rclone("lsf", "--recursive", "--files-only",
                                            f"array:{self.bucket}").splitlines()), keys)
        self.rclone("delete", f"array:{self.bucket}/many/07")
        self.assertEqual(len(self.s3().keys(self.bucket)), len(keys) - 100)
        self.rclone("purge", f"array:{self.bucket}")
        self.assertNotIn(self.bucket, self.rclone("lsd", "array:"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
