"""Every command of docs/zabctl.md, run as it stands there against servers of the test's own."""

import re
import subprocess
import unittest

import wire
from server import BIN, SOURCE_ROOT, Server


def examples():
    """The lines of the page's blocks of shell commands."""
    page = (SOURCE_ROOT / "docs/zabctl.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("zabd", tick_ms=2000)  # The client's session outlives all of it.
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()
        with cls.server.connect(timeout_ms=40_000) as client:
            for path in ("/app", "/app/one", "/app/two"):
                client.call(wire.CREATE, wire.create(path, b"1"))

    def test_they_run(self):
        found = examples()
        self.assertGreater(len(found), 5)
        for line in found:
            with self.subTest(line):
                command = line.replace("/var/lib/zabd", str(self.server.directory / "data"))
                command = command.replace("127.0.0.1:2181", self.server.hosts)
                ended = subprocess.run(
                    ["bash", "-euo", "pipefail", "-c", command], cwd=self.server.directory,
                    env={"PATH": f"{BIN}:/usr/bin:/bin"}, capture_output=True, text=True,
                    timeout=60)
                self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
                self.assertNotEqual(ended.stdout, "")

    def completed(self, *words):
        """What bash offers behind these words, the last of which is not whole yet."""
        script = (f"source {SOURCE_ROOT}/examples/zabctl.bash-completion; COMP_WORDS=(\"$@\"); "
                  "COMP_CWORD=$(($# - 1)); _zabctl; printf '%s\\n' \"${COMPREPLY[@]}\"")
        return subprocess.run(["bash", "-euc", script, "bash", *words], text=True, check=True,
                              cwd=self.server.directory, env={"PATH": f"{BIN}:/usr/bin:/bin"},
                              stdout=subprocess.PIPE).stdout.split()

    def test_bash_completes_what_the_program_knows(self):
        self.assertEqual(self.completed("zabctl", "re"), ["restore"])
        self.assertEqual(set(self.completed("zabctl", "s")), {"status", "snapshot"})
        self.assertEqual(self.completed("zabctl", "snapshot", "--se"), ["--sessions"])
        self.assertIn("--members", self.completed("zabctl", "restore", "--"))
        self.assertEqual(self.completed("zabctl", "snapshot", "server.l"), ["server.log"])


if __name__ == "__main__":
    unittest.main()
