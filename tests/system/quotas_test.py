"""Quotas: zkCli's commands as they are, the usage that the servers keep, and hard limits."""

import subprocess
import unittest

import wire
from ensemble import Ensemble, synced_tree
from server import JAVA, KIND, Server, ServerTestCase, dies_with_its_parent

ENFORCED = ["enforceQuota=true"]
QUOTA_EXCEEDED = -125


def limits_of(path):
    return f"/zookeeper/quota{path}/zookeeper_limits"


def usage_of(path):
    return f"/zookeeper/quota{path}/zookeeper_stats"


def set_quota(connection, path, text):
    """What the shell's setquota does."""
    above = "/zookeeper/quota"
    for name in path.split("/")[1:]:
        above += f"/{name}"
        connection.call(wire.CREATE, wire.create(above))
    connection.call(wire.CREATE, wire.create(limits_of(path), text.encode()))
    connection.call(wire.CREATE, wire.create(usage_of(path), b"count=-1,bytes=-1"))


def data_of(connection, path):
    data, stat = wire.get_data_reply(connection.call(wire.GET_DATA, wire.read(path)).body)
    return data.decode(), stat


class Shell(ServerTestCase):
    def shell(self, *lines):
        return subprocess.run(
            [*JAVA, "org.apache.zookeeper.ZooKeeperMain", "-server", self.server.hosts],
            input="\n".join([*lines, "quit"]) + "\n",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            preexec_fn=dies_with_its_parent,
        ).stdout

    def test_a_quota_is_set_listed_and_removed(self):
        output = self.shell(
            "create /app 12345",
            "create /app/a 678",
            "setquota -n 10 /app",
            "setquota -b 1000 /app",
            "listquota /app",
            "create /app/b 9",
            "setquota -N 20 /app",
            "setquota -B 2000 /app",
            "listquota /app",
        )
        self.assertIn("Output quota for /app count=10,bytes=1000", output)
        self.assertIn("Output stat for /app count=2,bytes=8", output)
        self.assertIn("byteHardLimit=2000", output)
        self.assertIn("Output stat for /app count=3,bytes=9", output)
        output = self.shell("delquota -n /app", "listquota /app", "delquota /app",
                            "listquota /app", "ls /zookeeper/quota")
        self.assertIn("Output quota for /app count=-1,bytes=1000", output)
        self.assertIn("quota for /app does not exist", output)
        self.assertRegex(output, r"\n\[\]\n")


class HardLimits(unittest.TestCase):
    def setUp(self):
        self.server = Server(settings=ENFORCED)
        self.addCleanup(self.server.remove)
        self.server.start()

    def connect(self):
        connection = self.server.connect()
        self.addCleanup(connection.socket.close)
        return connection

    def test_a_write_that_would_pass_one_fails_also_after_a_restart(self):
        connection = self.connect()
        connection.call(wire.CREATE, wire.create("/q", b"12345"))
        set_quota(connection, "/q", "count=-1,bytes=-1=;byteHardLimit=9;countHardLimit=2")
        before = data_of(connection, usage_of("/q"))
        self.assertEqual(before[0], "count=1,bytes=5")
        created = connection.call(wire.CREATE, wire.create("/q/a", b"678"))
        self.assertEqual(created.error, wire.OK)
        text, stat = data_of(connection, usage_of("/q"))
        self.assertEqual((text, stat), ("count=2,bytes=8", before[1]))
        self.server.stop()
        self.server.start()
        connection = self.connect()
        self.assertEqual(data_of(connection, usage_of("/q"))[0], "count=2,bytes=8")
        for operation, body, error in (
            (wire.CREATE, wire.create("/q/b"), QUOTA_EXCEEDED),
            (wire.SET_DATA, wire.set_data("/q/a", b"67890"), QUOTA_EXCEEDED),
            (wire.SET_DATA, wire.set_data("/q/a", b"6789"), wire.OK),
            (wire.DELETE, wire.versioned("/q/a"), wire.OK),
            (wire.CREATE, wire.create("/q/b"), wire.OK),
        ):
            self.assertEqual(connection.call(operation, body).error, error, body)
        self.assertEqual(data_of(connection, usage_of("/q"))[0], "count=2,bytes=5")

    @unittest.skipIf(KIND == "zookeeper", "ZooKeeper looks at what is applied already")
    def test_requests_that_are_sent_together_do_not_pass_one_together(self):
        connection = self.connect()
        connection.call(wire.CREATE, wire.create("/q"))
        set_quota(connection, "/q", "count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=50")
        replies = connection.call_all(
            [(wire.CREATE, wire.create(f"/q/{i}")) for i in range(200)], window=200)
        errors = [reply.error for reply in replies]
        self.assertEqual(errors, [wire.OK] * 49 + [QUOTA_EXCEEDED] * 151)
        self.assertEqual(data_of(connection, usage_of("/q"))[0], "count=50,bytes=0")


@unittest.skipIf(KIND == "zookeeper", "one server shows what ZooKeeper does")
class QuotaOfAnEnsemble(unittest.TestCase):
    def test_every_server_keeps_the_same_usage_also_one_that_was_away(self):
        ensemble = Ensemble(settings=ENFORCED)
        self.addCleanup(ensemble.remove)
        ensemble.start()
        away = ensemble.followers()[0]
        with ensemble.leader().connect() as connection:
            connection.call(wire.CREATE, wire.create("/q"))
            away.kill()
            set_quota(connection, "/q", "count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=5")
            replies = connection.call_all(
                [(wire.CREATE, wire.create(f"/q/{i}", b"xy")) for i in range(9)])
            self.assertEqual([reply.error for reply in replies],
                             [wire.OK] * 4 + [QUOTA_EXCEEDED] * 5)
        away.start()
        trees = [synced_tree(server) for server in ensemble.servers]
        self.assertEqual(trees[0][usage_of("/q")][0], b"count=5,bytes=8")
        self.assertEqual(trees[0], trees[1])
        self.assertEqual(trees[0], trees[2])


if __name__ == "__main__":
    unittest.main()
