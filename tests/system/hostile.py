"""Clients that misbehave, each in a process of its own until it is told to end.

A server must keep answering everybody else meanwhile, and be as it was when they are gone. Run with
    with Hostile(port): ...
"""

import multiprocessing
import os
import random
import select
import socket
import struct
import warnings

import wire
from server import dies_with_its_parent

LARGE = 900_000
CONNECTIONS = 10  # of each kind of client that keeps several


def slow_loris(port, over):
    """Opens connections and sends a handshake byte by byte, slower than anybody would wait."""
    handshake = struct.pack(">iiqiq", 45, 0, 0, 10000, 0) + wire.buffer(bytes(16)) + b"\0"
    lorises = []
    while not over.wait(0.1):
        while len(lorises) < CONNECTIONS:
            lorises.append([socket.create_connection(("127.0.0.1", port)), 0])
        for loris in list(lorises):
            try:
                loris[0].send(handshake[loris[1] : loris[1] + 1])
                loris[1] = min(loris[1] + 1, len(handshake) - 2)
            except OSError:
                lorises.remove(loris)


def never_reads(port, over):
    """Asks for large values and for events without end, and reads none of it."""
    greedy = []
    while not over.wait(0.05):
        while len(greedy) < CONNECTIONS:
            session = wire.Connection(port)
            session.call(wire.CREATE, wire.create("/large", b"x" * LARGE))
            session.send(wire.ADD_WATCH, wire.versioned("/", 1))
            session.socket.setblocking(False)
            greedy.append(session)
        for session in list(greedy):
            try:
                for _ in range(100):
                    session.send(wire.GET_DATA, wire.read("/large"))
            except BlockingIOError:
                session.socket.close()  # Half a request may have been sent.
                greedy.remove(session)
            except OSError:
                greedy.remove(session)


def floods(port, over):
    """Writes values as large as they may be, as fast as they are taken."""
    sessions = [wire.Connection(port) for _ in range(3)]
    body = wire.set_data("/flood", b"f" * LARGE)
    for session in sessions:
        session.call(wire.CREATE, wire.create("/flood"))
        session.unanswered = 0
    while not over.is_set():
        for session in sessions:
            while session.unanswered < 4:
                session.send(wire.SET_DATA, body)
                session.unanswered += 1
            session.receive()
            session.unanswered -= 1


def storm(port, over):
    """Connects again and again; some say hello, none stays."""
    chance = random.Random(1)
    while not over.is_set():
        try:
            if chance.random() < 0.3:
                wire.Connection(port, timeout_ms=1000, patience=5).socket.close()
            else:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except (OSError, wire.Refused):
            pass


def random_bytes(port, over):
    """Says things that make no sense, before the handshake and behind it."""
    chance = random.Random(2)
    while not over.is_set():
        try:
            if chance.random() < 0.5:
                with socket.create_connection(("127.0.0.1", port), timeout=5) as stranger:
                    stranger.sendall(chance.randbytes(chance.randrange(1, 4096)))
                    select.select([stranger], [], [], 0.05)
            else:
                with wire.Connection(port, timeout_ms=1000, patience=5) as session:
                    size = chance.randrange(0, 200)
                    operation = chance.choice([1, 2, 4, 5, 8, 14, 22, 101, 105, 106])
                    session.send(operation, chance.randbytes(size))
                    session.socket.sendall(chance.randbytes(64))
                    select.select([session.socket], [], [], 0.05)
        except (OSError, wire.Refused):
            pass


def many_small(port, over):
    """Pipelines reads that are cheap, as many as are taken."""
    session = wire.Connection(port)
    session.socket.setblocking(False)
    request = struct.pack(">iii", 8 + 6, 1, wire.EXISTS) + wire.read("/")
    batch = request * 1000
    unsent = b""
    while not over.is_set():
        readable, writable, _ = select.select([session.socket], [session.socket], [], 0.1)
        if readable and not session.socket.recv(1 << 20):
            return
        if writable:
            unsent = unsent or batch
            unsent = unsent[session.socket.send(unsent) :]


KINDS = (slow_loris, never_reads, floods, storm, random_bytes, many_small)


def _run(kind, port, over, niceness):
    dies_with_its_parent()
    if niceness:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))  # Whatever the parent has.
        os.nice(niceness)
    warnings.simplefilter("ignore", ResourceWarning)  # They end as they have lived.
    kind(port, over)


class Hostile:
    """All of them at once, until the end of the `with`. With `niceness` they leave the processors to
    others, as clients on other machines do."""

    def __init__(self, port, kinds=KINDS, niceness=0):
        context = multiprocessing.get_context("fork")
        self.over = context.Event()
        self.processes = [
            context.Process(target=_run, args=(kind, port, self.over, niceness), daemon=True)
            for kind in kinds
        ]

    def __enter__(self):
        for process in self.processes:
            process.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for process in self.processes:
            process.join(timeout=5)
            if process.is_alive():
                process.kill()
                process.join()

    def assert_alive(self):
        """None of them has given up."""
        for process in self.processes:
            if not process.is_alive():
                raise AssertionError(f"a hostile client ended with {process.exitcode}")
