"""The AWS CLI, Debian's or the newest: TURBINE_AWS names the program."""
import json
import os
import unittest

from client_case import ClientCase, digests, sha256

AWS = os.environ.get("TURBINE_AWS", "/usr/bin/aws")


class AwsCli(ClientCase):
    def aws(self, *words, **more):
        # Debian's 2.9 does not know AWS_ENDPOINT_URL.
        return self.run_tool(AWS, "--endpoint-url", self.endpoint, *words, **more)

    def test_files_come_back_as_they_were(self):
        print(self.aws("--version"))
        self.aws("s3", "mb", f"s3://{self.bucket}")
        self.assertIn(self.bucket, self.aws("s3", "ls"))
        self.aws("s3", "cp", "--recursive", "--no-progress", self.files, f"s3://{self.bucket}/in")
        listed = json.loads(self.aws("s3api", "list-objects-v2", "--bucket", self.bucket))
        self.assertEqual({item["Key"]: item["Size"] for item in listed["Contents"]},
                         {f"in/{name}": size for name, (size, _) in digests(self.files).items()})
        # Copies of 64 MiB go by UploadPartCopy, the others by CopyObject.
        self.aws("s3", "cp", "--recursive", "--no-progress", f"s3://{self.bucket}/in",
                 f"s3://{self.bucket}/copy")
        self.aws("s3", "sync", "--no-progress", f"s3://{self.bucket}/copy", self.work / "out")
        self.assert_same_tree(self.files, self.work / "out")
        self.assertEqual(self.aws("s3", "sync", "--no-progress", f"s3://{self.bucket}/in",
                                  self.work / "out", "--size-only"), "", "nothing had changed")
        # Where the region is us-east-1 the newest still signs URLs the old way (SigV2) by itself.
        (self.work / "config").write_text("[default]\ns3 =\n  signature_version = s3v4\n")
        url = self.aws("s3", "presign", f"s3://{self.bucket}/in/5 MiB",
                       more_env={"AWS_CONFIG_FILE": str(self.work / "config")}).strip()
        status, body = self.curl(url)
        self.assertEqual((status, sha256(body)), (200, sha256(self.files / "5 MiB")))
        self.aws("s3", "rb", "--force", f"s3://{self.bucket}")
        self.assertNotIn(self.bucket, self.aws("s3", "ls"))

    def test_many_keys_are_listed_and_deleted(self):
        self.aws("s3api", "create-bucket", "--bucket", self.bucket)
        keys = self.fill()
        lines = self.aws("s3", "ls", "--recursive", f"s3://{self.bucket}/many/").splitlines()
        self.assertEqual([line.split(maxsplit=3)[3] for line in lines], keys)
        directories = self.aws("s3", "ls", f"s3://{self.bucket}/many/").split()
        self.assertEqual(directories[1::2], [f"{i:02}/" for i in range(25)])
        self.aws("s3", "rm", "--recursive", "--only-show-errors", f"s3://{self.bucket}/many/")
        self.aws("s3api", "delete-bucket", "--bucket", self.bucket)

    def test_errors_have_their_names(self):
        for words, code in [(["s3api", "head-bucket", "--bucket", self.bucket], "404"),
                            (["s3api", "list-objects-v2", "--bucket", self.bucket],
                             "NoSuchBucket")]:
            with self.assertRaises(AssertionError) as failed:
                self.aws(*words)
            self.assertIn(code, str(failed.exception))


if __name__ == "__main__":
    unittest.main(verbosity=2)
