"""inotify tells what other machines change: on zabd and on Apache ZooKeeper alike."""

import os
import queue
import subprocess
import threading
import unittest

from kazoo.client import KazooClient

from deadline import wait_until
from mount import Mount, MountTestCase
from server import KIND, dies_with_its_parent

MODIFIED = ["OPEN", "MODIFY", "CLOSE_WRITE"]


class Watcher:
    """`inotifywait -m` on a path; what it tells, as (events, name below the path)."""

    def __init__(self, path, *options):
        self.path = str(path)
        self.process = subprocess.Popen(
            ["inotifywait", "-m", "-q", "--format", "%e %w%f", *options, self.path],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            preexec_fn=dies_with_its_parent)
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            events, _, path = line.strip().partition(" ")
            self.lines.put((events.replace(",CLOSE", "").replace("CLOSE_WRITE,", "CLOSE_WRITE"),
                            os.path.relpath(path, self.path)))

    def next(self):
        return self.lines.get(timeout=30)

    def until(self, last):
        """What it tells before `last`."""
        told = []
        while (line := self.next()) != last:
            told.append(line)
        return told

    def end(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()


class Notifying(MountTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = Mount(cls.server.hosts)
        cls.addClassCleanup(cls.other.remove)

    def setUp(self):
        self.zk = KazooClient(hosts=self.server.hosts)
        self.zk.start()
        self.addCleanup(self.zk.close)
        self.addCleanup(self.zk.stop)
        self.name = self.id().rsplit(".", 1)[1]
        (self.other.path / self.name).mkdir()
        self.here = self.root / self.name
        self.there = self.other.path / self.name
        wait_until(self.here.is_dir, "the directory is there")

    def directory(self):
        """A watcher of the directory that is known to hear what others do there."""
        self.zk.create(f"/{self.name}/probe", b"")
        watcher = Watcher(self.here)
        self.addCleanup(watcher.end)
        self.wait_until_heard(watcher, "/probe")
        self.mark(watcher)
        return watcher

    def wait_until_heard(self, watcher, name):
        def is_heard():
            self.zk.set(f"/{self.name}{name}", b"1")
            return not watcher.lines.empty()

        wait_until(is_heard, "the watch is heard of")

    def mark(self, watcher):
        """What is told up to now: a file that comes and goes ends it."""
        self.zk.create(f"/{self.name}/mark", b"")
        self.zk.delete(f"/{self.name}/mark")
        return watcher.until(("DELETE", "mark"))[:-1]

    def test_files_come_change_and_go(self):
        watcher = self.directory()
        self.zk.create(f"/{self.name}/f", b"1")
        self.zk.set(f"/{self.name}/f", b"2")
        self.zk.delete(f"/{self.name}/f")
        told = self.mark(watcher)
        self.assertEqual(told, [("CREATE", "f"), *((e, "f") for e in MODIFIED), ("DELETE", "f")])

    def test_and_directories(self):
        watcher = self.directory()
        (self.there / "sub").mkdir()
        # Heard of before it goes: what is gone when zabfs looks at it could have been a file.
        self.assertEqual(watcher.until(("CREATE,ISDIR", "sub")), [])
        (self.there / "sub").rmdir()
        self.assertEqual(self.mark(watcher), [("DELETE,ISDIR", "sub")])

    def test_what_is_renamed(self):
        (self.there / "old").write_text("1")
        (self.there / "over").write_text("1")
        watcher = self.directory()
        (self.there / "old").rename(self.there / "new")
        (self.there / "new").rename(self.there / "over")
        told = self.mark(watcher)
        if KIND == "zabd":
            self.assertEqual(told, [("MOVED_FROM", "old"), ("MOVED_TO", "new"),
                                    ("MOVED_FROM", "new"), ("MOVED_TO", "over")])
        else:  # Without zxids in its events, a rename is told as what it consists of.
            self.assertEqual(told, [("CREATE", "new"), ("DELETE", "old"),
                                    ("DELETE", "over"), ("CREATE", "over"), ("DELETE", "new")])

    def test_this_machine_is_told_once(self):
        watcher = self.directory()
        self.shell(f"cd {self.name}; echo 1 > f; mv f g; rm g; mkdir d; rmdir d")
        told = self.mark(watcher)
        self.assertEqual([line for line in told if line[0] not in ("OPEN", "CLOSE_NOWRITE")],
                         [("CREATE", "f"), ("MODIFY", "f"), ("CLOSE_WRITE", "f"),
                          ("MOVED_FROM", "f"), ("MOVED_TO", "g"), ("DELETE", "g"),
                          ("CREATE,ISDIR", "d"), ("DELETE,ISDIR", "d")])

    def test_and_what_it_does_by_another_name(self):
        self.zk.create(f"/{self.name}/n", b"0")
        watcher = self.directory()
        self.shell(f"cd {self.name}; echo 1 > n@v=0")
        told = self.mark(watcher)
        self.assertIn(("MODIFY", "n"), told)
        self.shell(f"cd {self.name}; : > job-@s")
        self.assertIn(("CREATE", "job-0000000004"), self.mark(watcher))

    def test_a_tree_is_followed(self):
        watcher = Watcher(self.here, "-r", "-e", "create,modify,delete,delete_self")
        self.addCleanup(watcher.end)
        self.zk.create(f"/{self.name}/probe", b"")
        self.wait_until_heard(watcher, "/probe")
        (self.there / "sub").mkdir()
        watcher.until(("CREATE,ISDIR", "sub"))

        def is_followed():
            self.zk.ensure_path(f"/{self.name}/sub/deep")
            self.zk.set(f"/{self.name}/sub/deep", b"1")
            return ("MODIFY", "sub/deep") in list(watcher.lines.queue)

        wait_until(is_followed, "what is in the new directory is told")

    def test_a_file_alone_and_its_end(self):
        self.zk.set(f"/{self.name}", b"")
        self.zk.create(f"/{self.name}/f", b"1")
        watcher = Watcher(self.here / "f")
        self.addCleanup(watcher.end)
        self.wait_until_heard(watcher, "/f")
        self.zk.delete(f"/{self.name}/f")
        watcher.until(("DELETE_SELF", "."))

    def test_a_file_that_gets_a_child_becomes_a_directory(self):
        watcher = self.directory()
        self.zk.create(f"/{self.name}/f", b"")
        self.assertEqual(watcher.until(("CREATE", "f")), [])
        self.zk.create(f"/{self.name}/f/child", b"")
        self.assertEqual(self.mark(watcher), [("DELETE", "f"), ("CREATE,ISDIR", "f")])

    def test_many_changes_are_all_told_and_nobody_sees_ghosts(self):
        watcher = self.directory()
        over = threading.Event()
        ghosts = []

        def look():
            # Whoever sees the file after it was deleted, and told so by the deleter, sees a ghost.
            while not over.is_set():
                for number in list(gone):
                    if (self.here / f"n{number}").exists():
                        ghosts.append(number)

        gone = []
        bystander = threading.Thread(target=look)
        bystander.start()
        for number in range(200):
            self.zk.create(f"/{self.name}/n{number}", b"")
            self.zk.delete(f"/{self.name}/n{number}")
            if number % 20 == 0:
                wait_until(lambda n=number: not (self.here / f"n{n}").exists(), "it is gone")
                gone.append(number)
        told = self.mark(watcher)
        over.set()
        bystander.join()
        self.assertEqual(told, [line for number in range(200)
                                for line in (("CREATE", f"n{number}"), ("DELETE", f"n{number}"))])
        self.assertEqual(ghosts, [])

    def test_the_mount_can_be_unmounted_while_somebody_watches(self):
        mount = Mount(self.server.hosts)
        self.addCleanup(mount.remove)
        children = f"/proc/{mount.worker()}/task/{mount.worker()}/children"
        with open(children, encoding="ascii") as listed:
            assistants = listed.read().split()
        self.assertEqual(len(assistants), 2)
        self.zk.create(f"/{self.name}/probe", b"")  # Data of its own would make the directory a file.
        watcher = Watcher(mount.path / self.name)
        self.addCleanup(watcher.end)
        self.wait_until_heard(watcher, "/probe")
        # While a change is being told, the mount is busy, as with any program that uses it.
        unmount = ["fusermount3", "-u", str(mount.path)]
        wait_until(lambda: subprocess.run(unmount, check=False).returncode == 0, "it is unmounted")
        self.assertEqual(mount.process.wait(timeout=30), 0)
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in assistants),
                   "the processes that helped have ended")


if __name__ == "__main__":
    unittest.main()
