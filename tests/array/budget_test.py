"""What an array may cost: seconds to start, processor and memory when idle, bytes not in stripes.
Runs alone."""
import random
import time
import unittest

from turbine_array import Array

IDLE_SECONDS = 15


class Budget(unittest.TestCase):
    def test_start_idle_and_stripes(self):
        with Array(blades=6, blade_size="8GiB") as array:
            print(f"up took {array.up_seconds:.2f} s")
            self.assertLess(array.up_seconds, 5)
            s3 = array.s3(timeout=60)
            s3.create_bucket("load")
            dice = random.Random(3)
            for i in range(600):
                size = dice.choice([4096, 5000, 20_000, 60_000, 100_000, 1_500_000])
                s3.put("load", f"d{i % 9}/{i}", dice.randbytes(size))
            s3.close()
            started = time.monotonic()
            array.wait_for(lambda: array.status()[1]["protection"]["striped_fraction"] >= 0.95, 60,
                           "95 % of the bytes to be in stripes")
            print(f"95 % in stripes {time.monotonic() - started:.0f} s after the load")
            array.wait_for(lambda: not array.status()[1]["jobs"], 60, "all jobs to end")
            self.idle(array)

    def idle(self, array):
        before = array.cpu_seconds()
        time.sleep(IDLE_SECONDS)
        percent = 100 * (array.cpu_seconds() - before) / IDLE_SECONDS
        rss = sum(array.rss_bytes(name) for name in array.names())
        print(f"idle: {percent:.2f} % of a core, {rss / (1 << 30):.2f} GiB")
        self.assertLess(percent, 2)
        self.assertLess(rss, 1.5 * (1 << 30))


if __name__ == "__main__":
    unittest.main(verbosity=2)
