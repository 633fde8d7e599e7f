"""What a mount remembers is never older than what it has shown: docs/coherence.md, on a real kernel."""

import os
import re
import socket
import subprocess
import threading
import unittest

from kazoo.client import KazooClient

from deadline import wait_until
from mount import Mount, MountTestCase


def listed(directory):
    return sorted(name for name in os.listdir(directory) if name != "zookeeper")


def warm(path):
    """Uses the path often enough for the mount to remember it, and to have a watch set."""
    for _ in range(5):
        try:
            if os.path.isdir(path):
                os.listdir(path)
            else:
                path.read_text()
        except FileNotFoundError:
            pass


class TwoMounts(MountTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second = Mount(cls.server.hosts)
        cls.addClassCleanup(cls.second.remove)

    def test_what_one_mount_writes_the_other_comes_to_see(self):
        here, there = self.root / "shared", self.second.path / "shared"
        for number in range(30):
            warm(there)
            here.write_text(f"{number}\n")
            self.assertEqual(here.read_text(), f"{number}\n")
            wait_until(lambda n=number: there.exists() and there.read_text() == f"{n}\n",
                       "the other mount shows it")
            self.assertEqual(there.stat().st_size, len(f"{number}\n"))

    def test_names_come_and_go_on_the_other_mount(self):
        here, there = self.root / "names", self.second.path / "names"
        here.mkdir()
        wait_until(there.is_dir, "the directory is there")
        for number in range(10):
            name = f"n{number}"
            warm(there)
            warm(there / name)
            (here / name).mkdir() if number % 2 else (here / name).touch()
            wait_until((there / name).exists, "it is there")
            self.assertIn(name, listed(there))
            (here / name).rename(here / "moved")
            wait_until((there / "moved").exists, "it has moved")
            self.assertEqual(listed(there), ["moved"])
            self.assertFalse((there / name).exists())
            (here / "moved").rmdir() if number % 2 else (here / "moved").unlink()
            wait_until(lambda: not (there / "moved").exists(), "it is gone")
            self.assertEqual(listed(there), [])

    def test_a_process_sees_its_own_changes_at_once(self):
        script = """
            set -e; mkdir own; cd own
            for i in $(seq 100); do
              echo $i > f; test "$(cat f)" = $i; test "$(stat -c %s f)" = $((${#i} + 1))
              echo more >> f; test "$(wc -l < f)" = 2
              test ! -e new; touch new; test -e new; ls | grep -qx new
              mv new newer; test ! -e new; test -e newer; rm newer; test ! -e newer
              test "$(ls)" = f
            done"""
        self.shell(script)


class BesideClients(MountTestCase):
    def setUp(self):
        self.zk = KazooClient(hosts=self.server.hosts)
        self.zk.start()
        self.addCleanup(self.zk.close)
        self.addCleanup(self.zk.stop)

    def read_requests(self):
        with socket.create_connection(("127.0.0.1", self.server.port)) as connection:
            connection.sendall(b"srvr")
            with connection.makefile() as answer:
                return int(re.search(r"^Received: (\d+)", answer.read(), re.MULTILINE)[1])

    def test_what_is_used_again_and_again_asks_the_ensemble_nothing(self):
        directory = self.root / "again"
        directory.mkdir()
        (directory / "f").write_text("1")
        warm(directory / "f")
        warm(directory)
        warm(directory / "none")
        before = self.read_requests()
        for _ in range(200):
            (directory / "f").stat()
            self.assertEqual((directory / "f").read_text(), "1")
            self.assertEqual(os.listdir(directory), ["f"])
            self.assertFalse((directory / "none").exists())
        self.assertLess(self.read_requests() - before, 100)  # pings, and those of this test

    def test_who_sees_the_later_of_two_changes_sees_the_earlier(self):
        rounds = 300
        self.zk.create("/order/first", b"0", makepath=True)
        self.zk.create("/order/second", b"0")

        def change():
            for number in range(1, rounds + 1):
                self.zk.set("/order/first", b"%d" % number)
                self.zk.create(f"/order/made{number}", b"")
                self.zk.set("/order/second", b"%d" % number)

        changing = threading.Thread(target=change)
        changing.start()
        directory = self.root / "order"
        seen = 0
        while seen < rounds:
            seen = int((directory / "second").read_text())
            names = os.listdir(directory)
            self.assertGreaterEqual(int((directory / "first").read_text()), seen)
            self.assertTrue(seen == 0 or (directory / f"made{seen}").exists())
            self.assertTrue(seen == 0 or f"made{seen}" in names)
            (directory / f"made{seen + 1}").exists()  # So that its absence is remembered.
        changing.join()

    def test_a_file_that_gets_a_child_becomes_a_directory(self):
        self.zk.create("/plain", b"data")
        warm(self.root / "plain")
        self.assertTrue((self.root / "plain").is_file())
        self.zk.create("/plain/child", b"")
        wait_until((self.root / "plain").is_dir, "it is a directory")
        self.assertEqual(sorted(os.listdir(self.root / "plain")), ["@data", "child"])

    def test_nothing_old_is_shown_after_the_server_was_away(self):
        path = self.root / "across"
        path.write_text("before")
        warm(path)
        warm(self.root)
        self.server.kill()
        self.server.start()
        other = KazooClient(hosts=self.server.hosts)
        other.start()
        self.addCleanup(other.close)
        self.addCleanup(other.stop)
        other.set("/across", b"after")
        other.create("/made", b"")
        wait_until(lambda: path.read_text() == "after", "the file shows the new data")
        wait_until(lambda: "made" in os.listdir(self.root), "the listing shows the new name")


class WithoutTheKernelsCheck(MountTestCase):
    """Only the owner may come in here, so the kernel leaves access(2) to the mount."""

    def test_access_says_what_the_mode_says(self):
        self.shell("echo 1 > f && mkdir d && test -r f -a -w f -a ! -x f -a -x d -a -w d")
        self.shell("test -r f@stat -a ! -w f@stat")
        self.assertIn("Permission denied", self.shell("echo 2 > f@stat", expect=1))
        self.assertIn("Permission denied", self.shell("./f", expect=126))
        self.shell("cd d && touch x")

    def test_a_umask_that_forbids_the_owner_is_kept(self):
        masked = Mount("-o", "umask=0222,uid=12345", self.server.hosts)
        self.addCleanup(masked.remove)
        options = subprocess.run(["findmnt", "-no", "OPTIONS", str(masked.path)],
                                 stdout=subprocess.PIPE, text=True, check=True).stdout
        self.assertIn("default_permissions", options)
        self.assertFalse(os.access(masked.path, os.W_OK) and os.getuid() != 0)


if __name__ == "__main__":
    unittest.main()
