"""examples/: the ensemble, the units and the completion, with programs that are built already."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from deadline import wait_until
from ensemble import SECONDS
from server import BIN, SOURCE_ROOT, dies_with_its_parent, free_port

PORTS = 6  # of the script: three for clients, three between the replicas


def free_ports():
    """The first of so many free ports in a row."""
    while True:
        first = free_port()
        try:
            for port in range(first, first + PORTS):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue


@unittest.skipUnless(os.access("/dev/fuse", os.R_OK | os.W_OK), "this machine has no /dev/fuse")
class EnsembleScript(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="zabfs-test."))
        self.addCleanup(shutil.rmtree, self.home)
        self.mounts = [self.home / "zz" / str(number) for number in (1, 2, 3)]
        self.addCleanup(self.end_everything)
        self.script = subprocess.Popen(
            [SOURCE_ROOT / "examples/ensemble.sh"],
            env={**os.environ, "HOME": str(self.home), "ZABFS_BIN": str(BIN),
                 "ZABFS_PORT": str(free_ports())},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            preexec_fn=dies_with_its_parent)
        self.addCleanup(self.script.stdout.close)
        self.said = ""
        for line in self.script.stdout:
            self.said += line
            if line.startswith("Interrupt this program"):
                return
        self.fail(f"it ended with {self.script.wait()}:\n{self.said}")

    def end_everything(self):
        if self.script.poll() is None:
            self.script.kill()
            self.script.wait()
        for mount in self.mounts:
            subprocess.run(["fusermount3", "-u", "-z", "-q", str(mount)], check=False)
        for process in self.processes():
            os.kill(process, signal.SIGKILL)

    def processes(self):
        """Those whose arguments name something below our directory."""
        found = []
        for arguments in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if bytes(self.home) in arguments.read_bytes():
                    found.append(int(arguments.parent.name))
            except OSError:
                continue  # It ended while we looked.
        return found

    def test_what_it_says_to_try_works_and_it_stops_cleanly(self):
        first, second, third = self.mounts
        (first / "greeting").write_text("hello\n")
        wait_until(lambda: (second / "greeting").exists(), "the second mount shows it", SECONDS)
        os.kill(int(re.search(r"kill -9 (\d+)", self.said)[1]), signal.SIGKILL)

        def written():
            try:
                (first / "greeting").write_text("still there\n")
                return True
            except OSError:
                return False

        wait_until(written, "the mounts go on with two", SECONDS)
        wait_until(lambda: (third / "greeting").read_text() == "still there\n",
                   "the third mount shows it", SECONDS)
        self.script.send_signal(signal.SIGINT)
        self.assertEqual(self.script.wait(timeout=SECONDS), 0)
        for mount in self.mounts:
            self.assertFalse(os.path.ismount(mount))
        wait_until(lambda: not self.processes(), "everything has ended", SECONDS)


@unittest.skipUnless(shutil.which("systemd-analyze"), "this machine has no systemd")
class ServiceUnit(unittest.TestCase):
    def test_systemd_understands_every_line(self):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="zabfs-test."))
        self.addCleanup(shutil.rmtree, directory)
        unit = (SOURCE_ROOT / "examples/zabd@.service").read_text()
        installed = directory / "zabd@one.service"  # As if the program were installed.
        installed.write_text(unit.replace("/usr/bin/zabd", str(BIN / "zabd")))
        verified = subprocess.run(["systemd-analyze", "verify", "--man=no", str(installed)],
                                  capture_output=True, text=True, check=False)
        self.assertNotIn("zabd@", verified.stderr)  # What it says of others' units is theirs.

    def test_systemd_understands_the_mount_unit(self):
        verified = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(SOURCE_ROOT / "examples/mnt-zk.mount")],
            capture_output=True, text=True, check=False)
        self.assertNotIn("mnt-zk", verified.stderr)


class Completion(unittest.TestCase):
    def completed(self, line):
        script = (f". {SOURCE_ROOT}/examples/zabfs.bash-completion; compopt() {{ :; }};"
                  f" COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _zabfs;"
                  " printf '%s\\n' \"${COMPREPLY[@]}\"")
        return subprocess.run(["bash", "-c", script], capture_output=True, text=True,
                              check=True).stdout.split()

    def test_options_are_completed(self):
        self.assertEqual(self.completed("zabfs --emb"), ["--embedded"])
        self.assertEqual(self.completed("zabfs -o tim"), ["timeout="])
        self.assertEqual(self.completed("zabfs -o ro,allow_"),
                         ["ro,allow_other", "ro,allow_root"])

    def test_and_files_of_credentials(self):
        with tempfile.NamedTemporaryFile(prefix="zabfs-test.") as file:
            self.assertEqual(self.completed(f"zabfs -o ro,authfile = {file.name[:-1]}"), [file.name])

    # What docs/filesystem.md lists as a name is in the manual page too.
    def test_the_manual_page_has_every_name(self):
        page = re.sub(r'\\f[RP]|"|^\.\w+ |\\(?=-)', "", (SOURCE_ROOT / "docs/man/zabfs.1").read_text(),
                      flags=re.MULTILINE).replace(" @", "@")
        names = (SOURCE_ROOT / "docs/filesystem.md").read_text().partition("| name | is | here |")[2]
        told = re.findall(r"^\| ((?:`[^`]+`(?:, )?)+) \|", names.partition("\n\n")[0], re.MULTILINE)
        tokens = {token for row in told for token in re.findall(r"@@?[a-z]+=?", row)} - {"@host", "@x="}
        self.assertGreater(len(tokens), 20)
        for token in sorted(tokens):
            self.assertIn(token, page)

    def test_and_directories(self):
        directory = tempfile.mkdtemp(prefix="zabfs-test.")
        self.addCleanup(os.rmdir, directory)
        self.assertEqual(self.completed(f"zabfs zk1:2181 {directory[:-1]}"), [directory])

    # Every option of -o that the program tells of is offered.
    def test_no_option_is_forgotten(self):
        said = subprocess.run([str(BIN / "zabfs"), "--help"], capture_output=True, text=True,
                              check=True).stdout
        offered = self.completed("zabfs -o ''")
        told = re.findall(r"^  ([a-z]{3,}=?)", said.partition("Options of -o:")[2], re.MULTILINE)
        self.assertIn("timeout=", told)
        for option in told:
            self.assertIn(option, offered)


if __name__ == "__main__":
    unittest.main()
