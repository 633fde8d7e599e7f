"""Who may do what, with real clients: ACLs, credentials and the superuser, on one server and on the
follower of an ensemble; and that no password or digest ever comes into a log."""

import base64
import hashlib
import itertools
import os
import pwd
import struct
import unittest

import kazoo.client
import kazoo.exceptions
import kazoo.security
import wire
from deadline import wait_until
from ensemble import Ensemble
from kazoo.security import make_acl, make_digest_acl
from server import KIND, Server

NAMES = (f"/access{n}" for n in itertools.count())


def digest_of(credential):
    hashed = hashlib.sha1(credential.encode()).digest()
    return credential.split(":")[0] + ":" + base64.b64encode(hashed).decode()


SUPER = f"DigestAuthenticationProvider.superDigest={digest_of('super:hunter2')}"


class Client(kazoo.client.KazooClient):
    """Connected until the test ends, with these credentials for scheme digest."""

    def __init__(self, test, server, *credentials):
        super().__init__(server.hosts, timeout=10,
                         auth_data=[("digest", one) for one in credentials])
        self.start(timeout=30)
        test.addCleanup(self.close)
        test.addCleanup(self.stop)


def outcome(call, *arguments, **named):
    try:
        call(*arguments, **named)
        return "ok"
    except kazoo.exceptions.KazooException as error:
        return type(error).__name__


class WhoMayDoWhat(unittest.TestCase):
    """Every operation, alone and in a transaction, by every kind of client, on znodes of every kind
    of ACL. `self.server` is where the clients connect."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(settings=[SUPER])
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()

    def setUp(self):
        self.owner = Client(self, self.server, "owner:secret")
        self.clients = {
            "owner": self.owner,
            "reader": Client(self, self.server, "reader:secret"),
            "stranger": Client(self, self.server),
            "other password": Client(self, self.server, "owner:Secret"),
            "both": Client(self, self.server, "reader:secret", "owner:secret"),
            "super": Client(self, self.server, "super:hunter2"),
        }

    def znode(self, acl):
        path = next(NAMES)
        self.owner.create(path, b"data", acl=acl)
        return path

    def may(self, client, path):
        """What the client may do: letters as the shell writes permissions, capitals in a
        transaction."""
        done = ""

        def attempt(letter, call, *arguments, **named):
            nonlocal done
            done += letter if outcome(call, *arguments, **named) == "ok" else ""

        def attempt_together(letter, operation, *arguments):
            nonlocal done
            transaction = client.transaction()
            getattr(transaction, operation)(*arguments)
            results = transaction.commit()
            done += letter if not isinstance(results[0], Exception) else ""

        attempt("c", client.create, f"{path}/c")
        self.clients["super"].ensure_path(f"{path}/d")
        attempt("d", client.delete, f"{path}/d")
        attempt("r", client.get, path)
        attempt("l", client.get_children, path)
        attempt("w", client.set, path, b"new")
        attempt_together("C", "create", f"{path}/C")
        self.clients["super"].ensure_path(f"{path}/D")
        attempt_together("D", "delete", f"{path}/D")
        attempt_together("W", "set_data", path, b"new")
        attempt_together("R", "check", path, -1)
        return done

    def test_the_table(self):
        everything = "cdrlwCDWR"
        mine = [make_digest_acl("owner", "secret", all=True)]
        rows = [
            (kazoo.security.OPEN_ACL_UNSAFE, dict.fromkeys(self.clients, everything)),
            (kazoo.security.READ_ACL_UNSAFE,
             {**dict.fromkeys(self.clients, "rlR"), "super": everything}),
            (mine, {"owner": everything, "both": everything, "super": everything}),
            (kazoo.security.CREATOR_ALL_ACL,
             {"owner": everything, "both": everything, "super": everything}),
            (mine + [make_digest_acl("reader", "secret", read=True, create=True)],
             {"owner": everything, "both": everything, "super": everything, "reader": "crlCR"}),
            ([make_acl("ip", "127.0.0.1", write=True)],
             {**dict.fromkeys(self.clients, "wW"), "super": everything}),
            ([make_acl("ip", "127.0.0.0/8", read=True)],
             {**dict.fromkeys(self.clients, "rlR"), "super": everything}),
            ([make_acl("ip", "10.0.0.0/8", all=True)], {"super": everything}),
        ]
        for acl, want in rows:
            for name, client in self.clients.items():
                with self.subTest(acl=acl, client=name):
                    self.assertEqual(self.may(client, self.znode(acl)), want.get(name, ""))

    def test_an_acl_that_nobody_can_be_checked_against_is_refused(self):
        for scheme, identity in [("world", "someone"), ("digest", "owner"), ("super", ""),
                                 ("ip", "10.0.0.0/33"), ("ip", "localhost"), ("sasl", "owner"),
                                 ("x509", "CN=owner"), ("nonsense", "owner")]:
            with self.subTest(scheme=scheme, identity=identity):
                acl = [make_acl(scheme, identity, all=True)]
                self.assertEqual(outcome(self.owner.create, next(NAMES), acl=acl),
                                 "InvalidACLError")

    def test_auth_needs_a_credential(self):
        stranger = self.clients["stranger"]
        self.assertEqual(outcome(stranger.create, next(NAMES),
                                 acl=kazoo.security.CREATOR_ALL_ACL), "InvalidACLError")
        stranger.add_auth("digest", "late:secret")
        path = next(NAMES)
        stranger.create(path, acl=kazoo.security.CREATOR_ALL_ACL)
        acl, _ = stranger.get_acls(path)
        self.assertEqual([(entry.id.scheme, entry.id.id) for entry in acl],
                         [("digest", digest_of("late:secret"))])

    def test_a_scheme_that_is_not_known_fails_and_ends_the_connection(self):
        self.assertEqual(outcome(self.clients["stranger"].add_auth, "kerberos", "x"),
                         "AuthFailedError")

    def test_credentials_go_with_the_connection_and_not_with_the_session(self):
        path = self.znode([make_digest_acl("owner", "secret", all=True)])
        first = self.server.connect()
        self.addCleanup(first.socket.close)
        self.assertEqual(auth(first, "owner:secret"), 0)
        self.assertEqual(read(first, path), 0)
        moved = self.server.connect(session=first.session, password=first.password)
        self.addCleanup(moved.socket.close)
        self.assertEqual(read(moved, path), -102)


def auth(connection, credential):
    body = struct.pack(">i", 0) + wire.string("digest") + wire.buffer(credential.encode())
    return connection.call(wire.AUTH, body, wire.AUTH_XID).error


def read(connection, path):
    return connection.call(wire.GET_DATA, wire.read(path)).error


@unittest.skipUnless(KIND == "zabd", "about this repository's program")
class OnAFollower(WhoMayDoWhat):
    """What the follower is told reaches the leader with the write."""

    @classmethod
    def setUpClass(cls):
        cls.ensemble = Ensemble(settings=[SUPER])
        for server in cls.ensemble.servers:
            cls.addClassCleanup(server.remove)
        cls.ensemble.start()
        cls.server = cls.ensemble.followers()[0]


@unittest.skipUnless(KIND == "zabd", "about this repository's program")
class Settings(unittest.TestCase):
    def start(self, *settings):
        server = Server(settings=settings)
        self.addCleanup(server.remove)
        server.launch()
        wait_until(lambda: "clients on port" in server.log_path.read_text(), "it serves")
        return server

    def test_no_secret_comes_into_the_log(self):
        server = self.start(SUPER, "log.level=debug", "audit.enable=true")
        client = Client(self, server, "bob:TellNobody", "super:hunter2")
        client.create("/mine", b"", acl=[make_digest_acl("bob", "TellNobody", all=True)])
        client.set("/mine", b"x")
        outcome(client.add_auth, "kerberos", "TellNobody")
        server.stop()
        log = server.log_path.read_text()
        for secret in ["TellNobody", "hunter2", digest_of("bob:TellNobody").split(":")[1],
                       digest_of("super:hunter2").split(":")[1]]:
            self.assertNotIn(secret, log)

    def test_the_audit_says_who_did_what(self):
        server = Server(settings=["audit.enable=true"])
        self.addCleanup(server.remove)
        audit = server.directory / "audit.log"
        server.config.write_text(server.config.read_text() + f"zabfs.audit.file={audit}\n")
        server.start()
        client = Client(self, server, "bob:pw")
        client.create("/a", ephemeral=True)
        client.create("/s-", sequence=True)
        outcome(client.create, "/a")
        transaction = client.transaction()
        transaction.set_data("/a", b"x")
        transaction.delete("/s-0000000001")
        transaction.commit()
        failing = client.transaction()
        failing.delete("/none")
        failing.commit()
        session = f"session=0x{client.client_id[0]:x}"
        client.stop()
        who = f"{session}\tuser=127.0.0.1,bob\tip=127.0.0.1\t"
        user = f"user={pwd.getpwuid(os.geteuid()).pw_name}\t"
        gone = "operation=ephemeralZNodeDeletionOnSessionCloseOrExpire\tznode=/a\tresult=success"
        wait_until(lambda: gone in audit.read_text(), "the session is closed")
        server.stop()
        lines = [line.split(" ", 1)[1] for line in audit.read_text().splitlines()]
        self.assertEqual(lines, [
            f"{user}operation=serverStart\tresult=success",
            f"{who}operation=create\tznode=/a\tznode_type=ephemeral\tresult=success",
            f"{who}operation=create\tznode=/s-0000000001\tznode_type=persistent_sequential\t"
            "result=success",
            f"{who}operation=create\tznode=/a\tznode_type=persistent\tresult=failure",
            f"{who}operation=setData\tznode=/a\tresult=success",
            f"{who}operation=delete\tznode=/s-0000000001\tresult=success",
            f"{who}operation=multiOperation\tresult=failure",
            f"{session}\t{user}{gone}",
            f"{user}operation=serverStop\tresult=invoked",
        ])

    def test_whoever_must_authenticate_hears_so(self):
        server = self.start("enforce.auth.enabled=true", "enforce.auth.schemes=digest")
        stranger = server.connect()
        self.addCleanup(stranger.socket.close)
        self.assertEqual(read(stranger, "/"), -124)
        self.assertRaises(ConnectionResetError, stranger.receive)
        known = server.connect()
        self.addCleanup(known.socket.close)
        self.assertEqual(auth(known, "bob:pw"), 0)
        self.assertEqual(read(known, "/"), 0)

    def test_acls_may_be_ignored(self):
        server = self.start("skipACL=yes")
        client = Client(self, server)
        client.create("/closed", b"data", acl=[make_digest_acl("bob", "pw", all=True)])
        self.assertEqual(client.get("/closed")[0], b"data")

    def test_the_hash_of_digests_can_be_another(self):
        server = self.start("DigestAuthenticationProvider.digestAlg=SHA-256")
        client = Client(self, server, "bob:pw")
        client.create("/mine", acl=kazoo.security.CREATOR_ALL_ACL)
        hashed = base64.b64encode(hashlib.sha256(b"bob:pw").digest()).decode()
        self.assertEqual(client.get_acls("/mine")[0][0].id.id, f"bob:{hashed}")


if __name__ == "__main__":
    unittest.main()
