"""Znodes that end by themselves: containers and times to live, over a restart and a new leader."""

import struct
import time
import unittest

import wire
from deadline import wait_until
from ensemble import Ensemble
from server import Server

SETTINGS = ["znode.container.checkIntervalMs=100"]
NODE_DELETED = 2


def create_ttl(path, ttl_ms, flags=5):
    return wire.create(path, flags=flags) + struct.pack(">q", ttl_ms)


def exists(connection, path):
    return connection.call(wire.EXISTS, wire.read(path)).error == wire.OK


class EndingZnodes(unittest.TestCase):
    def setUp(self):
        self.server = Server(settings=SETTINGS)
        self.addCleanup(self.server.remove)
        self.server.start()
        self.connection = self.connect()

    def connect(self):
        connection = self.server.connect()
        self.addCleanup(connection.socket.close)
        return connection

    def call(self, operation, body):
        reply = self.connection.call(operation, body)
        self.assertEqual(reply.error, wire.OK)
        return reply

    def wait_until_gone(self, path):
        wait_until(lambda: not exists(self.connection, path), f"{path} is gone")

    def test_a_container_goes_after_its_last_child_and_its_watchers_hear_of_it(self):
        made = self.call(wire.CREATE_CONTAINER, wire.create("/c", flags=wire.CONTAINER))
        _, at = wire.take_buffer(made.body, 0)
        self.assertEqual(wire.Stat(*wire.STAT.unpack_from(made.body, at)).ephemeral_owner, 0)
        self.call(wire.CREATE_CONTAINER, wire.create("/unused", flags=wire.CONTAINER))
        self.call(wire.CREATE, wire.create("/c/x"))
        self.call(wire.GET_DATA, wire.read("/c", watch=True))
        self.call(wire.DELETE, wire.versioned("/c/x"))
        self.wait_until_gone("/c")
        deleted = struct.pack(">ii", NODE_DELETED, 3) + wire.string("/c")
        self.assertEqual(self.connection.events, [deleted])
        self.assertTrue(exists(self.connection, "/unused"))

    def test_a_container_that_is_empty_goes_after_a_restart_too(self):
        self.call(wire.CREATE_CONTAINER, wire.create("/c", flags=wire.CONTAINER))
        self.call(wire.CREATE, wire.create("/c/x"))
        self.server.kill()
        self.server.start()
        self.connection = self.connect()
        self.assertTrue(exists(self.connection, "/c/x"))
        self.call(wire.DELETE, wire.versioned("/c/x"))
        self.wait_until_gone("/c")

    def test_a_time_to_live_begins_anew_when_data_is_set(self):
        self.call(wire.CREATE_TTL, create_ttl("/t", 1000))
        self.call(wire.CREATE_TTL, create_ttl("/long", 2**40 - 1))
        self.call(wire.CREATE_TTL, create_ttl("/parent", 1))
        self.call(wire.CREATE, wire.create("/parent/child"))
        renewed = time.monotonic()
        self.call(wire.SET_DATA, wire.set_data("/t", b"again"))
        self.wait_until_gone("/t")
        self.assertGreaterEqual(time.monotonic() - renewed, 1)
        self.assertTrue(exists(self.connection, "/parent/child"))
        self.call(wire.DELETE, wire.versioned("/parent/child"))
        self.wait_until_gone("/parent")
        self.assertTrue(exists(self.connection, "/long"))

    def test_a_time_to_live_can_be_switched_off(self):
        self.server.stop()
        with self.server.config.open("a") as config:
            config.write("extendedTypesEnabled=false\n")
        self.server.start()
        self.connection = self.connect()
        unimplemented = -6
        reply = self.connection.call(wire.CREATE_TTL, create_ttl("/t", 1000))
        self.assertEqual(reply.error, unimplemented)
        self.call(wire.CREATE_CONTAINER, wire.create("/c", flags=wire.CONTAINER))


class EndingZnodesOfAnEnsemble(unittest.TestCase):
    def test_the_next_leader_removes_what_the_last_one_did_not(self):
        ensemble = Ensemble(settings=["znode.container.checkIntervalMs=1000"])
        self.addCleanup(ensemble.remove)
        ensemble.start()
        leader = ensemble.leader()
        follower = ensemble.others(leader)[0]
        with follower.connect() as connection:
            for path in ("/c", "/kept"):
                connection.call(wire.CREATE_CONTAINER, wire.create(path, flags=wire.CONTAINER))
                connection.call(wire.CREATE, wire.create(f"{path}/x"))
            connection.call(wire.CREATE_TTL, create_ttl("/t", 1))
            reply = connection.call(wire.DELETE, wire.versioned("/c/x"))
            self.assertEqual(reply.error, wire.OK)
        leader.kill()
        ensemble.leader(among=ensemble.others(leader))
        for server in ensemble.others(leader):
            ensemble.wait_for(server)
            with server.connect() as connection:
                for path in ("/c", "/t"):
                    wait_until(lambda: not exists(connection, path), f"{path} is gone")
                self.assertTrue(exists(connection, "/kept"))


if __name__ == "__main__":
    unittest.main()
