"""The mount outlives its process: its worker is killed and upgraded while programs use it."""

import contextlib
import errno
import fcntl
import os
import pathlib
import random
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import unittest

from deadline import wait_until
from directory import some_names
from mount import Mount, MountTestCase
from server import BIN, Server, dies_with_its_parent

KILLS = 20
SETTLED = (errno.ETIMEDOUT, errno.EHOSTDOWN)  # nobody knows; it did not happen


def start(script, cwd):
    """bash with `script`; what it prints can be read."""
    return subprocess.Popen(
        ["bash", "-c", script],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=dies_with_its_parent,
    )


class Killed(MountTestCase):
    def test_open_files_go_on(self):
        (self.root / "open").write_text("old value\n")
        with (self.root / "open").open("rb", buffering=0) as file:
            self.assertEqual(file.read(4), b"old ")
            self.mount.kill_worker()
            self.shell("echo new > open")
            self.assertEqual(file.read(6), b"value\n", "one version whole")
            file.seek(0)
            self.assertEqual(file.read(), b"new\n")

    def test_what_is_written_and_not_closed_is_not_lost(self):
        with (self.root / "buffered").open("wb", buffering=0) as file:
            file.write(b"one ")
            self.mount.kill_worker()
            file.write(b"two ")
            self.mount.kill_worker()
            file.write(b"three")
        self.assertEqual((self.root / "buffered").read_text(), "one two three")

    def test_a_conversation_goes_on(self):
        (self.root / "counter").write_text("41\n")
        descriptor = os.open(self.root / "counter@cas", os.O_RDWR)
        try:
            self.assertEqual(os.read(descriptor, 100), b"41\n")
            self.mount.kill_worker()
            os.write(descriptor, b"42\n")
        finally:
            os.close(descriptor)
        self.assertEqual((self.root / "counter").read_text(), "42\n")

    def test_a_working_directory_goes_on(self):
        (self.root / "cwd").mkdir()
        (self.root / "cwd" / "file").write_text("x")
        inside = start("read -r go < ../go@exists; ls; /bin/pwd", self.root / "cwd")
        self.mount.kill_worker()
        (self.root / "go").write_text("")
        self.assertEqual(inside.communicate(timeout=60)[0], f"file\n{self.root}/cwd\n")

    def test_a_listing_goes_on_where_it_was(self):
        (self.root / "many").mkdir()
        for number in range(100):
            (self.root / "many" / f"{number:03}").touch()
        with os.scandir(self.root / "many") as listing:
            first = next(listing).name
            self.mount.kill_worker()
            names = sorted([first] + [entry.name for entry in listing])
        self.assertEqual(names, [f"{number:03}" for number in range(100)])

    def test_a_listing_that_the_kernel_keeps_goes_on_behind_the_last_name(self):
        directory = self.root / "kept-names"
        directory.mkdir()
        for number in range(100):
            (directory / f"{number:03}").touch()
        for _ in range(4):
            os.listdir(directory)
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            names = some_names(descriptor)
            self.assertIn(len(names), range(10, 90))
            self.mount.kill_worker()
            os.unlink(directory / names[9])
            os.listdir(directory)  # The kernel does not keep what it had.
            while more := some_names(descriptor):
                names += more
        finally:
            os.close(descriptor)
        self.assertEqual(sorted(names), [".", ".."] + [f"{number:03}" for number in range(100)])

    def test_held_znodes_are_held(self):
        descriptor = os.open(self.root / "worker@h", os.O_RDWR | os.O_CREAT)
        self.mount.kill_worker()
        self.assertEqual(os.read(descriptor, 100), b"worker\n")
        self.assertTrue((self.root / "worker").exists())
        os.close(descriptor)
        wait_until(lambda: not (self.root / "worker").exists(), "it goes with its descriptor")

    def test_locks_are_held_and_waiters_keep_their_place(self):
        lock = self.root / "lock"
        holder = lock.open("a")
        fcntl.flock(holder, fcntl.LOCK_EX)
        waiters = []
        for number in range(2):
            waiters.append(start(f"flock lock echo {number}", self.root))
            wait_until(
                lambda: (self.root / "lock@queue").read_text().count("waits") > number,
                "it waits",
            )
        queue = [line.split()[1] for line in (self.root / "lock@queue").read_text().splitlines()]
        for _ in range(2):
            self.mount.kill_worker()
        # The waiters ask again; who does not any more leaves.
        wait_until(
            lambda: [line.split()[1] for line in (self.root / "lock@queue").read_text().splitlines()]
            == queue,
            "everybody has his place",
        )
        with lock.open("a") as other, self.assertRaises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fence = os.getxattr(holder.fileno(), "user.zk.fence")
        self.assertGreater(int(fence), 0)
        holder.close()
        for number, waiter in enumerate(waiters):
            self.assertEqual(waiter.communicate(timeout=60)[0], f"{number}\n")

    def test_waits_go_on(self):
        exists = start("cat soon@exists", self.root)
        gone = start("echo x > leaving; read -r go < ready@exists; cat leaving@gone", self.root)
        wait_until((self.root / "leaving").exists, "it is there")
        (self.root / "ready").touch()
        self.mount.kill_worker()
        self.mount.kill_worker()
        (self.root / "soon").touch()
        self.assertIn(" /soon\n", exists.communicate(timeout=60)[0])
        (self.root / "leaving").unlink()
        self.assertIn(" /leaving\n", gone.communicate(timeout=60)[0])

    def test_a_stream_loses_nothing(self):
        (self.root / "streamed").write_text("0")
        stream = os.open(self.root / "streamed@watch", os.O_RDONLY)
        lines = os.fdopen(stream, "r", encoding="utf-8", buffering=1)
        self.assertIn("exists", lines.readline())
        for number in range(5):
            self.mount.kill_worker()
            (self.root / "streamed").write_text(str(number))
            while "changed" not in lines.readline():
                pass
        lines.close()

    def test_who_polls_is_woken(self):
        waiting = os.open(self.root / "polled@exists", os.O_RDONLY)
        poll = select.poll()
        poll.register(waiting, select.POLLIN)
        woken = []
        thread = threading.Thread(target=lambda: woken.extend(poll.poll(60_000)))
        thread.start()
        self.mount.kill_worker()
        (self.root / "polled").touch()
        thread.join()
        self.assertEqual(woken, [(waiting, select.POLLIN)])
        os.close(waiting)

    def test_a_ledger_that_is_damaged_costs_open_files_and_not_the_mount(self):
        (self.root / "kept").write_text("kept\n")
        file = (self.root / "kept").open("rb", buffering=0)
        for descriptor in pathlib.Path(f"/proc/{self.mount.process.pid}/fd").iterdir():
            if "zabfs-ledger" in os.readlink(descriptor):
                with open(descriptor, "r+b") as ledger:
                    if ledger.read(1):
                        ledger.seek(100)
                        ledger.write(b"damage")
        self.mount.kill_worker()
        self.shell("cat kept; echo more > kept; cat kept")
        with self.assertRaises(OSError):
            file.read()
        file.close()
        self.assertIn("damaged", self.mount.log_path.read_text())

    def test_the_end_is_the_end(self):
        for signal_number in (signal.SIGTERM, signal.SIGKILL):
            mount = Mount(self.server.hosts)
            self.addCleanup(mount.remove)
            mount.kill_worker()
            worker = mount.worker()
            held = os.open(mount.path / f"end{signal_number}@h", os.O_RDWR | os.O_CREAT)
            mount.process.send_signal(signal_number)
            mount.process.wait(timeout=30)
            wait_until(lambda: not os.path.exists(f"/proc/{worker}"), "the worker is gone too")
            with self.assertRaises(OSError):
                os.read(held, 1)
            with contextlib.suppress(OSError):
                os.close(held)
            if signal_number == signal.SIGTERM:
                self.assertFalse(os.path.ismount(mount.path))
                self.assertFalse((self.root / f"end{signal_number}").exists(), "at once")
            else:
                with self.assertRaises(OSError) as lost:
                    os.listdir(mount.path)
                self.assertEqual(lost.exception.errno, errno.ENOTCONN)

    def test_unmounting_after_a_restart_leaves_nobody(self):
        mount = Mount(self.server.hosts)
        self.addCleanup(mount.remove)
        mount.kill_worker()
        worker = mount.worker()
        self.assertEqual(mount.unmount(), 0)
        self.assertFalse(os.path.exists(f"/proc/{worker}"))

    def test_a_worker_that_dies_again_and_again_is_given_up(self):
        mount = Mount(self.server.hosts)
        self.addCleanup(mount.remove)

        def is_given_up():
            worker = mount.process.poll() is None and mount.worker()
            if worker:
                try:
                    os.kill(worker, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            return mount.process.poll() is not None

        wait_until(is_given_up, "the supervisor gives up", seconds=120)
        self.assertEqual(mount.process.returncode, 1)
        self.assertIn("fusermount3 -u", mount.log_path.read_text())
        with self.assertRaises(OSError) as lost:
            (mount.path / "below").write_text("x")
        self.assertEqual(lost.exception.errno, errno.ENOTCONN)


class Upgraded(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.remove)
        self.server.start()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="zabfs-test."))
        self.addCleanup(shutil.rmtree, self.directory)
        self.program = self.directory / "zabfs"
        shutil.copy(BIN / "zabfs", self.program)
        self.mount = Mount(self.server.hosts, program=self.program)
        self.addCleanup(self.mount.remove)

    def upgrade(self):
        return subprocess.run(
            [BIN / "zabfs", "--upgrade", self.mount.path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )

    def replace(self, write):
        fresh = self.directory / "fresh"
        write(fresh)
        fresh.chmod(0o755)
        fresh.rename(self.program)

    def test_under_load_nobody_notices(self):
        stop = threading.Event()
        errors = []
        written = []

        def write():
            number = 0
            try:
                while not stop.is_set():
                    number += 1
                    with (self.mount.path / "log").open("a") as log:
                        log.write(f"{number}\n")
                    written.append(f"{number}\n")
            except OSError as error:
                errors.append(error)

        (self.mount.path / "log").touch()
        thread = threading.Thread(target=write)
        thread.start()
        lock = (self.mount.path / "lock").open("a")
        fcntl.flock(lock, fcntl.LOCK_EX)
        for _ in range(5):
            before = self.mount.worker()
            count = len(written)
            self.replace(lambda fresh: shutil.copy(BIN / "zabfs", fresh))
            ended = self.upgrade()
            self.assertEqual((ended.returncode, ended.stdout), (0, ""))
            self.assertNotEqual(self.mount.worker(), before)
            wait_until(lambda: len(written) > count or errors, "writing goes on")
        stop.set()
        thread.join()
        self.assertEqual(errors, [])
        self.assertEqual((self.mount.path / "log").read_text(), "".join(written))
        lock.close()

    def test_a_program_that_does_not_fit_is_refused_and_the_old_one_goes_on(self):
        (self.mount.path / "x").write_text("1")
        before = self.mount.worker()
        for text, sentence in (
            ("#!/bin/sh\nexit 1\n", "does not start as a worker"),
            ("#!/bin/sh\necho zabfs worker 1 999999\n", "unmount, and mount again"),
        ):
            self.replace(lambda fresh: fresh.write_text(text))
            ended = self.upgrade()
            self.assertEqual(ended.returncode, 1)
            self.assertIn(sentence, ended.stdout)
            self.assertEqual(self.mount.worker(), before)
        self.mount.kill_worker()
        self.assertEqual((self.mount.path / "x").read_text(), "1", "the old program, which is deleted")

    def test_without_a_mount_it_says_so(self):
        ended = subprocess.run(
            [BIN / "zabfs", "--upgrade", self.directory], capture_output=True, text=True, timeout=60
        )
        self.assertEqual(ended.returncode, 1)
        self.assertIn("There is no zabfs on", ended.stderr)


class UnderLoad(unittest.TestCase):
    """Everybody who was told that it is written finds it, nobody writes below the mount."""

    def setUp(self):
        # So that no series of kills is longer than a session.
        self.server = Server(settings=("maxSessionTimeout=60000",))
        self.addCleanup(self.server.remove)
        self.server.start()
        self.below = None
        self.mount = Mount("-o", "timeout=60", self.server.hosts, prepare=self.look_below)
        self.addCleanup(self.mount.remove)
        self.stop = threading.Event()
        self.addCleanup(self.stop.set)
        self.errors = []

    def look_below(self, path):
        """The directory under the mount point, before anything covers it."""
        self.below = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        self.addCleanup(os.close, self.below)

    def work(self, action):
        def loop():
            while not self.stop.is_set():
                try:
                    action()
                except OSError as error:
                    if error.errno not in SETTLED:
                        self.errors.append(repr(error))

        thread = threading.Thread(target=loop)
        thread.start()
        return thread

    def test_random_kills(self):
        root = self.mount.path
        (root / "log").touch()
        (root / "dir").mkdir()
        written = {number: 0 for number in range(3)}
        appended = {number: [] for number in range(3)}
        acknowledged = {number: [] for number in range(3)}
        inside = []

        def write(number):
            value = written[number] + 1
            # Whoever is told that nobody knows looks.
            try:
                (root / f"own{number}").write_text(str(value))
            except OSError as error:
                if error.errno not in SETTLED:
                    raise
                found = (root / f"own{number}").read_text() if (root / f"own{number}").exists() else ""
                if found != str(value):
                    return
            written[number] = value

        def append(number):
            line = f"{number} {len(appended[number])}\n"
            appended[number].append(line)
            descriptor = os.open(root / "log", os.O_WRONLY | os.O_APPEND)
            try:
                os.write(descriptor, line.encode())
                acknowledged[number].append(line)
            finally:
                os.close(descriptor)

        def exclude(number):
            descriptor = os.open(root / "lock", os.O_RDWR | os.O_CREAT)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                inside.append(number)
                if len(inside) != 1:
                    self.errors.append(f"two holders: {inside}")
                inside.remove(number)
            finally:
                os.close(descriptor)

        (root / "lock").touch()
        threads = [self.work(lambda: os.listdir(root)), self.work(lambda: os.stat(root / "dir"))]
        for number in range(3):
            threads.append(self.work(lambda number=number: write(number)))
            threads.append(self.work(lambda number=number: append(number)))
            threads.append(self.work(lambda number=number: exclude(number)))
        pause = threading.Event()
        chance = random.Random(os.environ.get("ZABFS_SEED", "restart"))
        for _ in range(KILLS):
            pause.wait(chance.uniform(0.2, 1.5))
            self.mount.kill_worker()
            if chance.random() < 0.4:
                # In the midst of what it does about the last one's end. The pause shows the
                # supervisor that workers live.
                pause.wait(chance.uniform(0.0, 0.2))
                self.mount.kill_worker()
                pause.wait(1.2)
        self.stop.set()
        wait_until(lambda: not any(thread.is_alive() for thread in threads), "every call returns", 60)
        self.assertEqual(self.errors, [])
        for number in range(3):
            # Of the last one nobody may have been able to say.
            self.assertIn(int((root / f"own{number}").read_text()) - written[number], (0, 1))
        lines = (root / "log").read_text().splitlines(keepends=True)
        for number in range(3):
            own = [line for line in lines if line.startswith(f"{number} ")]
            self.assertEqual(len(own), len(set(own)), "no line twice")
            self.assertTrue(set(acknowledged[number]) <= set(own), "what was acknowledged is there")
            self.assertTrue(set(own) <= set(appended[number]), "and every line is whole")
        self.assertEqual(os.listdir(self.below), [], "nothing has landed below the mount")


if __name__ == "__main__":
    unittest.main()
