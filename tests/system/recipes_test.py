"""kazoo's recipes between several clients: what people build their coordination from."""

import queue
import threading
import unittest

from kazoo.client import KazooClient
from kazoo.recipe.cache import TreeCache

from deadline import wait_until
from server import ServerTestCase


class Recipes(ServerTestCase):
    def setUp(self):
        self.clients = [KazooClient(hosts=self.server.hosts) for _ in range(3)]
        for client in self.clients:
            client.start()
            self.addCleanup(client.close)
            self.addCleanup(client.stop)
        self.root = f"/{self.id().rsplit('.', 1)[1]}"

    def together(self, work):
        """Runs `work(client)` for every client at once; a failure of one fails the test."""
        failures = queue.Queue()

        def run(client):
            try:
                work(client)
            except BaseException as failure:  # Reported below, in the test's own thread.
                failures.put(failure)

        threads = [threading.Thread(target=run, args=(c,), daemon=True) for c in self.clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
            self.assertFalse(thread.is_alive(), "a client is stuck")
        if not failures.empty():
            raise failures.get()

    def test_a_lock_has_one_holder_at_a_time(self):
        holders = []
        most = []

        def work(client):
            lock = client.Lock(self.root, str(client.client_id[0]))
            for _ in range(10):
                with lock:
                    holders.append(client)
                    most.append(len(holders))
                    client.get(self.root)
                    holders.remove(client)

        self.together(work)
        self.assertEqual(most, [1] * 30)

    def test_a_lock_passes_on_when_its_holder_goes(self):
        first, second, watcher = self.clients
        self.assertTrue(first.Lock(self.root, "first").acquire())
        taken = threading.Event()
        waiting = second.Lock(self.root, "second")
        thread = threading.Thread(
            target=lambda: waiting.acquire(timeout=20) and taken.set(), daemon=True
        )
        thread.start()
        contenders = watcher.Lock(self.root).contenders
        wait_until(lambda: contenders() == ["first", "second"], "the second client queues")
        self.assertFalse(taken.is_set())
        first.stop()
        self.assertTrue(taken.wait(20), "the lock did not pass on")
        thread.join(20)

    def test_readers_share_and_writers_do_not(self):
        first, second, third = self.clients
        self.assertTrue(first.ReadLock(self.root).acquire())
        self.assertTrue(second.ReadLock(self.root).acquire(blocking=False))
        self.assertFalse(third.WriteLock(self.root).acquire(blocking=False))

    def test_a_semaphore_has_as_many_leases_as_it_says(self):
        first, second, third = self.clients
        self.assertTrue(first.Semaphore(self.root, max_leases=2).acquire())
        self.assertTrue(second.Semaphore(self.root, max_leases=2).acquire())
        self.assertFalse(third.Semaphore(self.root, max_leases=2).acquire(blocking=False))

    def test_one_candidate_leads_until_it_goes(self):
        led = queue.Queue()
        resign = {client: threading.Event() for client in self.clients}

        def lead(client):
            led.put(client)
            resign[client].wait(30)

        threads = [
            threading.Thread(
                target=client.Election(self.root, str(number)).run,
                args=(lead, client),
                daemon=True,
            )
            for number, client in enumerate(self.clients)
        ]
        for thread in threads:
            thread.start()
        leaders = []
        for _ in self.clients:
            leaders.append(led.get(timeout=20))
            self.assertTrue(led.empty(), "two lead at once")
            resign[leaders[-1]].set()
        self.assertEqual(set(leaders), set(self.clients))
        for thread in threads:
            thread.join(20)

    def test_a_counter_counts_every_increment(self):
        def work(client):
            counter = client.Counter(self.root)
            for _ in range(20):
                counter += 1

        self.together(work)
        self.assertEqual(self.clients[0].Counter(self.root).value, 60)

    def test_a_double_barrier_lets_in_and_out_together(self):
        inside = []
        left = []

        def work(client):
            barrier = client.DoubleBarrier(self.root, len(self.clients), str(client.client_id[0]))
            barrier.enter()
            inside.append(client)
            self.assertEqual(left, [])
            wait_until(lambda: len(inside) == 3, "all are inside")
            barrier.leave()
            left.append(client)

        self.together(work)
        self.assertEqual(len(left), 3)

    def test_a_queue_hands_out_every_item_once_in_order(self):
        producer = self.clients[0].LockingQueue(self.root)
        producer.put_all([str(number).encode() for number in range(30)])
        taken = queue.Queue()

        def work(client):
            consumer = client.LockingQueue(self.root)
            for _ in range(10):
                taken.put(int(consumer.get(timeout=20)))
                self.assertTrue(consumer.consume())

        self.together(work)
        self.assertEqual(sorted(taken.queue), list(range(30)))

    def test_a_party_knows_its_members(self):
        parties = [c.Party(self.root, str(n)) for n, c in enumerate(self.clients)]
        for party in parties:
            party.join()
        self.assertEqual(sorted(parties[0]), ["0", "1", "2"])
        self.clients[2].stop()
        wait_until(lambda: sorted(parties[0]) == ["0", "1"], "the member that went is gone")

    def test_watchers_follow_data_and_children_across_a_lost_connection(self):
        watching, writing, _ = self.clients
        writing.create(self.root, b"0")
        seen_data, seen_children = [], []
        watching.DataWatch(self.root, lambda data, stat: seen_data.append(data))
        watching.ChildrenWatch(self.root, lambda names: seen_children.append(sorted(names)))
        writing.set(self.root, b"1")
        wait_until(lambda: seen_data[-1] == b"1", "the change is seen")
        watching._connection._socket.shutdown(2)
        writing.set(self.root, b"2")
        writing.create(self.root + "/child")
        wait_until(lambda: seen_data[-1] == b"2", "the change while away is seen")
        wait_until(lambda: seen_children[-1] == ["child"], "the child is seen")

    def test_a_tree_cache_follows_a_whole_tree(self):
        caching, writing, _ = self.clients
        writing.ensure_path(self.root)
        cache = TreeCache(caching, self.root)
        self.addCleanup(cache.close)
        cache.start()
        writing.create(self.root + "/a/b", b"deep", makepath=True)
        wait_until(lambda: cache.get_data(self.root + "/a/b"), "the cache has the new node")
        self.assertEqual(cache.get_data(self.root + "/a/b").data, b"deep")
        writing.delete(self.root + "/a", recursive=True)
        wait_until(lambda: cache.get_data(self.root + "/a") is None, "the cache drops it")


if __name__ == "__main__":
    unittest.main()
