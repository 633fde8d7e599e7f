"""A server of either kind whose cost is measured, and the programs that load it."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

SOURCE_ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(SOURCE_ROOT / "tests/system"))

from deadline import wait_until  # noqa: E402
from server import JAVA_CLASS_PATH, dies_with_its_parent, free_port  # noqa: E402
import wire  # noqa: E402

BIN = pathlib.Path(os.environ.get("ZABFS_BIN", SOURCE_ROOT / "build/release/bin"))
KINDS = ("zabd", "zookeeper")
BARE = "bare"  # bare_server.cpp
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Service:
    """One server of any kind in a directory of its own."""

    def __init__(self, kind, directory, name=None, heap="1g"):
        self.kind = kind
        self.heap = heap  # of a Java virtual machine
        self.settings = []  # further lines of its configuration
        self.snapshot_every = None  # transactions; None leaves it to the server
        self.directory = pathlib.Path(directory) / (name or kind)
        self.directory.mkdir()
        self.port = free_port()
        self.config = self.directory / "zoo.cfg"
        self.data = self.directory / "data"
        self.data.mkdir()
        self.process = None

    def configure(self):
        lines = [
            "tickTime=2000",
            f"dataDir={self.data}",
            f"clientPort={self.port}",
            "clientPortAddress=127.0.0.1",
            "maxClientCnxns=0",
        ]
        if self.kind == "zookeeper":
            lines += ["admin.enableServer=false", "forceSync=yes"]
        if self.snapshot_every is not None:
            lines += [f"snapCount={self.snapshot_every}"]
        self.config.write_text("\n".join(lines + self.settings) + "\n")

    def command(self):
        if self.kind == "zabd":
            return [str(BIN / "zabd"), str(self.config)]
        if self.kind == BARE:
            return [str(BIN / "bare_server"), str(self.port), str(self.data / "log")]
        main = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
        return ["java", f"-Xmx{self.heap}", f"-Xms{self.heap}", "-cp", JAVA_CLASS_PATH, main, str(self.config)]

    def start(self):
        """Returns the seconds until it opened a session."""
        begin = time.monotonic()
        self.launch()
        wait_until(self.answers, f"{self.kind} answers", seconds=180)
        return time.monotonic() - begin

    def launch(self):
        self.configure()
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=dies_with_its_parent)

    def answers(self):
        if self.process.poll() is not None:
            raise SystemExit(f"{self.kind} ended: see {self.directory}/log")
        try:
            wire.Connection(self.port, timeout_ms=4000, patience=1).close_session()
            return True
        except (OSError, wire.Refused):
            return False

    def leads(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as operator:
            operator.sendall(b"srvr")
            return b"Mode: leader" in operator.makefile("rb").read()

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def resident_mb(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


class Ensemble:
    """Several servers of one kind that are one service."""

    def __init__(self, kind, directory, size=3):
        self.kind = kind
        self.members = [Service(kind, directory, f"{kind}-{i + 1}", "512m") for i in range(size)]
        lines = [f"server.{i + 1}=127.0.0.1:{free_port()}:{free_port()}" for i in range(size)]
        for i, member in enumerate(self.members):
            (member.data / "myid").write_text(f"{i + 1}\n")
            member.settings = ["initLimit=30", "syncLimit=10", *lines]

    def start(self):
        for member in self.members:
            member.launch()
        for member in self.members:
            wait_until(member.answers, f"{self.kind} answers", seconds=180)
        self.members.sort(key=Service.leads)  # the leader is the last

    @property
    def port(self):
        """All ports, of followers first: one session alone is at a follower."""
        ports = [str(member.port) for member in self.members if member.process.poll() is None]
        return ",".join([ports[0], ports[-1], *ports[1:-1]])

    def cpu_seconds(self):
        return sum(member.cpu_seconds() for member in self.members)

    def kill(self):
        for member in self.members:
            member.kill()


class Running:
    """A measuring program while it runs."""

    def __init__(self, program, *arguments):
        self.process = subprocess.Popen(
            [str(BIN / program), *map(str, arguments)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, text=True, preexec_fn=dies_with_its_parent)

    def result(self):
        """Waits for its end; what it printed."""
        output = self.process.communicate()[0]
        if self.process.returncode != 0:
            raise SystemExit(f"{' '.join(self.process.args)} failed")
        return json.loads(output)


def load(*arguments):
    return Running("service_load", *arguments).result()
