"""TLS: clients that may connect and those that may not, what a certificate gives its owner, and
servers that speak TLS to each other."""

import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import unittest

import kazoo.client
import kazoo.exceptions
import wire
from certificates import Authority
from deadline import wait_until
from ensemble import Ensemble, mode
from kazoo.security import make_acl
from server import SOURCE_ROOT, Server, dies_with_its_parent, free_port


class Secured(unittest.TestCase):
    """One server with a port for TLS, and the certificates of those who speak with it."""

    settings = []

    @classmethod
    def setUpClass(cls):
        cls.authority = Authority()
        cls.addClassCleanup(cls.authority.remove)
        cls.stranger = Authority("stranger")
        cls.addClassCleanup(cls.stranger.remove)
        cls.own = cls.authority.sign("server")
        cls.alice = cls.authority.sign("alice")
        cls.root = cls.authority.sign("root")
        cls.port = free_port()
        cls.server = Server(settings=[
            f"secureClientPort={cls.port}",
            "secureClientPortAddress=127.0.0.1",
            f"ssl.keyStore.location={cls.own.file}",
            f"ssl.trustStore.location={cls.authority.certificate}",
            "X509AuthenticationProvider.superUser=CN=root,O=Example",
            "4lw.commands.whitelist=*",
            *cls.settings,
        ])
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()

    def client(self, certificate):
        client = kazoo.client.KazooClient(
            f"localhost:{self.port}", use_ssl=True, ca=str(self.authority.certificate),
            certfile=str(certificate.certificate), keyfile=str(certificate.key), timeout=10)
        client.start(timeout=30)
        self.addCleanup(client.close)
        self.addCleanup(client.stop)
        return client

    def handshake(self, certificate=None, authority=None, version=None, port=None):
        """A connection inside TLS, by hand."""
        context = ssl.create_default_context(
            cafile=str((authority or self.authority).certificate))
        if certificate:
            context.load_cert_chain(certificate.certificate, certificate.key)
        if version:
            context.minimum_version = context.maximum_version = version
        raw = socket.create_connection(("127.0.0.1", port or self.port), timeout=30)
        self.addCleanup(raw.close)
        wrapped = context.wrap_socket(raw, server_hostname="localhost")
        self.addCleanup(wrapped.close)
        return wrapped

    def is_served(self, **how):
        """Whether a four-letter word is answered on a connection made so."""
        try:
            wrapped = self.handshake(**how)
            wrapped.sendall(b"ruok")
            return wrapped.recv(100) == b"imok"
        except (ssl.SSLError, OSError):
            return False

    def open_files(self):
        return len(os.listdir(f"/proc/{self.server.process.pid}/fd"))

    def said(self, text):
        return wait_until(lambda: text in self.server.log_path.read_text(), f"the log says {text}")


    def assert_refused(self, text, **how):
        """Refused, each time; and the log says why, which it leaves out above twenty lines a second."""
        def is_said():
            self.assertFalse(self.is_served(**how))
            return text in self.server.log_path.read_text()

        wait_until(is_said, f"the log says {text}")


class Clients(Secured):
    def test_a_certificate_is_an_identity(self):
        alice = self.client(self.alice)
        alice.create("/alice", b"hers", acl=[make_acl("x509", "CN=alice,O=Example", all=True)])
        self.assertEqual(alice.get("/alice")[0], b"hers")
        with self.assertRaises(kazoo.exceptions.NoAuthError):
            self.client(self.own).get("/alice")
        self.assertEqual(self.client(self.root).get("/alice")[0], b"hers")
        plain = kazoo.client.KazooClient(self.server.hosts, timeout=10)
        plain.start(timeout=30)
        self.addCleanup(plain.close)
        self.addCleanup(plain.stop)
        with self.assertRaises(kazoo.exceptions.NoAuthError):
            plain.get("/alice")

    def test_auth_in_an_acl_stands_for_the_certificate(self):
        alice = self.client(self.alice)
        alice.create("/hers", acl=[make_acl("auth", "", all=True)])
        acl, _ = alice.get_acls("/hers")
        self.assertEqual([(one.id.scheme, one.id.id) for one in acl],
                         [("x509", "CN=alice,O=Example")])

    def test_large_values_go_both_ways(self):
        alice = self.client(self.alice)
        value = os.urandom(1_000_000)
        alice.create("/large", value)
        for _ in range(10):
            self.assertEqual(alice.get("/large")[0], value)
        futures = [alice.get_async("/large") for _ in range(50)]
        for future in futures:
            self.assertEqual(future.get(timeout=60)[0], value)

    def test_only_those_with_a_certificate_of_the_authority_are_served(self):
        self.assertTrue(self.is_served(certificate=self.alice))
        self.assertTrue(self.is_served(certificate=self.alice, version=ssl.TLSVersion.TLSv1_2))
        self.assert_refused("peer did not return a certificate")
        self.assert_refused("certificate that is not trusted: unable to get local issuer certificate",
                            certificate=self.stranger.sign("alice"))
        self.assert_refused("certificate that is not trusted: certificate has expired",
                            certificate=self.authority.sign("old", days=-1))
        with self.assertRaises(ssl.SSLError):
            self.handshake(certificate=self.alice, authority=self.stranger)

    def test_whoever_takes_the_wrong_port_is_closed(self):
        with self.assertRaises(wire.Refused):
            wire.Connection(self.port)
        self.said("does not speak TLS")
        with self.assertRaises(OSError):
            self.handshake(certificate=self.alice, port=self.server.port)
        self.assertTrue(self.is_served(certificate=self.alice))

    def test_nothing_is_left_of_those_who_fail(self):
        """Half a handshake, nonsense, a client that leaves in the middle: a hundred of each."""
        before = self.open_files()
        for count in range(50):
            for said in [b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\n\r\n", b"\x16" * 100]:
                with socket.create_connection(("127.0.0.1", self.port)) as raw:
                    raw.sendall(said)
            self.is_served(certificate=None)
        wait_until(lambda: self.open_files() <= before, "every descriptor is free")
        self.assertTrue(self.is_served(certificate=self.alice))

    def test_a_handshake_that_stalls_ends(self):
        """Others are served meanwhile; after ten seconds it is closed."""
        stalled = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        self.addCleanup(stalled.close)
        stalled.sendall(b"\x16\x03\x01\x02\x00\x01")
        self.assertTrue(self.is_served(certificate=self.alice))
        self.assertEqual(stalled.recv(100), b"")


class WithoutCertificates(Secured):
    settings = ["ssl.clientAuth=none", "ssl.enabledProtocols=TLSv1.3"]

    def test_a_client_needs_none(self):
        self.assertTrue(self.is_served())
        self.assertFalse(self.is_served(version=ssl.TLSVersion.TLSv1_2))


class Renewed(Secured):
    settings = ["client.certReload=true"]

    def test_new_certificates_are_read_when_they_come(self):
        new = Authority("new")
        self.addCleanup(new.remove)
        certificate = new.sign("server")
        client = new.sign("client")
        self.assertFalse(self.is_served(certificate=client, authority=new))
        shutil.copy(new.certificate, self.authority.certificate)
        shutil.copy(certificate.file, self.own.file)
        wait_until(lambda: self.is_served(certificate=client, authority=new), "it is used")
        self.own.file.write_text("no certificate")
        self.said("stay as they were")
        self.assertTrue(self.is_served(certificate=client, authority=new))


class Mistakes(unittest.TestCase):
    """zabd does not start, and says what to do."""

    def test_files_that_are_none(self):
        authority = Authority()
        self.addCleanup(authority.remove)
        own = authority.sign("server")
        other = authority.sign("other")
        mixed = authority.directory / "mixed.pem"
        mixed.write_text(own.certificate.read_text() + other.key.read_text())
        for store, trust, message in [
            ("absent.pem", own.certificate, "no certificate can be read"),
            (own.certificate, own.certificate, "no private key can be read"),
            (mixed, own.certificate, "the private key is not that of the certificate"),
            (own.file, own.key, "no certificate can be read"),
        ]:
            with self.subTest(store=store):
                server = Server(settings=["secureClientPort=0", f"ssl.keyStore.location={store}",
                                          f"ssl.trustStore.location={trust}"])
                self.addCleanup(server.remove)
                done = subprocess.run(server.command(), capture_output=True, text=True, timeout=60,
                                      preexec_fn=dies_with_its_parent)
                self.assertEqual(done.returncode, 1)
                self.assertIn(message, done.stderr)


class Manual(unittest.TestCase):
    def test_the_lines_of_the_manual_make_certificates(self):
        manual = (SOURCE_ROOT / "docs/zabd.md").read_text()
        behind = manual.split("<!-- tests/system/tls_test.py runs these lines. -->")[1]
        lines = re.search(r"(?:^    .*\n)+", behind, re.MULTILINE)[0]
        with tempfile.TemporaryDirectory(prefix="zabfs-test.") as directory:
            subprocess.run(["bash", "-ec", lines], cwd=directory, check=True, capture_output=True)
            port = free_port()
            server = Server(settings=[f"secureClientPort={port}",
                                      f"ssl.keyStore.location={directory}/alpha.pem",
                                      f"ssl.trustStore.location={directory}/authority.crt"])
            self.addCleanup(server.remove)
            server.start()
            client = kazoo.client.KazooClient(
                f"localhost:{port}", use_ssl=True, ca=f"{directory}/authority.crt",
                certfile=f"{directory}/alice.crt", keyfile=f"{directory}/alice.key", timeout=10)
            client.start(timeout=30)
            client.create("/alice", acl=[make_acl("auth", "", all=True)])
            self.assertEqual(client.get_acls("/alice")[0][0].id.id, "CN=alice,O=Example")
            client.stop()
            client.close()


class Servers(unittest.TestCase):
    def test_an_ensemble_speaks_tls_and_needs_no_secret(self):
        authority = Authority()
        self.addCleanup(authority.remove)
        own = authority.sign("server", hosts="IP:127.0.0.1")
        ensemble = Ensemble(settings=[
            "sslQuorum=true",
            f"ssl.quorum.keyStore.location={own.file}",
            f"ssl.quorum.trustStore.location={authority.certificate}",
            "ssl.quorum.clientHostnameVerification=true",
            "4lw.commands.whitelist=*",
        ])
        for server in ensemble.servers:
            self.addCleanup(server.remove)
        ensemble.start()
        client = kazoo.client.KazooClient(ensemble.followers()[0].hosts, timeout=10)
        client.start(timeout=30)
        self.addCleanup(client.close)
        self.addCleanup(client.stop)
        client.create("/large", os.urandom(900_000))
        for number in range(100):
            client.create(f"/large/{number}")
        ensemble.leader().kill()
        wait_until(lambda: any(mode(s) == "leader" for s in ensemble.servers), "another leads",
                   seconds=60)

    def test_a_server_whose_certificate_is_not_trusted_stays_outside(self):
        authority, stranger = Authority(), Authority("stranger")
        self.addCleanup(authority.remove)
        self.addCleanup(stranger.remove)
        good = authority.sign("server")
        elsewhere = authority.sign("elsewhere", hosts="DNS:elsewhere.example.org")
        bad = stranger.sign("server")
        ensemble = Ensemble(settings=[
            "sslQuorum=true",
            f"ssl.quorum.keyStore.location={good.file}",
            f"ssl.quorum.trustStore.location={authority.certificate}",
            "4lw.commands.whitelist=*",
        ])
        for server in ensemble.servers:
            self.addCleanup(server.remove)
        one, two, three = ensemble.servers
        for server, theirs in [(one, elsewhere), (three, bad)]:
            text = server.config.read_text()
            server.config.write_text(text.replace(str(good.file), str(theirs.file)))
        for server in ensemble.servers:
            server.launch()
        wait_until(lambda: "certificate that is not trusted" in two.log_path.read_text(),
                   "the second server refuses the third")
        wait_until(lambda: "mismatch" in two.log_path.read_text(),
                   "the second server refuses the first, which is not where it should be")
        self.assertEqual([mode(server) for server in ensemble.servers], ["", "", ""])


if __name__ == "__main__":
    unittest.main()
