"""examples/recipes: what each script promises, with several processes on several mounts, killed at random."""

import contextlib
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import unittest

from deadline import wait_until
from mount import Mount, MountTestCase
from server import SOURCE_ROOT, dies_with_its_parent

RECIPES = SOURCE_ROOT / "examples/recipes"
VIOLATION = 99
MOUNTS = 3
SEED = random.randrange(1 << 32)


def own_group():
    os.setpgid(0, 0)
    dies_with_its_parent()


class Recipes(MountTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mounts = [cls.mount]
        for _ in range(MOUNTS - 1):
            mount = Mount(cls.server.hosts)
            cls.addClassCleanup(mount.remove)
            cls.mounts.append(mount)

    def setUp(self):
        self.random = random.Random(SEED)
        self.name = self.id().rsplit(".", 1)[1]
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="zabfs-test."))
        self.addCleanup(shutil.rmtree, self.scratch)
        (self.root / self.name).mkdir()
        for mount in self.mounts:
            wait_until((mount.path / self.name).is_dir, "the directory is on every mount")

    def begin(self, recipe, *arguments, mount=0):
        """The recipe in this test's directory of a mount; ended with all it began, whatever happens."""
        process = subprocess.Popen(
            [RECIPES / (recipe + ".sh"), *map(str, arguments)],
            cwd=self.mounts[mount % MOUNTS].path / self.name,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            preexec_fn=own_group)

        def end():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            process.stdout.close()

        self.addCleanup(end)
        return process

    def run_recipe(self, recipe, *arguments, mount=0):
        process = self.begin(recipe, *arguments, mount=mount)
        output, _ = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, output)
        return output

    def storm(self, recipe, *arguments, workers=6, kills=8):
        """Workers on all mounts that run the recipe again and again; whenever one has succeeded, one is
        killed. The exit statuses; who runs in the end is killed too."""
        statuses = []
        over = threading.Event()
        running = {}

        def work(number):
            while not over.is_set():
                running[number] = self.begin(recipe, *arguments, mount=number)
                running[number].communicate()
                statuses.append(running[number].returncode)

        def kill(process):
            # It may end, and be waited for by its worker, at any moment.
            with contextlib.suppress(ProcessLookupError):
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(workers)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(kills):
                before = statuses.count(0)
                wait_until(lambda n=before: statuses.count(0) > n or set(statuses) - {0, -9},
                           f"somebody succeeds (seed {SEED})", seconds=60)
                kill(running[self.random.randrange(workers)])
        finally:
            over.set()
            for thread in threads:
                while thread.is_alive():
                    for process in list(running.values()):
                        kill(process)
                    thread.join(timeout=0.1)
        return statuses

    def assert_exclusive(self, statuses):
        self.assertNotIn(VIOLATION, statuses, f"two at a time (seed {SEED})")
        self.assertLessEqual(set(statuses), {0, -signal.SIGKILL}, f"seed {SEED}")

    def alone(self):
        """A command that fails with VIOLATION if another one like it runs."""
        return ["flock", "-n", "-E", VIOLATION, self.scratch / "alone", "true"]

    def test_simple_lock(self):
        self.assert_exclusive(self.storm("simple_lock", "lock", *self.alone()))

    def test_fair_lock(self):
        self.assert_exclusive(self.storm("fair_lock", "locks", *self.alone()))
        wait_until(lambda: not os.listdir(self.root / self.name / "locks"), "no place is left behind")

    def test_who_comes_first_gets_the_fair_lock_first(self):
        first = self.begin("fair_lock", "locks", "sleep", "60")
        places = self.root / self.name / "locks"
        wait_until(lambda: places.exists() and len(os.listdir(places)) == 1, "the first has its place")
        order = self.scratch / "order"
        waiting = []
        for number in range(4):
            waiting.append(self.begin("fair_lock", "locks", "sh", "-c", f"echo {number} >> {order}",
                                      mount=number))
            wait_until(lambda n=number: len(os.listdir(places)) == n + 2, "it waits in its place")
        os.killpg(first.pid, signal.SIGKILL)
        for process in waiting:
            self.assertEqual(process.wait(timeout=60), 0)
        self.assertEqual(order.read_text().split(), ["0", "1", "2", "3"])

    def test_read_write_lock(self):
        lock = self.scratch / "lock"
        reads = ["read_write_lock", "read", "locks", "flock", "-n", "-s", "-E", VIOLATION, lock, "true"]
        writes = ["read_write_lock", "write", "locks", "flock", "-n", "-E", VIOLATION, lock, "true"]
        statuses = {}
        threads = [threading.Thread(target=lambda k=kind, a=arguments: statuses.update(
            {k: self.storm(*a, workers=3)})) for kind, arguments in (("r", reads), ("w", writes))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assert_exclusive(statuses["r"])
        self.assert_exclusive(statuses["w"])

    def test_readers_share(self):
        readers = [self.begin("read_write_lock", "read", "locks", "sh", "-c", "echo in; exec tail -f /dev/null",
                              mount=number) for number in range(3)]
        for reader in readers:
            self.assertEqual(reader.stdout.readline(), "in\n")
        writer = self.begin("read_write_lock", "write", "locks", "echo", "wrote")
        for reader in readers:
            self.assertIsNone(writer.poll())
            os.killpg(reader.pid, signal.SIGKILL)
        self.assertEqual(writer.communicate(timeout=60)[0], "wrote\n")

    def test_semaphore(self):
        one, two = self.scratch / "one", self.scratch / "two"
        command = (f"flock -n -E 98 {one} true; [ $? -eq 98 ] || exit 0;"
                   f" exec flock -n -E {VIOLATION} {two} true")
        statuses = self.storm("semaphore", "places", 2, "sh", "-c", command)
        self.assert_exclusive(statuses)

    def test_counter(self):
        statuses = self.storm("counter", "sum")
        added = statuses.count(0)
        killed = statuses.count(-signal.SIGKILL)
        self.assertEqual(added + killed, len(statuses), f"seed {SEED}")
        total = int(self.run_recipe("counter", "sum", 0))
        self.assertGreaterEqual(total, added)
        self.assertLessEqual(total, added + killed)

    def test_counter_is_exact_when_nobody_is_killed(self):
        threads = [threading.Thread(target=lambda n=number: [
            self.run_recipe("counter", "sum", mount=n) for _ in range(5)]) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.run_recipe("counter", "sum", 0), "30\n")

    def test_leader_election(self):
        led = self.scratch / "led"
        leads = "echo $0 $ZABFS_EPOCH >> " + str(led) + "; exec tail -f /dev/null"
        candidates = {}
        places = self.root / self.name / "election"
        for number in range(4):
            candidates[f"c{number}"] = self.begin(
                "leader_election", "run", "election", f"c{number}", "sh", "-c", leads, f"c{number}",
                mount=number)
            wait_until(lambda n=number: places.exists() and len(os.listdir(places)) == n + 1,
                       "it stands for election")
        epochs = []
        for number in range(4):
            wait_until(lambda n=number: led.exists() and len(led.read_text().splitlines()) == n + 1,
                       "the next one leads")
            name, epoch = led.read_text().splitlines()[-1].split()
            self.assertEqual(self.run_recipe("leader_election", "show", "election"), name + "\n")
            epochs.append(int(epoch))
            os.killpg(candidates.pop(name).pid, signal.SIGKILL)
        self.assertEqual(epochs, sorted(set(epochs)), "each leader has a higher number")

    def test_group_membership(self):
        members = [self.begin("group_membership", "join", "group", f"m{number}", "sleep", "60",
                              mount=number) for number in range(3)]
        followed = self.scratch / "followed"

        def listed():
            text = self.run_recipe("group_membership", "list", "group")
            return [line.split()[0] for line in text.splitlines()]

        wait_until(lambda: listed() == ["m0", "m1", "m2"], "all are listed")
        follower = self.begin("group_membership", "follow", "group", mount=1)
        with followed.open("w") as out:
            reader = threading.Thread(target=lambda: [out.write(line) and out.flush()
                                                      for line in follower.stdout])
            reader.start()
            os.killpg(members[1].pid, signal.SIGKILL)
            wait_until(lambda: followed.read_text().split("\n\n")[-2:-1] and
                       "m1" not in followed.read_text().split("\n\n")[-2] and
                       "m2" in followed.read_text().split("\n\n")[-2], "the follower is told")
            os.killpg(follower.pid, signal.SIGKILL)
            reader.join()
        self.assertEqual(listed(), ["m0", "m2"])

    def test_rendezvous(self):
        workers = [self.begin("rendezvous", "meet", "master", mount=number) for number in range(3)]
        offer = self.begin("rendezvous", "offer", "master", "10.0.0.1:80", "sleep", "60", mount=1)
        for worker in workers:
            self.assertEqual(worker.communicate(timeout=60)[0], "10.0.0.1:80\n")
        os.killpg(offer.pid, signal.SIGKILL)
        wait_until(lambda: not (self.root / self.name / "master").exists(), "the offer has ended")

    def test_configuration(self):
        seen = self.scratch / "seen"
        follow = (f"cmp copy/a copy/b && cat copy/a >> {seen} || echo torn >> {seen}")
        follower = subprocess.Popen(
            [RECIPES / "configuration.sh", "follow", self.root / self.name / "config", "copy",
             "sh", "-c", follow], cwd=self.scratch, preexec_fn=own_group)
        self.addCleanup(follower.wait)
        self.addCleanup(os.killpg, follower.pid, signal.SIGKILL)
        for version in range(20):
            for name in ("a", "b"):
                (self.scratch / name).write_text(f"{version}\n" * 200)
            self.run_recipe("configuration", "publish", "config", self.scratch / "a", self.scratch / "b",
                            mount=1)
        wait_until(lambda: seen.exists() and "19" in seen.read_text().split(), "the last one is used")
        used = seen.read_text().split()
        self.assertNotIn("torn", used)
        versions = list(dict.fromkeys(used))
        self.assertEqual(versions, sorted(versions, key=int))

    def test_double_barrier(self):
        log = self.scratch / "log"
        command = f"echo in >> {log}; echo out >> {log}"
        waiting = [self.begin("double_barrier", "barrier", 4, "sh", "-c", command, mount=number)
                   for number in range(3)]
        wait_until(lambda: len([name for name in os.listdir(self.root / self.name / "barrier")]) == 3
                   if (self.root / self.name / "barrier").exists() else False, "three are there")
        self.assertFalse(log.exists())
        waiting.append(self.begin("double_barrier", "barrier", 4, "sh", "-c", command, mount=3))
        for process in waiting:
            self.assertEqual(process.wait(timeout=60), 0)
        self.assertEqual(sorted(log.read_text().split()), ["in"] * 4 + ["out"] * 4)
        wait_until(lambda: not os.listdir(self.root / self.name / "barrier"), "nothing is left behind")

    def test_nobody_leaves_the_barrier_before_all_have_run(self):
        gate = self.scratch / "gate"
        fast = self.begin("double_barrier", "barrier", 2, "true")
        slow = self.begin("double_barrier", "barrier", 2, "sh", "-c",
                          f"echo runs; until [ -e {gate} ]; do :; done", mount=1)
        self.assertEqual(slow.stdout.readline(), "runs\n")
        self.assertIsNone(fast.poll())
        gate.touch()
        self.assertEqual((fast.wait(timeout=60), slow.wait(timeout=60)), (0, 0))

    def test_work_queue(self):
        done = self.scratch / "done"
        jobs = [self.run_recipe("work_queue", "put", "queue", "job", number, mount=number).strip()
                for number in range(15)]
        self.assertEqual(jobs, sorted(jobs))
        command = f"read -r text && echo $text >> {done}"
        workers = [self.begin("work_queue", "work", "queue", "sh", "-c", command, mount=number)
                   for number in range(3)]
        for _ in range(6):
            threading.Event().wait(self.random.uniform(0.05, 0.3))
            number = self.random.randrange(3)
            os.killpg(workers[number].pid, signal.SIGKILL)
            workers[number].wait()
            workers[number] = self.begin("work_queue", "work", "queue", "sh", "-c", command,
                                         mount=number)
        wait_until(lambda: not os.listdir(self.root / self.name / "queue/jobs"), "all jobs are done",
                   seconds=60)
        self.assertEqual(set(done.read_text().splitlines()), {f"job {n}" for n in range(15)})

    def test_wrong_words_are_refused_with_a_sentence(self):
        for script in RECIPES.glob("*.sh"):
            ended = subprocess.run([script], cwd=self.scratch, capture_output=True, text=True, check=False)
            self.assertEqual(ended.returncode, 2, script)
            self.assertIn("usage: " + script.name, ended.stderr)


if __name__ == "__main__":
    unittest.main()
