"""Several servers as one service: what holds while some of them are killed, paused or away."""

import threading
import unittest

from kazoo.client import KazooClient

import wire
from deadline import wait_until
from ensemble import SECONDS, Ensemble, differences, four_letters, mode, synced_tree
from server import KIND

PATIENT = ("zabfs.peerTimeout=2000",)  # No election only because the machine is slow.


def create(connection, path, data=b"", flags=0):
    reply = connection.call(wire.CREATE, wire.create(path, data, flags))
    if reply.error != wire.OK:
        raise AssertionError(f"create {path} was answered with {reply}")


def exists(server, path):
    """Whether the path is there now, for whoever asks this server."""
    with server.connect() as connection:
        connection.call(wire.SYNC, wire.string(path))
        found = connection.call(wire.EXISTS, wire.read(path)).error == wire.OK
        connection.close_session()
        return found


class Writer:
    """One client that creates /w-NAME-1, /w-NAME-2, ... through whichever of `servers` answers."""

    def __init__(self, name, servers):
        self.name = name
        self.servers = servers
        self.acknowledged = []
        self.failure = None
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        number = 0
        while not self.ends.is_set():
            for server in self.servers:
                try:
                    with server.connect(timeout_ms=1000, patience=2) as connection:
                        while not self.ends.is_set():
                            number += 1
                            path = f"/w-{self.name}-{number}"
                            create(connection, path)
                            self.acknowledged.append(path)
                except (OSError, wire.Refused):
                    pass  # This one does not serve now; whether the last write happened is unknown.
                except BaseException as failure:  # Raised again by `stop`.
                    self.failure = failure
                    return

    def more(self, count):
        """Waits until so many more are acknowledged."""
        wanted = len(self.acknowledged) + count
        wait_until(lambda: self.failure or len(self.acknowledged) >= wanted,
                   f"writer {self.name} goes on", seconds=SECONDS)

    def stop(self):
        self.ends.set()
        self.thread.join(timeout=SECONDS)
        if self.failure is not None:
            raise self.failure
        return self.acknowledged


class EnsembleTestCase(unittest.TestCase):
    def ensemble(self, voters=3, observers=0):
        ensemble = Ensemble(voters, observers, settings=PATIENT)
        self.addCleanup(ensemble.remove)
        ensemble.start()
        return ensemble

    def assert_all_have(self, servers, paths):
        for server in servers:
            missing = set(paths) - set(synced_tree(server))
            self.assertEqual(missing, set(), f"server {server.number}")

    def assert_same(self, servers):
        first, *rest = [synced_tree(server) for server in servers]
        for tree in rest:
            self.assertEqual(differences(first, tree), [])

    def assert_no_answer(self, connection, operation, body):
        """No majority: the connection ends, or the request stays unanswered; it never succeeds."""
        connection.socket.settimeout(3)
        try:
            reply = connection.call(operation, body)
        except OSError:
            return
        self.fail(f"answered without a majority: {reply}")


class ThreeServers(EnsembleTestCase):
    def setUp(self):
        self.three = self.ensemble()

    def test_they_elect_one_leader_and_clients_of_each_see_the_same(self):
        servers = self.three.servers
        modes = sorted(mode(server) for server in servers)
        self.assertEqual(modes, ["follower", "follower", "leader"])
        for server in servers:
            with server.connect() as connection:
                create(connection, f"/from-{server.number}", b"x")
                create(connection, "/in-order-", flags=wire.SEQUENTIAL)
                connection.close_session()
        self.assert_all_have(servers, [f"/from-{server.number}" for server in servers])
        self.assert_same(servers)
        in_order = [path for path in synced_tree(servers[0]) if path.startswith("/in-order-")]
        self.assertEqual(in_order, [f"/in-order-{number:010}" for number in (1, 3, 5)])

    def test_a_client_moves_with_its_session_and_its_ephemerals(self):
        first, second, third = self.three.servers
        client = KazooClient(first.hosts, timeout=4.0)
        self.addCleanup(client.close)
        self.addCleanup(client.stop)
        client.start()
        session = client.client_id
        client.create("/mine", b"kept", ephemeral=True)
        client.set_hosts(f"{second.hosts},{third.hosts}")
        first.kill()
        wait_until(lambda: client.connected, "it is connected again", seconds=SECONDS)
        client.retry(client.set, "/mine", b"moved")
        self.assertEqual(client.client_id, session)
        data, stat = client.get("/mine")
        self.assertEqual((data, stat.ephemeralOwner), (b"moved", session[0]))

    def test_the_leader_dies_and_nothing_acknowledged_is_lost(self):
        servers = self.three.servers
        writers = [Writer(n, servers[n:] + servers[:n]) for n in range(3)]
        for _ in range(2):
            for writer in writers:
                writer.more(20)
            leader = self.three.leader()
            leader.kill()
            for writer in writers:
                writer.more(20)
            leader.launch()
            self.three.wait_for(leader)
        acknowledged = [path for writer in writers for path in writer.stop()]
        self.assert_all_have(servers, acknowledged)
        self.assert_same(servers)

    @unittest.skipIf(KIND == "zookeeper", "ZooKeeper ends by the signal")
    def test_servers_that_are_told_to_end_under_load_end_in_order(self):
        writers = [Writer(n, self.three.servers) for n in range(3)]
        for _ in range(3):
            for server in self.three.servers:
                for writer in writers:
                    writer.more(5)
                self.assertEqual(server.stop(), 0, server.log_path.read_text())
                server.launch()
                self.three.wait_for(server)
        for writer in writers:
            self.assert_all_have(self.three.servers, writer.stop())
        for server in self.three.servers:
            server.process.terminate()
        for server in self.three.servers:
            self.assertEqual(server.process.wait(SECONDS), 0, server.log_path.read_text())

    def test_a_follower_that_was_away_catches_up(self):
        away = self.three.followers()[0]
        away.kill()
        with self.three.leader().connect() as connection:
            for reply in connection.call_all(
                [(wire.CREATE, wire.create(f"/n-{n}", bytes(100))) for n in range(2000)]
            ):
                self.assertEqual(reply.error, wire.OK)
            connection.close_session()
        away.launch()
        self.three.wait_for(away)
        self.assert_all_have([away], [f"/n-{n}" for n in range(2000)])
        self.assert_same(self.three.servers)

    def test_a_follower_whose_disk_is_new_catches_up(self):
        leader = self.three.leader()
        away = self.three.others(leader)[0]
        paths = [f"/large-{n}" for n in range(40)]  # More than a leader keeps to tell differences.
        with leader.connect() as connection:
            requests = [(wire.CREATE, wire.create(path, bytes(1_000_000))) for path in paths]
            for reply in connection.call_all(requests, window=4):
                self.assertEqual(reply.error, wire.OK)
            away.kill()
            self.three.empty(away)
            away.launch()
            self.three.wait_for(away)
            create(connection, "/afterwards")
            connection.close_session()
        self.assert_all_have([away], [*paths, "/afterwards"])
        if KIND == "zabd":
            self.assertIn("history replaced", away.log_path.read_text())
        # What it was given it keeps: it is one of the two that go on, and starts again from it.
        leader.kill()
        self.three.leader(self.three.others(leader))
        self.three.wait_for(away)
        self.assert_all_have([away], [*paths, "/afterwards"])
        away.kill()
        leader.launch()
        away.launch()
        self.three.wait_for(leader)
        self.three.wait_for(away)
        self.assert_same(self.three.servers)

    def test_a_minority_answers_no_write(self):
        leader = self.three.leader()
        follower, other = self.three.others(leader)
        with follower.connect() as through_follower, leader.connect() as through_leader:
            create(through_leader, "/register", b"before")
            other.kill()
            create(through_follower, "/with-two")
            follower.pause()
            self.assert_no_answer(
                through_leader, wire.SET_DATA, wire.set_data("/register", b"alone"))
            wait_until(lambda: mode(leader) == "", "it has stepped down", seconds=SECONDS)
            follower.go_on()
        for server in (leader, follower):
            self.three.wait_for(server)
        leader.kill()
        with self.assertRaises((wire.Refused, OSError)):
            wait_until(lambda: mode(follower) == "", "it serves nobody", seconds=SECONDS)
            follower.connect(patience=3)
        other.launch()
        self.three.wait_for(follower)
        self.assert_all_have([follower, other], ["/register", "/with-two"])

    @unittest.skipIf(KIND == "zookeeper", "ZooKeeper 3.8 does: its sync asks the leader alone")
    def test_a_leader_that_was_paused_does_not_answer_a_sync_with_old_data(self):
        leader = self.three.leader()
        with leader.connect(timeout_ms=4000) as connection:
            create(connection, "/register", b"old")
            leader.pause()
            requests = [connection.send(wire.SYNC, wire.string("/register")),
                        connection.send(wire.GET_DATA, wire.read("/register"))]
            others = self.three.others(leader)
            self.three.leader(others)
            with others[0].connect() as elsewhere:
                changed = elsewhere.call(wire.SET_DATA, wire.set_data("/register", b"new"))
                self.assertEqual(changed.error, wire.OK)
                elsewhere.close_session()
            leader.go_on()
            try:
                synced, found = [connection.receive() for _ in requests]
                if synced.error == found.error == wire.OK:
                    self.assertEqual(wire.get_data_reply(found.body)[0], b"new")
            except OSError:
                pass  # It drops its clients when it learns that it leads nobody.
        wait_until(lambda: mode(leader) == "follower", "it follows", seconds=SECONDS)
        self.assertEqual(synced_tree(leader)["/register"][0], b"new")
        self.assert_same(self.three.servers)

    def test_sessions_that_nobody_keeps_expire_under_the_next_leader(self):
        leader = self.three.leader()
        for server in self.three.servers:
            connection = server.connect(timeout_ms=2000)
            self.addCleanup(connection.socket.close)
            create(connection, f"/silent-{server.number}", flags=wire.EPHEMERAL)
        kept = KazooClient(self.three.hosts, timeout=4.0)
        self.addCleanup(kept.close)
        self.addCleanup(kept.stop)
        kept.start()
        kept.create("/kept", ephemeral=True)
        leader.kill()
        survivor = self.three.others(leader)[0]
        self.three.leader(self.three.others(leader))
        for server in self.three.servers:
            wait_until(lambda n=server.number: not exists(survivor, f"/silent-{n}"),
                       f"the ephemeral of the client of server {server.number} goes", SECONDS)
        self.assertTrue(exists(survivor, "/kept"))


class OtherEnsembles(EnsembleTestCase):
    def test_an_observer_follows_and_does_not_count(self):
        ensemble = self.ensemble(voters=3, observers=1)
        first, second, third, observer = ensemble.servers
        self.assertEqual(mode(observer), "observer")
        with observer.connect() as connection:
            create(connection, "/through-the-observer")
            connection.close_session()
        self.assert_same(ensemble.servers)
        second.kill()
        third.kill()
        for server in (first, observer):
            wait_until(lambda s=server: mode(s) == "", "without a majority", seconds=SECONDS)
            with self.assertRaises((wire.Refused, OSError)):
                server.connect(patience=3)
        third.launch()
        ensemble.wait_for(observer)
        self.assert_all_have([observer, third], ["/through-the-observer"])
        observer.kill()
        with first.connect() as connection:
            create(connection, "/without-the-observer")

    @unittest.skipIf(KIND == "zookeeper", "ZooKeeper has no such secret")
    def test_who_does_not_know_the_secret_stays_out(self):
        ensemble = Ensemble(voters=3, settings=PATIENT)
        self.addCleanup(ensemble.remove)
        first, second, stranger = ensemble.servers
        other = stranger.directory / "secret"
        ensemble.write_secret(other, "what a stranger made up")
        configured = stranger.config.read_text()
        stranger.config.write_text(configured.replace(str(ensemble.secret), str(other)))
        for server in ensemble.servers:
            server.launch()
        ensemble.wait_for(first)
        ensemble.wait_for(second)
        wait_until(lambda: "secret" in first.log_path.read_text(), "it says why", seconds=SECONDS)
        self.assertEqual(mode(stranger), "")
        self.assertNotIn("Zxid", four_letters(stranger, "stat"))
        self.assertCountEqual([mode(first), mode(second)], ["leader", "follower"])

    def test_five_servers_go_on_without_two(self):
        five = self.ensemble(voters=5)
        writer = Writer("one", five.servers)
        writer.more(20)
        dead = [five.leader()]
        dead[0].kill()
        dead.append(five.leader(five.others(*dead)))
        dead[1].kill()
        alive = five.others(*dead)
        five.leader(alive)
        writer.more(20)
        self.assert_all_have(alive, writer.acknowledged)
        for server in dead:
            server.launch()
            five.wait_for(server)
        self.assert_all_have(five.servers, writer.stop())
        self.assert_same(five.servers)


if __name__ == "__main__":
    unittest.main()
