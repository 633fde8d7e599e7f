"""Sessions that come back at another server, against ensembles of Apache ZooKeeper and of zabd: do both
say the same on the connection that the session has left?

ZooKeeper's error SessionMoved is seen here, though no client ever reads it: the server closes the
connection in its place.
"""

import concurrent.futures
import contextlib
import pathlib
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))

import wire
from ensemble import Ensemble

CHECK_BODY = wire.versioned("/left")
MULTI_READ, SET_WATCHES2 = 22, 105
REQUESTS = {
    "ping": None,
    "exists": (wire.EXISTS, wire.read("/left")),
    "exists with a watch": (wire.EXISTS, wire.read("/left", True)),
    "getData": (wire.GET_DATA, wire.read("/left")),
    "getData of nothing": (wire.GET_DATA, wire.read("/nothing")),
    "getChildren": (wire.GET_CHILDREN, wire.read("/left")),
    "getACL": (wire.GET_ACL, wire.string("/left")),
    "getEphemerals": (wire.GET_EPHEMERALS, wire.string("/")),
    "whoAmI": (wire.WHO_AM_I, b""),
    "addWatch": (wire.ADD_WATCH, wire.versioned("/left", 0)),
    "setWatches": (wire.SET_WATCHES, struct.pack(">q", 0) + 3 * wire.strings([])),
    "multiRead": (MULTI_READ, wire.multi([(wire.GET_CHILDREN, wire.read("/left"))])),
    "sync": (wire.SYNC, wire.string("/left")),
    "create": (wire.CREATE, wire.create("/left/new")),
    "create2": (wire.CREATE2, wire.create("/left/new")),
    "create of what exists": (wire.CREATE, wire.create("/left")),
    "create an ephemeral": (wire.CREATE, wire.create("/left/new", flags=wire.EPHEMERAL)),
    "createContainer": (wire.CREATE_CONTAINER, wire.create("/left/new", flags=wire.CONTAINER)),
    "setData": (wire.SET_DATA, wire.set_data("/left", b"new")),
    "setData of a version": (wire.SET_DATA, wire.set_data("/left", b"new", 7)),
    "delete": (wire.DELETE, wire.versioned("/left/child")),
    "delete nothing": (wire.DELETE, wire.versioned("/nothing")),
    "setACL": (wire.SET_ACL,
               wire.string("/left") + wire.acl(wire.ANYONE) + struct.pack(">i", -1)),
    "check": (wire.CHECK, CHECK_BODY),
    "multi": (wire.MULTI, wire.multi([(wire.CREATE, wire.create("/left/new"))])),
    "multi of a check": (wire.MULTI, wire.multi([(wire.CHECK, CHECK_BODY)])),
    "multi of nothing": (wire.MULTI, wire.multi([])),
    "closeSession": (wire.CLOSE_SESSION, b""),
}  # fmt: skip


def answer(connection, request):
    """The error of the reply, or what happened in its place."""
    try:
        if request is None:
            connection.ping()
            return "0"
        return str(connection.call(*request).error)
    except (ConnectionError, TimeoutError) as error:
        return "closed" if isinstance(error, ConnectionError) else "silence"


def come_back(server, old, password=None):
    """A connection that asks for the session of another, and what the server makes of that."""
    try:
        new = wire.Connection(server.port, session=old.session, password=password or old.password)
    except wire.Refused:
        return contextlib.nullcontext(), "refused"
    return new, "the same session" if new.session == old.session else "no session"


class Transcript:
    """What one ensemble says to all of it."""

    def __init__(self, kind):
        self.lines = {}
        self.ensemble = Ensemble(kind=kind)
        try:
            self.ensemble.start()
            leader = self.ensemble.leader()
            followers = self.ensemble.others(leader)
            self.roads = {"follower to follower": followers,
                          "follower to leader": (followers[0], leader),
                          "leader to follower": (leader, followers[0]),
                          "follower to itself": (followers[0], followers[0])}  # fmt: skip
            with wire.Connection(leader.port) as first:
                first.call(wire.CREATE, wire.create("/left"))
                first.call(wire.CREATE, wire.create("/left/child"))
                self.witness = first
                self.run()
        finally:
            self.ensemble.remove()

    def run(self):
        for road, (left, found) in self.roads.items():
            for name, request in REQUESTS.items():
                self.move(f"{road}, {name}", left, found, request)
            self.refusals(road, left, found)

    def move(self, title, left, found, request):
        with wire.Connection(left.port) as old:
            old.call(wire.SYNC, wire.string("/"))
            new, said = come_back(found, old)
            with new:
                said = [said, answer(new, REQUESTS["setData"]), answer(old, request)]
                self.witness.call(wire.SYNC, wire.string("/"))
                said += [answer(self.witness, (wire.EXISTS, wire.read("/left/new")))]
                said += [answer(new, REQUESTS["getData"]), answer(new, REQUESTS["closeSession"])]
        self.witness.call(wire.DELETE, wire.versioned("/left/new"))
        self.witness.call(wire.CREATE, wire.create("/left/child"))
        self.lines[title] = said

    def refusals(self, road, left, found):
        """Who comes back with a wrong password, twice, or when it is over."""
        with wire.Connection(left.port) as old:
            stranger, said = come_back(found, old, b"w" * 16)
            with stranger:
                said = [said, answer(old, REQUESTS["setData"])]
            new, again = come_back(found, old)
            with new:
                back, and_again = come_back(left, old)
                with back:
                    said += [again, and_again, answer(back, REQUESTS["setData"]),
                             answer(new, REQUESTS["setData"]),
                             answer(back, REQUESTS["closeSession"])]  # fmt: skip
            late, said_at_last = come_back(found, old)
            with late:
                self.lines[f"{road}, refusals"] = [*said, said_at_last]


LEFT = 2  # of what a move makes them say: the answer on the connection that the session has left


def intended(title, theirs):
    """What zabd may say in place of ZooKeeper; docs/compatibility.md has the reasons."""
    if title == "follower to itself, refusals":  # The password is checked first.
        return [theirs[0], "0", *theirs[2:]]
    if "refusals" in title:
        return theirs
    left = [*theirs]
    left[LEFT] = "closed"  # A session that has moved has left.
    if title.endswith("closeSession"):
        left[LEFT + 2 :] = ["0", "0"]
    return left


class MovedSessions(unittest.TestCase):
    def test_the_differences_are_the_intended_ones(self):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            zookeeper, zabd = pool.map(Transcript, ("zookeeper", "zabd"))
        self.assertEqual(zookeeper.lines.keys(), zabd.lines.keys())
        unintended = {}
        for title, theirs in zookeeper.lines.items():
            ours = zabd.lines[title]
            if ours not in (theirs, intended(title, theirs)):
                unintended[title] = {"zookeeper": theirs, "zabd": ours}
        self.assertEqual(unintended, {})
        moves = [line for title, line in zabd.lines.items() if "refusals" not in title]
        self.assertEqual({line[0] for line in moves}, {"the same session"})
        self.assertEqual({line[LEFT + 1] for line in moves}, {str(wire.NO_NODE)})  # Nothing was made.
        print(f"{len(zabd.lines)} moves compared")


if __name__ == "__main__":
    unittest.main()
