"""Up to two chunk areas are lost under load: no client sees an error."""
import os
import random
import subprocess
import time
import unittest

from checked_load import Load
from turbine_array import Array

CHUNK_AREA_OFFSET = 129 << 20  # past superblock and journal (docs/format/superblock.md)


def punch(path):
    size = os.stat(path).st_size
    subprocess.run(["fallocate", "--punch-hole", "--offset", str(CHUNK_AREA_OFFSET), "--length",
                    str(size - CHUNK_AREA_OFFSET), str(path)], check=True)


class LostChunks(unittest.TestCase):
    def lose(self, how):
        seed = random.SystemRandom().getrandbits(32)
        print(f"seed {seed}")
        with Array(blades=6, blade_size="2GiB") as array:
            array.s3().create_bucket("load")
            load = Load(array, "load", seed, workers=3, keys=30)
            load.start()
            time.sleep(4)
            for blade in (3, 6):
                how(array, blade)
                time.sleep(2)
            time.sleep(2)
            load.stop()
            self.assertEqual((load.total("refused"), load.total("unclear")), (0, 0))
            load.verify(seconds=0)
            self.assertGreater(load.total("acknowledged"), 100)

    def test_zeroed(self):
        self.lose(lambda array, blade: punch(array.dir / f"blade-{blade}" / "blade.img"))

    def test_deleted(self):
        self.lose(lambda array, blade: (array.dir / f"blade-{blade}" / "blade.img").unlink())


if __name__ == "__main__":
    unittest.main(verbosity=2)
