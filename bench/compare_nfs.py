#!/usr/bin/env python3
"""Loads a fresh Turbine array and an NFS server that runs with the same calls, in turn, and prints
rates, their ratio beside the bar for it, and the CPU time of the servers for each call.

bench/compare-ganesha.sh starts the other server and calls this.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import run

# name, workload, arguments, the operation that counts, figure, the least ratio wanted
ROWS = [
    ("NULL", "null", "", "null", "per_second", None),
    ("GETATTR", "getattr", "", "getattr", "per_second", 1.0),
    ("LOOKUP", "lookup", "", "lookup", "per_second", 1.0),
    ("ACCESS", "access", "", "access", "per_second", 1.0),
    ("READ 4 KiB, cached", "read4k", "", "read4k", "per_second", 1.0),
    ("READDIRPLUS, 1000 entries", "readdirplus", "", "readdirplus", "items_per_second", 0.8),
    ("CREATE", "create", "", "create", "per_second", 0.6),
    ("REMOVE", "remove", "--files {remove}", "remove", "per_second", None),
    ("WRITE 4 KiB, stable", "write4k", "", "write4k", "per_second", 0.6),
    ("READ 1 MiB, sequential", "read", "", "read", "bytes_per_second", 0.5),
    ("WRITE 1 MiB + COMMIT, new files", "write", "", "write", "bytes_per_second", 0.5),
]
BUCKET = "bench-nfs"
RULE = "127.0.0.0/8(rw,no_root_squash,insecure)"


class Server:
    """One of the two, and how it is reached."""

    def __init__(self, name, build, export, port, watched, mount_port=0):
        self.name, self.build, self.export = name, build, export
        self.port, self.mount_port, self.watched = port, mount_port, watched

    def load(self, workload, arguments, args):
        command = [args.build / "turbine-nfs-load", workload, self.export, "-p", self.port,
                   "--mount-port", self.mount_port, "-d", args.seconds, "--warmup", args.warmup,
                   "-c", args.connections, "--depth", args.depth, "-o", "json", *self.watched,
                   *arguments.split()]
        done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, check=False)
        if not done.stdout:
            sys.exit(f"{self.name}: {workload}: turbine-nfs-load ended with {done.returncode}")
        result = json.loads(done.stdout)
        if done.returncode:
            print(f"{self.name}: {workload}: errors", file=sys.stderr)
        return result


def figures(result, operation, figure):
    """Rate, server CPU for each counted operation in us, p50 and p99 in ms, errors."""
    operations = result["operations"]
    main = operations.get(operation)
    if not main:
        return {"rate": 0.0, "cpu": 0.0, "p50": 0.0, "p99": 0.0, "others": 0.0, "errors": 1}
    return {"rate": main[figure], "p50": main["p50_ms"], "p99": main["p99_ms"],
            "cpu": result["cpu_seconds"].get("server", 0) * 1e6 / max(main["count"], 1),
            "others": result["cpu_seconds"]["others"] / result["seconds"],
            "errors": sum(each["errors"] for each in operations.values())}


def rate_text(rate, figure):
    if figure == "bytes_per_second":
        return f"{rate / 1e6:.0f} MB/s"
    return f"{rate / 1000:.1f} k/s" if rate >= 1e4 else f"{rate:.0f} /s"


def median(values, name):
    return statistics.median(each[name] for each in values)


def print_table(rows, measured, other):
    """Ratios are of the same round each, then their median."""
    print(f"| call | Turbine | {other} | ratio | bar | CPU us/call | {other}'s | p50 / p99 ms "
          f"| {other}'s | others (cores) |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, _, _, _, figure, bar in rows:
        ours, theirs = measured[name, "turbine"], measured[name, other]
        ratio = statistics.median(a["rate"] / b["rate"] if b["rate"] else 0.0
                                  for a, b in zip(ours, theirs))
        verdict = "" if bar is None else f"{bar}: {'met' if ratio >= bar else 'missed'}"
        cells = [name, rate_text(median(ours, "rate"), figure),
                 rate_text(median(theirs, "rate"), figure), f"{ratio:.2f}", verdict,
                 f"{median(ours, 'cpu'):.0f}", f"{median(theirs, 'cpu'):.0f}",
                 f"{median(ours, 'p50'):.2f} / {median(ours, 'p99'):.2f}",
                 f"{median(theirs, 'p50'):.2f} / {median(theirs, 'p99'):.2f}",
                 f"{max(median(ours, 'others'), median(theirs, 'others')):.2f}"]
        print("| " + " | ".join(cells) + " |")


def start_turbine(args, directory):
    port = run.free_port()
    array = run.Array(args.build, directory, args.replicas, "--nfs-port", port)
    array.turbine("bucket", "create", BUCKET, "--dir", directory)
    array.turbine("export", "set", BUCKET, "--rule", RULE, "--dir", directory)
    return array, Server("turbine", args.build, f"/{BUCKET}", port, ["--dir", directory])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=run.ROOT / "build")
    parser.add_argument("--work", type=pathlib.Path, help="the array lies below; default: --build")
    parser.add_argument("--ganesha-export", required=True)
    parser.add_argument("--ganesha-port", type=int, required=True)
    parser.add_argument("--ganesha-mount-port", type=int, default=0)
    parser.add_argument("--ganesha-pid", type=int, required=True)
    parser.add_argument("--quick", action="store_true", help="one round of short runs")
    parser.add_argument("--only", default="", help="rows whose name holds the text")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--warmup", type=float)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--depth", type=int, default=8)
    parser.add_argument("--replicas", type=int, default=3)
    parser.add_argument("--json", type=pathlib.Path, help="write all figures there")
    args = parser.parse_args()
    args.rounds = args.rounds or (1 if args.quick else 3)
    args.seconds = args.seconds or (2 if args.quick else 6)
    args.warmup = 1 if args.warmup is None else args.warmup
    rows = [row for row in ROWS if args.only.lower() in row[0].lower()]
    if not rows:
        parser.error("no row of that name")

    directory = pathlib.Path(tempfile.mkdtemp(prefix="array-", dir=args.work or args.build))
    array, turbine = start_turbine(args, directory / "array")
    ganesha = Server("ganesha", args.build, args.ganesha_export, args.ganesha_port,
                     ["--pid", f"ganesha={args.ganesha_pid}"], args.ganesha_mount_port)
    measured = {}
    try:
        for number in range(args.rounds):
            for name, workload, arguments, operation, figure, _ in rows:
                for server in (ganesha, turbine):
                    arguments = arguments.format(remove=int(8000 * (args.seconds + 1)))
                    got = figures(server.load(workload, arguments, args), operation, figure)
                    measured.setdefault((name, server.name), []).append(got)
                    print(f"round {number + 1}: {name}: {server.name}: "
                          f"{rate_text(got['rate'], figure)}", file=sys.stderr, flush=True)
    finally:
        array.down()
    print_table(rows, measured, "ganesha")
    print(f"\nTurbine: 6 blades, 4+2, {args.replicas} replicas of metadata; ganesha: VFS on ext4, "
          f"no redundancy. {args.connections} connections of depth {args.depth}, "
          f"{args.rounds} rounds of {args.seconds:g} s, medians.")
    if args.json:
        args.json.write_text(json.dumps({f"{row} {who}": values for (row, who), values
                                         in measured.items()}, indent=1) + "\n")
    return 1 if any(each["errors"] for values in measured.values() for each in values) else 0


if __name__ == "__main__":
    sys.exit(main())
