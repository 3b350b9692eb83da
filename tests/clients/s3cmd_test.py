"""s3cmd: ListObjects v1, Content-MD5, its attributes in metadata, parts of 15 MiB."""
import unittest
import urllib.parse

from client_case import ClientCase, digests


class S3cmd(ClientCase):
    def s3cmd(self, *words, **more):
        host = urllib.parse.urlsplit(self.endpoint).netloc
        return self.run_tool(
            "/usr/bin/s3cmd", "--config=/dev/null", "--no-ssl", f"--host={host}",
            f"--host-bucket={host}", f"--access_key={self.settings['AWS_ACCESS_KEY_ID']}",
            f"--secret_key={self.settings['AWS_SECRET_ACCESS_KEY']}",
            f"--region={self.settings['AWS_DEFAULT_REGION']}", "--no-progress", *words, **more)

    def test_files_come_back_as_they_were(self):
        self.s3cmd("mb", f"s3://{self.bucket}")
        self.assertIn(f"s3://{self.bucket}", self.s3cmd("ls"))
        self.s3cmd("put", "--recursive", f"{self.files}/", f"s3://{self.bucket}/in/")
        lines = self.s3cmd("ls", "--recursive", f"s3://{self.bucket}").splitlines()
        listed = {line.split(maxsplit=3)[3]: int(line.split()[2]) for line in lines}
        self.assertEqual(listed, {f"s3://{self.bucket}/in/{name}": size
                                  for name, (size, _) in digests(self.files).items()})
        self.s3cmd("cp", "--recursive", f"s3://{self.bucket}/in/", f"s3://{self.bucket}/copy/")
        # get compares the MD5 of what came with the ETag or its own attributes
        (self.work / "out").mkdir()
        done = self.s3cmd("get", "--recursive", f"s3://{self.bucket}/copy/", f"{self.work}/out/")
        self.assertNotIn("MD5", done)
        self.assert_same_tree(self.files, self.work / "out")
        self.assertRegex(self.s3cmd("info", f"s3://{self.bucket}/in/5 MiB"),
                         r"File size:\s+5242880\n")
        self.s3cmd("del", "--recursive", "--force", f"s3://{self.bucket}/")
        self.s3cmd("rb", f"s3://{self.bucket}")
        self.assertNotIn(f"s3://{self.bucket}", self.s3cmd("ls"))

    def test_many_keys_are_listed_and_deleted(self):
        self.s3cmd("mb", f"s3://{self.bucket}")
        keys = self.fill()
        lines = self.s3cmd("ls", "--recursive", f"s3://{self.bucket}/many/").splitlines()
        self.assertEqual([line.split(maxsplit=3)[3] for line in lines],
                         [f"s3://{self.bucket}/{key}" for key in keys])
        self.s3cmd("rb", "--recursive", "--force", f"s3://{self.bucket}")
        self.assertNotIn(f"s3://{self.bucket}", self.s3cmd("ls"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
