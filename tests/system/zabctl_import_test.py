"""zabctl import: what Apache ZooKeeper had, zabd has, znode by znode.

By hand, with more of everything:  zabctl_import_test.py --large
"""

import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import time
import unittest

import wire
from ensemble import differences, read_tree
from server import BIN, Server
from zookeeper_load import Load

LARGE = "--large" in sys.argv
REQUESTS = 700_000 if LARGE else 6_000
SNAP_COUNT = 20_000 if LARGE else 500
# Sessions live up to twenty ticks: longer than it takes to import and to read all.
TICK_MS = 20_000 if LARGE else 2000


def zabctl(*arguments, status=0):
    ended = subprocess.run([BIN / "zabctl", *map(str, arguments)],
                           capture_output=True, text=True, timeout=600)
    if ended.returncode != status:
        raise AssertionError(f"zabctl {arguments}: status {ended.returncode}, not {status}\n"
                             f"{ended.stdout}{ended.stderr}")
    return ended.stdout + ended.stderr


LETTERS = ((4, "c"), (8, "d"), (1, "r"), (2, "w"), (16, "a"))


def take_acl(body):
    """The list at the beginning of the body, as zabctl writes it."""
    (count,) = struct.unpack_from(">i", body)
    at = 4
    entries = []
    for _ in range(count):
        (permissions,) = struct.unpack_from(">i", body, at)
        scheme, at = wire.take_buffer(body, at + 4)
        identity, at = wire.take_buffer(body, at)
        entries.append({"scheme": scheme.decode(), "id": identity.decode(), "permissions":
                        "".join(letter for bit, letter in LETTERS if permissions & bit)})
    return entries


def contents(server):
    """Every znode, and every ACL; whoever may administer a znode sees its ACL whole."""
    with server.connect() as connection:
        connection.call(wire.AUTH, auth("digest", "bob:secret"), xid=wire.AUTH_XID)
        tree = read_tree(connection)
        paths = sorted(tree)
        replies = connection.call_all([(wire.GET_ACL, wire.string(path)) for path in paths])
        connection.close_session()
    return tree, {path: take_acl(reply.body) for path, reply in zip(paths, replies)}


def auth(scheme, credential):
    return b"\0\0\0\0" + wire.string(scheme) + wire.string(credential)


def imported_acls(directory):
    shown = [json.loads(line) for line in zabctl_lines("snapshot", directory, "--json")]
    return {each["path"]: each["acl"] for each in shown if each["path"] != "/zookeeper/config"}


def zabctl_lines(*arguments):
    return subprocess.run([BIN / "zabctl", *map(str, arguments)], capture_output=True, text=True,
                          check=True).stdout.splitlines()


class Import(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        seed = int(os.environ.get("ZABFS_SEED", random.SystemRandom().randrange(1 << 32)))
        print(f"ZABFS_SEED={seed}")
        cls.zookeeper = Server("zookeeper", [f"snapCount={SNAP_COUNT}",
                                             "extendedTypesEnabled=true"], tick_ms=TICK_MS)
        cls.addClassCleanup(cls.zookeeper.remove)
        cls.zookeeper.start()
        load = Load(cls.zookeeper, seed)
        load.set_quota()
        load.run(REQUESTS)
        with load.kept_alive():
            cls.tree, cls.acls = contents(cls.zookeeper)
        assert len(cls.tree) > REQUESTS // 10, len(cls.tree)
        cls.sessions = load.sessions()
        cls.zookeeper.kill()
        load.close()
        cls.source = cls.zookeeper.directory / "data"

    def setUp(self):
        self.zabd = Server("zabd", tick_ms=TICK_MS)
        self.addCleanup(self.zabd.remove)
        self.data = self.zabd.directory / "data"

    def copy(self):
        """Of ZooKeeper's directory, to be damaged."""
        copy = self.zabd.directory / "copy"
        shutil.copytree(self.source, copy)
        return copy / "version-2"

    def files(self, directory, prefix):
        return sorted(directory.glob(prefix + "*"), key=lambda path: int(path.name.split(".")[1], 16))

    def test_everything_is_there(self):
        begin = time.monotonic()
        importing = subprocess.Popen(
            [BIN / "zabctl", "import", self.source, "--to", self.data, "--standalone"],
            stdout=subprocess.PIPE, text=True)
        with importing.stdout:
            said = importing.stdout.read()
        _, status, used = os.wait4(importing.pid, 0)
        importing.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(importing.returncode, 0, said)
        if LARGE:
            print(f"{len(self.tree)} znodes, {time.monotonic() - begin:.1f} s, "
                  f"{used.ru_utime + used.ru_stime:.1f} s of processor time, "
                  f"{used.ru_maxrss // 1024} MB at most\n{said}")
        self.assertIn("ZooKeeper's own digest confirms", said)
        self.assertEqual(imported_acls(self.data), self.acls)
        self.zabd.start()
        with self.zabd.connect() as connection:
            tree = read_tree(connection)
            connection.close_session()
        self.assertEqual(differences(self.tree, tree), [])
        for session, password in self.sessions.items():
            with self.zabd.connect(session=session, password=password) as back:
                self.assertEqual(back.session, session)
            with self.zabd.connect(session=session, password=bytes(16)) as stranger:
                self.assertEqual(stranger.session, 0)

    def test_every_snapshot_leads_to_the_same_state(self):
        copy = self.copy()
        prints = set()
        snapshots = self.files(copy, "snapshot.")
        self.assertGreater(len(snapshots), 2)
        while snapshots:
            target = self.zabd.directory / f"imported{len(snapshots)}"
            said = zabctl("import", copy.parent, "--to", target, "--standalone")
            prints.add(said.split("fingerprint ")[1].split()[0])
            snapshots.pop().unlink()
        self.assertEqual(len(prints), 1)
        zabctl("import", copy.parent, "--to", self.data / "none", "--standalone", status=1)

    def test_a_compressed_snapshot(self):
        copy = self.copy()
        newest = self.files(copy, "snapshot.")[-1]
        subprocess.run(["gzip", newest], check=True)
        said = zabctl("import", copy.parent, "--to", self.data, "--server-id", 3)
        self.assertIn(f"{newest}.gz", said)
        self.assertEqual((self.data / "myid").read_text(), "3\n")

    def test_all_members_of_an_ensemble(self):
        zabctl("import", self.source, "--to", self.data, "--members", "1,2,7")
        for member in (1, 2, 7):
            directory = self.data / f"server.{member}"
            self.assertEqual((directory / "myid").read_text(), f"{member}\n")
            zabctl("verify", directory)
        zabctl("snapshot", "--diff", self.data / "server.1", self.data / "server.7")

    def test_damage_is_refused_or_passed_over_with_a_sentence(self):
        copy = self.copy()
        newest = self.files(copy, "snapshot.")[-1]
        flip(newest, newest.stat().st_size // 2)
        said = zabctl("import", copy.parent, "--to", self.data / "one", "--standalone")
        self.assertIn("it was passed over", said)
        logs = self.files(copy, "log.")
        missing = logs[-2].rename(copy / "gone")
        said = zabctl("import", copy.parent, "--to", self.data / "two", "--standalone", status=1)
        self.assertIn("a log is missing", said)
        missing.rename(logs[-2])
        flip(logs[-2], 30)  # In the body of its first record: its length is what it was.
        said = zabctl("import", copy.parent, "--to", self.data / "two", "--standalone", status=1)
        self.assertRegex(said, "is damaged at offset .* transactions would be lost")
        self.assertFalse((self.data / "two").exists())

    def test_nothing_is_overwritten_and_the_choice_is_the_operators(self):
        (self.data / "something").write_text("precious")
        zabctl("import", self.source, "--to", self.data, "--standalone", status=1)
        self.assertEqual(os.listdir(self.data), ["something"])
        zabctl("import", self.source, "--to", self.data / "new", status=2)
        zabctl("import", self.source, "--to", self.data / "new", "--standalone", "--server-id", 1,
               status=2)
        zabctl("import", self.zabd.directory, "--to", self.data / "new", "--standalone", status=1)
        zabctl("import", "/absent", "--to", self.data / "new", "--standalone", status=1)
        said = zabctl("import", self.source, "--to", self.data / "new", "--standalone",
                      "--expect", "1-2", status=1)
        self.assertIn("must all begin with the same state", said)
        self.assertFalse((self.data / "new").exists())


def flip(path: pathlib.Path, offset):
    octets = bytearray(path.read_bytes())
    octets[offset] ^= 1
    path.write_bytes(octets)


if __name__ == "__main__":
    unittest.main(argv=[each for each in sys.argv if each != "--large"])
