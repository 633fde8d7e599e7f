#!/usr/bin/env python3
"""What file operations cost on a zabfs mount, beside a FUSE file system that does nothing.

    cmake --preset release && cmake --build --preset release
    python3 tests/benchmark/mount.py [--seconds 2] [--directory .]

Mounts zabfs on a zabd of its own, the same with -o nocache, which asks the ensemble at every system call
as a mount without watches has to, zabfs --embedded, and null_fuse, and takes tmpfs from /dev/shm;
measures the operations of mount_load.cpp on each, with one thread and with two; and counts what each
asks of zabd. docs/benchmarks.md says how to read the two tables.
"""

import argparse
import contextlib
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile

from measured_server import BIN, Running, Service, dies_with_its_parent, load, wait_until

OPERATIONS = ("stat", "pread", "read", "list", "create", "overwrite")
CHANGES = ("create", "overwrite", "flock")
TURNS = 10
KINDS = ("tmpfs", "null_fuse", "zabfs", "embedded", "nocache")
RATIOS = (("zabfs", "tmpfs"), ("zabfs", "null_fuse"), ("embedded", "null_fuse"), ("nocache", "zabfs"))


class Mount:
    """A FUSE process and the directory that it shows; unmounted whatever happens."""

    def __init__(self, directory, *command):
        self.path = pathlib.Path(directory)
        self.path.mkdir()
        self.process = subprocess.Popen([*command, str(self.path)], stdin=subprocess.DEVNULL,
                                        preexec_fn=dies_with_its_parent)
        try:
            wait_until(self.is_mounted, f"{command[0]} has mounted", seconds=60)
        except BaseException:
            self.remove()
            raise

    def is_mounted(self):
        if self.process.poll() is not None:
            raise SystemExit(f"{self.process.args[0]} ended with {self.process.returncode}")
        return os.path.ismount(self.path)

    def remove(self):
        subprocess.run(["fusermount3", "-u", "-z", "-q", str(self.path)], check=False)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def counters(service):
    """The requests that zabd has received, and the transactions that it has applied."""
    with socket.create_connection(("127.0.0.1", service.port)) as connection:
        connection.sendall(b"srvr")
        with connection.makefile() as answer:
            text = answer.read()
    received = int(re.search(r"^Received: (\d+)", text, re.MULTILINE)[1])
    zxid = int(re.search(r"^Zxid: 0x([0-9a-f]+)", text, re.MULTILINE)[1], 16)
    return received, zxid


def measure(operation, path, threads, seconds):
    return Running("mount_load", operation, path, threads, seconds).result()


def requests_of(service, operation, path, seconds):
    """How many reads and writes one `operation` sends to the ensemble."""
    received, zxid = counters(service)
    operations = measure(operation, path, 1, seconds)["operations"]
    received_after, zxid_after = counters(service)
    writes = (zxid_after - zxid) / operations
    return (received_after - received) / operations - writes, writes


def pin(pid, processor):
    """Every thread of the process, and of those that it has started, runs on that processor alone
    from now on."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), {processor})
        for child in (task / "children").read_text().split():
            pin(child, processor)


def print_times(paths, seconds):
    print(f"{'µs':10} threads |" + "".join(f" {kind:>10}" for kind in KINDS)
          + " |" + "".join(f" {above + '/' + below:>18}" for above, below in RATIOS))
    for operation in OPERATIONS:
        for threads in (1, 2):
            times = {kind: measure(operation, paths[kind], threads, seconds)["median_us"]
                     for kind in KINDS}
            print(f"{operation:10} {threads:7} |"
                  + "".join(f" {times[kind]:10.1f}" for kind in KINDS)
                  + " |" + "".join(f" {times[above] / times[below]:18.2f}"
                                   for above, below in RATIOS), flush=True)


def print_round_trips(service, mounts, seconds):
    """With zabd on one processor and everything else on another: then a round trip costs zabfs what
    it costs a bare client, wherever the scheduler would have put them."""
    processors = sorted(os.sched_getaffinity(0))
    pin(service.process.pid, processors[0])
    os.sched_setaffinity(0, {processors[-1]})  # and what is started from here
    for mount in mounts.values():
        pin(mount.process.pid, processors[-1])
    print(f"\n{'':10} {'reads':>6} {'writes':>6} | {'zabfs µs':>9} {'ensemble':>9} {'beyond':>9} |"
          f" {'null µs':>8} {'beyond/null':>11}")
    for operation in (*OPERATIONS, "flock"):
        measure(operation, mounts["zabfs"].path, 1, 0.1)  # What is known from now on needs no request.
        reads, writes = requests_of(service, operation, mounts["zabfs"].path, seconds)
        zabfs, ensemble, null = times_in_turn(service, operation, mounts, seconds, (reads, writes))
        print(f"{operation:10} {reads:6.2f} {writes:6.2f} | {zabfs:9.1f} {ensemble:9.1f}"
              f" {zabfs - ensemble:9.1f} | {null:8.1f} {(zabfs - ensemble) / null:11.2f}",
              flush=True)


def times_in_turn(service, operation, mounts, seconds, requests):
    """The medians on zabfs, of a bare client that sends the writes of `requests` alone, and on null_fuse.

    In many short turns, so that what else the machine and its disk do falls on all alike."""
    rounds = []
    for _ in range(TURNS):
        zabfs, null = (measure(operation, mounts[kind].path, 1, seconds / TURNS)["median_us"]
                       for kind in ("zabfs", "null_fuse"))
        ensemble = 0.0
        if operation in CHANGES:
            alone = load(operation, service.port, seconds / TURNS)
            ensemble = alone["median_us"]
            # What zabfs reads is its own doing.
            if alone["writes"] != round(requests[1]):
                raise SystemExit(f"{operation}: zabfs sends {requests} reads and writes, and service_load"
                                 f" {alone['writes']} writes")
        elif max(requests) > 0.5:
            raise SystemExit(f"{operation}: zabfs asks the ensemble again and again")
        rounds.append((zabfs, ensemble, null))
    return (statistics.median(column) for column in zip(*rounds))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2, help="per cell")
    parser.add_argument("--only", nargs="+", choices=("times", "round-trips"),
                        default=("times", "round-trips"), help="the tables to make")
    parser.add_argument("--directory", default=".", help="whose disk zabd writes to")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that everything is unmounted
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(
            tempfile.TemporaryDirectory(dir=options.directory, prefix="zabfs-benchmark.")))
        tmpfs = stack.enter_context(tempfile.TemporaryDirectory(dir="/dev/shm"))
        service = Service("zabd", directory)
        stack.callback(service.kill)
        service.start()
        commands = {
            "null_fuse": (str(BIN / "null_fuse"),),
            "zabfs": (str(BIN / "zabfs"), "-f", f"127.0.0.1:{service.port}"),
            "nocache": (str(BIN / "zabfs"), "-f", "-o", "nocache", f"127.0.0.1:{service.port}"),
            "embedded": (str(BIN / "zabfs"), "-f", "--embedded", str(directory / "replica")),
        }
        mounts = {}
        for kind, command in commands.items():
            mounts[kind] = Mount(directory / f"{kind}-mount", *command)
            stack.callback(mounts[kind].remove)
        paths = {kind: mount.path for kind, mount in mounts.items()} | {"tmpfs": tmpfs}
        for kind in ("tmpfs", "zabfs", "embedded"):
            subprocess.run([str(BIN / "mount_load"), "prepare", str(paths[kind])], check=True)
        if "times" in options.only:
            print_times(paths, options.seconds)
        if "round-trips" in options.only:
            print_round_trips(service, mounts, options.seconds)


if __name__ == "__main__":
    main()
