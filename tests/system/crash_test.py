"""kill -9 under load: what was acknowledged is there afterwards, once, and in order.

    crash_test.py [--rounds N] [--clients N] [--seed N]

In every round some clients write, most with many requests in flight, the server is killed at a random
moment, started again, and everything is read back. Each client alternates between setting its own
register to the next number and creating a sequential znode that holds the next number, so that

- lost:       a number that was acknowledged and is not there, or is there with another zxid
- reordered:  numbers that do not stand in the order in which they were sent, or have a gap
- undone:     what an earlier round's end had shown and is no longer so
- invented:   a number beyond the last one sent

are all visible. Ends with the counts; anything but zero in those four fails.
"""

import argparse
import collections
import random
import sys
import threading

import wire
from deadline import wait_until
from server import Server

# Requests in flight, of one client each: who waits for every answer notices the loss of any write,
# who pipelines fills the batches that are synced together.
WINDOWS = (1, 8, 64, 256)


class Writer:
    """One client of one round: pipelines numbers and remembers which were acknowledged."""

    def __init__(self, port, folder, window):
        self.folder = folder
        self.window = window
        self.register = folder + ".register"
        self.sent = 0
        self.created = {}  # number -> (path, zxid) as the server answered them
        self.changed = (0, None)  # the register's last acknowledged number and its zxid
        self.failure = None
        self.thread = threading.Thread(target=self._run, args=(port,), daemon=True)
        self.thread.start()

    def _run(self, port):
        try:
            with wire.Connection(port) as connection:
                self._write(connection)
        except (OSError, wire.Refused):
            pass  # The kill: what came back until now is what counts.
        except BaseException as failure:  # Raised again by `join`, in the test's own thread.
            self.failure = failure

    def _write(self, connection):
        while True:
            while self.sent - len(self.created) < self.window:
                self.sent += 1
                number = str(self.sent).encode()
                body = wire.create(f"{self.folder}/n-", number, wire.SEQUENTIAL)
                connection.send(wire.CREATE, body)
                connection.send(wire.SET_DATA, wire.set_data(self.register, number))
            created = accepted(connection.receive())
            path = wire.take_buffer(created.body, 0)[0].decode()
            number = len(self.created) + 1
            self.created[number] = (path, created.zxid)
            self.changed = (number, accepted(connection.receive()).zxid)

    def join(self):
        self.thread.join(timeout=30)
        if self.thread.is_alive():
            raise AssertionError("a connection outlives its server")
        if self.failure is not None:
            raise self.failure


def accepted(reply):
    if reply.error != wire.OK:
        raise AssertionError(f"a write was answered with {reply}")
    return reply


class Finding(collections.namedtuple("Finding", "numbers paths zxids register register_zxid")):
    """What a reader sees of one writer after the restart; lists are in order of the names."""

    @staticmethod
    def read(connection, writer):
        listed = connection.call(wire.GET_CHILDREN, wire.read(writer.folder))
        register = connection.call(wire.GET_DATA, wire.read(writer.register))
        if wire.NO_NODE in (listed.error, register.error):
            return Finding([], [], [], 0, 0)
        paths = [f"{writer.folder}/{name}" for name in sorted(wire.take_strings(listed.body))]
        replies = connection.call_all([(wire.GET_DATA, wire.read(path)) for path in paths])
        found = [wire.get_data_reply(reply.body) for reply in replies]
        value, stat = wire.get_data_reply(register.body)
        numbers = [int(data) for data, _ in found]
        zxids = [stat.czxid for _, stat in found]
        return Finding(numbers, paths, zxids, int(value), stat.mzxid)


def judge(writer, found, counts):
    """Compares what `writer` was told with what was `found`."""
    last_number, last_zxid = writer.changed
    counts["acknowledged"] += len(writer.created) + last_number
    there = dict(zip(found.numbers, zip(found.paths, found.zxids)))
    for number, answer in writer.created.items():
        if there.get(number) != answer:
            counts["lost"] += 1
    if found.register < last_number:
        counts["lost"] += 1
    if found.register == last_number > 0 and found.register_zxid != last_zxid:
        counts["lost"] += 1
    if found.numbers != list(range(1, len(found.numbers) + 1)):
        counts["reordered"] += 1
    if found.zxids != sorted(set(found.zxids)):
        counts["reordered"] += 1
    # The register follows each creation, so it is at the last number or one behind it.
    if found.register not in (len(found.numbers), len(found.numbers) - 1):
        counts["reordered"] += 1
    if len(found.numbers) > writer.sent:
        counts["invented"] += 1


class Crashes:
    """The rounds, one after the other, on one server directory."""

    def __init__(self, server, clients, chance):
        self.server = server
        self.clients = clients
        self.chance = chance
        self.counts = collections.Counter()
        self.earlier = []  # The writers of the round before, with what was found of each.

    def round(self, number):
        with wire.Connection(self.server.port) as connection:
            folders = [f"/round-{number}-{client}" for client in range(self.clients)]
            for folder in folders:
                connection.call(wire.CREATE, wire.create(folder))
                connection.call(wire.CREATE, wire.create(folder + ".register", b"0"))
            connection.close_session()
        writers = [
            Writer(self.server.port, folder, WINDOWS[client % len(WINDOWS)])
            for client, folder in enumerate(folders)
        ]
        enough = self.chance.randrange(1, 400 * self.clients)
        wait_until(lambda: sum(len(w.created) for w in writers) >= enough, "replies come")
        self.server.kill()
        for writer in writers:
            writer.join()
        self.server.start()
        self.check(writers)

    def check(self, writers):
        with wire.Connection(self.server.port) as connection:
            found = [Finding.read(connection, writer) for writer in writers]
            for writer, finding in zip(writers, found):
                judge(writer, finding, self.counts)
            for writer, before in self.earlier:
                if Finding.read(connection, writer) != before:
                    self.counts["undone"] += 1
                self.remove(connection, writer, before)
            connection.close_session()
        self.earlier = list(zip(writers, found))
        self.counts["kills"] += 1

    def remove(self, connection, writer, finding):
        """Keeps the tree small over hundreds of rounds; the next crash tests these deletions."""
        paths = [*finding.paths, writer.folder, writer.register]
        for reply in connection.call_all([(wire.DELETE, wire.versioned(path)) for path in paths]):
            if reply.error != wire.OK:
                self.counts["undone"] += 1


def main():
    parser = argparse.ArgumentParser(description="kill -9 under load, then compare")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    server = Server()
    try:
        server.start()
        crashes = Crashes(server, options.clients, random.Random(options.seed))
        for number in range(options.rounds):
            crashes.round(number)
    finally:
        server.remove()
    counts = crashes.counts
    kinds = ("lost", "reordered", "undone", "invented")
    print(", ".join(f"{counts[kind]} {kind}" for kind in ("kills", "acknowledged", *kinds)))
    return 1 if any(counts[kind] for kind in kinds) else 0


if __name__ == "__main__":
    sys.exit(main())
