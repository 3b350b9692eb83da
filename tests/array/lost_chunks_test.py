"""Up to two chunk areas are lost under load: no client sees an error."""
import random
import signal
import unittest

from blade_disk import CHUNKS, image, punch, without_cache
from checked_load import Load
from turbine_array import Array

LOST = (3, 6)


class LostChunks(unittest.TestCase):
    def lose(self, how, env=None):
        seed = random.SystemRandom().getrandbits(32)
        print(f"seed {seed}")
        with Array(blades=6, blade_size="2GiB", env=env) as array:
            without_cache(array, LOST)
            array.wait_for(lambda: array.status()[0] == 0, 10, "all blades")
            array.s3().create_bucket("load")
            load = Load(array, "load", seed, workers=3, keys=30)
            load.start()
            array.wait_for(lambda: load.total("acknowledged") > 150, 30, "load")
            for blade in LOST:
                before = load.total("acknowledged")
                how(array, blade)
                array.wait_for(lambda least=before + 80: load.total("acknowledged") > least, 30,
                               f"load after the loss on blade {blade}")
            load.stop()
            self.assertEqual((load.total("refused"), load.total("unclear")), (0, 0))
            load.verify(seconds=0)
            return [array.metric(f"blade-{blade}", name) for blade in LOST
                    for name in ("turbine_blade_checksum_errors_total",
                                 "turbine_blade_read_errors_total")]

    def test_zeroed(self):
        errors = self.lose(lambda array, blade: punch(image(array, blade)))
        self.assertGreater(min(errors[0::2]), 0, "both losses were met")

    def test_deleted(self):
        self.lose(lambda array, blade: image(array, blade).unlink())

    def test_unreadable(self):
        errors = self.lose(lambda array, blade: array.signal(f"blade-{blade}", signal.SIGUSR2),
                           env={"TURBINE_UNREADABLE": f"{CHUNKS}:{1 << 40}"})
        self.assertGreater(min(errors[1::2]), 0, "both losses were met")

    def test_zeroed_area_is_made_whole_again(self):
        """Two areas are lost, repaired, then two others: a stripe left broken could not be read."""
        with Array(blades=6, blade_size="1GiB") as array:
            s3 = array.s3()
            s3.create_bucket("load")
            dice = random.Random(1)
            objects = {f"o/{i}": dice.randbytes(1 << 20) for i in range(24)}
            for key, body in objects.items():
                s3.put("load", key, body)
            for pair in ((1, 2), (3, 4), (5, 6)):
                s3.close()
                array.run("down")
                for blade in pair:
                    punch(image(array, blade))
                array.up()
                for key, body in objects.items():
                    self.assertEqual(s3.get("load", key), body)
                array.wait_until_scrubbed()
                for blade in pair:
                    self.assertGreater(
                        array.metric(f"blade-{blade}", "turbine_blade_checksum_errors_total"), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
