#!/usr/bin/env python3
"""Thousands of readers that wait for one znode (`cat config@next`), and are woken by one write.

    cmake --preset release && cmake --build --preset release --target zabd zabfs waiters
    python3 tests/benchmark/waiters.py [--waiters 1000,5000] [--rounds 5] [--directory .]

Mounts zabfs on a zabd of its own, lets the threads of waiters.cpp wait, and writes the znode through
another mount. Prints what a waiter costs zabfs in memory, and how long after the write began the first,
the middle and the last reader had its line; and what the ensemble was asked meanwhile.
"""

import argparse
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

from mount import Mount, counters  # before the folder of the system tests is searched
from measured_server import BIN, Service, dies_with_its_parent, wait_until


def resident_kb(pid):
    """Of the process and of those that it has started: the mount's work is done by a child."""
    directory = pathlib.Path(f"/proc/{pid}")
    rollup = (directory / "smaps_rollup").read_text()
    own = int(re.search(r"^Rss: +(\d+)", rollup, re.MULTILINE)[1])
    children = (directory / f"task/{pid}/children").read_text().split()
    return own + sum(resident_kb(child) for child in children)


def one_round(service, here, there, waiters):
    before = resident_kb(here.process.pid)
    program = subprocess.Popen([BIN / "waiters", here.path / "znode@next", str(waiters)], text=True,
                               stdout=subprocess.PIPE, preexec_fn=dies_with_its_parent)
    if program.stdout.readline() != "waiting\n":
        raise SystemExit("the readers do not wait")
    # A wait that has begun has set its watch when the next answer of the same mount is there.
    (here.path / "znode@stat").read_text()
    after = resident_kb(here.process.pid)
    asked = counters(service)
    began = time.monotonic_ns() // 1000
    (there.path / "znode").write_text(str(began))
    first, middle, last, woken = map(int, program.stdout.readline().split())
    program.wait()
    if woken != waiters:
        raise SystemExit(f"only {woken} of {waiters} readers got a line")
    told = counters(service)
    requests = told[0] - asked[0]  # the second question for them is one of them
    return [(after - before) / waiters, (first - began) / 1000, (middle - began) / 1000,
            (last - began) / 1000, requests]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--waiters", default="1000,5000")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--directory", default=".", help="where the server's data lie")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zabfs-waiters.", dir=options.directory) as directory:
        service = Service("zabd", directory)
        mounts = []
        try:
            service.start()
            for name in ("here", "there"):
                mounts.append(Mount(pathlib.Path(directory) / name, BIN / "zabfs", "-f", "-o", "noinotify",
                                    f"127.0.0.1:{service.port}"))
            here, there = mounts
            (there.path / "znode").write_text("0")
            wait_until(lambda: (here.path / "znode").exists(), "the znode is there")
            print("waiters | KB each (first round) |  ms to the first   middle     last | requests")
            for waiters in map(int, options.waiters.split(",")):
                rounds = [one_round(service, here, there, waiters) for _ in range(options.rounds)]
                middles = [statistics.median(column) for column in zip(*rounds)]
                print(f"{waiters:7} | {rounds[0][0]:21.2f} | {middles[1]:16.1f} {middles[2]:8.1f}"
                      f" {middles[3]:8.1f} | {middles[4]:8.0f}", flush=True)
        finally:
            for mount in mounts:
                mount.remove()
            service.kill()


if __name__ == "__main__":
    main()
