"""Every call of kazoo's client, with the answers that Apache ZooKeeper gives."""

import queue
import unittest

from kazoo import exceptions, security
from kazoo.client import KazooClient
from kazoo.protocol.states import EventType

from server import ServerTestCase, not_in_this_version


class ClientCalls(ServerTestCase):
    def setUp(self):
        self.zk = KazooClient(hosts=self.server.hosts)
        self.zk.start()
        self.addCleanup(self.zk.close)
        self.addCleanup(self.zk.stop)
        self.root = f"/{self.id().rsplit('.', 1)[1]}"
        self.zk.create(self.root)

    def at(self, name):
        return f"{self.root}/{name}"

    def test_what_is_created_is_read_back(self):
        self.assertEqual(self.zk.create(self.at("n"), b"one"), self.at("n"))
        data, stat = self.zk.get(self.at("n"))
        self.assertEqual(data, b"one")
        self.assertEqual((stat.version, stat.data_length, stat.children_count), (0, 3, 0))
        self.assertEqual(stat.czxid, stat.mzxid)
        self.assertGreater(stat.ctime, 1_500_000_000_000)

    def test_set_raises_the_version_and_keeps_the_creation(self):
        self.zk.create(self.at("n"), b"one")
        created = self.zk.exists(self.at("n"))
        changed = self.zk.set(self.at("n"), b"two and more")
        self.assertEqual(changed.version, 1)
        self.assertEqual(changed.czxid, created.czxid)
        self.assertGreater(changed.mzxid, created.mzxid)
        self.assertEqual(self.zk.get(self.at("n"))[0], b"two and more")

    def test_null_and_empty_data_are_told_apart(self):
        self.zk.create(self.at("null"), None)
        self.zk.create(self.at("empty"), b"")
        self.assertIsNone(self.zk.get(self.at("null"))[0])
        self.assertEqual(self.zk.get(self.at("empty"))[0], b"")
        self.zk.set(self.at("empty"), None)
        self.assertIsNone(self.zk.get(self.at("empty"))[0])

    def test_every_byte_value_survives(self):
        self.zk.create(self.at("bytes"), bytes(range(256)))
        self.assertEqual(self.zk.get(self.at("bytes"))[0], bytes(range(256)))

    def test_a_name_outside_ascii_survives(self):
        self.zk.create(self.at("größe-水"), b"")
        self.assertEqual(self.zk.get_children(self.root), ["größe-水"])

    def test_a_large_value_survives(self):
        large = b"0123456789abcdef" * 50000
        self.zk.create(self.at("large"), large)
        self.assertEqual(self.zk.get(self.at("large"))[0], large)

    def test_versions_guard_set_and_delete(self):
        self.zk.create(self.at("n"), b"")
        self.zk.set(self.at("n"), b"1", version=0)
        with self.assertRaises(exceptions.BadVersionError):
            self.zk.set(self.at("n"), b"2", version=0)
        with self.assertRaises(exceptions.BadVersionError):
            self.zk.delete(self.at("n"), version=0)
        self.zk.delete(self.at("n"), version=1)
        self.assertIsNone(self.zk.exists(self.at("n")))

    def test_refusals_carry_zookeepers_errors(self):
        self.zk.create(self.at("a/b"), b"", makepath=True)
        with self.assertRaises(exceptions.NodeExistsError):
            self.zk.create(self.at("a"))
        with self.assertRaises(exceptions.NotEmptyError):
            self.zk.delete(self.at("a"))
        for call in (self.zk.get, self.zk.get_children, self.zk.delete, self.zk.get_acls):
            with self.assertRaises(exceptions.NoNodeError):
                call(self.at("absent"))
        with self.assertRaises(exceptions.NoNodeError):
            self.zk.create(self.at("absent/child"))
        with self.assertRaises(exceptions.BadArgumentsError):
            self.zk.delete("/")

    def test_an_ephemeral_has_an_owner_and_no_children(self):
        self.zk.create(self.at("e"), ephemeral=True)
        self.assertEqual(self.zk.exists(self.at("e")).owner_session_id, self.zk.client_id[0])
        with self.assertRaises(exceptions.NoChildrenForEphemeralsError):
            self.zk.create(self.at("e/child"))

    def test_sequential_names_never_repeat(self):
        first = self.zk.create(self.at("q-"), sequence=True)
        second = self.zk.create(self.at("q-"), sequence=True)
        self.assertEqual(first, self.at("q-0000000000"))
        self.assertEqual(second, self.at("q-0000000001"))
        self.zk.delete(second)
        third = self.zk.create(self.at("q-"), sequence=True, ephemeral=True)
        self.assertGreater(third, second)

    def test_create_can_answer_with_the_stat(self):
        path, stat = self.zk.create(self.at("n"), b"abc", include_data=True)
        self.assertEqual(path, self.at("n"))
        self.assertEqual((stat.version, stat.data_length), (0, 3))

    def test_children_are_listed_and_counted(self):
        for name in ("a", "b", "c"):
            self.zk.create(self.at(name))
        self.assertEqual(sorted(self.zk.get_children(self.root)), ["a", "b", "c"])
        names, stat = self.zk.get_children(self.root, include_data=True)
        self.assertEqual((len(names), stat.children_count, stat.cversion), (3, 3, 3))
        self.zk.delete(self.root, recursive=True)
        self.assertIsNone(self.zk.exists(self.root))

    def test_acls_are_kept_and_enforced(self):
        self.zk.create(self.at("read"), b"x", acl=security.READ_ACL_UNSAFE)
        self.assertEqual(self.zk.get_acls(self.at("read"))[0], security.READ_ACL_UNSAFE)
        self.assertEqual(self.zk.get(self.at("read"))[0], b"x")
        with self.assertRaises(exceptions.NoAuthError):
            self.zk.set(self.at("read"), b"y")
        with self.assertRaises(exceptions.NoAuthError):
            self.zk.create(self.at("read/child"))
        with self.assertRaises(exceptions.InvalidACLError):
            self.zk.create(self.at("bad"), acl=[security.make_acl("nonsense", "x", all=True)])

    @not_in_this_version
    def test_acls_can_be_changed(self):
        self.zk.create(self.at("n"))
        self.zk.set_acls(self.at("n"), security.READ_ACL_UNSAFE)
        acls, stat = self.zk.get_acls(self.at("n"))
        self.assertEqual((acls, stat.aversion), (security.READ_ACL_UNSAFE, 1))

    def test_a_password_opens_what_it_closed(self):
        with_password = security.make_digest_acl("me", "secret", all=True)
        self.zk.create(self.at("mine"), b"x", acl=[with_password])
        with self.assertRaises(exceptions.NoAuthError):
            self.zk.get(self.at("mine"))
        self.zk.add_auth("digest", "me:secret")
        self.assertEqual(self.zk.get(self.at("mine"))[0], b"x")
        self.assertEqual(self.zk.get_acls(self.at("mine"))[0], [with_password])

    def test_a_transaction_is_all_or_nothing(self):
        self.zk.create(self.at("n"), b"0")
        good = self.zk.transaction()
        good.check(self.at("n"), 0)
        good.create(self.at("made"), b"m")
        good.set_data(self.at("n"), b"1")
        good.delete(self.at("made"))
        results = good.commit()
        self.assertEqual([results[0], results[1], results[3]], [True, self.at("made"), True])
        self.assertEqual(results[2].version, 1)
        bad = self.zk.transaction()
        bad.create(self.at("made"), b"")
        bad.check(self.at("n"), 0)
        bad.delete(self.at("n"))
        rolled_back, failed, not_reached = bad.commit()
        self.assertIsInstance(rolled_back, exceptions.RolledBackError)
        self.assertIsInstance(failed, exceptions.BadVersionError)
        self.assertIsInstance(not_reached, exceptions.RuntimeInconsistency)
        self.assertIsNone(self.zk.exists(self.at("made")))
        self.assertEqual(self.zk.get(self.at("n"))[0], b"1")

    def test_requests_can_be_pipelined(self):
        pending = [
            self.zk.create_async(self.at(f"n{number:04}"), str(number).encode())
            for number in range(500)
        ]
        reads = [self.zk.get_async(self.at(f"n{number:04}")) for number in range(500)]
        self.assertEqual([p.get(20) for p in pending], [self.at(f"n{n:04}") for n in range(500)])
        self.assertEqual([r.get(20)[0] for r in reads], [str(n).encode() for n in range(500)])
        zxids = [r.get()[1].czxid for r in reads]
        self.assertEqual(zxids, sorted(set(zxids)))

    def test_sync_answers_with_the_path(self):
        self.assertEqual(self.zk.sync(self.root), self.root)


class Watches(ServerTestCase):
    def setUp(self):
        self.zk = KazooClient(hosts=self.server.hosts)
        self.other = KazooClient(hosts=self.server.hosts)
        for client in (self.zk, self.other):
            client.start()
            self.addCleanup(client.close)
            self.addCleanup(client.stop)
        self.root = f"/{self.id().rsplit('.', 1)[1]}"
        self.zk.create(self.root)
        self.events = queue.Queue()

    def event(self):
        return self.events.get(timeout=20)

    def test_a_data_watch_fires_once(self):
        self.zk.get(self.root, watch=self.events.put)
        self.other.set(self.root, b"1")
        event = self.event()
        self.assertEqual((event.type, event.path), (EventType.CHANGED, self.root))
        self.assertEqual(self.zk.get(self.root)[0], b"1")
        self.other.set(self.root, b"2")
        self.zk.sync(self.root)
        self.zk.get(self.root)
        self.assertTrue(self.events.empty())

    def test_an_exists_watch_fires_at_creation_and_deletion(self):
        self.assertIsNone(self.zk.exists(self.root + "/n", watch=self.events.put))
        self.other.create(self.root + "/n")
        self.assertEqual(self.event().type, EventType.CREATED)
        self.zk.exists(self.root + "/n", watch=self.events.put)
        self.other.delete(self.root + "/n")
        self.assertEqual(self.event().type, EventType.DELETED)

    def test_a_child_watch_fires_for_children_only(self):
        self.zk.get_children(self.root, watch=self.events.put)
        self.other.set(self.root, b"data is not a child")
        self.other.create(self.root + "/n")
        event = self.event()
        self.assertEqual((event.type, event.path), (EventType.CHILD, self.root))


if __name__ == "__main__":
    unittest.main()
