#!/usr/bin/env python3
"""How long writes stop when the leader of three servers dies or stands still.

    cmake --preset release && cmake --build --preset release
    python3 tests/benchmark/failover.py [--rounds 20] [--kinds zabd,zookeeper] [--how killed,paused]

A client that speaks the protocol itself is connected to a follower and silent. The leader is killed
(kill -9) or stopped (SIGSTOP); the client sends a write at once, and whenever its connection ends it
goes with its session to a surviving server without a pause and sends it again, until one is
acknowledged. Default settings, everything on loopback and on one disk. docs/benchmarks.md has figures.
"""

import argparse
import statistics
import time

import measured_server  # noqa: F401  (makes the modules of the system tests importable)
from deadline import wait_until
from ensemble import Ensemble, mode
import server as system_server
import wire

PATIENCE = 2.0  # Seconds without an answer after which the client tries the other survivor.
DEFAULT_TICK_MS = 2000


class Client:
    """One session that some server keeps answering."""

    def __init__(self, servers):
        self.connection = servers[0].connect(timeout_ms=20000)
        self.session = (self.connection.session, self.connection.password)
        self.last_zxid = self.write()

    def write(self):
        reply = self.connection.call(wire.SET_DATA, wire.set_data("/register", bytes(100)))
        if reply.error != wire.OK:
            raise AssertionError(f"a write was answered with {reply}")
        return reply.zxid

    def write_wherever(self, servers):
        """Returns when a write is acknowledged."""
        attempt = 0
        self.connection.socket.settimeout(PATIENCE)
        while True:
            try:
                if self.connection is None:
                    session, password = self.session
                    server = servers[attempt % len(servers)]
                    self.connection = server.connect(
                        timeout_ms=20000, session=session, password=password,
                        last_zxid=self.last_zxid, patience=PATIENCE)
                self.last_zxid = self.write()
                return
            except (OSError, wire.Refused):
                attempt += 1
                if self.connection is not None:
                    self.connection.socket.close()
                    self.connection = None


def measure(ensemble, how):
    """Milliseconds from the end of the leader to the next acknowledged write."""
    leader = ensemble.leader()
    survivors = ensemble.others(leader)
    client = Client(survivors)
    begin = time.monotonic()
    if how == "killed":
        leader.kill()
    else:
        leader.pause()
    client.write_wherever(survivors)
    elapsed = time.monotonic() - begin
    client.connection.close_session()
    if how == "killed":
        leader.launch()
    else:
        leader.go_on()
    wait_until(lambda: mode(leader) == "follower", "the old leader follows", seconds=60)
    return elapsed * 1000


def measure_kind(kind, hows, rounds):
    ensemble = Ensemble(voters=3, kind=kind, tick_ms=DEFAULT_TICK_MS)
    try:
        ensemble.start()
        with ensemble.servers[0].connect() as connection:
            connection.call(wire.CREATE, wire.create("/register"))
            connection.close_session()
        for how in hows:
            times = sorted(measure(ensemble, how) for _ in range(rounds))
            print(f"{kind:10} {how:7} {len(times):6} {statistics.median(times):9.1f}"
                  f" {times[0]:9.1f} {times[-1]:9.1f}   all: "
                  + " ".join(f"{each:.0f}" for each in times), flush=True)
    finally:
        ensemble.remove()


def main():
    parser = argparse.ArgumentParser(description="how long writes stop when a leader fails")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--kinds", default="zabd,zookeeper")
    parser.add_argument("--how", default="killed,paused")
    options = parser.parse_args()
    system_server.BIN = measured_server.BIN
    print(f"{'':10} {'leader':7} {'rounds':>6} {'median ms':>9} {'best':>9} {'worst':>9}")
    for kind in options.kinds.split(","):
        measure_kind(kind, options.how.split(","), options.rounds)


if __name__ == "__main__":
    main()
