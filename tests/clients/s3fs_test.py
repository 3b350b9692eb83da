"""s3fs: a bucket mounted through FUSE, used with files' own commands."""
import os
import shutil
import subprocess
import unittest

from client_case import MANY, ClientCase, sha256


class S3fs(ClientCase):
    def setUp(self):
        super().setUp()
        self.assertTrue(os.path.exists("/dev/fuse"),
                        "s3fs needs /dev/fuse: `modprobe fuse`, in a container `--device /dev/fuse "
                        "--cap-add SYS_ADMIN`")
        self.s3().create_bucket(self.bucket)
        self.mountpoint = self.work / "mount"
        self.mountpoint.mkdir()

    def mount(self):
        self.run_tool("/usr/bin/s3fs", self.bucket, self.mountpoint, "-o",
                      f"url={self.endpoint},use_path_request_style,"
                      f"endpoint={self.settings['AWS_DEFAULT_REGION']},sigv4,multipart_size=8,"
                      f"use_cache={self.work / 'cache'},del_cache,retries=1",
                      more_env={"AWSACCESSKEYID": self.settings["AWS_ACCESS_KEY_ID"],
                                "AWSSECRETACCESSKEY": self.settings["AWS_SECRET_ACCESS_KEY"]})
        self.addCleanup(self.unmount)
        self.assertTrue(os.path.ismount(self.mountpoint))

    def unmount(self):
        if os.path.ismount(self.mountpoint):
            subprocess.run(["fusermount", "-u", str(self.mountpoint)], check=True)

    def test_files_come_back_as_they_were(self):
        self.mount()
        shutil.copytree(self.files, self.mountpoint / "in")
        self.unmount()  # no cache of the client answers the reads
        self.mount()
        self.assert_same_tree(self.files, self.mountpoint / "in")
        shutil.copy(self.mountpoint / "in" / "5 MiB", self.mountpoint / "copy")
        os.rename(self.mountpoint / "copy", self.mountpoint / "renamed")
        self.assertEqual(sha256(self.mountpoint / "renamed"), sha256(self.files / "5 MiB"))
        with open(self.mountpoint / "renamed", "r+b") as file:  # written again as a whole
            file.seek(1000)
            file.write(b"in the middle")
        expected = bytearray((self.files / "5 MiB").read_bytes())
        expected[1000:1013] = b"in the middle"
        self.assertEqual(self.s3().get(self.bucket, "renamed"), bytes(expected))
        os.chmod(self.mountpoint / "renamed", 0o640)
        self.assertEqual(os.stat(self.mountpoint / "renamed").st_mode & 0o777, 0o640)
        shutil.rmtree(self.mountpoint / "in")
        os.remove(self.mountpoint / "renamed")
        self.assertEqual(os.listdir(self.mountpoint), [])
        self.unmount()
        self.assertEqual(self.s3().keys(self.bucket), [])

    def test_many_keys_are_listed_and_deleted(self):
        self.fill(prefix="many")
        self.mount()
        found = sum(len(os.listdir(self.mountpoint / "many" / f"{i:02}"))
                    for i in range(MANY // 100))
        self.assertEqual(found, MANY)
        shutil.rmtree(self.mountpoint / "many")
        self.unmount()
        self.assertEqual(self.s3().keys(self.bucket), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
