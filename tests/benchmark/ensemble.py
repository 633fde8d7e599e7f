#!/usr/bin/env python3
"""Three zabd and three of Debian's Apache ZooKeeper, side by side in one run, on one disk.

    cmake --preset release && cmake --build --preset release
    python3 tests/benchmark/ensemble.py [--seconds 2] [--directory .] [--only read,write,lock]
    python3 tests/benchmark/ensemble.py --only absence --kinds zabd [--absence 1000000]

Prints tables of reads and writes of 100 bytes and of the recipe of a lock, with the sessions spread
over the three servers and the processor time of all three; and what the others' clients notice when
a server comes back after many transactions. docs/benchmarks.md says how to read them.
"""

import argparse
import contextlib
import statistics
import subprocess
import tempfile
import time

from measured_server import KINDS, Ensemble, Running, load

WARM_UP_SECONDS = 5
STEADY_SECONDS = 5  # of load before the absent server comes back
ABSENCE_SESSIONS, ABSENCE_WINDOW = 10, 10
TENTHS = 10  # of a second, in which a timeline counts


def measure_cell(ensemble, mode, sessions, window, seconds):
    arguments = [sessions, seconds] if mode == "lock" else [sessions, window, seconds]
    before = ensemble.cpu_seconds()
    result = load(mode, ensemble.port, *arguments)
    used = ensemble.cpu_seconds() - before
    if result["errors"]:
        raise SystemExit(f"{ensemble.kind} answered {result['errors']} errors")
    result["cpu_us"] = used * 1e6 / result["operations"]
    return result


def print_cells(ensembles, mode, seconds):
    for ensemble in ensembles:  # so that the virtual machines have compiled what they will run
        measure_cell(ensemble, mode, 100, 10, WARM_UP_SECONDS)
    kinds = [ensemble.kind for ensemble in ensembles]
    print(f"\n{'':5} sessions window |" + "".join(f" {kind + '/s':>11} {'µs':>8} {'µs cpu':>8} |"
                                                 for kind in kinds) + "  times/s  1/cpu")
    for sessions in (1, 10, 100):
        for window in (1,) if mode == "lock" else (1, 10, 100):
            cells = [measure_cell(ensemble, mode, sessions, window, seconds)
                     for ensemble in ensembles]
            line = f"{mode:5} {sessions:8} {window:6} |" + "".join(
                f" {cell['per_second']:11.0f} {cell['median_us']:8.1f} {cell['cpu_us']:8.2f} |"
                for cell in cells)
            if len(cells) == 2:
                ours, theirs = cells
                line += (f" {ours['per_second'] / theirs['per_second']:8.2f}"
                         f" {theirs['cpu_us'] / ours['cpu_us']:6.1f}")
            print(line, flush=True)


def print_absence(ensemble, transactions, most_seconds):
    absent = ensemble.members[0]
    absent.kill()
    load("fill", ensemble.port.split(",")[0], transactions)
    writers = Running("service_load", "timeline", ensemble.port, ABSENCE_SESSIONS, ABSENCE_WINDOW,
                      STEADY_SECONDS + most_seconds)
    begin = time.monotonic()
    with contextlib.suppress(subprocess.TimeoutExpired):
        writers.process.wait(STEADY_SECONDS)  # ends only if it fails
    came = time.monotonic() - begin
    took = absent.start()
    counts = writers.result()["each_tenth"]
    first, last = (round(at * TENTHS) for at in (came, came + took))
    phases = {"before": counts[TENTHS:first], "during": counts[first:last],
              "after": counts[last:-1]}
    print(f"\n{ensemble.kind}, away for {transactions} creates: {took:.1f} s until it serves\n"
          f"{'the others':10} {'writes/s':>10} {'least in 1/10 s':>16}")
    for name, phase in phases.items():
        print(f"{name:10} {statistics.mean(phase) * TENTHS:10.0f} {min(phase) * TENTHS:16}",
              flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2, help="per cell")
    parser.add_argument("--directory", default=".", help="whose disk is measured")
    parser.add_argument("--only", default="read,write,lock,absence")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--absence", type=int, default=1_000_000, help="transactions")
    parser.add_argument("--absence-seconds", type=int, default=20, help="of load, at the least")
    options = parser.parse_args()
    parts = options.only.split(",")
    with tempfile.TemporaryDirectory(dir=options.directory, prefix="zabfs-benchmark.") as directory:
        ensembles = [Ensemble(kind, directory) for kind in options.kinds.split(",")]
        try:
            for ensemble in ensembles:
                ensemble.start()
            for mode in ("read", "write", "lock"):
                if mode in parts:
                    print_cells(ensembles, mode, options.seconds)
            if "absence" in parts:
                for ensemble in ensembles:
                    print_absence(ensemble, options.absence, options.absence_seconds)
        finally:
            for ensemble in ensembles:
                ensemble.kill()


if __name__ == "__main__":
    main()
