"""Blades, the manager and gateways die or freeze under load: clients that try again see no error,
and one order of all that they did, key by key, explains each answer."""
import collections
import json
import os
import random
import shutil
import signal
import statistics
import sys
import time
import unittest

from shared_load import SharedLoad
from turbine_array import SOAK, Array

ROUNDS = int(os.environ.get("TURBINE_FAIL_OVER_ROUNDS", "100" if SOAK else "15"))
SEED = int(os.environ.get("TURBINE_SEED", random.SystemRandom().getrandbits(32)))
BLADES = 6
GATEWAYS = ["gateway-1", "gateway-2"]  # on one port
PATIENCE, IMPATIENCE = 20, 1.5  # seconds after which clients give up; where a gateway is frozen
ANSWERS = 60  # to each worker, after which a blow is over


class Blows:
    """Each returns when all processes run again, or when the rest has served for a while."""

    def __init__(self, array, load, dice):
        self.array, self.load, self.dice = array, load, dice
        self.kinds = {"kill one": lambda: self.kill(1), "kill two": lambda: self.kill(2),
                      "freeze one": lambda: self.freeze(1), "freeze two": lambda: self.freeze(2),
                      "manager": lambda: self.restart("manager"),
                      "gateway": lambda: self.restart(self.dice.choice(GATEWAYS)),
                      "freeze gateway": self.freeze_gateway,
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
        return self.freeze_these(self.blades(count), self.dice.uniform(2, 6))

    def freeze_gateway(self):
        """Impatient clients ask again, so that what it had been asked comes late."""
        return self.freeze_these([self.dice.choice(GATEWAYS)], self.dice.uniform(2, 4))

    def freeze_these(self, names, seconds):
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
        served = set()
        with Array(blades=BLADES, blade_size="2GiB", gateways=len(GATEWAYS)) as array:
            array.s3().create_bucket("load")
            load = SharedLoad(array, "load", SEED)
            blows = Blows(array, load, dice)
            kinds = []
            for number in range(ROUNDS):
                kinds = kinds or dice.sample(list(blows.kinds), len(blows.kinds))
                kind = kinds.pop()
                if number > 0:
                    load.fresh_keys()
                load.set_timeout(IMPATIENCE if kind == "freeze gateway" else PATIENCE)
                load.start()
                load.wait_for_answers(dice.randint(5, 40), 30)  # where in the load the blow falls
                victims = blows.kinds[kind]()
                load.wait_for_answers(ANSWERS, 60)
                load.stop()
                gap = load.longest_gap()
                gaps[kind].append(gap)
                self.assertEqual(load.errors(), [])
                if "gateway" not in kind:  # which tries again in its clients' place
                    self.assertEqual(load.retried(), [], kind)
                for name in array.names():
                    self.assertTrue(array.pid(name), f"{name} runs")
                took = array.wait_until_whole()
                print(f"round {number + 1}: {kind}: {victims}; pause {gap:.2f} s, whole after "
                      f"{took:.1f} s, {len(load.retried())} tried again", flush=True)
                load.read(load.keys)
                served |= {name for name in GATEWAYS
                           if array.metric(name, "turbine_stripes_written_total")}
            load.read(load.all_keys)
            self.assertEqual(served, set(GATEWAYS))
            self.check_history(load.history)
            self.check_the_checker(load.history)
        for kind, seconds in [*gaps.items(), ("all but frozen gateways", [
                gap for kind, each in gaps.items() if kind != "freeze gateway" for gap in each])]:
            print(f"pause, {kind}: p50 {statistics.median(seconds):.2f} s, max "
                  f"{max(seconds):.2f} s of {len(seconds)}")

    def check_history(self, history):
        linearizable, text = history.check()
        print(text, flush=True)
        self.assertTrue(linearizable, text)

    def check_the_checker(self, history):
        """The same history with one wrong answer must be refused, at the key that it is of."""
        records = history.records()
        by_key = collections.defaultdict(list)
        for record in records:
            by_key[record["key"]].append(record)

        def others(its):
            """Versions that the key had before, if it is certain that it has none of them now: its
            last two answers are the same, and each outcome is known."""
            if ([(each["op"], each["result"]) for each in its[-2:]] != [("get", "ok")] * 2
                    or any(each["result"] == "unknown" for each in its)):
                return []
            return [each["version"] for each in its if each["op"] == "put"
                    and each["result"] == "ok" and each["version"] != its[-1]["version"]]
        key, its = next((key, its) for key, its in by_key.items() if others(its))
        last = its[-1]
        wrong = {"a lost write": {**last, "result": "absent"},
                 "a stale read": {**last, "version": others(its)[0]}}
        for what, answer in wrong.items():
            with self.subTest(what):
                path = history.path.with_name("wrong.jsonl")
                path.write_text("".join(json.dumps(answer if record is last else record) + "\n"
                                        for record in records))
                linearizable, text = history.check(path)
                self.assertFalse(linearizable, answer)
                self.assertIn(f"key '{key}': nothing explains '{last['client']}: get", text)

    def test_two_blades_are_gone_for_good(self):
        """Those with the most primaries, with their disks, under load."""
        with Array(blades=BLADES, blade_size="2GiB", gateways=len(GATEWAYS)) as array:
            array.s3().create_bucket("load")
            load = SharedLoad(array, "load", SEED)
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
            self.assertEqual((load.errors(), load.retried()), ([], []))
            load.read(load.keys)
            load.fresh_keys()
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
            self.assertEqual((load.errors(), load.retried()), ([], []))
            load.read(load.all_keys)
            self.check_history(load.history)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
