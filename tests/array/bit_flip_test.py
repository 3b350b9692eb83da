"""One flipped bit in each region of a device: found, answered around, repaired; where there is one
copy only (metadata, until replication lands) found and said."""
import json
import random
import unittest

from blade_disk import (CHUNKS, JOURNAL, SUPERBLOCKS, flip_bit, image, used_pages)
from s3_client import S3Error
from turbine_array import Array


class BitFlips(unittest.TestCase):
    def make_objects(self, s3, count, size):
        s3.create_bucket("load")
        dice = random.Random(2)
        objects = {f"dir-{i % 5}/{i}": dice.randbytes(size) for i in range(count)}
        for key, body in objects.items():
            s3.put("load", key, body)
        return objects

    def trouble(self, array, blade):
        blades = json.loads(array.run("blade", "list", "-o", "json", expect=None).stdout)
        return {each["name"]: each["trouble"] for each in blades}[f"blade-{blade}"]

    def test_superblock_has_a_second_copy(self):
        with Array(blades=2) as array:
            self.make_objects(array.s3(), 3, 1000)
            good = image(array, 1).read_bytes()[:4096]
            for copy in SUPERBLOCKS:
                array.run("blade", "stop", "1")
                flip_bit(image(array, 1), copy + 50)
                array.run("blade", "start", "1")
                self.assertIn("one copy of the superblock was bad", array.log("blade-1"))
                with open(image(array, 1), "rb") as file:
                    file.seek(copy)
                    self.assertEqual(file.read(4096), good, "it is written again")
            array.run("blade", "stop", "1")
            for copy in SUPERBLOCKS:
                flip_bit(image(array, 1), copy + 50)
            done = array.run("blade", "start", "1", expect=1)
            self.assertIn("no copy of the device's superblock is good", done.stderr)
            flip_bit(image(array, 1), 50)
            array.run("blade", "start", "1")

    def test_chunk_area_is_answered_around_and_repaired(self):
        with Array(blades=6) as array:
            s3 = array.s3()
            objects = self.make_objects(s3, 24, 1 << 20)
            for pair in ((1, 2), (3, 4), (5, 6)):
                s3.close()
                array.run("down")
                for blade in pair:
                    size = image(array, blade).stat().st_size
                    pages = used_pages(image(array, blade), CHUNKS, size)
                    self.assertGreater(len(pages), 100)
                    for page in pages[::8]:  # several of each shard
                        flip_bit(image(array, blade), page + page // 4096 % 4096)
                array.up()
                for key, body in objects.items():
                    self.assertEqual(s3.get("load", key), body)
                array.wait_until_scrubbed()
                for blade in pair:
                    self.assertGreater(
                        array.metric(f"blade-{blade}", "turbine_blade_checksum_errors_total"), 0)

    def test_journal_is_found_and_said(self):
        with Array(blades=2) as array:
            s3 = array.s3()
            objects = self.make_objects(s3, 100, 5000)
            array.kill("blade-1")  # no clean end: what is in the journal is needed
            pages = used_pages(image(array, 1), JOURNAL, CHUNKS)
            flip_bit(image(array, 1), pages[len(pages) // 2] + 100)
            array.run("blade", "start", "1")
            self.assertIn("journal was damaged", array.log("blade-1"))
            self.assertIn("journal was damaged", self.trouble(array, 1))
            array.wait_for(lambda: array.status()[0] == 10, 10, "status to say degraded")
            shown = array.run("status", expect=10).stdout
            self.assertIn("journal was damaged", shown)
            self.assertIn("blade 1 has found damage", shown.splitlines()[-1])
            self.assert_right_or_gone(s3, objects)

    def test_key_value_store_is_found_and_said(self):
        with Array(blades=2) as array:
            s3 = array.s3()
            objects = self.make_objects(s3, 200, 900)
            array.run("blade", "stop", "1")  # writes tables
            tables = sorted((array.dir / "blade-1" / "kv").glob("*.sst"))
            self.assertGreater(len(tables), 0)
            for table in tables:  # in rows; a bad index, at the end, would keep it from opening
                for offset in range(500, table.stat().st_size // 2, 3000):
                    flip_bit(table, offset)
            done = array.run("blade", "start", "1", expect=None)
            if done.returncode == 0:
                wrong = self.assert_right_or_gone(s3, objects, gone=False)
                self.assertGreater(wrong, 0, "the damage was met")
                array.wait_for(lambda: array.status()[0] == 10, 10, "status to say degraded")
                self.assertIn("key-value store", self.trouble(array, 1))
            else:
                self.assertEqual(done.returncode, 1)
                self.assertIn("kv", done.stderr)

    def test_key_value_store_with_a_bad_manifest_does_not_open(self):
        with Array(blades=2) as array:
            self.make_objects(array.s3(), 20, 900)
            array.run("blade", "stop", "1")
            manifest = next((array.dir / "blade-1" / "kv").glob("MANIFEST-*"))
            flip_bit(manifest, manifest.stat().st_size // 2)
            done = array.run("blade", "start", "1", expect=1)
            self.assertIn(f"{array.dir}/blade-1/kv", done.stderr)

    def assert_right_or_gone(self, s3, objects, gone=True):
        """Never wrong bytes. Returns how many objects did not answer with theirs."""
        missing = 0
        for key, body in objects.items():
            try:
                self.assertEqual(s3.get("load", key), body)
            except S3Error as error:
                self.assertIn(error.status, [404, 500, 503] if gone else [500, 503])
                missing += 1
        return missing


if __name__ == "__main__":
    unittest.main(verbosity=2)
