"""A server process of our own for one test: started on a free port, never left behind.

SERVER=zabd (the default) runs this repository's program, found in ZABFS_BIN or build/debug/bin.
SERVER=zookeeper runs Debian's Apache ZooKeeper with the same configuration: what passes there and
fails here is a defect of ours, and what fails there is a defect of the test.
"""

import ctypes
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

import wire
from deadline import wait_until

KIND = os.environ.get("SERVER", "zabd")
SOURCE_ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = pathlib.Path(os.environ.get("ZABFS_BIN", SOURCE_ROOT / "build/debug/bin"))
JAVA_CLASS_PATH = "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-nop.jar"
JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", JAVA_CLASS_PATH]
TICK_MS = 200

not_in_this_version = unittest.skipIf(KIND == "zabd", "not in this version of zabd")

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


def dies_with_its_parent():
    """For preexec_fn: the kernel ends the child even when the test itself is killed."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port():
    """A loopback port nobody listens on, below the range from which the kernel takes its own."""
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Server:
    """One server with its own directory, standalone if `settings` do not say otherwise; survives
    kill() and start() again. `prefix` is a command that runs it elsewhere and becomes it."""

    def __init__(self, kind=KIND, settings=(), address="127.0.0.1", prefix=(), tick_ms=TICK_MS):
        self.kind = kind
        self.address = address
        self.prefix = prefix
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="zabfs-test."))
        self.port = free_port()
        self.hosts = f"{address}:{self.port}"
        self.log_path = self.directory / "server.log"
        self.process = None
        (self.directory / "data").mkdir()
        lines = [
            f"tickTime={tick_ms}",
            f"dataDir={self.directory}/data",
            f"clientPort={self.port}",
            f"clientPortAddress={address}",
            *settings,
        ]
        if kind == "zookeeper":
            lines += ["admin.enableServer=false", "4lw.commands.whitelist=*"]
        self.config = self.directory / "zoo.cfg"
        self.config.write_text("\n".join(lines) + "\n")

    def command(self):
        if self.kind == "zookeeper":
            main = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
            return [*self.prefix, *JAVA, "-Djute.maxbuffer=1048575", main, str(self.config)]
        if self.kind == "zabd":
            return [*self.prefix, str(BIN / "zabd"), str(self.config)]
        raise ValueError(f"SERVER={self.kind}: known servers are zabd and zookeeper")

    def launch(self):
        """Starts the process and does not wait for it: alone, a server of an ensemble is silent."""
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=dies_with_its_parent,
            )

    def start(self):
        self.launch()
        wait_until(self.answers, f"{self.kind} on port {self.port} answers", seconds=60)

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(
                f"{self.kind} ended with {self.process.returncode}:\n{self.log_path.read_text()}"
            )
        try:
            self.connect(timeout_ms=1000, patience=1).close_session()
            return True
        except (OSError, wire.Refused):
            return False

    def connect(self, **options):
        """A connection by hand with a new session; `options` are those of wire.Connection."""
        return wire.Connection(self.port, host=self.address, **options)

    def is_up(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """As by `kill -9`: no farewell, no flush."""
        self.process.kill()
        self.process.wait()

    def pause(self):
        """As by SIGSTOP: connections stay open and nothing answers."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitpid(self.process.pid, os.WUNTRACED)  # Until the last of its threads stands still.

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        """As by the service manager; returns the exit status."""
        self.process.terminate()
        return self.process.wait(timeout=30)

    def remove(self):
        if self.is_up():
            self.kill()
        shutil.rmtree(self.directory)


class ServerTestCase(unittest.TestCase):
    """A class of tests that shares one running server."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()
