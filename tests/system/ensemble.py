"""Several servers that are one service, on one machine, for one test: see server.py.

Each is a Server: start, kill, pause and go_on one of them by itself. The lines of the configuration
that all share are made here, and the secret that the servers of one ensemble prove to each other.
"""

import os
import pathlib
import re
import shutil
import socket
import tempfile

import wire
from deadline import wait_until
from server import KIND, TICK_MS, Server, free_port

SECONDS = 60  # For whatever should come at once: a slow machine that does other things too.


def four_letters(server, word, patience=2):
    """The answer to a four-letter word, or nothing if there is none."""
    try:
        with socket.create_connection((server.address, server.port), timeout=patience) as asked:
            asked.sendall(word.encode())
            answer = b""
            while more := asked.recv(1 << 16):
                answer += more
            return answer.decode()
    except OSError:
        return ""


def mode(server):
    """What the server says it is: leader, follower, observer, or nothing if it serves nobody."""
    if not server.is_up():
        return ""
    found = re.search(r"^Mode: (\w+)$", four_letters(server, "srvr"), re.MULTILINE)
    return found[1] if found and found[1] != "leaderelection" else ""


class Ensemble:
    """`voters` servers that elect, and `observers` that only follow. `places[n]` may say where
    server n+1 runs, as (address, prefix) for Server; by default all are on loopback."""

    def __init__(self, voters=3, observers=0, kind=KIND, settings=(), places=None,
                 tick_ms=TICK_MS):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="zabfs-test."))
        self.secret = self.directory / "secret"
        self.write_secret(self.secret, "the secret of this test")
        count = voters + observers
        places = places or [("127.0.0.1", ())] * count
        limits = [f"initLimit={20_000 // tick_ms}", f"syncLimit={10_000 // tick_ms}"]
        lines = [*settings, *limits]
        if kind == "zabd":
            lines.append(f"zabfs.peerSecretFile={self.secret}")
            if any(not address.startswith("127.") for address, _ in places):
                lines.append("zabfs.allowPlaintextPeers=true")
        for number, (address, _) in enumerate(places, 1):
            role = "participant" if number <= voters else "observer"
            lines.append(f"server.{number}={address}:{free_port()}:{free_port()}:{role}")
        self.servers = []
        for number, (address, prefix) in enumerate(places, 1):
            own = ["peerType=observer"] if number > voters else []
            server = Server(kind, [*lines, *own], address, prefix, tick_ms)
            server.number = number
            self.servers.append(server)
            self.write_number(server)

    @staticmethod
    def write_secret(path, text):
        path.touch(mode=0o600)
        path.write_text(text)

    @staticmethod
    def write_number(server):
        (server.directory / "data" / "myid").write_text(f"{server.number}\n")

    @property
    def hosts(self):
        return ",".join(server.hosts for server in self.servers)

    def start(self):
        for server in self.servers:
            server.launch()
        for server in self.servers:
            self.wait_for(server)

    def wait_for(self, server):
        wait_until(server.answers, f"server {server.number} serves", seconds=SECONDS)

    def empty(self, server):
        """What a new disk has: nothing but the number of the server."""
        shutil.rmtree(server.directory / "data")
        os.mkdir(server.directory / "data")
        self.write_number(server)

    def leader(self, among=None):
        """The server that leads, as soon as there is one `among` these (by default, all)."""

        def leading():
            return [s for s in among or self.servers if mode(s) == "leader"]

        return wait_until(leading, "there is a leader", seconds=SECONDS)[0]

    def followers(self):
        leader = self.leader()
        return [s for s in self.servers if s is not leader]

    def others(self, *servers):
        return [s for s in self.servers if s not in servers]

    def remove(self):
        for server in self.servers:
            server.remove()
        shutil.rmtree(self.directory)


def read_tree(connection, path="/"):
    """Everything below `path`, as path -> (data, stat), as this server has it."""
    tree = {}
    ahead = [path]
    while ahead:
        requests = []
        for each in ahead:
            requests.append((wire.GET_DATA, wire.read(each)))
            requests.append((wire.GET_CHILDREN, wire.read(each)))
        replies = connection.call_all(requests)
        below = []
        for each, data, children in zip(ahead, replies[::2], replies[1::2]):
            if data.error != wire.OK or children.error != wire.OK:
                continue  # It went away while we read.
            if each == "/zookeeper/config":
                continue  # Apache ZooKeeper's servers write their own, each at its own time.
            tree[each] = wire.get_data_reply(data.body)
            names = wire.take_strings(children.body)
            below += [f"{each.rstrip('/')}/{name}" for name in sorted(names)]
        ahead = below
    return tree


def synced_tree(server, path="/"):
    """The tree of this server, not older than anything acknowledged before the call."""
    with server.connect() as connection:
        reply = connection.call(wire.SYNC, wire.string(path))
        if reply.error != wire.OK:
            raise AssertionError(f"server {server.number} answered a sync with {reply}")
        tree = read_tree(connection, path)
        connection.close_session()
        return tree


def differences(one, other):
    """The first few paths at which two trees are not the same, with what is there."""

    def brief(found):
        return found and (found[0] and found[0][:40], found[1])

    paths = sorted(path for path in {*one, *other} if one.get(path) != other.get(path))
    return [(path, brief(one.get(path)), brief(other.get(path))) for path in paths[:5]]
