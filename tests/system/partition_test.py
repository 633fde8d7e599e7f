"""An ensemble whose network is cut: between its servers, in one direction or both."""

import unittest

import network
import wire
from deadline import wait_until
from ensemble import SECONDS, Ensemble, differences, mode, synced_tree

HAS_NETWORK = network.enter()


@unittest.skipUnless(HAS_NETWORK, "no right to make network namespaces")
class Partitions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cables = network.Network(5)
        cls.addClassCleanup(cls.cables.remove)

    def ensemble(self, count):
        ensemble = Ensemble(count, places=self.cables.places()[:count])
        self.addCleanup(ensemble.remove)
        ensemble.start()
        with ensemble.servers[0].connect() as connection:
            connection.call(wire.CREATE, wire.create("/register"))
            connection.close_session()
        return ensemble

    def lead_by_the_last(self, ensemble):
        """Equal histories give the highest number the vote, so it leads sooner or later."""
        last = ensemble.servers[-1]
        while (leader := ensemble.leader()) is not last:
            leader.kill()
            ensemble.leader(ensemble.others(leader))
            leader.launch()
            ensemble.wait_for(leader)
        return last

    def block(self, sources, targets, is_blocked=True):
        for source in sources:
            for target in targets:
                self.cables.block(source.number, target.number, is_blocked)

    def write(self, servers, value):
        """Until one of them acknowledges it."""

        def written():
            for server in servers:
                try:
                    with server.connect(patience=2) as connection:
                        body = wire.set_data("/register", value)
                        reply = connection.call(wire.SET_DATA, body)
                        connection.close_session()
                        return reply.error == wire.OK
                except (OSError, wire.Refused):
                    continue
            return False

        wait_until(written, f"{value} is acknowledged", seconds=SECONDS)

    def assert_whole_again(self, ensemble, value):
        for server in ensemble.servers:
            ensemble.wait_for(server)
        trees = [synced_tree(server) for server in ensemble.servers]
        for tree in trees:
            self.assertEqual(tree["/register"][0], value)
            self.assertEqual(differences(trees[0], tree), [])

    def test_a_leader_that_is_cut_off_serves_nobody(self):
        three = self.ensemble(3)
        leader = three.leader()
        others = three.others(leader)
        self.block([leader], others)
        self.block(others, [leader])
        wait_until(lambda: mode(leader) == "", "it has stepped down", seconds=SECONDS)
        with self.assertRaises((OSError, wire.Refused)):
            leader.connect(patience=3)
        self.write(others, b"without it")
        self.block([leader], others, False)
        self.block(others, [leader], False)
        self.assert_whole_again(three, b"without it")

    def test_a_leader_that_hears_nobody_does_not_stop_the_others(self):
        three = self.ensemble(3)
        leader = self.lead_by_the_last(three)
        others = three.others(leader)
        self.block(others, [leader])
        wait_until(lambda: mode(leader) == "", "it has stepped down", seconds=SECONDS)
        self.write(others, b"without it")
        self.block(others, [leader], False)
        self.assert_whole_again(three, b"without it")

    def test_a_leader_that_nobody_hears_does_not_stop_the_others(self):
        three = self.ensemble(3)
        leader = self.lead_by_the_last(three)
        others = three.others(leader)
        self.block([leader], others)
        wait_until(lambda: mode(leader) == "", "it has stepped down", seconds=SECONDS)
        self.write(others, b"without it")
        self.block([leader], others, False)
        self.assert_whole_again(three, b"without it")

    def test_a_candidate_that_hears_nobody_does_not_stop_the_others(self):
        """It has the highest number, and the others hear it vote for itself."""
        five = self.ensemble(5)
        leader = self.lead_by_the_last(five)
        *others, deaf = five.others(leader)
        self.block(others, [deaf])
        leader.kill()
        self.write(others, b"without both")
        self.block(others, [deaf], False)
        leader.launch()
        self.assert_whole_again(five, b"without both")


if __name__ == "__main__":
    unittest.main()
