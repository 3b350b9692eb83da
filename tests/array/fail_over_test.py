"""Blades, the manager and the gateway die or freeze under load: clients that try again see no
error, and what was acknowledged is there."""
import collections
import os
import random
import shutil
import signal
import statistics
import sys
import time
import unittest

from checked_load import Load
from turbine_array import SOAK, Array

ROUNDS = int(os.environ.get("TURBINE_FAIL_OVER_ROUNDS", "100" if SOAK else "15"))
SEED = int(os.environ.get("TURBINE_SEED", random.SystemRandom().getrandbits(32)))
BLADES = 6
ANSWERS = 60  # to each worker, after which a blow is over


class Blows:
    """Each returns when all processes run again, or when the rest has served for a while."""

    def __init__(self, array, load, dice):
        self.array, self.load, self.dice = array, load, dice
        self.kinds = {"kill one": lambda: self.kill(1), "kill two": lambda: self.kill(2),
                      "freeze one": lambda: self.freeze(1), "freeze two": lambda: self.freeze(2),
                      "manager": lambda: self.restart("manager"),
                      "gateway": lambda: self.restart("gateway-1"),
                      "blade and manager": self.blade_and_manager}

    def blades(self, count):
        return [f"blade-{i}" for i in self.dice.sample(range(1, BLADES + 1), count)]

    def kill(self, count):
        names = self.blades(count)
        for name in names:
            self.array.kill(name)
        self.load.wait_for_answers(ANSWERS, 60)
        self.revive(names)
        return names

    def freeze(self, count):
        names = self.blades(count)
        seconds = self.dice.uniform(2, 6)
        for name in names:
            self.array.signal(name, signal.SIGSTOP)
        time.sleep(seconds)
        for name in names:
            self.array.signal(name, signal.SIGCONT)
        return names + [f"for {seconds:.1f} s"]

    def restart(self, name):
        self.array.kill(name)
        self.array.start(name)
        return [name]

    def blade_and_manager(self):
        names = self.blades(1)
        both = [*names, "manager"]
        self.dice.shuffle(both)
        for name in both:
            self.array.kill(name)
        self.array.start("manager")
        self.load.wait_for_answers(ANSWERS, 60)
        self.revive(names)
        return both

    def revive(self, names):
        for name in names:
            self.array.run("blade", "start", name.removeprefix("blade-"))


class FailOver(unittest.TestCase):
    def test_clients_see_pauses_and_no_errors(self):
        print(f"seed {SEED}, {ROUNDS} rounds", flush=True)
        dice = random.Random(SEED)
        gaps = collections.defaultdict(list)
        with Array(blades=BLADES, blade_size="2GiB") as array:
            array.s3().create_bucket("load")
            load = Load(array, "load", SEED, tries=3)
            blows = Blows(array, load, dice)
            kinds = []
            for number in range(ROUNDS):
                kinds = kinds or dice.sample(list(blows.kinds), len(blows.kinds))
                kind = kinds.pop()
                load.start()
                load.wait_for_answers(dice.randint(5, 40), 30)  # where in the load the blow falls
                victims = blows.kinds[kind]()
                load.wait_for_answers(ANSWERS, 60)
                load.stop()
                gap = load.longest_gap()
                gaps[kind].append(gap)
                self.assertEqual(load.errors(), [])
                if kind != "gateway":  # which tries again in its clients' place
                    self.assertEqual(load.retried(), [], kind)
                for name in array.names():
                    self.assertTrue(array.pid(name), f"{name} runs")
                took = array.wait_until_whole()
                print(f"round {number + 1}: {kind}: {victims}; pause {gap:.2f} s, whole after "
                      f"{took:.1f} s, {len(load.retried())} tried again", flush=True)
                load.verify(seconds=0)
        for kind, seconds in [*gaps.items(), ("all", [gap for each in gaps.values()
                                                      for gap in each])]:
            print(f"pause, {kind}: p50 {statistics.median(seconds):.2f} s, max "
                  f"{max(seconds):.2f} s of {len(seconds)}")

    def test_two_blades_are_gone_for_good(self):
        """Those with the most primaries, with their disks, under load."""
        with Array(blades=BLADES, blade_size="2GiB") as array:
            array.s3().create_bucket("load")
            load = Load(array, "load", SEED, tries=3)
            load.start()
            load.wait_for_answers(60, 30)
            blades = sorted(array.status()[1]["blade_list"], key=lambda blade: blade["partitions"])
            gone = [blade["name"] for blade in blades[-2:]]
            for name in gone:
                array.kill(name)
                shutil.rmtree(array.dir / name)
            died = time.monotonic()
            load.wait_for_answers(ANSWERS, 60)
            load.stop()
            self.assertEqual(load.errors(), [])
            load.verify(seconds=0)
            load.start()

            def replicated():
                status = array.status()[1]
                return (status["protection"]["metadata_tolerance"] == 2
                        and not status["partitions"]["recruiting"])
            array.wait_for(replicated, 60, "three replicas of each partition")
            took = time.monotonic() - died
            code, status = array.status()
            self.assertEqual((code, status["blades"]["alive"]), (11, 4))
            load.wait_for_answers(ANSWERS, 60)
            load.stop()
            print(f"{gone} gone: three replicas again after {took:.1f} s", flush=True)
            self.assertLess(took, 60)
            self.assertEqual(load.errors(), [])
            load.verify(seconds=0)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
