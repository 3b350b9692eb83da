"""boto3 of Debian; boto3_newest_test.py runs the same and more with the newest."""
import base64
import concurrent.futures
import hashlib
import os
import unittest

import boto3
import botocore
import botocore.config
from botocore.exceptions import ClientError

from client_case import ClientCase, sha256

PART = 5 << 20


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Boto3(ClientCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        print(f"boto3 {boto3.__version__}, botocore {botocore.__version__}")

    def setUp(self):
        super().setUp()
        self.client = self.make_client()
        self.client.create_bucket(Bucket=self.bucket)

    def make_client(self, **config):
        session = boto3.session.Session(
            aws_access_key_id=self.settings["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.settings["AWS_SECRET_ACCESS_KEY"],
            region_name=self.settings["AWS_DEFAULT_REGION"])
        return session.client("s3", endpoint_url=self.endpoint, config=botocore.config.Config(
            retries={"max_attempts": 0}, s3={"addressing_style": "path"}, **config))

    def put(self, key, body, **more):
        return self.client.put_object(Bucket=self.bucket, Key=key, Body=body, **more)

    def get(self, key, **more):
        return self.client.get_object(Bucket=self.bucket, Key=key, **more)["Body"].read()

    def assert_fails(self, code, function, **arguments):
        with self.assertRaises(ClientError) as failed:
            function(Bucket=self.bucket, **arguments)
        self.assertEqual(failed.exception.response["Error"]["Code"], code)

    def test_files_come_back_as_they_were(self):
        for number, path in enumerate(sorted(p for p in self.files.rglob("*") if p.is_file())):
            self.client.upload_file(str(path), self.bucket, f"file/{number}")
            self.put(f"whole/{number}", path.read_bytes())
            self.client.copy({"Bucket": self.bucket, "Key": f"file/{number}"}, self.bucket,
                             f"copy/{number}")
            for prefix in ("file", "whole", "copy"):
                out = self.work / "out"
                self.client.download_file(self.bucket, f"{prefix}/{number}", str(out))
                self.assertEqual(sha256(out), sha256(path), f"{prefix} of {path}")
        self.delete_all()
        self.client.delete_bucket(Bucket=self.bucket)

    def delete_all(self):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        for page in pages:
            keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
            done = self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": keys})
            self.assertNotIn("Errors", done)
            self.assertEqual(len(done["Deleted"]), len(keys))

    def test_many_keys_are_listed_and_deleted(self):
        keys = self.fill()
        for how in ("list_objects", "list_objects_v2"):
            pages = list(self.client.get_paginator(how).paginate(Bucket=self.bucket))
            self.assertEqual([len(page["Contents"]) for page in pages], [1000, 1000, 500])
            self.assertEqual([item["Key"] for page in pages for item in page["Contents"]], keys)
            pages = self.client.get_paginator(how).paginate(
                Bucket=self.bucket, Prefix="many/", Delimiter="/",
                PaginationConfig={"PageSize": 7})
            self.assertEqual([item["Prefix"] for page in pages for item in page["CommonPrefixes"]],
                             [f"many/{i:02}/" for i in range(25)])
        self.delete_all()
        self.client.delete_bucket(Bucket=self.bucket)

    def test_parts_arrive_in_any_order(self):
        parts = [os.urandom(PART) for _ in range(11)] + [b"the last one may be small"]
        upload = self.client.create_multipart_upload(Bucket=self.bucket, Key="parts")["UploadId"]
        order = list(range(1, len(parts) + 1))
        order = order[1::2] + order[::2]  # even numbers first

        def send(number, body):
            return self.client.upload_part(Bucket=self.bucket, Key="parts", UploadId=upload,
                                           PartNumber=number, Body=body)["ETag"]
        send(4, b"replaced below")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            etags = dict(zip(order, pool.map(lambda n: send(n, parts[n - 1]), order)))
        listed = self.client.list_parts(Bucket=self.bucket, Key="parts", UploadId=upload)["Parts"]
        self.assertEqual([(part["PartNumber"], part["ETag"], part["Size"]) for part in listed],
                         [(n, etags[n], len(parts[n - 1])) for n in sorted(etags)])
        self.assert_fails("NoSuchKey", self.client.get_object, Key="parts")
        wanted = [{"PartNumber": n, "ETag": etags[n]} for n in sorted(etags)]
        self.assert_fails("InvalidPartOrder", self.client.complete_multipart_upload, Key="parts",
                          UploadId=upload, MultipartUpload={"Parts": wanted[::-1]})
        done = self.client.complete_multipart_upload(
            Bucket=self.bucket, Key="parts", UploadId=upload, MultipartUpload={"Parts": wanted})
        md5s = b"".join(hashlib.md5(part).digest() for part in parts)
        self.assertEqual(done["ETag"], f'"{hashlib.md5(md5s).hexdigest()}-{len(parts)}"')
        whole = b"".join(parts)
        self.assertEqual(digest(self.get("parts")), digest(whole))
        self.assertEqual(self.get("parts", Range=f"bytes={PART - 5}-{PART + 4}"),
                         whole[PART - 5:PART + 5])
        self.assertEqual(self.get("parts", Range="bytes=-7"), whole[-7:])

    def test_aborted_upload_leaves_nothing(self):
        upload = self.client.create_multipart_upload(Bucket=self.bucket, Key="gone")["UploadId"]
        for number in (3, 1):
            self.client.upload_part(Bucket=self.bucket, Key="gone", UploadId=upload,
                                    PartNumber=number, Body=os.urandom(PART))
        uploads = self.client.list_multipart_uploads(Bucket=self.bucket)["Uploads"]
        self.assertEqual([(one["Key"], one["UploadId"]) for one in uploads], [("gone", upload)])
        self.client.abort_multipart_upload(Bucket=self.bucket, Key="gone", UploadId=upload)
        self.assertNotIn("Uploads", self.client.list_multipart_uploads(Bucket=self.bucket))
        self.assert_fails("NoSuchUpload", self.client.upload_part, Key="gone", UploadId=upload,
                          PartNumber=2, Body=b"late")
        self.client.delete_bucket(Bucket=self.bucket)

    def test_answer_behind_an_empty_body_is_read_right(self):
        """A file of nothing is sent with Expect: 100-continue; the connection is used again."""
        for _ in range(3):
            with open(self.files / "empty", "rb") as file:
                self.put("empty", file)
            with open(self.files / "5 MiB", "rb") as file:
                self.assertRegex(self.put("full", file)["ETag"], '^"[0-9a-f]{32}"$')

    def test_presigned_urls_work_with_curl(self):
        body = os.urandom(300_000)
        (self.work / "body").write_bytes(body)

        def url(method, seconds=60):
            return self.make_client(signature_version="s3v4").generate_presigned_url(
                method, Params={"Bucket": self.bucket, "Key": "ä b+c/d"}, ExpiresIn=seconds)
        self.assertEqual(self.curl(url("put_object"), "-T", self.work / "body")[0], 200)
        status, out = self.curl(url("get_object"))
        self.assertEqual((status, sha256(out)), (200, digest(body)))
        forged = url("get_object")  # its last parameter is the signature
        forged = forged[:-1] + ("0" if forged[-1] != "0" else "1")
        self.assertEqual(self.curl(forged)[0], 403)
        self.assertEqual(self.curl(url("get_object"), "-X", "DELETE")[0], 403)
        self.assertEqual(self.curl(self.endpoint + f"/{self.bucket}/x")[0], 403)
        self.assertEqual(self.curl(url("delete_object"), "-X", "DELETE")[0], 204)
        self.assertEqual(self.curl(url("get_object"))[0], 404)

    def test_conditions_metadata_and_names(self):
        etag = self.put("x", b"first", Metadata={"colour": "green"}, ContentType="text/x",
                        CacheControl="no-store")["ETag"]
        head = self.client.head_object(Bucket=self.bucket, Key="x")
        self.assertEqual((head["Metadata"], head["ContentType"], head["CacheControl"]),
                         ({"colour": "green"}, "text/x", "no-store"))
        self.assertEqual(self.get("x", IfMatch=etag), b"first")
        self.assert_fails("PreconditionFailed", self.client.get_object, Key="x", IfMatch='"y"')
        self.assert_fails("304", self.client.get_object, Key="x", IfNoneMatch=etag)
        self.assert_fails("InvalidRange", self.client.get_object, Key="x", Range="bytes=9-")
        self.client.copy_object(Bucket=self.bucket, Key="y", MetadataDirective="REPLACE",
                                CopySource={"Bucket": self.bucket, "Key": "x"},
                                Metadata={"colour": "red"})
        self.assertEqual(self.client.head_object(Bucket=self.bucket, Key="y")["Metadata"],
                         {"colour": "red"})
        names = ["a", "a/", "a/b", "//", "/lead", "./.", "../up", "ü/ß 𝄞", "p+l us&?=%41",
                 "n" * 1000]
        for name in names:
            self.put(f"names/{name}", name.encode())
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix="names/", PaginationConfig={"PageSize": 3})
        self.assertEqual([item["Key"] for page in pages for item in page["Contents"]],
                         sorted((f"names/{name}" for name in names), key=str.encode))
        for name in names:
            self.assertEqual(self.get(f"names/{name}"), name.encode())

    def test_errors_have_their_names(self):
        self.assert_fails("NoSuchKey", self.client.get_object, Key="missing")
        self.assert_fails("404", self.client.head_object, Key="missing")
        self.assert_fails("NoSuchUpload", self.client.list_parts, Key="x", UploadId="nonsense")
        self.put("full", b"x")
        self.assert_fails("BucketNotEmpty", self.client.delete_bucket)
        self.assert_fails("InvalidArgument", self.client.upload_part, Key="x", PartNumber=10001,
                          UploadId=self.client.create_multipart_upload(
                              Bucket=self.bucket, Key="x")["UploadId"], Body=b"")
        stranger = boto3.session.Session(aws_access_key_id="nobody", aws_secret_access_key="x")
        client = stranger.client("s3", endpoint_url=self.endpoint, region_name="us-east-1")
        self.assert_fails("InvalidAccessKeyId", client.list_objects_v2)
        wrong = self.make_client()
        wrong._request_signer._credentials.secret_key = "wrong"  # pylint: disable=protected-access
        self.assert_fails("SignatureDoesNotMatch", wrong.list_objects_v2)
        self.bucket = "no-such-bucket-at-all"
        self.assert_fails("NoSuchBucket", self.client.list_objects_v2)

    def test_checksums_are_kept_and_compared(self):
        done = self.put("x", b"hello", ChecksumAlgorithm="SHA256")
        self.assertEqual(done["ChecksumSHA256"],
                         base64.b64encode(hashlib.sha256(b"hello").digest()).decode())
        self.assert_fails("BadDigest", self.client.put_object, Key="y", Body=b"hello",
                          ChecksumSHA256=base64.b64encode(bytes(32)).decode())
        self.assert_fails("BadDigest", self.client.put_object, Key="y", Body=b"hello",
                          ContentMD5=base64.b64encode(bytes(16)).decode())
        self.assert_fails("NoSuchKey", self.client.get_object, Key="y")


if __name__ == "__main__":
    unittest.main(verbosity=2)
