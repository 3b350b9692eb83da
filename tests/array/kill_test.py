"""Rounds of load, SIGKILL of a random blade or of everything, restart, verify."""
import os
import random
import sys
import time
import unittest

from checked_load import Load
from turbine_array import SOAK, Array

ROUNDS = int(os.environ.get("TURBINE_KILL_ROUNDS", "200" if SOAK else "40"))
SEED = int(os.environ.get("TURBINE_SEED", random.SystemRandom().getrandbits(32)))


class Kill(unittest.TestCase):
    def test_every_acknowledged_object_survives(self):
        print(f"seed {SEED}, {ROUNDS} rounds", flush=True)
        dice = random.Random(SEED)
        acknowledged = refused = 0
        with Array(blades=6, blade_size="2GiB") as array:
            array.s3().create_bucket("load")
            load = Load(array, "load", SEED)
            for number in range(ROUNDS):
                load.start()
                time.sleep(dice.uniform(0.2, 0.9))
                everything = dice.random() < 0.2
                if everything:
                    array.kill_everything()
                else:
                    victims = dice.sample(range(1, 7), dice.choice([1, 1, 2]))
                    for victim in victims:
                        array.kill(f"blade-{victim}")
                    time.sleep(dice.uniform(0.1, 0.8))
                load.stop()
                acknowledged += load.total("acknowledged")
                refused += load.total("refused")
                if everything:
                    array.up()
                else:
                    for victim in victims:
                        array.run("blade", "start", victim)
                load.verify()
                what = "everything" if everything else f"blades {victims}"
                print(f"round {number + 1}: killed {what}; {acknowledged} acknowledged, "
                      f"{refused} refused", flush=True)
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
            array.wait_for(lambda: array.status()[0] == 11, 10, "status to say data at risk")
            answered, refused = load.read_what_answers()
            print(f"two of six dead: {answered} read, {refused} refused")
            self.assertGreater(answered, refused)
            for victim in (2, 5):
                array.run("blade", "start", victim)
            load.verify()


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
