"""Many processes on several mounts share a counter, a log and a lock, while replicas and the processes
of a mount are killed: the total is exact, every line is there once and whole, and nobody ever holds the
lock beside another.

The sizes are those of a test; SHARED_WORK="WORKERS INCREMENTS LINES LOCKS SECONDS" gives others, as
"200 100 100 20 3600".
"""

import errno
import fcntl
import os
import random
import signal
import sys
import time
import traceback
import unittest

from deadline import wait_until
from ensemble import Ensemble
from mount import Mount
from server import KIND

MOUNTS = 4
WORKERS, INCREMENTS, LINES, LOCKS, SECONDS = map(
    int, os.environ.get("SHARED_WORK", "16 60 40 10 280").split()
)
# Nobody knows; it did not happen; somebody else came first; too many came first; the session is over.
PASSING = (errno.ETIMEDOUT, errno.EHOSTDOWN, errno.ESTALE, errno.EAGAIN, errno.ENOLINK)


class Worker:
    """One process: on one mount, with a number of its own."""

    def __init__(self, number, root):
        self.number = number
        self.root = root
        self.is_unknown = False  # whether an earlier attempt has done it

    def again_and_again(self, attempt):
        """Until it has succeeded; what was refused or is not known is looked at by the next attempt."""
        self.is_unknown = False
        while True:
            try:
                if attempt():
                    return
            except OSError as error:
                if error.errno not in PASSING:
                    raise
                self.is_unknown = self.is_unknown or error.errno == errno.ETIMEDOUT

    def run(self):
        for count in range(1, INCREMENTS + 1):
            self.again_and_again(lambda: self.increment(count))
        for count in range(LINES):
            self.again_and_again(lambda: self.append(f"{self.number} {count} is a whole line\n"))
        for _ in range(LOCKS):
            self.again_and_again(self.exclude)

    def increment(self, count):
        """The value is the total, and how much each worker has added: so one who was not answered
        sees whether his increment is in it."""
        descriptor = os.open(self.root / "counter@cas", os.O_RDWR)
        try:
            text = os.read(descriptor, 1 << 20).decode()
            total, *rest = text.split()
            added = dict(pair.split(":") for pair in rest)
            if int(added.get(str(self.number), 0)) >= count:
                return True
            added[str(self.number)] = str(count)
            pairs = " ".join(":".join(pair) for pair in added.items())
            os.write(descriptor, f"{int(total) + 1} {pairs}\n".encode())
            return True
        finally:
            os.close(descriptor)

    def append(self, line):
        """Looks only if nobody knows what became of the last attempt: the log gets long."""
        if self.is_unknown and line in (self.root / "log@sync").read_text().splitlines(keepends=True):
            return True
        descriptor = os.open(self.root / "log", os.O_WRONLY | os.O_APPEND)
        try:
            return os.write(descriptor, line.encode()) == len(line)
        finally:
            os.close(descriptor)

    def exclude(self):
        """Whoever holds the lock finds nobody's name in a file of this machine, and leaves his there
        meanwhile."""
        descriptor = os.open(self.root / "lock", os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            inside = os.open(self.root.parent.parent / INSIDE, os.O_CREAT | os.O_EXCL)
            os.close(inside)
            os.unlink(self.root.parent.parent / INSIDE)
            return True
        except FileExistsError:
            print("two hold the lock", flush=True)
            os._exit(3)
        finally:
            os.close(descriptor)


INSIDE = f"zabfs-inside.{os.getpid()}"


def run_as_process(worker):
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        worker.run()
        status = 0
    except BaseException:  # pylint: disable=broad-except
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


@unittest.skipUnless(os.access("/dev/fuse", os.R_OK | os.W_OK), "this machine has no /dev/fuse")
@unittest.skipUnless(KIND == "zabd", "an ensemble of this repository's servers")
class SharedWork(unittest.TestCase):
    @staticmethod
    def kill_one(mounts, ensemble, chance, kills):
        if chance.random() < 0.5:
            mounts[0].kill_worker()
            kills["mount"] += 1
        else:
            server = chance.choice(ensemble.servers)
            server.kill()
            server.start()
            kills["replica"] += 1

    @staticmethod
    def read(path):
        """The last replica that was killed may have been the leader."""

        def text():
            try:
                return path.read_text()
            except OSError as error:
                if error.errno not in PASSING:
                    raise
                return None

        return wait_until(text, f"{path} can be read", seconds=60)

    def test_exact_whole_and_alone(self):
        ensemble = Ensemble(settings=["maxSessionTimeout=60000"])
        self.addCleanup(ensemble.remove)
        ensemble.start()
        mounts = [Mount("-o", "timeout=20", ensemble.hosts) for _ in range(MOUNTS)]
        for mount in mounts:
            self.addCleanup(mount.remove)
        root = mounts[0].path
        (root / "counter").write_text("0\n")
        (root / "log").touch()
        (root / "lock").touch()
        for mount in mounts:
            (mount.path / "counter@sync").read_text()
        began = time.monotonic()
        workers = [run_as_process(Worker(n, mounts[n % MOUNTS].path)) for n in range(WORKERS)]
        kills = {"replica": 0, "mount": 0}
        chance = random.Random(os.environ.get("ZABFS_SEED", "shared work"))
        left = set(workers)
        statuses = []
        next_kill = began + 0.5

        # By this thread: what it starts ends with the thread.
        def have_ended():
            nonlocal next_kill
            if time.monotonic() > next_kill:
                self.kill_one(mounts, ensemble, chance, kills)
                next_kill = time.monotonic() + chance.uniform(0.5, 2)
            for pid in list(left):
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    left.remove(pid)
                    statuses.append(os.waitstatus_to_exitcode(status))
            return not left or any(statuses)

        try:
            wait_until(have_ended, "all workers are done", seconds=SECONDS)
        finally:
            for pid in left:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        took = time.monotonic() - began
        self.assertEqual(statuses, [0] * WORKERS)
        total = self.read(root / "counter@sync").split()[0]
        self.assertEqual(int(total), WORKERS * INCREMENTS)
        lines = self.read(root / "log@sync").splitlines()
        wanted = [f"{n} {i} is a whole line" for n in range(WORKERS) for i in range(LINES)]
        self.assertEqual(sorted(lines), sorted(wanted))
        print(f"{WORKERS} processes, {took:.0f} s, killed: {kills}")


if __name__ == "__main__":
    unittest.main()
