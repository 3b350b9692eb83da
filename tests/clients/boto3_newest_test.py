"""The newest boto3: all that Debian's does, checksums sent without being asked, and trailers."""
import base64
import os
import unittest
import zlib

import botocore
from boto3.s3.transfer import TransferConfig

import boto3_test
from client_case import sha256

PART = 5 << 20


class Boto3Newest(boto3_test.Boto3):
    def test_it_is_new(self):
        version = tuple(map(int, botocore.__version__.split(".")))
        self.assertGreaterEqual(version, (1, 43), botocore.__file__)

    def test_conditional_writes(self):
        etag = self.put("x", b"first", IfNoneMatch="*")["ETag"]
        self.assert_fails("PreconditionFailed", self.client.put_object, Key="x", Body=b"2",
                          IfNoneMatch="*")
        self.put("x", b"second", IfMatch=etag)
        self.assert_fails("PreconditionFailed", self.client.put_object, Key="x", Body=b"3",
                          IfMatch=etag)
        self.assertEqual(self.get("x"), b"second")

    def test_crc32_is_sent_by_itself(self):
        self.put("x", b"hello")
        head = self.client.head_object(Bucket=self.bucket, Key="x", ChecksumMode="ENABLED")
        crc = base64.b64encode(zlib.crc32(b"hello").to_bytes(4, "big")).decode()
        self.assertEqual(head["ChecksumCRC32"], crc)
        self.assert_fails("BadDigest", self.client.put_object, Key="y", Body=b"hello",
                          ChecksumCRC32=base64.b64encode(b"1234").decode())
        self.assert_fails("NoSuchKey", self.client.get_object, Key="y")
        self.client.upload_file(str(self.files / "64 MiB"), self.bucket, "parts",
                                Config=TransferConfig(multipart_chunksize=PART, max_concurrency=4))
        out = self.work / "out"
        self.client.download_file(self.bucket, "parts", str(out))
        self.assertEqual(sha256(out), sha256(self.files / "64 MiB"))

    def test_checksums_in_trailers(self):
        """As over TLS: the body in aws-chunked framing, its checksum behind it."""
        sent = []
        self.client.meta.events.register(
            "before-send.s3.PutObject", lambda request, **_: sent.append(dict(request.headers)))
        original = botocore.httpchecksum.urlparse
        botocore.httpchecksum.urlparse = lambda url: original(url)._replace(scheme="https")
        self.addCleanup(setattr, botocore.httpchecksum, "urlparse", original)
        for size in (0, 1, 100_000, 3 << 20):
            body = os.urandom(size)
            self.put(f"trailer/{size}", body)
            self.assertEqual(self.get(f"trailer/{size}"), body)
        self.assertEqual(len(sent), 4)
        for headers in sent:
            text = {name.lower(): value.decode() if isinstance(value, bytes) else value
                    for name, value in headers.items()}
            self.assertEqual(text["x-amz-content-sha256"], "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
            self.assertEqual(text["x-amz-trailer"], "x-amz-checksum-crc32")


if __name__ == "__main__":
    unittest.main(argv=["boto3_newest", "Boto3Newest"], verbosity=2)
