"""Snapshots of a running server over HTTP, and restores: who may, and what is there afterwards."""

import errno
import json
import os
import pathlib
import queue
import subprocess
import unittest
import urllib.error
import urllib.request

from kazoo.client import KazooClient

import wire
from deadline import wait_until
from ensemble import Ensemble, differences, read_tree
from mount import Mount
from server import BIN, Server, free_port

HAS_FUSE = os.access("/dev/fuse", os.R_OK | os.W_OK)

# super:secret
SUPER = "DigestAuthenticationProvider.superDigest=super:lK75jTNcA+U9vtVEw5vB51mj/w4="
MASTER = "digest super:secret"
BOBS = ((31, "digest", "bob:fyVmFCwVbTJYrznoSu1koqYEYF0="),)


def admin_lines(port, *more):
    return ["admin.enableServer=true", f"admin.serverPort={port}", "4lw.commands.whitelist=*", SUPER,
            *more]


TRANSFERS = ("admin.snapshot.enabled=true", "admin.restore.enabled=true",
             "admin.rateLimiterIntervalInMS=0")


def request(port, command, authorization=MASTER, body=None, method=None):
    """Status, headers and body of the answer."""
    headers = {"Authorization": authorization} if authorization else {}
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/commands/{command}", data=body,
                                   headers=headers, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=60) as reply:
            return reply.status, reply.headers, reply.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers, refused.read()


def sentence(reply):
    return json.loads(reply[2])["error"]


def without_restoration(tree):
    """A restore leaves a znode of its own, which its parent counts."""
    return {path: found for path, found in tree.items()
            if path not in ("/zookeeper", "/zookeeper/restoration")}


def tree_of(server):
    with server.connect() as connection:
        connection.call(wire.AUTH, b"\0\0\0\0" + wire.string("digest") + wire.string("super:secret"),
                        xid=wire.AUTH_XID)
        tree = read_tree(connection)
        connection.close_session()
    return without_restoration(tree)


class StateTransfer(unittest.TestCase):
    def start(self, *lines):
        self.http = free_port()
        self.server = Server("zabd", admin_lines(self.http, *lines), tick_ms=2000)
        self.addCleanup(self.server.remove)
        self.server.start()

    def ask(self, command, **how):
        return request(self.http, command, **how)

    def write(self):
        """Some of everything, and the session that owns what is ephemeral."""
        owner = self.server.connect(timeout_ms=30_000)
        self.addCleanup(owner.socket.close)
        for call in (wire.create("/a", b"first"), wire.create("/a/e", b"x", 1),
                     wire.create("/a/s-", b"x", 2), wire.create("/closed", b"secret", 0, BOBS)):
            self.assertEqual(owner.call(wire.CREATE, call).error, wire.OK)
        for number in range(3):
            owner.call(wire.SET_DATA, wire.set_data("/a", b"%d" % number))
        return owner

    def test_a_state_comes_back_as_it_was(self):
        self.start(*TRANSFERS)
        owner = self.write()
        before = tree_of(self.server)
        status, headers, state = self.ask("snapshot")
        self.assertEqual(status, 200)
        self.assertEqual(headers["Content-Type"], "application/octet-stream")
        self.assertEqual(int(headers["snapshot_size"]), len(state))
        last_zxid = int(headers["last_zxid"], 16)
        self.assertGreaterEqual(last_zxid, max(stat[1] for _, stat in before.values()))

        for call in (wire.create("/later", b""), wire.create("/a/later", b"")):
            self.assertEqual(owner.call(wire.CREATE, call).error, wire.OK)
        owner.call(wire.DELETE, wire.versioned("/a/e"))
        highest = owner.call(wire.SET_DATA, wire.set_data("/a", b"last")).zxid

        reply = self.ask("restore", body=state)
        self.assertEqual(reply[0], 200, reply)
        begun = json.loads(reply[2])["last_zxid"]
        self.assertGreater(begun, highest)
        with self.assertRaises((OSError, EOFError)):
            owner.call(wire.EXISTS, wire.read("/a"))
        wait_until(self.server.answers, "the server serves again")
        self.assertEqual(differences(before, tree_of(self.server)), [])

        # The owner's session goes on; what is written now is newer than all that ever was.
        with self.server.connect(session=owner.session, password=owner.password) as back:
            self.assertEqual(back.session, owner.session)
            self.assertGreater(back.call(wire.CREATE, wire.create("/new")).zxid, begun)
            after = tree_of(self.server)
            self.server.kill()
        self.server.start()
        self.assertEqual(differences(after, tree_of(self.server)), [])
        self.assertIn("/a/e", after)

        # And once more, of the same bytes.
        self.assertEqual(self.ask("restore", body=state)[0], 200)
        wait_until(self.server.answers, "the server serves again")
        self.assertEqual(differences(before, tree_of(self.server)), [])

    def test_a_snapshot_is_taken_while_others_write(self):
        self.start(*TRANSFERS)
        owner = self.write()
        for number in range(2000):
            owner.send(wire.CREATE, wire.create(f"/a/n{number}", b"x" * 100))
        status, _, state = self.ask("snapshot")
        self.assertEqual(status, 200)
        for _ in range(2000):
            self.assertEqual(owner.receive().error, wire.OK)
        file = self.server.directory / "state"
        file.write_bytes(state)
        shown = subprocess.run([BIN / "zabctl", "snapshot", file, "--json"], check=True,
                               capture_output=True, text=True).stdout.splitlines()
        numbers = sorted(int(path[4:]) for path in (json.loads(line)["path"] for line in shown)
                         if path.startswith("/a/n"))
        self.assertEqual(numbers, list(range(len(numbers))), "a moment of the history")
        target = self.server.directory / "restored"
        subprocess.run([BIN / "zabctl", "restore", file, "--to", target, "--standalone"], check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run([BIN / "zabctl", "snapshot", "--diff", file, target], check=True)

    def test_only_the_master_may(self):
        self.start(*TRANSFERS)
        self.write()
        state = self.ask("snapshot")[2]
        self.assertEqual(self.ask("snapshot", authorization="digest eve:x")[0], 200,
                         "the ACL of / is open")
        with self.server.connect() as client:
            client.call(wire.SET_ACL, wire.string("/") + wire.acl(BOBS) + b"\xff" * 4)
            client.close_session()
        for command, body in (("snapshot", None), ("restore", state)):
            self.assertEqual(self.ask(command, authorization=None, body=body)[0], 401)
            self.assertEqual(self.ask(command, authorization="nonsense x", body=body)[0], 401)
            self.assertEqual(self.ask(command, authorization="digest eve:x", body=body)[0], 403)
            self.assertEqual(self.ask(command, authorization="ip", body=body)[0], 403)
        self.assertEqual(self.ask("snapshot", authorization="digest bob:secret")[0], 200)
        self.assertEqual(self.ask("snapshot", body=b"")[0], 405)
        self.assertEqual(self.ask("restore")[0], 405)
        status, headers, body = self.ask("snapshot?streaming=false")
        self.assertEqual((status, json.loads(body)["command"]), (200, "snapshot"))
        self.assertIn("last_zxid", headers)

    def test_what_is_no_snapshot_changes_nothing(self):
        self.start(*TRANSFERS)
        owner = self.write()
        before = tree_of(self.server)
        state = self.ask("snapshot")[2]
        damaged = bytearray(state)
        damaged[len(state) // 2] ^= 1
        for body in (b"", b"nonsense", state[:-1], state + b"x", bytes(damaged), bytes(2_000_000)):
            reply = self.ask("restore", body=body)
            self.assertEqual(reply[0], 400)
            self.assertIn("no whole snapshot", sentence(reply))
        self.assertEqual(owner.call(wire.EXISTS, wire.read("/a")).error, wire.OK, "still connected")
        self.assertEqual(differences(before, tree_of(self.server)), [])

    def test_it_is_off_unless_it_is_switched_on(self):
        self.start()
        self.assertEqual(self.ask("snapshot")[0], 503)
        self.assertIn("admin.restore.enabled=true", sentence(self.ask("restore", body=b"x")))

    def test_not_too_often(self):
        self.start(*TRANSFERS[:2])
        self.assertEqual(self.ask("snapshot")[0], 200)
        self.assertEqual(self.ask("snapshot")[0], 429)
        self.assertEqual(self.ask("restore", body=b"x")[0], 400, "a matter of its own")
        self.assertEqual(self.ask("restore", body=b"x")[0], 429)

    def test_an_ensemble_is_restored_through_any_of_its_servers(self):
        ports = [free_port() for _ in range(3)]
        ensemble = Ensemble(kind="zabd")
        self.addCleanup(ensemble.remove)
        for server, port in zip(ensemble.servers, ports):
            config = pathlib.Path(server.config)
            config.write_text(config.read_text() + "\n".join(admin_lines(port, *TRANSFERS)) + "\n")
        ensemble.start()
        leader = ensemble.leader()
        follower, away = ensemble.followers()
        owner = follower.connect(timeout_ms=30_000)
        self.addCleanup(owner.socket.close)
        for call in (wire.create("/a", b"then"), wire.create("/a/e", b"x", 1)):
            self.assertEqual(owner.call(wire.CREATE, call).error, wire.OK)
        for number in range(60):  # together more than one piece
            owner.call(wire.CREATE, wire.create(f"/a/n{number}", bytes([number]) * 30_000))
        before = self.synced(follower)
        status, _, state = request(ports[follower.number - 1], "snapshot")
        self.assertEqual(status, 200)
        self.assertIn("/a/e", before)
        for through in (follower, leader):
            away.kill()
            owner = through.connect(session=owner.session, password=owner.password)
            self.addCleanup(owner.socket.close)
            highest = owner.call(wire.SET_DATA, wire.set_data("/a", b"now")).zxid
            self.assertEqual(owner.call(wire.CREATE, wire.create("/later", b"")).error, wire.OK)
            stranger = follower.connect(timeout_ms=30_000)
            self.addCleanup(stranger.socket.close)

            reply = request(ports[through.number - 1], "restore", body=state)
            self.assertEqual(reply[0], 200, reply)
            self.assertGreater(json.loads(reply[2])["last_zxid"], highest)
            away.start()
            for server in ensemble.servers:
                wait_until(server.answers, "the server serves again")
                self.assertEqual(differences(before, self.synced(server)), [], server.number)
            for one in (owner, stranger):
                with self.assertRaises((OSError, EOFError)):
                    one.call(wire.EXISTS, wire.read("/a"))
            with follower.connect(session=stranger.session, password=stranger.password) as gone:
                self.assertEqual(gone.session, 0, "nobody in the snapshot")

    def test_what_clients_and_mounts_see_of_a_restore(self):
        ports = [free_port() for _ in range(3)]
        ensemble = Ensemble(kind="zabd")
        self.addCleanup(ensemble.remove)
        for server, port in zip(ensemble.servers, ports):
            config = pathlib.Path(server.config)
            config.write_text(config.read_text() + "\n".join(admin_lines(port, *TRANSFERS)) + "\n")
        ensemble.start()
        follower = ensemble.followers()[0]
        client = KazooClient(hosts=ensemble.hosts, timeout=30)
        client.start()
        self.addCleanup(client.close)
        self.addCleanup(client.stop)
        client.create("/a", b"then")
        client.create("/mine", b"x", ephemeral=True)
        self.synced(follower)
        state = request(ports[follower.number - 1], "snapshot")[2]
        client.create("/later")
        client.set("/a", b"now")
        states, events = [], queue.Queue()
        client.add_listener(states.append)
        self.assertEqual(client.get("/a", watch=events.put)[0], b"now")
        mount = None
        if HAS_FUSE:
            mount = Mount(ensemble.hosts)
            self.addCleanup(mount.remove)
            self.assertEqual((mount.path / "a").read_bytes(), b"now")
            self.assertTrue((mount.path / "later").exists())

        client.sync("/")
        reply = request(ports[follower.number - 1], "restore", body=state)
        self.assertEqual(reply[0], 200, reply)
        self.assertIsNotNone(events.get(timeout=60), "kazoo tells of a lost connection, too")
        self.assertEqual(client.retry(client.get, "/a")[0], b"then")
        self.assertIsNone(client.retry(client.exists, "/later"))
        self.assertIsNotNone(client.retry(client.exists, "/mine"), "its session goes on")
        self.assertIn("SUSPENDED", states)
        self.assertNotIn("LOST", states)
        if mount:
            wait_until(lambda: self.is_restored(mount.path), "the mount shows the restored tree")

    def is_restored(self, path):
        try:
            return (path / "a").read_bytes() == b"then" and not (path / "later").exists()
        except OSError as severed:
            self.assertEqual(severed.errno, errno.ENOLINK, "the mount's session is a later one")
            return False

    def synced(self, server):
        with server.connect() as connection:
            connection.call(wire.SYNC, wire.string("/"))
            connection.close_session()
        return tree_of(server)


if __name__ == "__main__":
    unittest.main()
