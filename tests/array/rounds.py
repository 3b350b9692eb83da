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

    def lasting(self, environment):
        """The same for lives that end when somebody strikes, and not before."""
        return environment

    def ended_alone(self, names):
        raise AssertionError(f"{names} ended by themselves")

    def strike(self, array, names):
        for name in names:
            array.kill(name)


def run_rounds(blow, rounds, seed, blades=6):
    """Returns (acknowledged, refused). Raises when an acknowledged object is not there again."""
    print(f"seed {seed}, {rounds} rounds", flush=True)
    dice = random.Random(seed)
    acknowledged = refused = 0
    with Array(blades=blades, blade_size="2GiB", env=blow.lasting(blow.environment(dice))) as array:
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
            revive(array, blow, blow.environment(dice))
            load.verify(revive=lambda: revive_others(array, blow))
            print(f"round {number + 1}: {blow.what} {'everything' if everything else victims}; "
                  f"{acknowledged} acknowledged, {refused} refused", flush=True)
    return acknowledged, refused


def revive(array, blow, environment):
    lasts = environment == blow.lasting(environment)
    start(array, environment, dead(array), expect=0 if lasts else None)
    revive_others(array, blow)


def revive_others(array, blow):
    """Those that nobody struck: a blade whose power fails by itself."""
    names = dead(array)
    if names:
        blow.ended_alone(names)
        start(array, blow.lasting(array.env), names, expect=0)


def dead(array):
    names = [name for name in array.names() if not array.pid(name)]
    for name in names:
        array.wait_for(lambda each=name: array.gone(each), 10, f"{name} to be gone")
    return names


def start(array, environment, names, expect):
    array.env = environment
    if names == array.names():
        array.up(expect)
        return
    for name in names:
        array.run("blade", "start", name.removeprefix("blade-"), expect=expect)
