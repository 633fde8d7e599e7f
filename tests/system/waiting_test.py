"""Names that wait, in shells and in programs that poll: on zabd and on Apache ZooKeeper alike."""

import os
import select
import signal
import subprocess
import unittest

from kazoo.client import KazooClient

from deadline import wait_until
from mount import MountTestCase
from server import dies_with_its_parent


class Waiting(MountTestCase):
    def setUp(self):
        self.zk = KazooClient(hosts=self.server.hosts)
        self.zk.start()
        self.addCleanup(self.zk.close)
        self.addCleanup(self.zk.stop)
        self.name = self.id().rsplit(".", 1)[1]

    def begin(self, *command):
        """A process in the mount that reads; ended whatever happens."""
        process = subprocess.Popen(
            command, cwd=self.root, stdout=subprocess.PIPE, text=True,
            preexec_fn=dies_with_its_parent)

        def end():
            process.kill()
            process.wait()
            process.stdout.close()

        self.addCleanup(end)
        return process

    def wait_until_blocked(self, process):
        """Until the process waits, with the file open: so in a read of it."""
        directory = f"/proc/{process.pid}/fd"

        def is_blocked():
            opened = [os.readlink(f"{directory}/{fd}") for fd in os.listdir(directory)]
            with open(f"/proc/{process.pid}/stack", encoding="ascii") as stack:
                return (any(self.name in name for name in opened)
                        and "request_wait_answer" in stack.read())

        wait_until(is_blocked, "the reader waits")

    def test_a_script_waits_for_a_file_of_another_client(self):
        reader = self.begin("cat", self.name + "@exists")
        self.wait_until_blocked(reader)
        self.zk.create("/" + self.name, b"1")
        zxid, event, path = reader.communicate(timeout=30)[0].split()
        self.assertEqual((event, path), ("created", "/" + self.name))
        self.assertEqual(int(zxid), self.zk.get("/" + self.name)[1].czxid)

    def test_and_until_it_is_gone(self):
        self.zk.create("/" + self.name, b"1", ephemeral=True)
        reader = self.begin("cat", self.name + "@gone")
        self.wait_until_blocked(reader)
        self.zk.delete("/" + self.name)
        self.assertEqual(reader.communicate(timeout=30)[0].split()[1:],
                         ["deleted", "/" + self.name])

    def test_a_loop_over_changes_misses_none(self):
        self.shell(f"echo 0 > {self.name}")
        script = (f"z=$(getfattr -n user.zk.czxid --only-values {self.name}); v=0;"
                  f" while [ $v -lt 20 ]; do"
                  f"   read -r z event path < {self.name}@next=$z; v=$(cat {self.name});"
                  f" done; echo $v $event")
        follower = self.begin("bash", "-c", script)
        for value in range(1, 21):
            self.zk.set("/" + self.name, str(value).encode())
        self.assertEqual(follower.communicate(timeout=60)[0], "20 changed\n")

    def test_a_signal_ends_the_wait_at_once(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            reader = self.begin("cat", self.name + "@exists")
            self.wait_until_blocked(reader)
            reader.send_signal(number)
            self.assertEqual(reader.wait(timeout=30), -number)

    def test_a_program_polls_several(self):
        first = os.open(self.root / (self.name + "-a@exists"), os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, first)
        second = os.open(self.root / (self.name + "-b@exists"), os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, second)
        with self.assertRaises(BlockingIOError):
            os.read(first, 100)
        self.assertEqual(select.select([first, second], [], [], 0), ([], [], []))
        with select.epoll() as poller:
            poller.register(first, select.EPOLLIN)
            poller.register(second, select.EPOLLIN)
            self.zk.create(f"/{self.name}-b", b"")
            self.assertEqual(poller.poll(30), [(second, select.EPOLLIN)])
        self.assertIn(b" created ", os.read(second, 100))

    def test_a_waiting_reader_blocks_nobody(self):
        readers = [self.begin("cat", self.name + "@exists") for _ in range(20)]
        for reader in readers:
            self.wait_until_blocked(reader)
        self.assertEqual(self.shell(f"echo 1 > other && cat other && ls | grep -c {self.name} || true"),
                         "1\n0\n")
        self.zk.create("/" + self.name, b"")
        for reader in readers:
            self.assertIn(" created ", reader.communicate(timeout=30)[0])


if __name__ == "__main__":
    unittest.main()
