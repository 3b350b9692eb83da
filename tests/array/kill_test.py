"""Rounds of load, SIGKILL of random blades or of everything, restart, verify."""
import os
import random
import sys
import time
import unittest

from checked_load import Load
from rounds import Sigkill, run_rounds
from turbine_array import SOAK, Array

ROUNDS = int(os.environ.get("TURBINE_KILL_ROUNDS", "200" if SOAK else "40"))
SEED = int(os.environ.get("TURBINE_SEED", random.SystemRandom().getrandbits(32)))


class Kill(unittest.TestCase):
    def test_every_acknowledged_object_survives(self):
        acknowledged, _ = run_rounds(Sigkill(), ROUNDS, SEED)
        self.assertGreater(acknowledged, ROUNDS * 20)

    def test_live_partitions_serve_while_two_blades_are_dead(self):
        with Array(blades=6, blade_size="2GiB") as array:
            array.s3().create_bucket("load")
            load = Load(array, "load", SEED, workers=2, keys=60)
            load.start()
            time.sleep(4)
            load.stop()
            for victim in (2, 5):
                array.kill(f"blade-{victim}")
            array.wait_for(lambda: array.status()[0] == 12, 10, "status to say names away")
            answered, refused, slowest = load.read_what_answers()
            print(f"two of six dead: {answered} read, {refused} refused, the slowest "
                  f"answer after {slowest:.2f} s")
            self.assertGreater(answered, refused)
            self.assertGreater(refused, 0, "some partitions are dead")
            for victim in (2, 5):
                array.run("blade", "start", victim)
            load.verify()


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
