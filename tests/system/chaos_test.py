"""An ensemble under clients while a minority of it is killed, paused and cut off, again and again.

    chaos_test.py [--seconds N] [--servers N] [--seed N]

Clients read and write registers (some writes only at the version seen last), count, create and delete
sequential znodes and take turns with a lock, through all servers, and record what they heard. All the
time, one disturbance follows the other, each as long as it takes the clients to get some number of
writes acknowledged: without that, the test fails, since a majority is there.

- killed:   kill -9, then started again with the same data
- paused:   SIGSTOP, then SIGCONT
- cut:      nothing reaches the server or leaves it
- mute:     what it says does not reach the other servers
- deaf:     what the other servers say does not reach it
- ended:    kill -9 of all servers at once

The cuts need network namespaces; without the right to make some they are left out, which is said. At
the end all servers have to show the same tree, before and after one more start, and chaos_checks.py
compares it with everything that the clients were told. The seed repeats the choices and not the times.
"""

import argparse
import collections
import logging
import random
import sys
import time

import network
import wire
from chaos_checks import check_counter, check_locks, check_registers, check_sequences
from chaos_clients import REGISTERS, CounterClient, LockClient, RegisterClient, SequenceClient
from deadline import wait_until
from ensemble import Ensemble, differences, mode, synced_tree

GOES_ON_SECONDS = 60  # Until clients are served again; generous, since the machine may be slow.


class Disturbances:
    """One after the other, on an ensemble whose clients say how it goes."""

    def __init__(self, ensemble, cables, clients, chance):
        self.ensemble = ensemble
        self.cables = cables
        self.clients = clients
        self.chance = chance
        self.counts = collections.Counter()
        self.minority = (len(ensemble.servers) - 1) // 2

    def acknowledged(self):
        failed = [client.failure for client in self.clients if client.failure is not None]
        if failed:
            raise failed[0]
        return sum(client.acknowledged for client in self.clients)

    def let_clients_write(self, count):
        wanted = self.acknowledged() + count
        wait_until(lambda: self.acknowledged() >= wanted,
                   f"{count} more writes, with {dict(self.counts)} so far", GOES_ON_SECONDS)

    def targets(self):
        """Some minority; every other time with the leader in it."""
        count = self.chance.randint(1, self.minority)
        chosen = self.chance.sample(self.ensemble.servers, count)
        if self.chance.random() < 0.5:
            leaders = [s for s in self.ensemble.servers if mode(s) == "leader"]
            if leaders and leaders[0] not in chosen:
                chosen[0] = leaders[0]
        return chosen

    def disturb(self):
        kinds = ["killed"] * 4 + ["paused"] * 4 + ["ended"]
        if self.cables is not None:
            kinds += ["cut"] * 3 + ["mute"] * 2 + ["deaf"] * 2
        kind = self.chance.choice(kinds)
        targets = self.ensemble.servers if kind == "ended" else self.targets()
        self.counts[kind] += 1
        for server in targets:
            self._begin(kind, server)
        if kind != "ended":
            self.let_clients_write(2 ** self.chance.randrange(12))
        for server in targets:
            self._finish(kind, server)
        if self.chance.random() < 0.7:
            for server in self.ensemble.servers:
                self.wait_for(server)
        self.let_clients_write(2 ** self.chance.randrange(10))

    def wait_for(self, server):
        wait_until(server.answers, f"server {server.number} serves again", GOES_ON_SECONDS)

    def _begin(self, kind, server):
        if kind in ("killed", "ended"):
            server.kill()
        elif kind == "paused":
            server.pause()
        elif kind == "cut":
            self.cables.cut(server.number)
        else:
            self._block(kind, server, True)

    def _finish(self, kind, server):
        if kind in ("killed", "ended"):
            server.launch()
        elif kind == "paused":
            server.go_on()
        elif kind == "cut":
            self.cables.cut(server.number, False)
        else:
            self._block(kind, server, False)

    def _block(self, kind, server, is_blocked):
        for other in self.ensemble.others(server):
            ends = [server.number, other.number]
            source, target = ends if kind == "mute" else reversed(ends)
            self.cables.block(source, target, is_blocked)


class Clients:
    """All of them, by what they do."""

    def __init__(self, ensemble, chance):
        def make(kind, count, source):
            return [kind(f"{kind.__name__}-{number}", source, chance.randrange(1 << 32))
                    for number in range(count)]

        self.registers = make(RegisterClient, 4, ensemble.servers)
        self.counters = make(CounterClient, 2, ensemble.servers)
        self.sequences = make(SequenceClient, 2, ensemble.servers)
        self.locks = make(LockClient, 3, ensemble.hosts)
        self.writers = [*self.registers, *self.counters, *self.sequences]

    def start(self):
        for client in [*self.writers, *self.locks]:
            client.thread.start()

    def end(self):
        for client in [*self.writers, *self.locks]:
            client.ends.set()
        for client in [*self.writers, *self.locks]:
            client.join()

    def check(self, tree, found):
        check_registers(self.registers, tree, found)
        check_counter(self.counters, tree, found)
        check_sequences(self.sequences, tree, found)
        check_locks(self.locks, tree, found)
        found["session went back"] += sum(client.went_back for client in self.writers)

    def print_totals(self):
        reads = [read for client in self.registers for each in client.reads for read in each]
        refused = sum(len(each) for client in self.registers for each in client.refused)
        print(f"{sum(c.acknowledged for c in self.writers)} writes acknowledged,"
              f" {sum(c.unknown for c in self.writers)} unknown, {refused} refused;"
              f" {len(reads)} reads, {sum(read.is_synced for read in reads)} of them synced;"
              f" {sum(c.holds for c in self.locks)} times held a lock,"
              f" {sum(len(v) for c in self.locks for v in c.versions)} fenced writes")


def prepare(server):
    with server.connect() as connection:
        registers = [f"/register-{number}" for number in range(REGISTERS)]
        for path in [*registers, "/counter", "/sequence", "/lock", "/fence"]:
            reply = connection.call(wire.CREATE, wire.create(path, b"0"))
            if reply.error != wire.OK:
                raise AssertionError(f"create {path} was answered with {reply}")
        connection.close_session()


def compare_trees(ensemble, disturbances, found):
    """The tree that is there at the end, on every server, and after a start of all."""
    trees = []
    for _ in range(2):
        for server in ensemble.servers:
            disturbances.wait_for(server)
        trees += [synced_tree(server) for server in ensemble.servers]
        for server in ensemble.servers:
            server.kill()
        for server in ensemble.servers:
            server.launch()
    for tree in trees[1:]:
        if different := differences(trees[0], tree):
            found["different trees"] += 1
            print(f"different: {different}")
    return trees[0]


def run(options, cables):
    chance = random.Random(options.seed)
    ensemble = Ensemble(options.servers, places=cables.places() if cables else None)
    found = collections.Counter()
    try:
        ensemble.start()
        prepare(ensemble.servers[0])
        clients = Clients(ensemble, chance)
        disturbances = Disturbances(ensemble, cables, clients.writers, chance)
        clients.start()
        deadline = time.monotonic() + options.seconds
        while time.monotonic() < deadline:
            disturbances.disturb()
        for server in ensemble.servers:
            disturbances.wait_for(server)
        clients.end()
        clients.check(compare_trees(ensemble, disturbances, found), found)
    except BaseException:
        for server in ensemble.servers:
            print(f"server {server.number}:\n{server.log_path.read_text()[-20000:]}")
        raise
    finally:
        ensemble.remove()
    print(", ".join(f"{count} {kind}" for kind, count in sorted(disturbances.counts.items())))
    clients.print_totals()
    return found


def main():
    parser = argparse.ArgumentParser(description="disturb an ensemble under load, then compare")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--servers", type=int, default=3)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    has_network = network.enter()
    logging.disable()  # kazoo's, about every connection that is lost
    print(f"seed {options.seed}", flush=True)
    cables = None
    if has_network:
        cables = network.Network(options.servers)
    else:
        print("no right to make network namespaces: nothing is cut", flush=True)
    try:
        found = run(options, cables)
    finally:
        if cables is not None:
            cables.remove()
    violations = {kind: count for kind, count in found.items() if count}
    print(f"violations: {violations or 'none'}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
