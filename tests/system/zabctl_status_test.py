"""zabctl status: what it says of an ensemble that is well, that has lost a server, or its quorum."""

import json
import subprocess
import unittest

import wire
from deadline import wait_until
from ensemble import SECONDS, Ensemble
from server import BIN, KIND, Server, free_port


def status(*arguments):
    ended = subprocess.run([BIN / "zabctl", "status", *map(str, arguments), "--json"],
                           capture_output=True, text=True, timeout=120)
    seen = json.loads(ended.stdout) if ended.stdout else None
    return ended.returncode, seen, ended.stderr


class Status(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ensemble = Ensemble(voters=3, settings=["4lw.commands.whitelist=*"])
        cls.addClassCleanup(cls.ensemble.remove)
        cls.ensemble.start()
        with cls.ensemble.servers[0].connect() as client:
            for at in range(20):
                client.call(wire.CREATE, wire.create(f"/n{at}", b"x"))

    def modes(self, seen):
        return sorted(server.get("mode", "") for server in seen["servers"])

    def wait_for(self, code, hosts=None):
        """What it shows as soon as its exit status is `code`."""
        seen = None

        def shows_it():
            nonlocal seen
            found, seen, _ = status(hosts or self.ensemble.hosts)
            return found == code

        wait_until(shows_it, f"status says {code}", seconds=SECONDS)
        return seen

    def test_every_server_is_shown(self):
        seen = self.wait_for(0)
        self.assertEqual((seen["health"], seen["warnings"]), ("well", []))
        self.assertEqual(self.modes(seen), ["follower", "follower", "leader"])
        for server in seen["servers"]:
            self.assertEqual(server["lag"], 0)
            self.assertGreaterEqual(server["znodes"], 24)
            self.assertIsInstance(server["sessions"], int)
            self.assertRegex(server["version"], r"^\d+\.\d+\.\d+")
        table = subprocess.run([BIN / "zabctl", "status", self.ensemble.hosts],
                               capture_output=True, text=True, timeout=60).stdout.splitlines()
        self.assertEqual(len(table), 4)
        self.assertTrue(table[0].startswith("SERVER"))

    def test_a_lost_server_is_a_warning_and_a_lost_quorum_no_service(self):
        lost, other = self.ensemble.followers()
        lost.kill()
        self.addCleanup(self.ensemble.wait_for, lost)
        self.addCleanup(lost.launch)
        seen = self.wait_for(1)
        self.assertEqual(seen["health"], "degraded")
        self.assertEqual(self.modes(seen), ["", "follower", "leader"])
        self.assertTrue(any(lost.hosts in warning for warning in seen["warnings"]), seen)
        other.kill()
        self.addCleanup(self.ensemble.wait_for, other)
        self.addCleanup(other.launch)
        seen = self.wait_for(3)
        self.assertEqual(seen["health"], "noService")

    def test_a_server_that_hangs_is_given_up(self):
        self.wait_for(0)
        stuck = self.ensemble.followers()[0]
        stuck.pause()
        self.addCleanup(stuck.go_on)
        code, seen, _ = status(self.ensemble.hosts, "--timeout", 500)
        self.assertEqual(code, 1)
        (said,) = [each for each in seen["servers"] if each["server"] == stuck.hosts]
        self.assertIn("does not answer within 500 ms", said["trouble"])

    def test_servers_of_different_ensembles_are_told(self):
        other = Server(settings=["4lw.commands.whitelist=srvr"])
        self.addCleanup(other.remove)
        other.start()
        seen = self.wait_for(1, f"{self.ensemble.hosts},{other.hosts}")
        self.assertIn("run alone", " ".join(seen["warnings"]))
        (said,) = [each for each in seen["servers"] if each["server"] == other.hosts]
        self.assertEqual(said["mode"], "standalone")
        if KIND == "zabd":  # The other kind is always started with a whitelist of all words.
            self.assertIsNone(said["sessions"])


class CommandLine(unittest.TestCase):
    def test_the_servers_of_a_configuration(self):
        server = Server()
        self.addCleanup(server.remove)
        server.start()
        code, seen, said = status("--config", server.config)
        self.assertEqual((code, [each["server"] for each in seen["servers"]]), (0, [server.hosts]),
                         said)

    def test_mistakes_are_status_2(self):
        for arguments in ([], ["a:b"], ["a:1,"], ["[::1"], ["a", "--config", "b"]):
            code, _, said = status(*arguments)
            self.assertEqual(code, 2, arguments)
            self.assertNotEqual(said, "")
        self.assertEqual(status("--config", "/absent")[0], 1)

    def test_nobody_there(self):
        code, seen, _ = status(f"127.0.0.1:{free_port()}")
        self.assertEqual(code, 3)
        self.assertIn("Connection refused", seen["servers"][0]["trouble"])


if __name__ == "__main__":
    unittest.main()
