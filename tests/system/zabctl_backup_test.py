"""zabctl backup and restore: what was acknowledged is in the copy, and new servers begin with it."""

import json
import os
import subprocess
import tarfile
import unittest

import wire
from ensemble import Ensemble, differences, read_tree, synced_tree
from server import BIN, Server


def zabctl(*arguments, status=0):
    ended = subprocess.run([BIN / "zabctl", *map(str, arguments)],
                           capture_output=True, text=True, timeout=300)
    if ended.returncode != status:
        raise AssertionError(f"zabctl {arguments}: status {ended.returncode}, not {status}\n"
                             f"{ended.stdout}{ended.stderr}")
    return ended.stdout + ended.stderr


def tree_of(server):
    with server.connect() as connection:
        tree = read_tree(connection)
        connection.close_session()
        return tree


class Alone(unittest.TestCase):
    def setUp(self):
        self.server = Server("zabd", ["snapCount=1000"])
        self.addCleanup(self.server.remove)
        self.server.start()
        self.data = self.server.directory / "data"
        self.backup = self.server.directory / "backup"
        self.other = Server("zabd")
        self.addCleanup(self.other.remove)

    def restore(self, backup):
        zabctl("restore", backup, "--to", self.other.directory / "data", "--standalone")
        self.other.start()
        return tree_of(self.other)

    def write(self, first, count):
        with self.server.connect() as client:
            client.call_all([(wire.CREATE, wire.create(f"/n{at}", b"x" * (at % 50)))
                             for at in range(first, first + count)])

    def test_everything_acknowledged_is_in_it_and_nothing_is_overwritten(self):
        self.write(0, 2500)
        zabctl("backup", self.data, "--to", self.backup)
        described = json.loads((self.backup / "backup.json").read_text())
        self.assertEqual(described["znodes"], 2504)
        zabctl("verify", self.backup)
        self.assertEqual(differences(tree_of(self.server), self.restore(self.backup)), [])
        zabctl("backup", self.data, "--to", self.backup, status=1)
        zabctl("restore", self.backup, "--to", self.data, "--standalone", status=1)
        zabctl("restore", self.backup, "--to", self.server.directory / "x", status=2)
        zabctl("restore", self.data, "--to", self.server.directory / "x", "--standalone", status=1)

    def test_a_tar_file_is_what_tar_reads(self):
        self.write(0, 1500)
        tar = self.server.directory / "backup.tar"
        zabctl("backup", self.data, "--to", tar)
        with tarfile.open(tar) as packed:
            self.assertIn("backup.json", packed.getnames())
            packed.extractall(self.server.directory / "unpacked")
        zabctl("verify", self.server.directory / "unpacked")
        self.assertEqual(sorted(path.name for path in self.server.directory.glob("*.unpacked")), [])
        zabctl("backup", self.data, "--to", tar, status=1)
        self.assertEqual(differences(tree_of(self.server), self.restore(tar)), [])

    def test_a_damaged_backup_is_refused(self):
        self.write(0, 1500)
        tar = self.server.directory / "backup.tar"
        zabctl("backup", self.data, "--to", tar)
        whole = tar.read_bytes()
        target = self.server.directory / "new"
        for damage in (whole[:1000], whole[:300] + b"\xff" + whole[301:], b"x" * 2000,
                       whole[:-20000]):
            tar.write_bytes(damage)
            zabctl("restore", tar, "--to", target, "--standalone", status=1)
            self.assertFalse(target.exists())
        with tarfile.open(tar, "w") as evil:
            name = tarfile.TarInfo("../evil")
            evil.addfile(name)
        zabctl("restore", tar, "--to", target, "--standalone", status=1)
        self.assertFalse((self.server.directory.parent / "evil").exists())
        zabctl("backup", self.data, "--to", self.backup)
        (log,) = self.backup.glob("log.*")
        os.truncate(log, log.stat().st_size // 4)
        zabctl("restore", self.backup, "--to", target, "--standalone", status=1)

    def test_backups_of_a_server_under_load(self):
        client = self.server.connect()
        self.addCleanup(client.socket.close)
        written = 0
        for round_ in range(4):
            backup = self.server.directory / f"backup{round_}"
            acknowledged = written
            copying = subprocess.Popen([BIN / "zabctl", "backup", self.data, "--to", backup],
                                       stdout=subprocess.DEVNULL)
            while copying.poll() is None:
                client.call_all([(wire.CREATE, wire.create(f"/w{at}"))
                                 for at in range(written, written + 200)], window=50)
                written += 200
            self.assertEqual(copying.returncode, 0)
            said = subprocess.run([BIN / "zabctl", "snapshot", backup, "--json"],
                                  capture_output=True, text=True, check=True).stdout
            names = {json.loads(line)["path"] for line in said.splitlines()}
            there = sorted(int(name[2:]) for name in names if name.startswith("/w"))
            self.assertEqual(there, list(range(len(there))))
            self.assertGreaterEqual(len(there), acknowledged)


class OfAnEnsemble(unittest.TestCase):
    def test_all_members_begin_with_the_backup_and_go_on(self):
        ensemble = Ensemble(voters=3, kind="zabd")
        self.addCleanup(ensemble.remove)
        ensemble.start()
        with ensemble.leader().connect() as client:
            client.call_all([(wire.CREATE, wire.create(f"/n{at}")) for at in range(300)])
            client.close_session()
        backup = ensemble.directory / "backup"
        zabctl("backup", ensemble.leader().directory / "data", "--to", backup)
        before = synced_tree(ensemble.leader())
        with ensemble.leader().connect() as client:
            client.call(wire.CREATE, wire.create("/after"))
        for server in ensemble.servers:
            server.kill()
        prints = set()
        for server in ensemble.servers:
            data = server.directory / "data"
            ensemble.empty(server)
            (data / "myid").unlink()
            said = zabctl("restore", backup, "--to", data, "--server-id", server.number,
                          *(["--expect", *prints] if prints else []))
            prints.add(said.split("fingerprint ")[1].split()[0])
        self.assertEqual(len(prints), 1)
        ensemble.start()
        after = synced_tree(ensemble.followers()[0])
        self.assertEqual(differences(before, after), [])
        with ensemble.followers()[0].connect() as client:
            self.assertEqual(client.call(wire.CREATE, wire.create("/new")).error, wire.OK)


if __name__ == "__main__":
    unittest.main()
