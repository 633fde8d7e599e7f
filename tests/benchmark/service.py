#!/usr/bin/env python3
"""zabd and Debian's Apache ZooKeeper, side by side in one run, on one disk, both syncing every write.

    cmake --preset release && cmake --build --preset release
    python3 tests/benchmark/service.py [--seconds 3] [--znodes 1000000] [--directory .] [--only LIST]

Prints what one lone writer takes beside a bare loopback round trip plus one fdatasync (floor), one
table of reads and writes of 100 bytes (cells), one of the processor time of requests that come one
at a time, beside a server that does nothing but receive, sync and send (bare), one of memory and
restart time with many znodes (znodes), and one of how long snapshots of as many make a reader wait
(pauses). LIST names some of these. docs/benchmarks.md says how to read them.
"""

import argparse
import pathlib
import statistics
import tempfile

from measured_server import BARE, KINDS, Service, load
from pauses import print_pauses


def measure_cell(service, mode, sessions, window, seconds):
    before = service.cpu_seconds()
    result = load(mode, service.port, sessions, window, seconds)
    used = service.cpu_seconds() - before
    if result["errors"]:
        raise SystemExit(f"{service.kind} answered {result['errors']} errors")
    result["cpu_us"] = used * 1e6 / result["operations"]
    return result


def warm_up(services, seconds):
    for service in services.values():  # so that the virtual machine has compiled what it will run
        for mode in ("read", "write"):
            measure_cell(service, mode, 10, 10, seconds)


def print_cells(services, seconds):
    warm_up(services, seconds)
    print(f"{'':5} {'sessions':>8} {'window':>6} | {'zabd/s':>9} {'zk/s':>9} {'ratio':>6} |"
          f" {'zabd µs cpu':>11} {'zk µs cpu':>9} {'ratio':>6} | {'zabd µs':>8} {'zk µs':>8}")
    for mode in ("read", "write"):
        for sessions in (1, 10, 100):
            for window in (1, 10, 100):
                ours, theirs = (measure_cell(services[kind], mode, sessions, window, seconds)
                                for kind in KINDS)
                print(f"{mode:5} {sessions:8} {window:6} | {ours['per_second']:9.0f}"
                      f" {theirs['per_second']:9.0f}"
                      f" {ours['per_second'] / theirs['per_second']:6.2f} |"
                      f" {ours['cpu_us']:11.2f} {theirs['cpu_us']:9.2f}"
                      f" {theirs['cpu_us'] / ours['cpu_us']:6.1f} |"
                      f" {ours['median_us']:8.1f} {theirs['median_us']:8.1f}", flush=True)


def print_bare(services, directory, seconds):
    bare = Service(BARE, directory)
    bare.start()
    try:
        warm_up(services, seconds)
        print(f"\nµs cpu, window 1 | {'sessions':>8} | {'bare':>7} {'zabd':>7} {'zk':>7} |"
              f" {'zk/zabd':>7} {'zk/bare':>7}")
        for mode in ("read", "write"):
            for sessions in (1, 10, 100):
                least, ours, theirs = (
                    measure_cell(service, mode, sessions, 1, seconds)["cpu_us"]
                    for service in (bare, *(services[kind] for kind in KINDS)))
                print(f"{mode:16} | {sessions:8} | {least:7.2f} {ours:7.2f} {theirs:7.2f} |"
                      f" {theirs / ours:7.1f} {theirs / least:7.1f}", flush=True)
    finally:
        bare.kill()


def print_znodes(services, count):
    print(f"\n{count} znodes of 100 bytes   {'MB resident':>12} {'restart s':>10}")
    for kind in KINDS:
        service = services[kind]
        load("fill", service.port, count)
        service.kill()
        service.start()  # from the log and snapshots alike, and without what filling left behind
        times = []
        for _ in range(3):
            service.kill()
            times.append(service.start())
        print(f"{kind:27} {service.resident_mb():12.0f} {statistics.median(times):10.2f}", flush=True)


def print_floor(services, directory, seconds):
    floor = load("floor", pathlib.Path(directory) / "floor")
    bare = floor["round_trip_us"] + floor["sync_us"]
    print(f"\nbare round trip {floor['round_trip_us']:.1f} µs + sync {floor['sync_us']:.1f} µs"
          f" = {bare:.1f} µs")
    for kind in KINDS:
        lone = measure_cell(services[kind], "write", 1, 1, seconds)["median_us"]
        print(f"one lone writer, {kind}: {lone:.1f} µs, {lone / bare:.2f} times that", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=3, help="per cell")
    parser.add_argument("--znodes", type=int, default=1_000_000)
    parser.add_argument("--directory", default=".", help="whose disk is measured")
    parser.add_argument("--only", default="floor,cells,bare,znodes,pauses")
    options = parser.parse_args()
    parts = options.only.split(",")
    with tempfile.TemporaryDirectory(dir=options.directory, prefix="zabfs-benchmark.") as directory:
        services = {kind: Service(kind, directory) for kind in KINDS}
        try:
            for service in services.values():
                service.start()
            if "floor" in parts:
                print_floor(services, directory, options.seconds)
            if "cells" in parts:
                print_cells(services, options.seconds)
            if "bare" in parts:
                print_bare(services, directory, options.seconds)
            if "znodes" in parts:
                print_znodes(services, options.znodes)
            if "pauses" in parts:
                print_pauses(services, options.znodes, is_filled="znodes" in parts)
        finally:
            for service in services.values():
                service.kill()


if __name__ == "__main__":
    main()
