#!/usr/bin/env python3
"""Starts a fresh array and measures it through S3, client and server on this machine.

    bench/run.py                      all rows, three rounds, medians; about 6 minutes
    bench/run.py --quick              one round of short runs
    bench/run.py --only 'get 4M'      rows whose name holds the text
    bench/run.py --replicas 1         with so many replicas of each metadata partition (3)
    bench/run.py --dir DIR            in DIR, which must not hold an array; default: below build/

Prints a markdown table. Rounds go over all rows in turn, so that a disturbance hits each row once
and not one row thrice; "others" is what processes outside the array and the client took.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
MIB = 1 << 20

BLADES = 6
HOT_4M = 16     # 64 MiB: in the gateway's cache
WARM_4M = 128   # 512 MiB: in the blades' caches, more than the gateway's
SMALL = 20_000  # 4 KiB objects to read and list

# name, bar of the issue (figure, unit), arguments of the load generator; {round} is the round,
# {cold} so many objects of 4 MiB that they are twice all caches of the array.
ROWS = [
    ("GET 4 MiB, cached, 8 conn", (1.0, "GB/s"),
     f"get -s 4MiB -c 8 -n {HOT_4M} --prefix hot- --warmup 1 --bucket bench-big"),
    ("GET 4 MiB, blades' caches, 8 conn", None,
     f"get -s 4MiB -c 8 -n {WARM_4M} --prefix warm- --warmup 2 --bucket bench-big"),
    ("GET 4 MiB, disk, 8 conn", (0.6, "GB/s"),
     "get -s 4MiB -c 8 -n {cold} --prefix cold- --order sequential --bucket bench-big"),
    ("PUT 4 MiB, new keys, 8 conn", (0.25, "GB/s"),
     "put -s 4MiB -c 8 -n 0 --prefix put{round}- --bucket bench-put"),
    ("PUT 4 KiB, one directory, 32 conn", (4000, "/s"),
     "put -s 4KiB -c 32 -n 0 --prefix put{round}- --bucket bench-put"),
    ("PUT 4 KiB, 256 directories, 32 conn", (4000, "/s"),
     "put -s 4KiB -c 32 -n 0 --pattern spread --prefix put{round}- --bucket bench-put"),
    ("PUT 4 KiB, new two-level prefixes, 32 conn", None,
     "put -s 4KiB -c 32 -n 0 --pattern new-prefixes --prefix put{round}- --bucket bench-put"),
    ("GET 4 KiB, one directory, 32 conn", (15000, "/s"),
     f"get -s 4KiB -c 32 -n {SMALL} --prefix flat- --warmup 1 --bucket bench-small"),
    ("GET 4 KiB, 256 directories, 32 conn", (15000, "/s"),
     f"get -s 4KiB -c 32 -n {SMALL} --pattern spread --prefix dir- --warmup 1"
     " --bucket bench-tree"),
    ("HEAD, 256 directories, 32 conn", None,
     f"head -c 32 -n {SMALL} --pattern spread --prefix dir- --warmup 1 --bucket bench-tree"),
    ("LIST, one directory, 4 conn", (300_000, "keys/s"),
     "list -c 4 --prefix flat- --bucket bench-small"),
    ("LIST, 256 directories, 4 conn", (300_000, "keys/s"),
     "list -c 4 --prefix dir- --bucket bench-tree"),
    ("mixed 60 GET 20 PUT 10 HEAD 10 DELETE, 4 KiB, 32 conn", None,
     f"mixed -s 4KiB -c 32 -n {SMALL} --pattern spread --prefix dir- --bucket bench-tree"),
]

# Objects that must be there before: (text in a row's name that needs them, arguments).
FILLS = [
    ("cached", f"put -s 4MiB -c 8 -n {HOT_4M} -d 0 --prefix hot- --bucket bench-big"),
    ("blades' caches", f"put -s 4MiB -c 8 -n {WARM_4M} -d 0 --prefix warm- --bucket bench-big"),
    ("disk", "put -s 4MiB -c 8 -n {cold} -d 0 --prefix cold- --bucket bench-big"),
    ("one directory", f"put -s 4KiB -c 32 -n {SMALL} -d 0 --prefix flat- --bucket bench-small"),
    ("256 directories", f"put -s 4KiB -c 32 -n {SMALL} -d 0 --pattern spread --prefix dir-"
     " --bucket bench-tree"),
]


class Array:
    def __init__(self, build, directory, replicas, *flags):
        self.build, self.dir = build, directory
        self.turbine("up", "--dir", directory, "--blades", BLADES, "--s3-port", free_port(),
                     "--admin-port", free_port(), "--replicas", replicas, *flags)

    def turbine(self, *arguments):
        done = subprocess.run([self.build / "turbine", *map(str, arguments)], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit(done.stdout)

    def cache_bytes(self):
        """All read caches: the gateway's shards, each blade's shards and RocksDB blocks."""
        total = 0
        for path in (self.dir / "etc").glob("*.toml"):
            total += sum(int(size) for size in re.findall(r"cache_bytes = (\d+)",
                                                          path.read_text()))
        return total

    def down(self):
        self.turbine("down", "--dir", self.dir)

    def load(self, arguments):
        done = subprocess.run(
            [self.build / "turbine-s3-load", *arguments.split(), "--dir", self.dir, "-o", "json"],
            stdout=subprocess.PIPE, check=False)
        if not done.stdout:
            sys.exit(f"turbine-s3-load {arguments}: exit {done.returncode}")
        result = json.loads(done.stdout)
        errors = sum(each["errors"] for each in result["operations"].values())
        if errors:
            print(f"{errors} errors: {arguments}", file=sys.stderr)
        return result

    def pids(self):
        return [int(path.read_text()) for path in (self.dir / "run").glob("*.pid")]

    def cpu_seconds(self):
        total = 0
        for pid in self.pids():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self):
        pages = sum(int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
                    for pid in self.pids())
        return pages * os.sysconf("SC_PAGESIZE")

    def disk_bytes_read(self):
        total = 0
        for path in (self.dir / "run").glob("blade-*.pid"):
            lines = pathlib.Path(f"/proc/{path.read_text().strip()}/io").read_text().splitlines()
            total += int(dict(line.split(": ") for line in lines)["read_bytes"])
        return total


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def measure(array, name, arguments, seconds):
    read = array.disk_bytes_read()
    result = array.load(f"{arguments} -d {seconds}")
    result["disk_bytes_read"] = array.disk_bytes_read() - read
    figure = {"others": result["cpu"]["others"]["cores"], "cpu": result["cpu"],
              "disk": result["disk_bytes_read"] / result["seconds"] / 1e9}
    operations = result["operations"]
    main = operations["get" if name.startswith("mixed") else min(operations)]
    figure["p50"], figure["p99"] = main["p50_ms"], main["p99_ms"]
    figure["per_second"] = sum(each["per_second"] for each in operations.values())
    figure["GB/s"] = sum(each["bytes_per_second"] for each in operations.values()) / 1e9
    figure["keys/s"] = sum(each["keys_per_second"] for each in operations.values())
    figure["errors"] = sum(each["errors"] for each in operations.values())
    return figure


def measure_idle(array, seconds):
    """Of an array that was just made and that nobody asks for anything."""
    before = array.cpu_seconds()
    time.sleep(seconds)
    return (array.cpu_seconds() - before) / seconds * 100, array.resident_bytes() / MIB


def median(figures, *path):
    def dig(figure):
        for name in path:
            figure = figure.get(name, {})
        return figure or 0
    return statistics.median(dig(figure) for figure in figures)


def rate_text(name, figures):
    if name.startswith("LIST"):
        return median(figures, "keys/s"), f"{median(figures, 'keys/s') / 1000:.0f} k keys/s"
    if "4 MiB" in name:
        disk = f" ({median(figures, 'disk'):.2f} off the devices)" if "disk" in name else ""
        return median(figures, "GB/s"), f"{median(figures, 'GB/s'):.2f} GB/s{disk}"
    return median(figures, "per_second"), f"{median(figures, 'per_second'):.0f} /s"


def cpu_text(name, figures, process):
    if name.startswith("LIST"):
        return f"{median(figures, 'cpu', process, 'us_per_key'):.2f} us/key"
    if "4 MiB" in name:
        return f"{median(figures, 'cpu', process, 'seconds_per_gb'):.2f} s/GB"
    return f"{median(figures, 'cpu', process, 'us_per_operation'):.0f} us"


def print_table(rows, figures, out):
    print("| load | rate | bar | p50 / p99 ms | server CPU | gateway | blades | client | others "
          "(cores) |", file=out)
    print("|---|---|---|---|---|---|---|---|---|", file=out)
    for name, bar, _ in rows:
        values = figures[name]
        rate, text = rate_text(name, values)
        verdict = ""
        if bar:
            unit = {"keys/s": "k keys/s"}.get(bar[1], bar[1])
            shown = bar[0] / 1000 if unit == "k keys/s" else bar[0]
            verdict = f"{shown:g} {unit}: {'met' if rate >= bar[0] else 'missed'}"
        cells = [name, text, verdict,
                 f"{median(values, 'p50'):.2f} / {median(values, 'p99'):.2f}"]
        cells += [cpu_text(name, values, who) for who in ("server", "gateway-1", "blades",
                                                          "client")]
        cells.append(f"{median(values, 'others'):.2f}")
        print("| " + " | ".join(cells) + " |", file=out)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--only", default="")
    parser.add_argument("--replicas", type=int, default=3)
    parser.add_argument("--json", type=pathlib.Path, help="write all figures there")
    args = parser.parse_args()
    rounds = args.rounds or (1 if args.quick else 3)
    seconds = args.seconds or (2 if args.quick else 8)
    rows = [row for row in ROWS if args.only.lower() in row[0].lower()]
    if not rows:
        parser.error("no row of that name")

    scratch = pathlib.Path(tempfile.mkdtemp(prefix="bench-array-", dir=args.build))
    array = Array(args.build, args.dir or scratch / "array", args.replicas)
    figures = {name: [] for name, _, _ in rows}
    idle_percent, idle_mib = measure_idle(array, seconds)
    cold = 2 * array.cache_bytes() // (4 * MIB) + 16
    try:
        for text, arguments in FILLS:
            if any(text in name for name, _, _ in rows):
                array.load(arguments.format(cold=cold))
        for number in range(rounds):
            for name, _, arguments in rows:
                figure = measure(array, name, arguments.format(round=number, cold=cold), seconds)
                figures[name].append(figure)
                print(f"round {number + 1}: {name}: {rate_text(name, [figure])[1]}",
                      file=sys.stderr)
    finally:
        array.down()
        shutil.rmtree(scratch)
    print_table(rows, figures, sys.stdout)
    print(f"\nidle: {idle_percent:.1f} % of a core (bar 2 %), {idle_mib:.0f} MiB resident "
          "(bar 1536 MiB)")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 1 if any(each["errors"] for values in figures.values() for each in values) else 0


if __name__ == "__main__":
    sys.exit(main())
