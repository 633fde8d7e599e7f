"""What the kernel keeps of a mount is never older than what somebody has learned: docs/coherence.md.

Most of it is a race that is run for some seconds: what is written grows, and every reader compares what
a system call shows with what anybody on the mount had seen before that call began.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import unittest

from kazoo.client import KazooClient

from deadline import wait_until
from directory import some_names
from mount import Mount, MountTestCase
from race import Race, Seen, expect
from relay import Relay
from server import KIND

READERS = 3
FILES = 4
KEEPS_NAMES = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2]) >= (6, 16)


def size_of(path):
    """The size that stat shows; -1 if there is nothing."""
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return -1


HELD = {}  # the descriptors of this process, by path


def size_through_descriptor(path):
    """The size that fstat shows of a descriptor that stays open: no name is looked up for it."""
    if path not in HELD:
        HELD[path] = os.open(path, os.O_RDONLY)
    return os.fstat(HELD[path]).st_size


def look_at_sizes(root, seen):
    """Files are made longer by one byte in each round, the first one first."""
    for index in reversed(range(FILES)):
        path = f"{root}/f{index}"
        before = [seen[other] for other in range(FILES)]
        size = size_of(path)
        expect(size >= before[index], f"f{index}: {size} after {before[index]}")
        seen.raise_to(index, size)
        for earlier in range(index):
            for look in (size_through_descriptor, size_of):
                shown = look(f"{root}/f{earlier}")
                expect(shown >= size, f"f{earlier} has {shown}, f{index} had {size} before")
    index = FILES - 1
    before = seen[index]
    with open(f"{root}/f{index}", "rb") as file:
        content = file.read()
    expect(len(content) >= before, f"f{index} is read with {len(content)} after {before}")
    seen.raise_to(index, len(content))
    expect(size_of(f"{root}/f0") >= len(content), "stat of f0 is older than what was read of the last")


def look_at_names(root, seen):
    """Names with growing numbers come; a while later they go."""
    before = seen[0]
    numbers = [int(name[1:]) for name in os.listdir(root) if name[0] == "m"]
    expect(max(numbers) >= before, f"the listing ends at {max(numbers)}, {before} was seen before")
    seen.raise_to(0, max(numbers))
    following = max(numbers) + 1
    if os.path.exists(f"{root}/m{following}"):
        seen.raise_to(0, following)
    gone = seen[1]
    expect(gone == 0 or not os.path.exists(f"{root}/m{gone}"), f"m{gone} is there again")
    newest = seen[0]
    is_there = os.path.exists(f"{root}/m{newest}")
    if not is_there:  # Then its time is over, and all names before it have gone too.
        seen.raise_to(1, newest)
    expect(is_there or not os.path.exists(f"{root}/m{newest - 1}"), f"m{newest - 1} outlived m{newest}")


def wait_for_lines(root, seen):
    """Whoever has got the line of a change sees it, and a change makes the file longer."""
    before = max(seen[0], size_of(f"{root}/f0"))
    with open(f"{root}/f0@next", "rb", buffering=0) as line:
        ready = select.poll()
        ready.register(line, select.POLLIN)
        if ready.poll(1000):
            expect(b" changed " in line.read(1000), "the line says what happened")
            after = size_of(f"{root}/f0")
            expect(after > before, f"stat shows {after} after the line, and {before} before the wait")


def use_configuration(root):
    """Whoever has read a part of the next configuration does not see the `ready` of the last."""
    try:
        with open(f"{root}/ready", "rb") as file:
            number, inode = int(file.read()), os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return
    parts = []
    for index in range(FILES):
        with open(f"{root}/c{index}", "rb") as file:
            parts.append(int(file.read()))
    expect(min(parts) >= number, f"{parts} of a configuration that was ready as {number}")
    if max(parts) > number:
        with contextlib.suppress(FileNotFoundError):
            expect(os.stat(f"{root}/ready").st_ino != inode, f"ready is {number} still, after {parts}")
            with open(f"{root}/ready", "rb") as file:
                again = int(file.read())
            expect(again > number, f"ready is {again} after {parts}")


def wait_for_half(root, told, other):
    """One transaction makes both files longer, so the line of one is not there before the other is."""
    path = f"{root}/{other}"
    before = size_of(f"{root}/{told}")
    with open(f"{root}/{told}@next", "rb", buffering=0) as line:
        for _ in range(4):
            size_of(path)  # The kernel keeps it.
        ready = select.poll()
        ready.register(line, select.POLLIN)
        if ready.poll(1000):
            shown = size_of(path)
            expect(b" changed " in line.read(1000), "the line says what happened")
            expect(shown > before, f"{other} has {shown} after the line of {told}, which had {before}")


def wait_for_name(root, seen, reader):
    """A file with a number gets another name: nobody is told of that one who is shown the old one."""
    number = seen[0]
    if seen[reader] == number:
        return
    old, new = f"{root}/old{number}", f"{root}/new{number}"
    with open(f"{new}@exists", "rb", buffering=0) as line:
        for _ in range(4):
            os.path.exists(old)
            os.listdir(root)
        seen.raise_to(reader, number)
        ready = select.poll()
        ready.register(line, select.POLLIN)
        if ready.poll(1000):
            expect(not os.path.exists(old), f"{old} is there beside {new}")
            expect(f"old{number}" not in os.listdir(root), f"{old} is listed beside {new}")


class KeepingTestCase(MountTestCase):
    def setUp(self):
        self.zk = KazooClient(hosts=self.server.hosts)
        self.zk.start()
        self.addCleanup(self.zk.close)
        self.addCleanup(self.zk.stop)
        self.top = self.root / self._testMethodName
        self.top.mkdir()

    def path(self, name):
        return f"/{self._testMethodName}/{name}"

    def race(self, steps, change, *shared):
        race = Race()
        for step in steps:
            for _ in range(READERS if step is not wait_for_lines else 1):
                race.add(step, str(self.top), *shared)
        self.assertEqual(race.finish(change), [])


class Kept(KeepingTestCase):
    """A mount that is stopped shows what the kernel keeps."""

    def setUp(self):
        super().setUp()
        self.last = 0
        self.zk.create(self.path("last"), b"0")

    @contextlib.contextmanager
    def stopped(self):
        worker = wait_until(self.mount.worker, "the mount has a worker")
        os.kill(worker, signal.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGCONT)

    def shown(self, path):
        """What another process sees there, which must not take the mount's help."""
        script = "import os, sys; print(os.stat(sys.argv[1]).st_size)"
        try:
            ended = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True,
                                   text=True, timeout=5, check=False)
        except subprocess.TimeoutExpired:
            self.fail(f"stat of {path} asked the mount")
        return ended.stdout.strip() if ended.returncode == 0 else "nothing"

    @unittest.skipUnless(KEEPS_NAMES, "this kernel cannot be told to forget names")
    def test_names_attributes_and_absences_are_kept(self):
        self.zk.create(self.path("f"), b"12345")
        for _ in range(6):
            size_of(self.top / "f")
            size_of(self.top / "none")
        with self.stopped():
            self.assertEqual(self.shown(self.top / "f"), "5")
            self.assertEqual(self.shown(self.top / "none"), "nothing")

    def learn_of_everything_before(self):
        """Reads a file that was changed last, so that nothing older may be shown from here on."""
        self.last += 1
        self.zk.set(self.path("last"), b"%d" % self.last)
        wait_until(lambda: (self.top / "last").read_bytes() == b"%d" % self.last, "it is read")

    def test_what_others_change_is_shown(self):
        self.zk.create(self.path("f"), b"12345")
        for number in range(20):
            for _ in range(4):
                size_of(self.top / "f")
                size_of(self.top / "none")
                os.listdir(self.top)
            self.zk.set(self.path("f"), b"x" * number)
            self.zk.create(self.path("none"), b"x" * number)
            self.learn_of_everything_before()
            self.assertEqual(size_of(self.top / "none"), number)
            self.assertEqual(size_of(self.top / "f"), number)
            self.assertEqual(sorted(os.listdir(self.top)), ["f", "last", "none"])
            self.zk.delete(self.path("none"))
            self.learn_of_everything_before()
            self.assertEqual(size_of(self.top / "none"), -1)
            self.assertEqual(sorted(os.listdir(self.top)), ["f", "last"])

    def test_a_file_becomes_a_directory_and_a_file_again(self):
        for _ in range(10):
            self.zk.create(self.path("n"), b"data")
            self.learn_of_everything_before()
            self.assertTrue((self.top / "n").is_file())
            for _ in range(4):
                size_of(self.top / "n")
            self.zk.create(self.path("n/child"), b"")
            self.learn_of_everything_before()
            self.assertTrue((self.top / "n" / "child").is_file())
            self.zk.delete(self.path("n"), recursive=True)
            self.learn_of_everything_before()
            self.assertFalse((self.top / "n").exists())

    def test_an_open_directory_that_is_rewound_shows_what_is_there_now(self):
        self.zk.create(self.path("a"), b"")
        for _ in range(5):
            os.listdir(self.top)
        directory = os.open(self.top, os.O_RDONLY)
        self.addCleanup(os.close, directory)
        self.assertEqual(sorted(os.listdir(directory)), ["a", "last"])
        self.zk.create(self.path("b"), b"")
        self.learn_of_everything_before()
        self.assertEqual(sorted(os.listdir(directory)), ["a", "b", "last"])

    def test_who_reads_a_directory_finds_what_stays_whoever_lists_it_meanwhile(self):
        wanted = [".", "..", "last"] + [f"{number:03}" for number in range(100)]
        for name in wanted[3:]:
            self.zk.create(self.path(name), b"")
        for _ in range(4):
            os.listdir(self.top)
        directory = os.open(self.top, os.O_RDONLY)
        self.addCleanup(os.close, directory)
        names = some_names(directory)
        self.assertIn(len(names), range(10, 90))
        self.zk.delete(self.path(next(name for name in names if name.isdigit())))
        self.learn_of_everything_before()
        for _ in range(4):
            os.listdir(self.top)  # The kernel goes on in this one.
        while more := some_names(directory):
            names += more
        self.assertEqual(sorted(names), sorted(wanted))

    def test_another_worker_takes_back_what_the_kernel_keeps(self):
        self.zk.create(self.path("f"), b"")
        with (self.top / "f").open("rb") as file:
            for number in range(1, 4):
                for _ in range(4):
                    size_of(self.top / "f")
                    size_of(self.top / "none")
                    os.fstat(file.fileno())
                    os.listdir(self.top)
                with self.stopped():  # It does not hear of this any more.
                    self.zk.set(self.path("f"), b"x" * number)
                    self.zk.create(self.path("none"), b"x" * number)
                    self.mount.kill_worker()
                self.learn_of_everything_before()
                self.assertEqual(os.fstat(file.fileno()).st_size, number)
                self.assertEqual(size_of(self.top / "f"), number)
                self.assertEqual(size_of(self.top / "none"), number)
                self.assertEqual(sorted(os.listdir(self.top)), ["f", "last", "none"])
                self.zk.delete(self.path("none"))
                self.learn_of_everything_before()

    def test_fstat_shows_what_is_there_now(self):
        self.zk.create(self.path("f"), b"")
        with (self.top / "f").open("rb") as file:
            for number in range(1, 10):
                for _ in range(4):
                    size_of(self.top / "f")
                    os.fstat(file.fileno())
                self.zk.set(self.path("f"), b"x" * number)
                self.learn_of_everything_before()
                self.assertEqual(os.fstat(file.fileno()).st_size, number)

    def test_nobody_sees_a_size_that_is_not_committed(self):
        path = self.top / "f"
        path.write_text("12345")
        for _ in range(6):
            size_of(path)
        with path.open("wb", buffering=0) as file:
            self.assertEqual(size_of(path), 5)
            file.write(b"123456789")
            self.assertEqual(size_of(path), 5)
        self.assertEqual(size_of(path), 9)


class Races(KeepingTestCase):
    def grow(self, write):
        """Makes each file longer by one byte, the first one first."""
        self.round = getattr(self, "round", 0) + 1
        for index in range(FILES):
            write(f"f{index}", b"x" * (self.round % 60_000))

    def make_files(self):
        for index in range(FILES):
            self.zk.create(self.path(f"f{index}"), b"")

    def test_sizes_never_go_back(self):
        self.make_files()
        self.race([look_at_sizes, wait_for_lines],
                  lambda: self.grow(lambda name, data: self.zk.set(self.path(name), data)),
                  Seen(FILES))

    def test_sizes_never_go_back_when_this_mount_writes(self):
        self.make_files()
        seen = Seen(FILES)

        def write(name, data):
            (self.top / name).write_bytes(data)
            seen.raise_to(int(name[1:]), len(data))

        self.race([look_at_sizes], lambda: self.grow(write), seen)

    def test_sizes_never_go_back_when_another_mount_writes(self):
        self.make_files()
        other = Mount(self.server.hosts)
        self.addCleanup(other.remove)
        there = other.path / self._testMethodName
        self.race([look_at_sizes, wait_for_lines],
                  lambda: self.grow(lambda name, data: (there / name).write_bytes(data)), Seen(FILES))

    def test_names_never_go_back(self):
        number = 10
        for first in range(number):
            self.zk.create(self.path(f"m{first}"), b"")

        def change():
            nonlocal number
            self.zk.create(self.path(f"m{number}"), b"")
            self.zk.delete(self.path(f"m{number - 10}"))
            number += 1

        self.race([look_at_names], change, Seen(2))

    def configure(self, create, change, delete):
        number = 0
        for index in range(FILES):
            self.zk.create(self.path(f"c{index}"), b"0")

        def next_configuration():
            nonlocal number
            number += 1
            if number > 1:
                delete("ready")
            for index in range(FILES):
                change(f"c{index}", b"%d" % number)
            create("ready", b"%d" % number)

        self.race([use_configuration], next_configuration)

    def test_the_idiom_of_a_configuration_that_is_ready(self):
        self.configure(lambda name, data: self.zk.create(self.path(name), data),
                       lambda name, data: self.zk.set(self.path(name), data),
                       lambda name: self.zk.delete(self.path(name)))

    def test_the_same_written_through_another_mount(self):
        other = Mount(self.server.hosts)
        self.addCleanup(other.remove)
        there = other.path / self._testMethodName

        def create(name, data):
            (there / "new").write_bytes(data)
            (there / "new").rename(there / name)

        self.configure(create, lambda name, data: (there / name).write_bytes(data),
                       lambda name: (there / name).unlink())

    def test_who_gets_a_lock_sees_what_was_done_under_it(self):
        other = Mount(self.server.hosts)
        self.addCleanup(other.remove)
        (self.top / "f").touch()
        (self.top / "lock").touch()
        script = """
            cd "$1" && for i in $(seq 40); do
              exec 9> lock && flock 9 || exit 1
              size=$(stat -c %s f) && printf "%$((size + 1))s" > f || exit 1
              exec 9>&-
            done"""
        workers = [subprocess.Popen(["bash", "-c", script, "bash", str(path)])
                   for path in (self.top, self.top, other.path / self._testMethodName)]
        self.assertEqual([worker.wait(timeout=120) for worker in workers], [0, 0, 0])
        self.assertEqual(size_of(self.top / "f"), 120)


@unittest.skipIf(KIND == "zookeeper", "sends the events of a transaction one by one")
class Transactions(KeepingTestCase):
    def test_whoever_is_told_of_one_half_is_shown_the_other(self):
        other = Mount(self.server.hosts)
        self.addCleanup(other.remove)
        for name in ("a", "b"):
            self.zk.create(self.path(name), b"")
        race = Race()
        for told, shown in (("a", "b"), ("a", "b"), ("b", "a")):
            race.add(wait_for_half, str(self.top), told, shown)
        length = 0

        def change():
            nonlocal length
            length += 1
            data = "x" * length
            (other.path / "@mount" / "txn").write_text(
                f"set {self.path('a')} {data}\nset {self.path('b')} {data}\n")

        self.assertEqual(race.finish(change), [])
        self.assertGreater(length, 20, "it was a race")

    def test_where_the_network_cuts_an_event_too(self):
        relay = Relay(self.server.port)
        self.addCleanup(relay.close)
        mount = Mount(f"127.0.0.1:{relay.port}")
        self.addCleanup(mount.remove)
        for name in ("a", "b"):
            self.zk.create(self.path(name), b"")
        race = Race()
        for _ in range(2):
            race.add(wait_for_half, str(mount.path / self._testMethodName), "a", "b")
        length = 0

        def change():
            nonlocal length
            length += 1
            transaction = self.zk.transaction()
            for name in ("a", "b"):
                transaction.set_data(self.path(name), b"x" * length)
            transaction.commit()

        self.assertEqual(race.finish(change), [])

    def test_a_file_has_one_of_two_names(self):
        other = Mount(self.server.hosts)
        self.addCleanup(other.remove)
        there = other.path / self._testMethodName
        seen = Seen(1 + READERS)
        seen.raise_to(0, 1)
        (there / "old1").touch()
        race = Race()
        for reader in range(READERS):
            race.add(wait_for_name, str(self.top), seen, 1 + reader)

        def change():
            number = seen[0]
            if all(seen[1 + reader] == number for reader in range(READERS)):
                (there / f"old{number + 1}").touch()
                (there / f"old{number}").rename(there / f"new{number}")
                seen.raise_to(0, number + 1)

        self.assertEqual(race.finish(change), [])
        self.assertGreater(seen[0], 20, "it was a race")


if __name__ == "__main__":
    unittest.main()
