"""examples/quickstart.sh, with programs that are built already: what it promises is so."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from deadline import wait_until
from kazoo.client import KazooClient
from server import BIN, SOURCE_ROOT, free_port


@unittest.skipUnless(os.access("/dev/fuse", os.R_OK | os.W_OK), "this machine has no /dev/fuse")
class Quickstart(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="zabfs-test."))
        self.addCleanup(shutil.rmtree, self.home)
        self.dir = self.home / "z"
        self.port = free_port()
        self.addCleanup(self.end_everything)

    def end_everything(self):
        subprocess.run(["fusermount3", "-u", "-z", "-q", str(self.dir)], check=False)
        for process in self.processes():
            os.kill(process, signal.SIGKILL)

    def start(self, *arguments):
        return subprocess.run(
            [SOURCE_ROOT / "examples/quickstart.sh", *arguments],
            env={**os.environ, "HOME": str(self.home), "ZABFS_BIN": str(BIN),
                 "ZABFS_PORT": str(self.port)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )

    def started(self):
        """Runs the script as a newcomer does."""
        ended = self.start()
        self.assertEqual(ended.returncode, 0, ended.stdout)
        self.assertIn(f"fusermount3 -u {self.dir}", ended.stdout)

    def stop(self):
        subprocess.run(["fusermount3", "-u", str(self.dir)], check=True)
        wait_until(lambda: not self.processes(), "zabfs ends")

    def processes(self):
        """The processes that were started with our mount point among their arguments."""
        found = []
        for arguments in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if bytes(self.dir) in arguments.read_bytes().split(b"\0"):
                    found.append(int(arguments.parent.name))
            except OSError:
                continue  # It ended while we looked.
        return found

    def shell(self, script):
        return subprocess.run(
            ["bash", "-ec", script], cwd=self.dir, stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    def test_zookeeper_clients_and_files_share_one_tree(self):
        self.started()
        self.shell("echo 8080 > port")
        client = KazooClient(f"127.0.0.1:{self.port}")
        self.addCleanup(client.close)
        client.start()
        self.assertEqual(client.get("/port")[0], b"8080\n")
        client.create("/from-client", b"hello\n")
        client.stop()
        self.assertEqual(self.shell("cat from-client"), "hello\n")
        self.stop()

    def test_files_work_and_outlive_a_restart(self):
        self.started()
        self.shell("echo 8080 > port; mkdir app; echo hello > app/greeting")
        self.assertEqual(self.shell("cat port app/greeting"), "8080\nhello\n")
        self.assertIn("app\nport\n", self.shell("ls"))
        self.stop()
        self.assertEqual(list(self.dir.iterdir()), [])
        self.started()
        self.assertEqual(self.shell("cat app/greeting"), "hello\n")
        self.stop()

    def test_a_second_start_says_how_to_stop_the_first(self):
        self.started()
        again = self.start()
        self.assertEqual(again.returncode, 1)
        self.assertIn(f"unmount it first: fusermount3 -u {self.dir}", again.stdout)
        self.stop()

    def test_kill_9_loses_nothing_and_leaves_a_way_back(self):
        self.started()
        self.shell("echo kept > file")
        for process in self.processes():
            os.kill(process, signal.SIGKILL)
        wait_until(lambda: not self.processes(), "zabfs is gone")
        again = self.start()
        self.assertEqual(again.returncode, 1)
        self.assertIn(f"remove it: fusermount3 -u {self.dir}", again.stdout)
        subprocess.run(["fusermount3", "-u", str(self.dir)], check=True)
        self.started()
        self.assertEqual(self.shell("cat file"), "kept\n")
        self.stop()

    def test_a_directory_with_files_is_not_covered(self):
        self.dir.mkdir()
        (self.dir / "precious").touch()
        refused = self.start(str(self.dir))
        self.assertEqual(refused.returncode, 1)
        self.assertIn("is not empty", refused.stdout)


if __name__ == "__main__":
    unittest.main()
