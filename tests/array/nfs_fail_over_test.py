"""Gateways and blades die under NFS clients: they see pauses and no errors, and nothing that was
answered is lost."""
import os
import random
import signal
import sys
import time
import unittest

from nfs3_calls import arguments, clients_of_both, decode, mounted
from nfs_client import OK
from nfs_load import NfsLoad
from turbine_array import SOAK, Array

ROUNDS = 20 if SOAK else 1
SEED = int(os.environ.get("TURBINE_SEED", random.SystemRandom().getrandbits(32)))
STALL_MAX = 5  # seconds, when a gateway dies
ANSWERS = 100  # to each client, after which a blow is over


class NfsFailOver(unittest.TestCase):
    def under_load(self, name, blow):
        """`blow(load)` says what it hit. Returns the load, at rest and checked."""
        root = mounted(ARRAY, name)
        load = NfsLoad(int(ARRAY.settings()["TURBINE_NFS_PORT"]), root, f"{SEED}/{name}")
        self.addCleanup(load.close)
        with load:
            load.wait_for_answers(ANSWERS, ARRAY)
            load.fresh_times()
            hit = blow(load)
            load.wait_for_answers(ANSWERS, ARRAY)
        print(f"{hit}: longest call {load.longest()[0]:.2f} s ({load.longest()[1]}), "
              f"{load.sum('answers')} answers, {load.sum('jukeboxes')} JUKEBOX, "
              f"{load.sum('reconnects')} reconnected", flush=True)
        self.assertEqual(load.errors(), [])
        load.check()
        return load

    def test_the_serving_gateway_dies(self):
        def kill_both_by_turns(load):
            for name in ("gateway-1", "gateway-2"):
                self.assertTrue(ARRAY.metric(name, "turbine_nfs_connections") > 0 or
                                name == "gateway-1", "everybody is here by now")
                ARRAY.kill(name)
                load.wait_for_answers(ANSWERS, ARRAY)
                ARRAY.start(name)
            return "gateways killed"
        for number in range(ROUNDS):
            load = self.under_load(f"gateways-{number}", kill_both_by_turns)
            self.assertGreaterEqual(load.sum("reconnects"), len(load.workers))
            self.assertLess(load.longest()[0], STALL_MAX)

    def test_a_gateway_that_was_frozen_does_not_write_again(self):
        """It wakes with a WRITE unread that its client has sent again through another since. In
        soak it sleeps for longer than the array remembers what it has executed."""
        root = mounted(ARRAY, "frozen")
        both = clients_of_both(ARRAY, int(ARRAY.settings()["TURBINE_NFS_PORT"]))
        for client in both.values():
            self.addCleanup(client.close)
        slept, awake = both["gateway-1"], both["gateway-2"]
        file = awake.file(root, b"file", b"first")
        body, xid = arguments("write", file, b"older"), slept.next_xid()
        ARRAY.signal("gateway-1", signal.SIGSTOP)
        try:
            slept.send(xid, "write", body)
            self.assertEqual(decode("write", awake.raw("write", body, xid)).status, OK)
            until = time.monotonic() + (130 if SOAK else 2)
            while time.monotonic() < until:
                awake.ok("write", file, b"newer")
        finally:
            ARRAY.signal("gateway-1", signal.SIGCONT)
        try:
            slept.receive()
            self.assertFalse(SOAK, "who slept for long answers nothing old")
        except ConnectionError:
            pass
        self.assertEqual(awake.ok("read", file).data, b"newer")

    def test_two_blades_of_six_die(self):
        def kill_two(load):
            blades = sorted(ARRAY.status()[1]["blade_list"], key=lambda blade: blade["partitions"])
            names = [blade["name"] for blade in blades[-2:]]
            for name in names:
                ARRAY.kill(name)
            load.wait_for_answers(ANSWERS, ARRAY)
            for name in names:
                ARRAY.run("blade", "start", name.removeprefix("blade-"))
            return f"{names} killed"
        for number in range(ROUNDS):
            load = self.under_load(f"blades-{number}", kill_two)
            self.assertEqual(load.sum("reconnects"), 0)
            self.assertLess(load.longest()[0], 15)
            ARRAY.wait_until_whole()
            load.check()


if __name__ == "__main__":
    print(f"seed {SEED}", flush=True)
    with Array(blades=6, gateways=2, partitions=16) as ARRAY:
        ended = unittest.main(verbosity=2, exit=False).result
        if not ended.wasSuccessful():
            sys.exit(1)
