#!/usr/bin/env python3
"""The chunk store alone against fio's io_uring engine with O_DIRECT, in turns on one file.

    bench/chunk_vs_fio.py [DIR] [--rounds 3] [--fio /usr/bin/fio]

DIR is on the disk that is meant (default: below build/). The file is written once over before, so
that neither side pays for fresh space. A put of the store is durable when it returns: checksums,
index record, journal and flush are in its figure. fio's plain write is in the disk's cache at best;
the row with fdatasync flushes as often as the store must with so many puts in flight. A read of the
store reads and verifies whole 16 KiB blocks; fio's reads 4 KiB, and in a row of its own 16 KiB.
Exit 1 when a ratio that counts is below 0.85.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILE_BYTES = 2 << 30
BAR = 0.85

# name, benchmark of chunk_store_bench, fio's arguments, whether the bar is for it
ROWS = [
    ("put 256 KiB, 32 in flight; fio: write", "chunk_put/262144/32/real_time",
     ["--rw=write", "--bs=256k", "--iodepth=32"], True),
    ("put 256 KiB, 32 in flight; fio: fdatasync after 32",
     "chunk_put/262144/32/real_time",
     ["--rw=write", "--bs=256k", "--iodepth=32", "--fdatasync=32"], False),
    ("read 256 KiB, 8 in flight", "chunk_read/262144/8/0/real_time",
     ["--rw=randread", "--bs=256k", "--iodepth=8"], True),
    ("read 4 KiB, 32 in flight", "chunk_read/4096/32/0/real_time",
     ["--rw=randread", "--bs=4k", "--iodepth=32"], True),
    ("read 4 KiB, 32 in flight; fio: 16 KiB", "chunk_read/4096/32/0/real_time",
     ["--rw=randread", "--bs=16k", "--iodepth=32"], False),
]


def fio_rate(fio, file, arguments, seconds):
    done = subprocess.run(
        [fio, "--name=x", f"--filename={file}", f"--size={FILE_BYTES // 2}",
         f"--offset={FILE_BYTES // 4}", "--ioengine=io_uring", "--direct=1", "--fixedbufs",
         "--registerfiles", "--fallocate=none", "--time_based", f"--runtime={seconds}",
         "--randrepeat=0", "--output-format=json", *arguments], check=True, stdout=subprocess.PIPE)
    job = json.loads(done.stdout)["jobs"][0]
    side = job["write" if "--rw=write" in arguments else "read"]
    return side["iops"]


def store_rate(binary, file, name, seconds):
    done = subprocess.run(
        [binary, f"--benchmark_filter=^{name}$", f"--benchmark_min_time={seconds}",
         "--benchmark_format=json"], check=True, stdout=subprocess.PIPE,
        env={**os.environ, "TURBINE_BENCH_FILE": str(file)})
    return json.loads(done.stdout)["benchmarks"][0]["ops/s"]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir", nargs="?", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--fio", default=shutil.which("fio") or "")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    args = parser.parse_args()
    if not args.fio:
        parser.error("no fio here: apt-get install fio, or name one with --fio")
    binary = args.build / "src/chunk/chunk_store_bench"
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="chunk-vs-fio-", dir=args.dir))
    file = scratch / "device"
    rates = {name: ([], []) for name, *_ in ROWS}
    try:
        subprocess.run([args.fio, "--name=fill", f"--filename={file}", f"--size={FILE_BYTES}",
                        "--ioengine=io_uring", "--direct=1", "--rw=write", "--bs=1m",
                        "--iodepth=8", "--end_fsync=1"], check=True, stdout=subprocess.DEVNULL)
        for number in range(args.rounds):
            for name, benchmark, arguments, _ in ROWS:
                ours, theirs = rates[name]
                theirs.append(fio_rate(args.fio, file, arguments, args.seconds))
                ours.append(store_rate(binary, file, benchmark, args.seconds))
                print(f"round {number + 1}: {name}: {ours[-1]:.0f} to {theirs[-1]:.0f} per s",
                      file=sys.stderr)
    finally:
        shutil.rmtree(scratch)

    print("| | chunk store per s | fio per s | ratio |\n|---|---|---|---|")
    missed = False
    for name, _, _, counts in ROWS:
        ours, theirs = rates[name]
        ratio = statistics.median(a / b for a, b in zip(ours, theirs))
        missed = missed or (counts and ratio < BAR)
        verdict = "" if not counts else " (met)" if ratio >= BAR else " (missed)"
        print(f"| {name} | {statistics.median(ours):.0f} | {statistics.median(theirs):.0f} | "
              f"{ratio:.2f}{verdict} |")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
