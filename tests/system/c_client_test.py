"""ZooKeeper's C client: the asynchronous program c_client.c, and Debian's shell cli_mt."""

import subprocess
import unittest

from server import BIN, Server, dies_with_its_parent

CLI = "/usr/lib/zookeeper/bin/cli_mt"


class CClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(settings=["extendedTypesEnabled=true"])
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()

    def run_program(self, *command):
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            preexec_fn=dies_with_its_parent,
        )
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        return ended.stdout + ended.stderr

    def test_every_fact_of_the_asynchronous_program_holds(self):
        output = self.run_program(str(BIN / "c_client"), self.server.hosts)
        self.assertIn("every fact held", output)

    def test_the_c_shell_creates_lists_and_reads(self):
        def cli(command):
            return self.run_program(CLI, "-h", self.server.hosts, "-c", command)

        cli("create /cli")
        cli("set /cli hello")
        self.assertIn("\tcli\n", cli("ls /"))
        self.assertIn("hello", cli("get /cli"))


if __name__ == "__main__":
    unittest.main()
