#!/usr/bin/env python3
"""A client that behaves beside clients that do not: what they add to the time of its requests, and
what they leave behind.

    cmake --preset release && cmake --build --preset release
    python3 tests/benchmark/hostile.py [--seconds 300] [--directory .] [--each] [--kind zookeeper]

Half of the time nobody else is there, half of it all hostile clients of tests/system/hostile.py are,
in turns of a few seconds; --each adds a row for every kind of them alone, --elsewhere one for all of them
at another server on the same machine. docs/benchmarks.md says how to read the table.
"""

import argparse
import os
import pathlib
import socket
import tempfile

from measured_server import KINDS as SERVERS, Service, load, wait_until
from hostile import KINDS, Hostile  # of tests/system, found by measured_server

TURN_SECONDS = 5
LEAST_PRIORITY = 19  # The hostile clients are not to take the processors away.
SETTINGS = {
    "zabd": ["nio.sessionlessCnxnTimeout=1000", "log.level=error", "4lw.commands.whitelist=*"],
    "zookeeper": ["4lw.commands.whitelist=*"],
}


class Remains:
    """What a server has at one moment: to be the same at the end as at the beginning."""

    def __init__(self, service):
        wait_until(lambda: monitored(service, b"zk_num_alive_connections") <= 1,
                   "all connections are closed", seconds=30)
        wait_until(lambda: monitored(service, b"zk_global_sessions") == 0,
                   "all sessions have ended", seconds=90)
        self.megabytes = service.resident_mb()
        self.sockets = sum(os.readlink(link).startswith("socket:") for link in
                           pathlib.Path(f"/proc/{service.process.pid}/fd").iterdir())
        self.watches = monitored(service, b"zk_watch_count")

    def __str__(self):
        return (f"{self.megabytes:.0f} MB resident, {self.sockets} sockets, no session,"
                f" {self.watches} watches")


def monitored(service, key):
    with socket.create_connection(("127.0.0.1", service.port), timeout=5) as operator:
        operator.sendall(b"mntr")
        lines = operator.makefile("rb").read().splitlines()
    return int(dict(line.split(b"\t") for line in lines if b"\t" in line).get(key, 0))


TAKEN = {
    b"zk_packets_received": "requests",
    b"zk_bytes_received_count": "bytes of them",
    b"zk_connection_request_count": "handshakes",
    b"zk_large_requests_rejected": "requests that were too long",
    b"zk_request_throttle_wait_count": "requests that had to wait",
    b"zk_connection_drop_count": "connections closed by the server",
}


def taken(service):
    """What a server has been asked for since its start, the client that behaves included."""
    return ", ".join(f"{monitored(service, key):,} {name}" for key, name in TAKEN.items())


def measure(service, mode, seconds, hostile, victim=None):
    """The rows of several turns, some with and some without the hostile clients, which are at the
    service, or at another one, the `victim`."""
    rows = {False: [], True: []}
    for turn in range(max(2, int(seconds / TURN_SECONDS))):
        is_beside = turn % 2 == 1
        if is_beside:
            with Hostile((victim or service).port, hostile, LEAST_PRIORITY) as others:
                rows[True].append(load(mode, service.port, 1, 1, TURN_SECONDS))
                others.assert_alive()
        else:
            rows[False].append(load(mode, service.port, 1, 1, TURN_SECONDS))
    return rows


def median_of(rows, key):
    values = sorted(row[key] for row in rows)
    return values[len(values) // 2]


def print_row(name, mode, rows):
    for row in rows[False] + rows[True]:
        if row["errors"]:
            raise SystemExit(f"the client that behaves was answered {row['errors']} errors")
    columns = []
    for key in ("median_us", "p99_us"):
        quiet, beside = (median_of(rows[is_beside], key) for is_beside in (False, True))
        columns.append(f"{quiet:9.0f} {beside:9.0f} {beside / quiet:6.1f}")
    longest = max(row["max_us"] for row in rows[True])
    print(f"{name:14} {mode:5} | {' | '.join(columns)} | {longest:9.0f}", flush=True)


def print_floor(directory, kind, service, seconds):
    """The row of hostile clients at another server, without real-time priority: what they take of the
    machine is not the service's to give."""
    other = Service(kind, directory, "other")
    other.settings = SETTINGS[kind]
    other.start()
    try:
        for thread in os.listdir(f"/proc/{other.process.pid}/task"):
            os.sched_setscheduler(int(thread), os.SCHED_OTHER, os.sched_param(0))
        for mode in ("read", "write"):
            print_row("elsewhere", mode, measure(service, mode, seconds, KINDS, victim=other))
    finally:
        other.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=300, help="for reads, and for writes")
    parser.add_argument("--directory", default=".", help="whose disk is used")
    parser.add_argument("--each", action="store_true", help="every kind alone too")
    parser.add_argument("--elsewhere", action="store_true",
                        help="a row for hostile clients at another server too")
    parser.add_argument("--kind", default=SERVERS[0], choices=SERVERS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory, prefix="zabfs-benchmark.") as directory:
        service = Service(options.kind, directory)
        service.settings = SETTINGS[options.kind]
        service.start()
        try:
            measure(service, "write", 2 * TURN_SECONDS, KINDS)  # What is kept for reuse is there now.
            print(f"before: {Remains(service)}\n")
            print(f"{'':20} | {'median µs':>9} {'beside':>9} {'times':>6} |"
                  f" {'99 % µs':>9} {'beside':>9} {'times':>6} | {'longest':>9}")
            crowds = [("all", KINDS)]
            if options.each:
                crowds += [(kind.__name__, (kind,)) for kind in KINDS]
            for name, kinds in crowds:
                for mode in ("read", "write"):
                    print_row(name, mode, measure(service, mode, options.seconds, kinds))
            if options.elsewhere:
                print_floor(directory, options.kind, service, options.seconds)
            print(f"\nafter: {Remains(service)}\nit took {taken(service)}")
        finally:
            service.kill()


if __name__ == "__main__":
    main()
