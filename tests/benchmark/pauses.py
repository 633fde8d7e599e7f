"""How long snapshots make a reader wait; a part of service.py."""

import threading

from measured_server import KINDS, Running, load

SECONDS = 15
SNAPSHOT_ALWAYS = 1_000  # transactions between two: far fewer than come while one is written
SNAPSHOT_NEVER = 1_000_000_000
SESSIONS, WINDOW = 1, 10  # of the writers


class SnapshotCount:
    """Counts the snapshots that begin in a server's directory."""

    def __init__(self, service):
        self.directory = service.data
        self.seen = self.names()
        self.count = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    def names(self):
        return {path.name for path in self.directory.rglob("snapshot.*") if path.suffix != ".tmp"}

    def look(self):
        while not self.ended.wait(0.2):
            names = self.names()
            self.count += len(names - self.seen)
            self.seen |= names

    def end(self):
        self.ended.set()
        self.thread.join()
        return self.count


def measure(service, snapshot_every, writes, znodes):
    service.kill()
    service.snapshot_every = snapshot_every
    service.start()
    writer = None
    if writes:
        writer = Running("service_load", "rewrite", service.port, SESSIONS, WINDOW, SECONDS + 2, znodes)
    snapshots = SnapshotCount(service)
    try:
        result = Running("pauses", service.port, SECONDS).result()
    finally:
        count = snapshots.end()
    result["snapshots"] = count
    result["writes"] = writer.result() if writer else {"per_second": 0, "p99_us": 0, "max_us": 0}
    return result


def print_row(name, result):
    reads, bare, writes = result["reads"], result["bare"], result["writes"]
    print(f"{name:26} {result['snapshots']:5} |"
          f" {reads['median_us']:7.0f} {reads['p99_us']:7.0f} {reads['p999_us']:7.0f}"
          f" {reads['max_us']:8.0f} {reads['over_5_ms']:5} |"
          f" {bare['p999_us']:7.0f} {bare['max_us']:8.0f} {bare['over_5_ms']:5} |"
          f" {writes['per_second']:8.0f} {writes['p99_us']:8.0f} {writes['max_us']:8.0f}", flush=True)


def print_pauses(services, znodes, is_filled):
    print(f"\n{znodes} znodes, µs       snapshots |  read: median, 99 %, 99.9 %, max, >5ms |"
          "  bare: 99.9 %, max, >5ms |  writes/s, 99 %, max")
    for kind in KINDS:
        service = services[kind]
        if not is_filled:
            load("fill", service.port, znodes)
        print_row(f"{kind}, idle", measure(service, SNAPSHOT_NEVER, False, znodes))
        print_row(f"{kind}, writes", measure(service, SNAPSHOT_NEVER, True, znodes))
        print_row(f"{kind}, writes, snapshots", measure(service, SNAPSHOT_ALWAYS, True, znodes))
