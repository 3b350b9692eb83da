"""Power cuts in real processes: blades keep what was not flushed in memory (TURBINE_POWER_CUT),
so that it dies with them, as a whole or torn. And the proof that this finds missing flushes."""
import os
import random
import signal
import sys
import unittest

from checked_load import Load
from rounds import run_rounds
from s3_client import S3Error
from turbine_array import SOAK, Array

ROUNDS = int(os.environ.get("TURBINE_KILL_ROUNDS", "200" if SOAK else "40"))
SEED = int(os.environ.get("TURBINE_SEED", random.SystemRandom().getrandbits(32)))


class PowerCut:
    """Each life of the blades loses all that was unflushed, or keeps parts of it at random; some
    lose power at an I/O of their own choice."""
    what = "cut the power of"

    def __init__(self):
        self.torn = False
        self.cuts = {"lost": 0, "torn": 0, "by itself": 0}

    def environment(self, dice):
        self.torn = dice.random() < 0.6
        plan = str(dice.randrange(1, 1 << 32) if self.torn else 0)
        if dice.random() < 0.3:
            plan += f":{dice.randrange(50, 1500)}"
        return {"TURBINE_POWER_CUT": plan}

    def lasting(self, environment):
        return {"TURBINE_POWER_CUT": environment["TURBINE_POWER_CUT"].partition(":")[0]}

    def ended_alone(self, _names):
        self.cuts["by itself"] += 1

    def strike(self, array, names):
        for name in names:
            # Not every process lives: some had their cut at the I/O they had chosen.
            if not array.pid(name):
                self.cuts["by itself"] += 1
            elif self.torn and name.startswith("blade"):
                array.kill(name, signal.SIGUSR1)
                array.wait_for(lambda each=name: array.gone(each), 10, f"{name} to be gone")
                self.cuts["torn"] += 1
            else:
                array.kill(name)
                self.cuts["lost"] += 1


class PowerCuts(unittest.TestCase):
    def test_every_acknowledged_object_survives(self):
        blow = PowerCut()
        acknowledged, _ = run_rounds(blow, ROUNDS, SEED)
        print(blow.cuts)
        self.assertGreater(acknowledged, ROUNDS * 10)
        self.assertGreater(blow.cuts["lost"], 0)
        self.assertGreater(blow.cuts["torn"], 0)
        if ROUNDS >= 100:  # about one in eight
            self.assertGreater(blow.cuts["by itself"], 0)

    def test_an_acknowledgement_without_a_flush_ends_the_process(self):
        with Array(blades=1, env={"TURBINE_POWER_CUT": "0"}) as array:
            array.s3().create_bucket("load")
            array.run("blade", "stop", "1")
            array.env = {"TURBINE_POWER_CUT": "0", "TURBINE_SKIP_FLUSH": "1"}
            array.run("blade", "start", "1", expect=None)  # dies now or with the first write
            s3 = array.s3(timeout=10)
            try:
                s3.put("load", "x", b"not acknowledged")
                self.fail("a write was acknowledged without a flush")
            except S3Error as error:
                self.assertEqual(error.status, 503)
            array.wait_for(lambda: not array.pid("blade-1"), 10, "the blade to end")
            self.assertIn("durable_sequence", array.log("blade-1"))

    def test_lost_flushes_are_noticed(self):
        """Were flushes of no effect, these rounds would fail: the disk lies, and data is gone."""
        with Array(blades=1, env={"TURBINE_POWER_CUT": "0"}) as array:
            array.s3().create_bucket("load")
            array.run("blade", "stop", "1")
            array.env = {"TURBINE_POWER_CUT": "0,lie"}
            array.run("blade", "start", "1")
            load = Load(array, "load", SEED, workers=1, keys=10)
            load.start()
            array.wait_for(lambda: load.total("acknowledged") > 20, 20, "load")
            load.stop()
            load.verify()
            array.kill("blade-1")
            array.env = {}
            started = array.run("blade", "start", "1", expect=None)
            if started.returncode == 0:
                with self.assertRaises(AssertionError):
                    load.verify(seconds=1)
            else:
                self.assertIn("journal", started.stderr)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
