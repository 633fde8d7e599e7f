"""A client that behaves, beside clients that do not: it is answered, and nothing of them stays."""

import os
import pathlib
import socket
import struct
import time
import unittest

import wire
from deadline import wait_until
from hostile import Hostile
from server import Server

SECONDS = float(os.environ.get("HOSTILE_SECONDS", "10"))
CONNECTIONS_MAX = 60
# What the allocator may keep, and the log's window for servers that are behind.
GROWTH_BYTES_MAX = 200 << 20


def resident_bytes(pid):
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def sockets(pid):
    """How many the process has open; its files come and go with its log."""
    count = 0
    for descriptor in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            count += os.readlink(descriptor).startswith("socket:")
        except FileNotFoundError:
            pass  # Closed while we looked.
    return count


class GoodClient:
    """Writes and reads, and knows what each answer must be."""

    def __init__(self, server):
        self.session = server.connect(timeout_ms=30000)
        self.version = 0
        self.answered = 0
        self.longest = 0.0
        self.call(wire.CREATE, wire.create("/good"))

    def call(self, operation, body=b""):
        begin = time.monotonic()
        reply = self.session.call(operation, body)
        self.longest = max(self.longest, time.monotonic() - begin)
        if reply.error != wire.OK:
            raise AssertionError(f"operation {operation} was answered {reply.error}")
        self.answered += 1
        return reply

    def once_around(self):
        value = str(self.version).encode()
        self.call(wire.GET_DATA, wire.read("/good", watch=True))
        reply = self.call(wire.SET_DATA, wire.set_data("/good", value, self.version))
        self.version += 1
        events, self.session.events = self.session.events, []
        data, stat = wire.get_data_reply(self.call(wire.GET_DATA, wire.read("/good")).body)
        if (data, stat.version) != (value, self.version) or stat.mzxid != reply.zxid:
            raise AssertionError(f"wrote {value}, read {data} of version {stat.version}")
        if len(events) != 1:
            raise AssertionError(f"one change, {len(events)} events before its reply")


class HostileClients(unittest.TestCase):
    def test_hurt_nobody_else_and_leave_nothing_behind(self):
        settings = [
            f"maxClientCnxns={CONNECTIONS_MAX}",
            "nio.sessionlessCnxnTimeout=1000",
            "4lw.commands.whitelist=*",
            "log.level=error",
        ]
        server = Server(settings=settings)
        self.addCleanup(server.remove)
        server.start()
        good = GoodClient(server)
        pid = server.process.pid
        self.run_beside(server, good, SECONDS / 3)  # What is only kept for reuse is there now.
        memory, open_sockets = resident_bytes(pid), sockets(pid)
        self.run_beside(server, good, SECONDS * 2 / 3)
        wait_until(lambda: sockets(pid) <= open_sockets, f"no more than {open_sockets} sockets")
        grown = resident_bytes(pid) - memory
        self.assertLess(grown, GROWTH_BYTES_MAX, "memory has grown")
        good.session.close_session()
        wait_until(
            lambda: self.alone(server), "no connection but the one that asks, and no session"
        )
        self.assertEqual(server.stop(), 0)
        print(f"{good.answered} requests answered, the longest in {good.longest * 1000:.0f} ms,"
              f" memory {memory >> 20} MB and {grown >> 20} MB more")

    def test_are_counted(self):
        server = Server(settings=["4lw.commands.whitelist=mntr", "maxClientCnxns=1",
                                  "nio.sessionlessCnxnTimeout=100"])
        self.addCleanup(server.remove)
        server.start()
        with socket.create_connection(("127.0.0.1", server.port)) as silent:
            with socket.create_connection(("127.0.0.1", server.port)) as one_more:
                self.assertEqual(one_more.recv(1), b"")
            self.assertEqual(silent.recv(1), b"")
        with socket.create_connection(("127.0.0.1", server.port)) as loud:
            loud.sendall(struct.pack(">i", 1 << 30))
            self.assertEqual(loud.recv(1), b"")
        for key in (b"zk_connection_rejected", b"zk_sessionless_connections_expired",
                    b"zk_large_requests_rejected"):
            wait_until(lambda key=key: self.monitored(server, key) >= 1, key.decode())
        log = server.log_path.read_text()
        for key in ("maxClientCnxns", "nio.sessionlessCnxnTimeout", "jute.maxbuffer"):
            self.assertIn(key, log)

    def run_beside(self, server, good, seconds):
        end = time.monotonic() + seconds
        with Hostile(server.port) as hostile:
            while time.monotonic() < end:
                good.once_around()
            hostile.assert_alive()
        good.once_around()
        wait_until(lambda: self.connections(server) <= 2, "the hostile connections are gone")

    @staticmethod
    def connections(server):
        return HostileClients.monitored(server, b"zk_num_alive_connections")

    @staticmethod
    def monitored(server, key):
        try:
            with socket.create_connection((server.address, server.port), timeout=5) as operator:
                operator.sendall(b"mntr")
                lines = operator.makefile("rb").read().splitlines()
        except OSError:
            lines = []  # One connection too many at the moment.
        values = dict(line.split(b"\t") for line in lines if b"\t" in line)
        return int(values.get(key, 1 << 30))

    def alone(self, server):
        return self.connections(server) <= 1 and self.monitored(server, b"zk_watch_count") == 0


class LargeRequests(unittest.TestCase):
    def test_may_be_as_large_as_it_is_configured(self):
        server = Server(settings=["jute.maxbuffer=4096"])
        self.addCleanup(server.remove)
        server.start()
        with server.connect() as client:
            created = client.call(wire.CREATE, wire.create("/large", bytes(4000)))
            self.assertEqual(created.error, wire.OK)
            with self.assertRaises(OSError):
                client.call(wire.SET_DATA, wire.set_data("/large", bytes(4096)))


if __name__ == "__main__":
    unittest.main()
