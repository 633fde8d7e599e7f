"""What a session promises, seen on the wire: its life, its ephemerals, its order of answers."""

import socket
import struct
import time
import unittest

from kazoo.client import KazooClient

import wire
from deadline import wait_until
from server import TICK_MS, Server, ServerTestCase


class SessionsOnTheWire(ServerTestCase):
    def connect(self, **how):
        connection = wire.Connection(self.server.port, **how)
        self.addCleanup(connection.socket.close)
        return connection

    def exists(self, connection, path):
        return connection.call(wire.EXISTS, wire.read(path)).error == wire.OK

    def test_the_timeout_is_bounded_by_two_and_twenty_ticks(self):
        self.assertEqual(self.connect(timeout_ms=1).timeout_ms, 2 * TICK_MS)
        self.assertEqual(self.connect(timeout_ms=10**6).timeout_ms, 20 * TICK_MS)
        self.assertEqual(self.connect(timeout_ms=5 * TICK_MS).timeout_ms, 5 * TICK_MS)

    def test_closing_a_session_removes_its_ephemerals_at_once(self):
        owner, other = self.connect(), self.connect()
        owner.call(wire.CREATE, wire.create("/closing", flags=wire.EPHEMERAL))
        self.assertTrue(self.exists(other, "/closing"))
        owner.close_session()
        self.assertFalse(self.exists(other, "/closing"))

    def test_a_silent_session_expires_with_its_ephemerals(self):
        owner = self.connect(timeout_ms=5 * TICK_MS)
        began = time.monotonic()
        owner.call(wire.CREATE, wire.create("/silent", flags=wire.EPHEMERAL))
        owner.socket.close()
        other = self.connect(timeout_ms=20 * TICK_MS)
        wait_until(lambda: not self.exists(other, "/silent"), "the ephemeral is gone")
        self.assertGreaterEqual(time.monotonic() - began, owner.timeout_ms / 1000)
        again = self.connect(session=owner.session, password=owner.password)
        self.assertEqual((again.session, again.timeout_ms), (0, 0))

    def test_pings_keep_a_session_alive(self):
        owner = self.connect(timeout_ms=2 * TICK_MS)
        owner.call(wire.CREATE, wire.create("/kept", flags=wire.EPHEMERAL))
        five_timeouts = time.monotonic() + 10 * TICK_MS / 1000
        while time.monotonic() < five_timeouts:
            owner.ping()
        self.assertTrue(self.exists(owner, "/kept"))

    def test_a_session_moves_to_a_new_connection(self):
        owner = self.connect()
        owner.call(wire.CREATE, wire.create("/moved", flags=wire.EPHEMERAL))
        owner.socket.close()
        again = self.connect(session=owner.session, password=owner.password)
        self.assertEqual(again.session, owner.session)
        self.assertTrue(self.exists(again, "/moved"))
        again.close_session()
        self.assertFalse(self.exists(self.connect(), "/moved"))

    def test_a_wrong_password_does_not_take_a_session(self):
        owner = self.connect()
        thief = self.connect(session=owner.session, password=b"x" * 16)
        self.assertEqual((thief.session, thief.timeout_ms), (0, 0))

    def test_a_server_behind_the_client_refuses_it(self):
        with self.assertRaises(wire.Refused):
            self.connect(last_zxid=1 << 50)

    def test_replies_come_in_order_and_reads_see_the_writes_before_them(self):
        client = self.connect()
        client.call(wire.CREATE, wire.create("/order"))
        requests = []
        for number in range(300):
            requests.append((wire.SET_DATA, wire.set_data("/order", str(number).encode())))
            requests.append((wire.GET_DATA, wire.read("/order")))
        replies = client.call_all(requests)
        xids = [reply.xid for reply in replies]
        self.assertEqual(xids, list(range(xids[0], xids[0] + 600)))
        read = [wire.get_data_reply(reply.body)[0] for reply in replies[1::2]]
        self.assertEqual(read, [str(number).encode() for number in range(300)])
        zxids = [reply.zxid for reply in replies[0::2]]
        self.assertEqual(zxids, sorted(set(zxids)))

    def test_an_event_comes_before_the_reply_that_shows_its_change(self):
        watching, writing = self.connect(), self.connect()
        writing.call(wire.CREATE, wire.create("/watched", b"before"))
        for number in range(100):
            value = str(number).encode()
            watching.call(wire.GET_DATA, wire.read("/watched", watch=True))
            writing.send(wire.SET_DATA, wire.set_data("/watched", value))
            event_seen, data = False, None
            while data != value:
                watching.send(wire.GET_DATA, wire.read("/watched"))
                reply = watching.receive()
                if reply.xid == wire.EVENT_XID:
                    event_seen = True
                    reply = watching.receive()
                data, _ = wire.get_data_reply(reply.body)
            self.assertTrue(event_seen, "the new data was read before the event came")
            writing.receive()

    def test_a_frame_beyond_the_limit_ends_only_its_own_connection(self):
        greedy, modest = self.connect(), self.connect()
        greedy.socket.sendall(struct.pack(">i", 64 << 20))
        with self.assertRaises(OSError):
            greedy.receive()
        self.assertTrue(self.exists(modest, "/"))

    def test_garbage_ends_only_its_own_connection(self):
        modest = self.connect()
        for garbage in (b"\xff" * 64, b"\0\0\0\0", b"GET / HTTP/1.0\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as stranger:
                stranger.sendall(garbage)
                stranger.shutdown(socket.SHUT_WR)
                try:
                    while stranger.recv(4096):
                        pass
                except ConnectionResetError:
                    pass
        self.assertTrue(self.exists(modest, "/"))

    def test_an_unknown_operation_is_answered_and_ends_the_connection(self):
        client = self.connect()
        self.assertEqual(client.call(10).error, -6)
        with self.assertRaises(OSError):
            client.receive()


class SessionsAcrossARestart(unittest.TestCase):
    # Far longer than a server takes to start beside other tests: what is shown here is that the
    # session survives the server, not that the server is back in time.
    TIMEOUT_S = 30

    def setUp(self):
        self.server = Server(settings=[f"maxSessionTimeout={1000 * self.TIMEOUT_S}"])
        self.addCleanup(self.server.remove)
        self.server.start()

    def restarted(self):
        """Whatever way the server ends, a client and its ephemerals find each other again."""
        # An Apache ZooKeeper that is still starting may leave a greeting without an answer; kazoo
        # waits for it as long as the session lasts, divided by the number of servers it knows.
        hosts = ",".join([self.server.hosts] * 3)
        client = KazooClient(hosts=hosts, timeout=self.TIMEOUT_S)
        client.start()
        self.addCleanup(client.close)
        self.addCleanup(client.stop)
        session = client.client_id
        client.create("/mine", b"kept", ephemeral=True)
        client.create("/stays", b"too")
        yield
        self.server.start()
        self.assertEqual(client.retry(client.get, "/stays")[0], b"too")
        self.assertEqual(client.retry(client.get, "/mine")[0], b"kept")
        self.assertEqual(client.client_id, session)
        client.stop()
        other = KazooClient(hosts=self.server.hosts)
        other.start()
        self.addCleanup(other.close)
        self.addCleanup(other.stop)
        self.assertIsNone(other.exists("/mine"))
        self.assertEqual(other.get("/stays")[0], b"too")

    def test_a_session_survives_kill_9(self):
        for _ in self.restarted():
            self.server.kill()

    def test_a_session_survives_an_orderly_stop(self):
        for _ in self.restarted():
            self.server.stop()


if __name__ == "__main__":
    unittest.main()
