"""A network of our own for the servers of one test: each is a machine with an address, and its
cable can be pulled.

Everything lives in network namespaces that belong to processes of the test, so nothing is left when
these end, however they end. `enter` starts the test again inside the first of them.
"""

import os
import subprocess
import sys

from server import dies_with_its_parent

INSIDE = "ZABFS_TEST_NETWORK"
SUBNET = "10.77.0"


def enter():
    """Whether there can be a Network; if so, returns only in a process that is alone in its own."""
    if os.environ.get(INSIDE):
        run("ip", "link", "set", "lo", "up")
        return True
    rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    alone = ["unshare", *rights, "--net", "--"]
    attempt = "ip link add name try0 type bridge && ip link add name try1 type veth peer name try2"
    tried = subprocess.run([*alone, "sh", "-c", attempt], capture_output=True, check=False)
    if tried.returncode != 0:
        return False
    sys.stdout.flush()
    os.environ[INSIDE] = "1"
    os.execvp(alone[0], [*alone, sys.executable, *sys.argv])


def run(*command):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


class Network:
    """`count` machines on one switch; this process is on the switch too, and always connected."""

    def __init__(self, count):
        self.machines = []
        run("ip", "link", "add", "name", "switch", "type", "bridge")
        run("ip", "address", "add", f"{SUBNET}.254/24", "dev", "switch")
        run("ip", "link", "set", "switch", "up")
        for number in range(1, count + 1):
            self.machines.append(self._machine(number))

    def _machine(self, number):
        """A process that does nothing but keep its namespace; ends when its input does."""
        keeper = subprocess.Popen(["unshare", "--net", "--", "sh", "-c", "echo; exec cat"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  preexec_fn=dies_with_its_parent)
        keeper.stdout.readline()  # Now it is in its own namespace.
        run("ip", "link", "add", "name", f"port{number}", "type", "veth",
            "peer", "name", "eth0", "netns", str(keeper.pid))
        run("ip", "link", "set", f"port{number}", "master", "switch", "up")
        inside = self.prefix(keeper)
        run(*inside, "ip", "link", "set", "lo", "up")
        run(*inside, "ip", "address", "add", f"{self.address(number)}/24", "dev", "eth0")
        run(*inside, "ip", "link", "set", "eth0", "up")
        return keeper

    @staticmethod
    def prefix(keeper):
        return "nsenter", f"--net=/proc/{keeper.pid}/ns/net", "--"

    @staticmethod
    def address(number):
        return f"{SUBNET}.{number}"

    def places(self):
        """For Ensemble: where each of its servers runs."""
        return [(self.address(number), self.prefix(keeper))
                for number, keeper in enumerate(self.machines, 1)]

    def cut(self, number, is_cut=True):
        """Nothing comes or goes, neither from servers nor from clients."""
        run("ip", "link", "set", f"port{number}", "down" if is_cut else "up")

    def block(self, source, target, is_blocked=True):
        """What `source` says does not reach `target`; the other direction works, and so do clients."""
        run(*self.prefix(self.machines[source - 1]), "ip", "route",
            "add" if is_blocked else "del", "blackhole", f"{self.address(target)}/32")

    def remove(self):
        for keeper in self.machines:
            keeper.stdin.close()
            keeper.stdout.close()
            keeper.wait()
        run("ip", "link", "del", "switch")
