"""ZooKeeper's own Java shell (zkCli.sh) against the server: what it prints for each command."""

import re
import subprocess
import unittest

from server import JAVA, ServerTestCase, dies_with_its_parent, not_in_this_version


class JavaShell(ServerTestCase):
    def shell(self, *lines):
        """What the shell prints, on either stream, for a script of commands."""
        ended = self.run_shell(stdin="\n".join([*lines, "quit"]) + "\n")
        self.assertEqual(ended.returncode, 0, ended.stdout)
        return ended.stdout

    def run_shell(self, *command, stdin=""):
        return subprocess.run(
            [*JAVA, "org.apache.zookeeper.ZooKeeperMain", "-server", self.server.hosts, *command],
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            preexec_fn=dies_with_its_parent,
        )

    def test_create_get_set_delete(self):
        output = self.shell(
            "create /a hello",
            "create /a again",
            "get /a",
            "set /a world!",
            "get -s /a",
            "set -v 0 /a late",
            "delete /a",
            "get /a",
            "ls /",
        )
        self.assertIn("Created /a\n", output)
        self.assertIn("Node already exists: /a\n", output)
        self.assertIn("\nhello\n", output)
        self.assertRegex(output, r"\nworld!\ncZxid = 0x")
        self.assertRegex(output, r"dataVersion = 1\n(.*\n)*dataLength = 6\nnumChildren = 0\n")
        self.assertIn("version No is not valid : /a\n", output)
        self.assertIn("Node does not exist: /a\n", output)

    def test_a_single_command_tells_success_by_its_exit_status(self):
        self.assertEqual(self.run_shell("create", "/single", "x").returncode, 0)
        found = self.run_shell("get", "/single")
        self.assertEqual(found.returncode, 0)
        self.assertIn("\nx\n", found.stdout)
        absent = self.run_shell("get", "/absent")
        self.assertEqual(absent.returncode, 1)
        self.assertIn("Node does not exist: /absent", absent.stdout)

    def test_listing_and_deleting_whole_trees(self):
        output = self.shell(
            "create /t",
            "create /t/a",
            "create /t/a/b",
            "create -s /t/q- x",
            "create -e /t/e x",
            "ls /t",
            "ls -s /t",
            "ls -R /t",
            "delete /t",
            "deleteall /t",
            "ls /",
        )
        self.assertIn("Created /t/q-0000000001\n", output)
        self.assertIn("\n[a, e, q-0000000001]\ncZxid", output)
        self.assertRegex(output, r"numChildren = 3\n/t\n/t/a\n/t/e\n/t/q-0000000001\n/t/a/b\n")
        self.assertIn("Node not empty: /t\n", output)
        listed_last = re.findall(r"\n\[(.*)\]\n", output)[-1]
        self.assertNotIn("t", listed_last.split(", "))

    def test_stat_sync_acl_version(self):
        output = self.shell(
            "create /n abc",
            "stat /n",
            "sync /n",
            "getAcl /n",
            "create /r x world:anyone:r",
            "set /r refused",
            "getAcl /r",
            "version",
        )
        self.assertRegex(output, r"cZxid = (0x\w+)\n(.*\n)mZxid = \1\n(.*\n)pZxid = \1\n")
        self.assertRegex(output, r"ctime = \w+ \w+ \d+ [\d:]+ \w+ \d{4}\n")
        self.assertIn("Sync is OK\n", output)
        self.assertIn("'world,'anyone\n: cdrwa\n", output)
        self.assertIn("Insufficient permission : /r\n", output)
        self.assertIn("'world,'anyone\n: r\n", output)
        self.assertIn("ZooKeeper CLI version: 3.8.0", output)

    def test_watches_are_announced(self):
        output = self.shell(
            "create /w",
            "ls -w /w",
            "get -w /w",
            "create /w/child",
            "set /w x",
            "sync /w",
        )
        for event in ("NodeChildrenChanged path:/w\n", "NodeDataChanged path:/w\n"):
            self.assertIn(f"WatchedEvent state:SyncConnected type:{event}", output)

    def test_who_may_do_what(self):
        output = self.shell(
            "create /hers x digest:alice:none:cdrwa",
            "get /hers",
            "create /mine x auth::cdrwa",
            "addauth digest bob:pw",
            "create /mine x auth::cdrwa",
            "getAcl /mine",
            "get /mine",
            "whoami",
        )
        self.assertIn("Insufficient permission : /hers\n", output)
        self.assertIn("Acl is not valid : /mine\n", output)
        self.assertIn("'digest,'bob:ikIaKsbtGweaHnb/jKn7OHqbunM=\n", output)
        self.assertIn("digest: bob\n", output)

    @not_in_this_version
    def test_what_came_with_later_releases(self):
        output = self.shell(
            "create /late x",
            "create -e /late/e",
            "addWatch -m PERSISTENT_RECURSIVE /late",
            "create /late/child",
            "create /late/child/grandchild",
            "getAllChildrenNumber /late",
            "getEphemerals",
            "setAcl /late world:anyone:r",
            "set /late refused",
            "whoami",
        )
        self.assertIn("type:NodeCreated path:/late/child/grandchild\n", output)
        self.assertRegex(output, r"\n3\n")
        self.assertIn("\n[/late/e]\n", output)
        self.assertIn("Insufficient permission : /late\n", output)
        self.assertIn("ip: 127.0.0.1\n", output)


if __name__ == "__main__":
    unittest.main()
