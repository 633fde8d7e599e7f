"""What descriptors read while the value changes: one version whole, and the newest from the start on.

Each version says its own number and length and is filled with a letter of its own, so that a piece of
another one shows, and a size that is not its own too.
"""

import mmap
import os
import random
import time
import unittest

from kazoo.client import KazooClient

from deadline import wait_until
from mount import MountTestCase
from race import Race, Seen, expect

READERS = 2
HEAD_BYTES = 16
LENGTH_MAX = 70_000
KILL_EVERY_SECONDS = 0.8


def version(number, length):
    """The value with that number; `length` is of all of it."""
    return b"%08d %06d\n" % (number, length) + bytes([ord("a") + number % 26]) * (length - HEAD_BYTES)


def number_of(value):
    """The number of a version, which has to be whole."""
    expect(len(value) >= HEAD_BYTES, f"{len(value)} bytes are no version")
    number = int(value[:8])
    whole = version(number, int(value[9:15]))
    expect(value == whole, f"{len(value)} bytes, and version {number} has {len(whole)};"
                           f" they begin with {value[:HEAD_BYTES]!r} and have {set(value[HEAD_BYTES:])}")
    return number


def read_to_end(descriptor):
    """Everything from where the descriptor is to the end, in small pieces and in large ones."""
    pieces = []
    largest = random.choice((100, 5_000, LENGTH_MAX))
    while piece := os.read(descriptor, random.randint(largest // 2, largest)):
        pieces.append(piece)
    return b"".join(pieces)


HELD = {}  # the descriptors of this process, by path


def read_again(path, seen):
    """From the start, through a descriptor that stays open."""
    if path not in HELD:
        HELD[path] = os.open(path, os.O_RDONLY)
    before = seen[0]
    os.lseek(HELD[path], 0, os.SEEK_SET)
    number = number_of(read_to_end(HELD[path]))
    expect(number >= before, f"version {number} is read again after {before}")
    seen.raise_to(0, number)


def read_anew(path, seen):
    """Through a descriptor of its own, after a while also: it keeps what it has begun."""
    before = seen[0]
    descriptor = os.open(path, os.O_RDONLY)
    try:
        begun = os.read(descriptor, random.randint(1, 100))
        while random.random() < 0.5 and seen[0] < before + 3:
            read_again(path, seen)
        number = number_of(begun + read_to_end(descriptor))
    finally:
        os.close(descriptor)
    expect(number >= before, f"version {number} is opened after {before}")
    seen.raise_to(0, number)


class ReadingTestCase(MountTestCase):
    def setUp(self):
        self.zk = KazooClient(hosts=self.server.hosts)
        self.zk.start()
        self.addCleanup(self.zk.close)
        self.addCleanup(self.zk.stop)
        self.name = self._testMethodName
        self.path = str(self.root / self.name)
        self.number = 0
        self.zk.create("/" + self.name, version(0, 100))

    def change(self):
        self.number += 1
        self.zk.set("/" + self.name, self.next_version())

    def next_version(self):
        return version(self.number, random.choice((HEAD_BYTES, 4096, random.randint(20, LENGTH_MAX))))

    def race(self, change):
        race = Race()
        seen = Seen(1)
        for step in (read_again, read_anew):
            for _ in range(READERS):
                race.add(step, self.path, seen)
        self.assertEqual(race.finish(change), [])
        self.assertGreater(seen[0], 0, "nobody has read anything")


class Races(ReadingTestCase):
    def test_one_version_whole_while_others_write(self):
        self.race(self.change)

    def test_one_version_whole_while_this_mount_writes(self):
        def write():
            self.number += 1
            with open(self.path, "wb", buffering=0) as file:
                file.write(self.next_version())

        self.race(write)

    def test_one_version_whole_while_the_worker_is_killed(self):
        killed = time.monotonic()

        def change():
            nonlocal killed
            self.change()
            if time.monotonic() > killed + KILL_EVERY_SECONDS:
                self.mount.kill_worker()
                killed = time.monotonic()

        self.race(change)


class Descriptors(ReadingTestCase):
    def setUp(self):
        super().setUp()
        self.descriptor = os.open(self.path, os.O_RDONLY)
        self.addCleanup(os.close, self.descriptor)
        self.zk.create(f"/{self.name}-last", b"0")

    def learn_of_everything_before(self):
        """Reads a file that was changed last, so that nothing older may be shown from here on."""
        self.zk.set(f"/{self.name}-last", b"%d" % self.number)
        last = self.root / f"{self.name}-last"
        wait_until(lambda: last.read_bytes() == b"%d" % self.number, "it is read")

    def test_reading_again_from_the_start_shows_what_is_there_now(self):
        for expected in range(1, 10):
            for _ in range(4):
                self.assertEqual(number_of(os.pread(self.descriptor, LENGTH_MAX, 0)), expected - 1)
            self.change()
            self.learn_of_everything_before()
            self.assertEqual(number_of(os.pread(self.descriptor, LENGTH_MAX, 0)), expected)

    def test_what_is_begun_stays_through_changes_and_workers(self):
        begun = os.read(self.descriptor, 10)
        for other_worker in (False, True, False):
            self.change()
            if other_worker:
                self.mount.kill_worker()
            self.learn_of_everything_before()
            begun += os.read(self.descriptor, 10)
        self.assertEqual(number_of(begun + read_to_end(self.descriptor)), 0)
        os.lseek(self.descriptor, 0, os.SEEK_SET)
        self.assertEqual(number_of(read_to_end(self.descriptor)), 3)

    # As `tail -f` does.
    def test_reading_goes_on_behind_the_end_after_fstat_has_told_of_more(self):
        self.assertEqual(number_of(read_to_end(self.descriptor)), 0)
        self.zk.set("/" + self.name, b"one\n")
        self.learn_of_everything_before()
        os.lseek(self.descriptor, 0, os.SEEK_SET)
        self.assertEqual(read_to_end(self.descriptor), b"one\n")
        self.zk.set("/" + self.name, b"one\ntwo\n")
        wait_until(lambda: os.fstat(self.descriptor).st_size == 8, "fstat tells of it")
        self.assertEqual(read_to_end(self.descriptor), b"two\n")

    def test_a_private_mapping_shows_the_value(self):
        self.change()
        self.learn_of_everything_before()
        size = os.stat(self.path).st_size
        with mmap.mmap(self.descriptor, size, mmap.MAP_PRIVATE, mmap.PROT_READ) as mapping:
            self.assertEqual(number_of(bytes(mapping)), 1)
        with self.assertRaises(OSError):
            mmap.mmap(self.descriptor, size, mmap.MAP_SHARED, mmap.PROT_READ)


if __name__ == "__main__":
    unittest.main()
