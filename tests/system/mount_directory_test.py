"""`@mount`: what the mount says of itself, and transactions written as lines, on both servers."""

import unittest

from kazoo.client import KazooClient

from mount import MountTestCase


class MountDirectory(MountTestCase):
    def setUp(self):
        self.zk = KazooClient(hosts=self.server.hosts)
        self.zk.start()
        self.addCleanup(self.zk.close)
        self.addCleanup(self.zk.stop)

    def test_what_it_says(self):
        self.assertEqual(self.shell("ls @mount").split(),
                         ["errors", "server", "session", "state", "stats", "txn", "zxid"])
        self.assertEqual(self.shell("cat @mount/state @mount/server"),
                         f"connected\n{self.server.hosts}\n")
        self.shell("echo 1 > mine@e")
        owner = self.zk.exists("/mine").ephemeralOwner
        self.assertEqual(self.shell("cat @mount/session"), f"{owner:#x}\n")
        self.assertIn("session_timeout_ms ", self.shell("cat @mount/stats"))
        self.assertGreaterEqual(int(self.shell("cat @mount/zxid")), self.zk.exists("/mine").czxid)
        self.assertNotIn("@mount", self.shell("ls"))
        self.assertIn("Permission denied", self.shell("echo 1 > @mount/zxid", expect=1))

    def test_a_transaction_is_done_or_not(self):
        self.shell("echo 1 > a; echo 1 > b")
        self.assertEqual(
            self.shell("cat > @mount/txn <<END && cat @mount/txn a b jobs/j-*\n"
                       "set a@v=1 2\nset b@v=1 2\nmkdir jobs\ncreate jobs/j-@s work\nEND"),
            "done set /a 2\ndone set /b 2\ndone mkdir /jobs\ndone create /jobs/j-0000000000\n"
            "2\n2\nwork\n")
        self.assertEqual(self.zk.get("/a")[1].mzxid, self.zk.get("/b")[1].mzxid)
        refused = self.shell("cat > @mount/txn <<END\nset a 3\nset b@v=1 3\nEND", expect=1)
        self.assertIn("Stale file handle", refused)
        self.assertEqual(self.shell("cat a b; grep failed @mount/txn | cut -d: -f1"),
                         "2\n2\nfailed set /b\n")

    def test_a_shell_without_other_programs_sees_the_failure_of_a_commit(self):
        self.shell("echo 1 > c")
        for shell in ("bash", "dash"):
            script = ("exec 3<>@mount/txn; echo begin >&3; echo set c 2 >&3; echo create c >&3;"
                      " echo commit >&3 || echo refused; while read -r line <&3; do echo $line; done")
            self.assertEqual(
                self.shell(f"{shell} -c '{script}' 2> /dev/null"),
                "refused\nnot done set /c\nfailed create /c: somebody else created it first\n")
        self.assertEqual(self.shell("cat c"), "1\n")

    def test_what_means_nothing_is_refused_and_named(self):
        self.assertIn("Invalid argument", self.shell("echo frobnicate > @mount/txn", expect=1))
        self.assertIn("frobnicate", self.shell("cat @mount/errors"))


if __name__ == "__main__":
    unittest.main()
