"""kazoo's own tests of its recipes, which Debian's package brings along, against an ensemble.

    kazoo_suite_test.py [PYTEST-ARGUMENT ...]
"""

import gc
import os
import pathlib
import sys
import types

import kazoo.testing.harness
import pytest

from ensemble import Ensemble

TESTS = pathlib.Path(kazoo.testing.harness.__file__).parent.parent / "tests"
MODULES = ("barrier", "cache", "counter", "election", "lease", "lock", "partitioner", "party",
           "queue", "security", "watchers")  # fmt: skip
SETTINGS = ("4lw.commands.whitelist=*",)


def counting_objects():
    """What kazoo's tests use of the library objgraph."""
    module = types.ModuleType("objgraph")
    module.count = lambda name: sum(type(each).__name__ == name for each in gc.get_objects())
    return module


class Member:
    """A server under the names that kazoo's harness has for it."""

    def __init__(self, ensemble, server):
        self.ensemble = ensemble
        self.server = server
        self.address = server.hosts

    @property
    def running(self):
        return self.server.is_up()

    def run(self):
        if not self.running:
            self.server.launch()

    def stop(self):
        if self.running:
            self.server.stop()


class Cluster:
    def __init__(self):
        self.ensemble = Ensemble(3, settings=SETTINGS, tick_ms=2000)
        self.members = [Member(self.ensemble, server) for server in self.ensemble.servers]

    def __iter__(self):
        return iter(self.members)

    def __getitem__(self, number):
        return self.members[number]

    def start(self):
        for member in self.members:
            member.run()
        for server in self.ensemble.servers:
            self.ensemble.wait_for(server)


def main():
    os.environ.setdefault("ZOOKEEPER_VERSION", "3.8.0")
    sys.modules["objgraph"] = counting_objects()
    cluster = Cluster()
    kazoo.testing.harness.get_global_cluster = lambda: cluster
    modules = [str(TESTS / f"test_{module}.py") for module in MODULES]
    quiet = ["-q", "-p", "no:cacheprovider", "--rootdir", str(TESTS), "--tb=short"]
    try:
        return pytest.main([*quiet, *(sys.argv[1:] or modules)])
    finally:
        cluster.ensemble.remove()


if __name__ == "__main__":
    sys.exit(main())
