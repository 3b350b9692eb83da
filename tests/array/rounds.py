"""Rounds of load, a blow against a random blade or against everything, restart, verify."""
import random
import time

from checked_load import Load
from turbine_array import Array


class Sigkill:
    """Processes end at once; what they wrote stays in the kernel."""
    what = "killed"

    def environment(self, _dice):
        return {}

    def strike(self, array, names):
        for name in names:
            array.kill(name)


def run_rounds(blow, rounds, seed, blades=6):
    """Returns (acknowledged, refused). Raises when an acknowledged object is not there again."""
    print(f"seed {seed}, {rounds} rounds", flush=True)
    dice = random.Random(seed)
    acknowledged = refused = 0
    with Array(blades=blades, blade_size="2GiB", env=blow.environment(dice)) as array:
        array.s3().create_bucket("load")
        load = Load(array, "load", seed)
        for number in range(rounds):
            load.start()
            time.sleep(dice.uniform(0.2, 0.9))  # where in the load the blow falls
            everything = dice.random() < 0.2
            if everything:
                victims = [name for name in array.names() if array.pid(name)]
            else:
                victims = [f"blade-{i}" for i in dice.sample(range(1, blades + 1),
                                                             dice.choice([1, 1, 2]))]
            blow.strike(array, victims)
            if not everything:
                time.sleep(dice.uniform(0.1, 0.8))  # of load without them
            load.stop()
            acknowledged += load.total("acknowledged")
            refused += load.total("refused")
            revive(array, blow.environment(dice), everything)
            load.verify()
            print(f"round {number + 1}: {blow.what} {'everything' if everything else victims}; "
                  f"{acknowledged} acknowledged, {refused} refused", flush=True)
    return acknowledged, refused


def revive(array, environment, everything):
    array.env = environment
    if everything:
        array.up()
        return
    for name in array.names():
        if not array.pid(name):
            array.run("blade", "start", name.removeprefix("blade-"))
