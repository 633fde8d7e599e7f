"""A real mount for one test: `zabfs` on a server or with its own embedded replica."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from deadline import wait_until
from server import BIN, KIND, Server, dies_with_its_parent


class Mount:
    """A zabfs process and the directory that it shows; unmounted whatever happens. `program` is what
    is run, and `prepare` is called with the mount point before."""

    def __init__(self, *source, program=BIN / "zabfs", prepare=None):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="zabfs-test."))
        self.path = self.directory / "mnt"
        self.path.mkdir()
        if prepare:
            prepare(self.path)
        self.log_path = self.directory / "zabfs.log"
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [str(program), "-f", *source, str(self.path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=dies_with_its_parent,
            )
        wait_until(self.is_mounted, "zabfs has mounted", seconds=60)

    def is_mounted(self):
        if self.process.poll() is not None:
            raise AssertionError(
                f"zabfs ended with {self.process.returncode}:\n{self.log_path.read_text()}"
            )
        return os.path.ismount(self.path)

    def worker(self):
        """The process that does the work for the one that was started; None between two of them."""
        supervisor = self.process.pid
        children = pathlib.Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
        return int(children[0]) if children else None

    def kill_worker(self):
        worker = wait_until(self.worker, "the mount has a worker")
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: self.worker() not in (None, worker), "another worker is there")

    def unmount(self):
        """As a user does; returns zabfs's exit status."""
        subprocess.run(["fusermount3", "-u", str(self.path)], check=True)
        return self.process.wait(timeout=30)

    def remove(self):
        subprocess.run(["fusermount3", "-u", "-z", "-q", str(self.path)], check=False)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        shutil.rmtree(self.directory)


@unittest.skipUnless(os.access("/dev/fuse", os.R_OK | os.W_OK), "this machine has no /dev/fuse")
class MountTestCase(unittest.TestCase):
    """A class of tests that shares one server, with these settings, and one mount of it."""

    settings = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(settings=cls.settings)
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()
        cls.mount = Mount(cls.server.hosts)
        cls.addClassCleanup(cls.mount.remove)
        cls.root = cls.mount.path

    def shell(self, script, expect=0):
        """What `script` prints when bash runs it in the mount; its exit status must be `expect`."""
        ended = subprocess.run(
            ["bash", "-c", script],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            preexec_fn=dies_with_its_parent,
        )
        self.assertEqual(ended.returncode, expect, f"{KIND}: {script}\n{ended.stdout}")
        return ended.stdout
