"""zabd as a program: its arguments, its exit status, what it says, and how it ends."""

import os
import pathlib
import re
import resource
import socket
import subprocess
import tempfile
import unittest

from deadline import wait_until
from server import BIN, Server

ZABD = str(BIN / "zabd")


def run(*arguments):
    return subprocess.run([ZABD, *arguments], capture_output=True, text=True, timeout=60)


class Arguments(unittest.TestCase):
    def test_help_and_version(self):
        shown = run("--help")
        self.assertEqual(shown.returncode, 0)
        self.assertIn("CONFIG", shown.stdout)
        self.assertIn("dataDir=", shown.stdout)
        self.assertRegex(run("--version").stdout, r"^zabd \d+\.\d+\.\d+\n$")

    def test_a_missing_configuration_is_asked_for(self):
        ended = run()
        self.assertEqual(ended.returncode, 2)
        self.assertIn("CONFIG is required", ended.stderr)

    def test_an_absent_configuration_is_named(self):
        ended = run("/absent/zoo.cfg")
        self.assertEqual(ended.returncode, 2)
        self.assertIn("/absent/zoo.cfg: cannot be read: No such file", ended.stderr)

    def test_every_mistake_of_a_configuration_has_its_line(self):
        with tempfile.NamedTemporaryFile("w", suffix=".cfg") as config:
            config.write("dataDir=/d\nclientPrt=1\nserver.0=a:1:2\ntickTime=never\n")
            config.flush()
            ended = run(config.name)
        self.assertEqual(ended.returncode, 2)
        lines = ended.stderr.splitlines()
        self.assertEqual([line.split(":")[1] for line in lines], ["2", "3", "4"])
        self.assertIn("did you mean 'clientPort'?", lines[0])
        self.assertIn("'server.0' is not 'server.' and a number from 1 to 254", lines[1])


class Life(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.remove)
        with self.server.config.open("a") as config:
            config.write("4lw.commands.whitelist=*\n")

    def word(self, word):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as connection:
            connection.sendall(word)
            answer = b""
            while piece := connection.recv(4096):
                answer += piece
            return answer.decode()

    def test_it_ends_with_status_0_when_it_is_told_to(self):
        self.server.start()
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.assertEqual(self.word(b"ruok"), "imok")

    def test_a_second_process_on_its_data_is_told_the_first(self):
        self.server.start()
        second = run(str(self.server.config))
        self.assertEqual(second.returncode, 1)
        self.assertRegex(
            second.stderr,
            f"the data directory .* is in use by process {self.server.process.pid} ",
        )

    def test_a_taken_port_is_named(self):
        self.server.start()
        other = self.server.directory / "other.cfg"
        other.write_text(
            re.sub("dataDir=.*", f"dataDir={self.server.directory}/other",
                   self.server.config.read_text())
        )
        second = run(str(other))
        self.assertEqual(second.returncode, 1)
        self.assertIn(f"port {self.server.port}: Address already in use", second.stderr)

    def test_monitoring_reads_what_it_expects(self):
        self.server.start()
        self.assertRegex(self.word(b"srvr"), r"(?s)^Zookeeper version: .*\nMode: standalone\n")
        numbers = dict(line.split("\t") for line in self.word(b"mntr").splitlines())
        self.assertEqual(numbers["zk_server_state"], "standalone")
        self.assertEqual(numbers["zk_num_alive_connections"], "1")
        self.assertIn(f"clientPort={self.server.port}\n", self.word(b"conf"))
        self.assertRegex(self.word(b"envi"), r"\nzookeeper\.version=\d+\.\d+\.\d+")

    def test_without_file_descriptors_new_clients_wait_until_others_go(self):
        self.server.start()
        limit = 32
        resource.prlimit(self.server.process.pid, resource.RLIMIT_NOFILE, (limit, limit))
        held = [socket.create_connection(("127.0.0.1", self.server.port)) for _ in range(limit)]
        waiting = socket.create_connection(("127.0.0.1", self.server.port), timeout=20)
        waiting.sendall(b"ruok")
        ticks = self.processor_ticks()
        waiting.settimeout(1)
        self.assertRaises(TimeoutError, waiting.recv, 4)
        self.assertLess(self.processor_ticks() - ticks, 20, "it spins while it waits")
        for connection in held:
            connection.close()
        waiting.settimeout(20)
        self.assertEqual(waiting.recv(4), b"imok")
        waiting.close()

    def processor_ticks(self):
        """Hundredths of a second of processor time that the server has used."""
        fields = pathlib.Path(f"/proc/{self.server.process.pid}/stat").read_text().split()
        return int(fields[13]) + int(fields[14])

    def test_the_service_manager_hears_when_it_serves_and_when_it_stops(self):
        path = pathlib.Path(self.server.directory) / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(path))
            notify.settimeout(20)
            os.environ["NOTIFY_SOCKET"] = str(path)
            self.addCleanup(os.environ.pop, "NOTIFY_SOCKET")
            self.server.start()
            self.assertEqual(notify.recv(100), b"READY=1")
            self.server.stop()
            self.assertEqual(notify.recv(100), b"STOPPING=1")

    def test_clients_of_both_families_are_served_when_no_address_is_given(self):
        text = self.server.config.read_text().replace("clientPortAddress=127.0.0.1\n", "")
        self.server.config.write_text(text)
        self.server.start()
        for address in ("127.0.0.1", "::1"):
            wait_until(
                lambda: not socket.create_connection((address, self.server.port)).close(),
                f"{address} answers",
            )


if __name__ == "__main__":
    unittest.main()
