#!/usr/bin/env python3
"""Many sessions at once: what each costs a server in memory, and how long one change takes to reach
them all. zabd and Debian's Apache ZooKeeper, one after the other in one run.

    cmake --preset release && cmake --build --preset release
    python3 tests/benchmark/scale.py [--sessions 10000] [--rounds 10] [--directory .]

docs/benchmarks.md says how to read the table.
"""

import argparse
import json
import resource
import statistics
import subprocess
import tempfile

from measured_server import BIN, KINDS, Service
from server import dies_with_its_parent

SETTINGS = ["maxSessionTimeout=600000", "maxCnxns=0"]


def memory_mb(service):
    """Resident memory, and what of it is in use: of a Java virtual machine the objects that its
    collector leaves."""
    resident = service.resident_mb()
    if service.kind != "zookeeper":
        return resident, resident
    histogram = subprocess.run(["jcmd", str(service.process.pid), "GC.class_histogram"], check=True,
                               stdout=subprocess.PIPE, text=True).stdout
    return service.resident_mb(), int(histogram.splitlines()[-1].split()[2]) / 2**20


def measure(service, sessions, rounds):
    empty = memory_mb(service)
    crowd = subprocess.Popen(
        [str(BIN / "sessions"), str(service.port), str(sessions), str(rounds)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        preexec_fn=dies_with_its_parent)

    def wait_for(word):
        if crowd.stdout.readline().strip() != word:
            raise SystemExit(f"sessions: the program failed with {service.kind}")

    wait_for("open")
    idle = memory_mb(service)
    crowd.stdin.write("\n")
    crowd.stdin.flush()
    wait_for("watching")
    watching = memory_mb(service)
    output = crowd.communicate("\n")[0]
    if crowd.returncode != 0:
        raise SystemExit(f"sessions failed with {service.kind}")
    times = json.loads(output)
    return {
        "empty_mb": empty[0],
        "idle_mb": idle[0],
        "watching_mb": watching[0],
        "idle_kb_each": (idle[0] - empty[0]) * 1024 / sessions,
        "watching_kb_each": (watching[0] - empty[0]) * 1024 / sessions,
        "watching_kb_in_use": (watching[1] - empty[1]) * 1024 / sessions,
        "first_ms": statistics.median(times["first_ms"]),
        "last_ms": statistics.median(times["last_ms"]),
        "last_ms_best": min(times["last_ms"]),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--heap", default="256m", help="of ZooKeeper's virtual machine, at most")
    parser.add_argument("--directory", default=".", help="whose disk is used")
    options = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most < options.sessions + 100:
        raise SystemExit(f"this needs {options.sessions + 100} open files and may have {most}: "
                         "raise the limit (ulimit -n), or take fewer --sessions")
    with tempfile.TemporaryDirectory(dir=options.directory, prefix="zabfs-benchmark.") as directory:
        rows = {}
        for kind in KINDS:
            service = Service(kind, directory, heap=options.heap)
            service.settings = SETTINGS
            service.start()
            try:
                rows[kind] = measure(service, options.sessions, options.rounds)
            finally:
                service.kill()
    print(f"{options.sessions} sessions | {'zabd':>10} {'zookeeper':>10} {'times less':>10}")
    for name in rows["zabd"]:
        ours, theirs = (rows[kind][name] for kind in KINDS)
        print(f"{name:16} | {ours:10.2f} {theirs:10.2f} {theirs / max(ours, 0.001):10.2f}")


if __name__ == "__main__":
    main()
