"""Rounds of load, SIGKILL of random blades or of everything, restart, verify."""
import itertools
import os
import random
import sys
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

    def test_any_two_of_six_blades_may_die(self):
        pairs = list(itertools.combinations(range(1, 7), 2))
        dice = random.Random(SEED)
        if not SOAK:  # each blade once
            order = dice.sample(range(1, 7), 6)
            pairs = [(order[0], order[1]), (order[2], order[3]), (order[4], order[5])]
        with Array(blades=6, blade_size="2GiB") as array:
            array.s3().create_bucket("load")
            load = Load(array, "load", SEED, workers=2, keys=60)
            for pair in pairs:
                self.lose(array, load, pair)

    def lose(self, array, load, pair):
        load.start()
        load.wait_for_answers(60, 30)
        for victim in pair:
            array.kill(f"blade-{victim}")
        load.wait_for_answers(60, 60)
        code, status = array.status()
        self.assertEqual(status["blades"]["alive"], 4)
        self.assertIn(code, (10, 11))
        load.wait_for_answers(60, 30)
        load.stop()
        self.assertEqual(load.errors(), [], f"{pair} dead")
        answered, refused, _ = load.read_what_answers()
        self.assertEqual((answered, refused), (120, 0))
        self.assertIn(array.status()[0], (10, 11))
        for victim in pair:
            array.run("blade", "start", victim)
        took = array.wait_until_whole()
        print(f"{pair} dead: the longest pause {load.longest_gap():.2f} s; whole {took:.1f} s "
              "after the start", flush=True)
        load.verify(seconds=0)

    def test_with_three_blades_dead_the_rest_answers_and_nothing_is_lost(self):
        with Array(blades=6, blade_size="2GiB") as array:
            array.s3().create_bucket("load")
            load = Load(array, "load", SEED, workers=2, keys=60)
            load.start()
            load.wait_for_answers(100, 30)
            victims = random.Random(SEED).sample(range(1, 7), 3)
            for victim in victims[:2]:
                array.kill(f"blade-{victim}")
            load.wait_for_answers(60, 60)
            load.stop()
            self.assertEqual(load.errors(), [])
            array.kill(f"blade-{victims[2]}")
            array.wait_for(lambda: array.status()[1]["blades"]["alive"] == 3, 10, "3 to be dead")
            self.assertEqual(array.status()[0], 12)
            # Partitions that were about to copy themselves may get all of a fail-over's time.
            answered, refused, slowest = load.read_what_answers(slowest_allowed=12)
            print(f"{victims} dead: {answered} read, {refused} refused, the slowest "
                  f"refusal after {slowest:.2f} s", flush=True)
            self.assertGreater(refused, 0, "stripes have lost three of six shards")
            for victim in victims:
                array.run("blade", "start", victim)
            array.wait_until_whole()
            load.verify(seconds=0)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
