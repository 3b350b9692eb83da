"""Full blades: writes get 507, reads go on, deletes free space."""
import os
import unittest

from s3_client import S3Error
from turbine_array import Array

OBJECT_BYTES = 4 << 20


class Full(unittest.TestCase):
    def fill(self, s3, prefix, count_max):
        written = []
        for number in range(count_max):
            key = f"{prefix}/{number}"
            try:
                s3.put("load", key, os.urandom(64) * (OBJECT_BYTES // 64))
            except S3Error as error:
                self.assertEqual((error.status, error.code), (507, "InsufficientStorage"))
                return written
            written.append(key)
        self.fail(f"{count_max} objects fit where they can't")

    def test_full_array_says_so_and_recovers(self):
        with Array(blades=6, blade_size="320MiB") as array:
            s3 = array.s3()
            s3.create_bucket("load")
            written = self.fill(s3, "first", 400)
            self.assertGreater(len(written), 10)
            for key in written:
                self.assertEqual(len(s3.get("load", key)), OBJECT_BYTES)
            for key in written[::2]:
                s3.delete("load", key)

            def writable():
                try:
                    s3.put("load", "again", b"x" * OBJECT_BYTES)
                    return True
                except S3Error as error:
                    self.assertEqual(error.status, 507)
                    return False
            array.wait_for(writable, 60, "deletes to free space")
            for key in written[1::2]:
                self.assertEqual(len(s3.get("load", key)), OBJECT_BYTES)


if __name__ == "__main__":
    unittest.main(verbosity=2)
