"""The program zabfs: its command line, the background, a server that is slow or away, its end."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from deadline import wait_until
from mount import Mount
from server import BIN, Server, dies_with_its_parent, free_port

HAS_FUSE = os.access("/dev/fuse", os.R_OK | os.W_OK)


def zabfs(*arguments, seconds=60):
    """Runs the program until it ends, or has gone into the background."""
    return subprocess.run(
        [BIN / "zabfs", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
    )


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="zabfs-test."))
        self.addCleanup(shutil.rmtree, self.directory)

    def expect(self, status, sentence, *arguments):
        ended = zabfs(*arguments)
        self.assertEqual(ended.returncode, status, ended.stdout)
        self.assertIn(sentence, ended.stdout)

    def test_help_and_version(self):
        self.expect(0, "--embedded", "--help")
        self.expect(0, "zabfs ", "--version")

    def test_what_is_missing_or_wrong_is_said(self):
        self.expect(2, "name the servers and the mount point")
        self.expect(2, "name the mount point", "--embedded", self.directory)
        self.expect(2, "no legal value", "-o", "timeout=x", "localhost", self.directory)
        self.expect(1, "does not exist; make it: mkdir", "localhost", self.directory / "none")
        self.expect(1, "not a directory", "localhost", "/etc/passwd")
        self.expect(1, "port", "localhost:99999", self.directory)

    @unittest.skipUnless(HAS_FUSE, "this machine has no /dev/fuse")
    def test_servers_that_do_not_answer(self):
        hosts = f"127.0.0.1:{free_port()}"
        self.expect(1, f"No server of {hosts} has answered", "-o", "timeout=1", hosts, self.directory)
        self.assertFalse(os.path.ismount(self.directory))


@unittest.skipUnless(HAS_FUSE, "this machine has no /dev/fuse")
class Life(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.remove)
        self.server.start()

    def mount(self, *options):
        mount = Mount(*options, self.server.hosts)
        self.addCleanup(mount.remove)
        return mount

    def test_the_command_returns_when_the_files_are_there(self):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="zabfs-test."))
        self.addCleanup(shutil.rmtree, directory)
        ended = zabfs(self.server.hosts, directory)
        self.addCleanup(subprocess.run, ["fusermount3", "-u", "-z", "-q", directory], check=False)
        self.assertEqual((ended.returncode, ended.stdout), (0, ""))
        self.assertIn("zookeeper", os.listdir(directory))
        again = zabfs(self.server.hosts, directory)
        self.assertEqual(again.returncode, 1)
        self.assertIn("mounted on", again.stdout)
        subprocess.run(["fusermount3", "-u", directory], check=True)
        self.assertEqual(os.listdir(directory), [])

    def test_unmounting_ends_the_process(self):
        self.assertEqual(self.mount().unmount(), 0)

    def test_a_signal_unmounts(self):
        mount = self.mount()
        mount.process.send_signal(signal.SIGTERM)
        self.assertEqual(mount.process.wait(timeout=30), 0)
        self.assertFalse(os.path.ismount(mount.path))

    def test_read_only(self):
        mount = self.mount("-o", "ro")
        with self.assertRaises(OSError):
            (mount.path / "x").touch()

    # As mount(8) does for a line of fstab; "fuse.zabfs" instead of the path takes an installed program.
    @unittest.skipUnless(os.getuid() == 0 and shutil.which("mount.fuse3"), "for root with mount.fuse3")
    def test_mount_and_umount_with_the_options_of_fstab(self):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="zabfs-test."))
        self.addCleanup(shutil.rmtree, directory)
        fstab = directory / "fstab"
        point = directory / "mnt"
        point.mkdir()
        fstab.write_text(f"{BIN}/zabfs#{self.server.hosts}/zookeeper {point} fuse"
                         " noauto,nofail,_netdev,allow_other,umask=077 0 0\n")
        subprocess.run(["mount", "--fstab", fstab, point], check=True, timeout=60)
        self.addCleanup(subprocess.run, ["umount", "-l", "-q", point], check=False)
        self.assertIn("quota", os.listdir(point))
        self.assertEqual((point / "quota").stat().st_mode & 0o077, 0)
        with open("/proc/mounts", encoding="ascii") as mounts:
            self.assertIn(f"{self.server.hosts}/zookeeper {point} fuse.zabfs", mounts.read())
        subprocess.run(["umount", point], check=True, timeout=60)
        self.assertFalse(os.path.ismount(point))

    def cat(self, path):
        return subprocess.Popen(
            ["cat", path],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=dies_with_its_parent,
        )

    def test_a_signal_ends_a_process_that_waits_for_a_slow_server(self):
        mount = self.mount("-o", "timeout=30")
        (mount.path / "x").write_text("1")
        self.server.pause()
        self.addCleanup(self.server.go_on)
        for number in (signal.SIGINT, signal.SIGKILL):
            waiting = self.cat(mount.path / "x")
            wait_until(lambda: self.waits(waiting.pid), "cat waits for the mount")
            waiting.send_signal(number)
            self.assertEqual(waiting.wait(timeout=10), -number)
            waiting.stdout.close()

    @staticmethod
    def waits(pid):
        """True once the process is `cat` and sleeps; there is nothing else that it could wait for."""
        name, state = pathlib.Path(f"/proc/{pid}/stat").read_text().split()[1:3]
        return name == "(cat)" and state in "SD"

    def test_a_server_that_is_away_is_a_host_that_is_down(self):
        mount = self.mount("-o", "timeout=1")
        (mount.path / "x").write_text("1")
        self.server.kill()
        started = time.monotonic()
        lost = self.cat(mount.path / "x")
        self.assertIn("Host is down", lost.communicate(timeout=60)[0])
        self.assertLess(time.monotonic() - started, 30)
        self.server.start()
        wait_until(lambda: self.reads(mount.path / "x"), "the mount has come back", seconds=60)

    @staticmethod
    def reads(path):
        try:
            return path.read_text() == "1"
        except OSError:
            return False


if __name__ == "__main__":
    unittest.main()
