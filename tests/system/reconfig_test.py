"""The ensemble changes while it runs: servers join and leave, the leader among them, and nothing that
was acknowledged is lost."""

import base64
import hashlib
import json
import socket
import struct
import subprocess
import unittest
import urllib.request

from kazoo.client import KazooClient
from kazoo.exceptions import (BadArgumentsException, BadVersionError, ConnectionLoss,
                              NewConfigNoQuorumError, NoAuthError, ReconfigInProcessError,
                              SessionExpiredError)
from kazoo.security import make_acl, make_digest_acl

import wire
from certificates import Authority
from deadline import wait_until
from ensemble import SECONDS, Ensemble, four_letters, mode, synced_tree
from ensemble_test import PATIENT, Writer
from server import BIN, Server, free_port

CONFIG = "/zookeeper/config"
RECONFIG = 16
SUPER = "DigestAuthenticationProvider.superDigest=super:" + base64.b64encode(
    hashlib.sha1(b"super:secret").digest()).decode()


def reconfig_by_hand(connection, leaving):
    """The error, also one that kazoo does not know."""
    body = wire.string("") + wire.string(leaving) + wire.string("") + struct.pack(">q", -1)
    return connection.call(RECONFIG, body).error


class Growing(Ensemble):
    """An ensemble that can change; `add` prepares a server that knows itself and one other."""

    def __init__(self, voters=3, settings=("skipACL=yes",)):
        super().__init__(voters, settings=[*PATIENT, "reconfigEnabled=true",
                                           "zabfs.allowPlaintextPeers=true",
                                           "4lw.commands.whitelist=*", *settings])

    def line_of(self, server):
        text = server.config.read_text()
        return next(line for line in text.split("\n")
                    if line.startswith(f"server.{server.number}="))

    def add(self, known):
        number = len(self.servers) + 1
        own = f"server.{number}=127.0.0.1:{free_port()}:{free_port()}:participant"
        own_keys = ("tickTime", "dataDir", "clientPort", "clientPortAddress", "admin.serverPort")
        settings = [line for line in known.config.read_text().split("\n")
                    if line and line.split("=")[0] not in own_keys
                    and not line.startswith("server.")]
        server = Server(settings=[*settings, self.line_of(known), own])
        server.number = number
        self.servers.append(server)
        self.write_number(server)
        return server

    def joining(self, server, role="participant"):
        address = self.line_of(server).rsplit(":", 1)[0]
        return f"{address}:{role};127.0.0.1:{server.port}"


class Changing(unittest.TestCase):
    """What the tests of an ensemble that changes have in common."""

    def ensemble_of(self, voters=3, **options):
        ensemble = Growing(voters, **options)
        self.addCleanup(ensemble.remove)
        return ensemble

    def client(self, *servers, **options):
        hosts = ",".join(server.hosts for server in servers)
        client = KazooClient(hosts, timeout=10, **options)
        client.start(timeout=SECONDS)
        self.addCleanup(client.close)
        self.addCleanup(client.stop)
        return client

    def change(self, client, joining=None, leaving=None, new_members=None, version=-1):
        """As an operator does it: again, while the new servers are not in step yet, a new leader seals
        what is in force, or the connection is lost; then it may have happened."""
        answer = []
        lost = []

        def works():
            try:
                answer.append(client.reconfig(joining, leaving, new_members, version))
            except (NewConfigNoQuorumError, ReconfigInProcessError):
                return False
            except (ConnectionLoss, SessionExpiredError):
                lost.append(True)
                return False
            except BadVersionError:
                if not lost:
                    raise
                answer.append(client.retry(client.get, CONFIG))
            return True

        wait_until(works, f"the ensemble changes: {joining} {leaving}", seconds=SECONDS)
        return answer[0][0].decode()

    def ask(self, client, *arguments, **options):
        """Once, when nothing else is under way."""
        answer = []

        def is_answered():
            try:
                answer.append(client.reconfig(*arguments, **options))
            except (ReconfigInProcessError, ConnectionLoss):
                return False
            return True

        wait_until(is_answered, "a change is decided", seconds=SECONDS)
        return answer[0]

    def numbers_in(self, text):
        return sorted(int(line.split("=")[0].split(".")[1])
                      for line in text.split("\n") if line.startswith("server."))


class Reconfiguration(Changing):
    def setUp(self):
        self.ensemble = self.ensemble_of()
        self.ensemble.start()

    def test_the_configuration_is_a_znode_like_another(self):
        client = self.client(*self.ensemble.servers)
        text, stat = client.get(CONFIG)
        self.assertEqual(self.numbers_in(text.decode()), [1, 2, 3])
        self.assertEqual(text.decode().split("\n")[-1], f"version={stat.mzxid:x}")
        heard = []
        client.get(CONFIG, watch=heard.append)
        after = self.change(client, leaving="3")
        self.assertEqual(self.numbers_in(after), [1, 2])
        wait_until(lambda: heard, "the watch is told", seconds=SECONDS)

    def test_what_cannot_be_is_refused(self):
        client = self.client(*self.ensemble.servers)
        with self.assertRaises(BadArgumentsException):
            self.ask(client, None, "1,2", None)
        with self.assertRaises(BadArgumentsException):
            self.ask(client, "server.4=nonsense", None, None)
        with self.assertRaises(BadVersionError):
            self.ask(client, None, "3", None, from_config=77)
        with self.assertRaises(NewConfigNoQuorumError):
            self.ask(client, None, None, ",".join(
                f"server.{n}=127.0.0.1:{free_port()}:{free_port()};{free_port()}"
                for n in (1, 8, 9)))
        self.assertEqual(self.numbers_in(client.get(CONFIG)[0].decode()), [1, 2, 3])

    def test_servers_come_and_go_under_load(self):
        first = list(self.ensemble.servers)
        writers = [Writer(name, list(first)) for name in ("a", "b")]
        client = self.client(*first)
        for writer in writers:
            writer.more(20)
        joiners = [self.ensemble.add(first[0]), self.ensemble.add(first[1])]
        for joiner in joiners:
            joiner.launch()
            self.ensemble.wait_for(joiner)
        text = self.change(client, ",".join(self.ensemble.joining(j) for j in joiners))
        self.assertEqual(self.numbers_in(text), [1, 2, 3, 4, 5])
        for writer in writers:
            writer.servers.extend(joiners)
            writer.more(20)
        leader = self.ensemble.leader()
        text = self.change(self.client(*self.ensemble.others(leader)), leaving=str(leader.number))
        leader.kill()  # at once: it was told that nobody needs it
        rest = self.ensemble.others(leader)
        for writer in writers:
            writer.more(20)
        another = self.ensemble.leader(rest)
        observer = next(s for s in rest if s is not another)
        self.change(self.client(*rest), self.ensemble.joining(observer, "observer"))
        wait_until(lambda: mode(observer) == "observer", "a voter observes", seconds=SECONDS)
        another.kill()
        for writer in writers:
            writer.more(20)
        another.start()
        self.ensemble.wait_for(another)
        acknowledged = [path for writer in writers for path in writer.stop()]
        for server in rest:
            self.assertEqual(set(acknowledged) - set(synced_tree(server)), set())

    def test_it_outlives_a_restart_and_the_lines_do_not_matter_any_more(self):
        client = self.client(*self.ensemble.servers)
        fourth = self.ensemble.add(self.ensemble.servers[0])
        fourth.launch()
        self.ensemble.wait_for(fourth)
        self.change(client, self.ensemble.joining(fourth), "1")
        client.create("/kept")
        for server in self.ensemble.servers:
            server.kill()
        rest = self.ensemble.servers[1:]
        for server in rest:
            server.launch()
        for server in rest:
            self.ensemble.wait_for(server)
            self.assertIn("/kept", synced_tree(server))

    def test_operators_see_who_there_is(self):
        client = self.client(*self.ensemble.servers)
        fourth = self.ensemble.add(self.ensemble.servers[0])
        fourth.launch()
        self.ensemble.wait_for(fourth)
        text = self.change(client, self.ensemble.joining(fourth), "1")
        first, *rest = self.ensemble.servers
        first.kill()
        for server in rest:
            wait_until(lambda: text.split("\n")[-1] in four_letters(server, "conf"),
                       "conf has the new version", seconds=SECONDS)
            self.assertEqual(four_letters(server, "conf").split("membership: \n")[1], text)
        clients_at = "".join(f";127.0.0.1:{server.port}\n" for server in self.ensemble.servers[:3])
        asked = self.ensemble.servers[1].directory / "asked.cfg"
        asked.write_text("dataDir=/d\n" + "\n".join(
            f"{self.ensemble.line_of(server)}{end}" for server, end in
            zip(self.ensemble.servers[:3], clients_at.split("\n"))) + "\n")
        shown = subprocess.run([BIN / "zabctl", "status", "--json", "--config", asked],
                               capture_output=True, text=True, timeout=60)
        seen = json.loads(shown.stdout)
        self.assertEqual(sorted(s["server"] for s in seen["servers"]),
                         sorted(s.hosts for s in rest), shown)
        self.assertEqual((seen["health"], shown.returncode), ("well", 0), shown)
        data = rest[0].directory / "data"
        log = subprocess.run([BIN / "zabctl", "log", data, "--path", CONFIG], capture_output=True,
                             text=True, timeout=60).stdout
        self.assertIn(f"server.4=127.0.0.1", log)
        self.assertIn("reconfig /zookeeper/config", log)

    def test_a_server_moves_to_other_ports(self):
        client = self.client(*self.ensemble.servers)
        moved = next(s for s in self.ensemble.followers())
        ports = [free_port() for _ in range(3)]
        self.change(client, f"server.{moved.number}=127.0.0.1:{ports[0]}:{ports[1]}:participant;"
                            f"127.0.0.1:{ports[2]}")
        moved.port = ports[2]
        self.ensemble.wait_for(moved)
        for server in self.ensemble.others(moved):  # They find it where it is now.
            server.kill()
            server.launch()
            self.ensemble.wait_for(server)
        self.ensemble.wait_for(moved)

    def test_a_port_that_is_taken_is_waited_for(self):
        client = self.client(*self.ensemble.servers)
        moved = next(s for s in self.ensemble.followers())
        peer_ports = [free_port() for _ in range(2)]
        line = f"server.{moved.number}=127.0.0.1:{peer_ports[0]}:{peer_ports[1]}:participant;127.0.0.1"

        def said():
            """The times that the server has said that it cannot have a port."""
            return moved.log_path.read_text().count("tried again")

        with socket.create_server(("127.0.0.1", 0)) as taken:
            moved.port = taken.getsockname()[1]
            self.change(client, f"{line}:{moved.port}")
            wait_until(lambda: said() == 1, "the server says so")
        self.ensemble.wait_for(moved)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.change(client, f"{line}:{taken.getsockname()[1]}")
            wait_until(lambda: said() == 2, "again, and once only")
            self.change(client, f"{line}:{moved.port}")  # Back to the one that it had.
            self.ensemble.wait_for(moved)

    def test_a_backup_begins_with_its_lines_again(self):
        client = self.client(*self.ensemble.servers)
        client.create("/kept")
        self.change(client, leaving="3")
        one = self.ensemble.servers[0]
        backup = one.directory / "backup"
        for command in (["backup", one.directory / "data", "--to", backup],
                        ["restore", backup, "--to", one.directory / "restored", "--standalone"]):
            done = subprocess.run([BIN / "zabctl", *command], capture_output=True, text=True,
                                  timeout=60)
            self.assertEqual(done.returncode, 0, done)
        alone = Server()
        self.addCleanup(alone.remove)
        (alone.directory / "data").rmdir()
        (one.directory / "restored").rename(alone.directory / "data")
        alone.start()
        restored = self.client(alone)
        self.assertTrue(restored.exists("/kept"))
        self.assertEqual(restored.get(CONFIG)[0], b"")


class Permission(Changing):
    def test_the_superuser_may_and_whom_he_lets(self):
        ensemble = self.ensemble_of(settings=(SUPER, "audit.enable=true"))
        ensemble.start()
        for server in ensemble.servers:  # At the leader, and through the others.
            with self.assertRaises(NoAuthError):
                self.ask(self.client(server), None, "3", None)
        root = self.client(*ensemble.servers, auth_data=[("digest", "super:secret")])
        self.assertEqual(self.numbers_in(self.change(root, leaving="3")), [1, 2])
        root.retry(root.set_acls, CONFIG,
                   [make_acl("world", "anyone", read=True),
                    make_digest_acl("bob", "bobs", read=True, write=True)])
        follower = ensemble.followers()[0]
        bob = self.client(follower, auth_data=[("digest", "bob:bobs")])
        line = f"{ensemble.line_of(ensemble.servers[2])};127.0.0.1:{ensemble.servers[2].port}"
        self.assertEqual(self.numbers_in(self.change(bob, line)), [1, 2, 3])
        with self.assertRaises(NoAuthError):
            self.ask(self.client(follower, auth_data=[("digest", "eve:eves")]), None, "3", None)
        with self.assertRaises(BadArgumentsException):
            root.retry(root.set, CONFIG, b"server.1=elsewhere:1:2;3")
        audited = [line for server in ensemble.servers
                   for line in server.log_path.read_text().splitlines()
                   if "operation=reconfig" in line]
        for result in ("success", "failure"):
            self.assertTrue(any(f"result={result}" in line for line in audited), audited)


class Certificates(Changing):
    def test_servers_with_certificates_come_and_go_under_load(self):
        authority = Authority()
        self.addCleanup(authority.remove)
        own = authority.sign("server", hosts="IP:127.0.0.1")
        ensemble = self.ensemble_of(settings=[
            "skipACL=yes",
            "sslQuorum=true",
            f"ssl.quorum.keyStore.location={own.file}",
            f"ssl.quorum.trustStore.location={authority.certificate}",
            "ssl.quorum.clientHostnameVerification=true",
        ])
        ensemble.start()
        writer = Writer("tls", list(ensemble.servers))
        writer.more(20)
        fourth = ensemble.add(ensemble.servers[2])
        fourth.launch()
        ensemble.wait_for(fourth)
        leader = ensemble.leader()
        client = self.client(*ensemble.others(leader))
        version = client.get(CONFIG)[1].mzxid
        text = self.change(client, ensemble.joining(fourth), str(leader.number), version=version)
        self.assertEqual(self.numbers_in(text),
                         sorted(s.number for s in ensemble.others(leader)))
        leader.kill()
        with self.assertRaises(BadVersionError):
            self.change(self.client(*ensemble.others(leader)), leaving="9", version=version)
        writer.servers.append(fourth)
        writer.more(20)
        acknowledged = set(writer.stop())
        for server in ensemble.others(leader):
            self.assertEqual(acknowledged - set(synced_tree(server)), set())


class OtherBeginnings(Changing):
    def test_an_ensemble_of_one_grows(self):
        ensemble = self.ensemble_of(1, settings=("skipACL=yes", "standaloneEnabled=false"))
        ensemble.start()
        client = self.client(ensemble.servers[0])
        client.create("/first")
        for _ in range(2):
            joiner = ensemble.add(ensemble.servers[0])
            joiner.launch()
            ensemble.wait_for(joiner)
            text = self.change(client, ensemble.joining(joiner))
        self.assertEqual(self.numbers_in(text), [1, 2, 3])
        ensemble.servers[0].kill()
        ensemble.leader(ensemble.servers[1:])
        ensemble.wait_for(ensemble.servers[2])
        self.assertIn("/first", synced_tree(ensemble.servers[2]))

    def test_the_servers_stand_in_a_file_of_their_own(self):
        ensemble = self.ensemble_of()
        for server in ensemble.servers:
            lines = server.config.read_text().split("\n")
            dynamic = server.directory / "zoo.cfg.dynamic.100000000"
            servers = [line for line in lines if line.startswith("server.")]
            ports = [other.port for other in ensemble.servers]
            dynamic.write_text("".join(f"{line};127.0.0.1:{port}\n"
                                       for line, port in zip(servers, ports)))
            server.config.write_text("\n".join(
                line for line in lines
                if not line.startswith(("server.", "clientPort"))) +
                f"\ndynamicConfigFile={dynamic}\n")
        before = [list(s.directory.iterdir()) for s in ensemble.servers]
        ensemble.start()
        text = self.change(self.client(*ensemble.servers), leaving="3")
        self.assertEqual(text.count(";127.0.0.1:"), 2)
        for server in ensemble.servers[:2]:
            server.kill()
        for server in ensemble.servers[:2]:
            server.launch()
        for server in ensemble.servers[:2]:
            ensemble.wait_for(server)
        self.assertEqual(self.numbers_in(
            self.client(ensemble.servers[0]).get(CONFIG)[0].decode()), [1, 2])
        for server, files in zip(ensemble.servers, before):
            self.assertEqual({f.name for f in server.directory.iterdir()} - {"server.log"},
                             {f.name for f in files} - {"server.log"})


class WithoutReconfiguration(Changing):
    def test_the_lines_are_shown_and_nothing_changes_them(self):
        port = free_port()
        ensemble = Ensemble(settings=[*PATIENT, "skipACL=yes", "4lw.commands.whitelist=*"])
        self.addCleanup(ensemble.remove)
        asked = ensemble.servers[0]
        with asked.config.open("a") as config:
            config.write(f"admin.enableServer=true\nadmin.serverPort={port}\n"
                         "admin.serverAddress=127.0.0.1\n")
        ensemble.start()
        for server in ensemble.servers:
            client = self.client(server)
            text, stat = client.get(CONFIG)
            self.assertEqual(self.numbers_in(text.decode()), [1, 2, 3])
            self.assertEqual(text.decode().split("\n")[-1], "version=0")
            self.assertEqual((stat.data_length, stat.version), (len(text), -1))
            self.assertEqual(client.exists(CONFIG).data_length, len(text))
            with server.connect() as connection:
                self.assertEqual(reconfig_by_hand(connection, "3"), -123)
                connection.close_session()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/commands/voting_view") as answer:
            self.assertEqual(sorted(json.load(answer)["current_config"]), ["1", "2", "3"])


if __name__ == "__main__":
    unittest.main()
