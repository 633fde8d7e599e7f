"""flock and fcntl on two mounts of one ensemble, as programs use them: on zabd and on ZooKeeper."""

import fcntl
import os
import pathlib
import random
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import textwrap
import threading
import unittest

from kazoo.client import KazooClient

from deadline import wait_until
from mount import Mount, MountTestCase
from server import Server, dies_with_its_parent

F_OFD_SETLK = 37


def record(kind, l_whence=0, l_start=0, l_len=0, l_pid=0):
    """A struct flock for fcntl(2), on 64-bit Linux."""
    return struct.pack("hhqqi4x", kind, l_whence, l_start, l_len, l_pid)


class Locking(MountTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = Mount("-o", "timeout=4", cls.server.hosts)
        cls.addClassCleanup(cls.other.remove)

    def setUp(self):
        self.zk = KazooClient(hosts=self.server.hosts)
        self.zk.start()
        self.addCleanup(self.zk.close)
        self.addCleanup(self.zk.stop)
        self.name = self.id().rsplit(".", 1)[1]
        self.zk.create("/" + self.name, b"")
        self.here = self.root / self.name
        self.there = self.other.path / self.name
        self.queue = "/zabfs/locks/%2F" + self.name

    def contenders(self):
        if not self.zk.exists(self.queue):
            return []
        return sorted(self.zk.get_children(self.queue), key=lambda name: name[-10:])

    def wait_for_contenders(self, *kinds):
        wait_until(lambda: [name[:-11] for name in self.contenders()] == list(kinds),
                   f"the queue is {kinds}")

    def begin(self, *command, **options):
        """A process; ended whatever happens."""
        process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, preexec_fn=dies_with_its_parent, **options)

        def end():
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()

        self.addCleanup(end)
        return process

    def hold(self, path, *options):
        """A flock(1) that has the lock until its standard input ends."""
        holder = self.begin("flock", *options, path, "sh", "-c", "echo held; cat")
        self.assertEqual(holder.stdout.readline(), "held\n")
        return holder

    def let_go(self, holder):
        holder.communicate("", timeout=30)

    def can_lock(self, path, *options):
        return subprocess.run(["flock", "-n", *options, str(path), "true"], check=False,
                              timeout=30).returncode == 0

    def python(self, script, *arguments):
        return self.begin(sys.executable, "-c", textwrap.dedent(script), *arguments)

    def test_a_lock_is_one_lock_on_all_machines(self):
        holder = self.hold(self.here)
        self.assertFalse(self.can_lock(self.there))
        self.assertFalse(self.can_lock(self.here))
        waiter = self.begin("flock", self.there, "echo", "mine")
        self.wait_for_contenders("write", "write")
        self.let_go(holder)
        self.assertEqual(waiter.communicate(timeout=30)[0], "mine\n")
        self.wait_for_contenders()
        self.assertTrue(self.can_lock(self.here))

    def test_readers_share_and_a_writer_comes_in_between(self):
        one = self.hold(self.here, "-s")
        other = self.hold(self.there, "-s")
        writer = self.begin("flock", self.there, "echo", "mine")
        self.wait_for_contenders("read", "read", "write")
        self.assertFalse(self.can_lock(self.here, "-s"), "a reader overtakes a writer that waits")
        self.let_go(one)
        self.let_go(other)
        self.assertEqual(writer.communicate(timeout=30)[0], "mine\n")

    def test_a_descriptor_changes_what_it_has(self):
        with open(self.here, "r+") as one, open(self.there, "r+") as other:
            fcntl.flock(one, fcntl.LOCK_SH)
            fcntl.flock(other, fcntl.LOCK_SH)
            with self.assertRaises(BlockingIOError):
                fcntl.flock(one, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(other, fcntl.LOCK_UN)
            fcntl.flock(one, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with self.assertRaises(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
            fcntl.flock(one, fcntl.LOCK_SH)
            fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
            with self.assertRaises(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def test_a_timeout_and_signals_end_the_wait_and_leave_nothing(self):
        holder = self.hold(self.here)
        self.assertEqual(subprocess.run(["flock", "-w", "1", str(self.there), "true"],
                                        check=False, timeout=30).returncode, 1)
        self.wait_for_contenders("write")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            waiter = self.begin("flock", self.there, "true")
            self.wait_for_contenders("write", "write")
            waiter.send_signal(number)
            self.assertEqual(waiter.wait(timeout=30), -number)
            self.wait_for_contenders("write")
        self.let_go(holder)

    def test_what_inherits_the_descriptor_holds_on(self):
        script = "exec 3<&0 9> $0; flock 9; sh -c 'echo held; exec cat <&3' & exec 9>&-; wait"
        shell = self.begin("bash", "-c", script, self.here)
        self.assertEqual(shell.stdout.readline(), "held\n")
        self.assertFalse(self.can_lock(self.there))
        shell.communicate("", timeout=30)
        wait_until(lambda: self.can_lock(self.there), "the lock is free")

    def test_a_holder_that_is_killed_holds_nothing(self):
        holder = self.python("""
            import fcntl, sys, time
            file = open(sys.argv[1], "r+")
            fcntl.flock(file, fcntl.LOCK_EX)
            print("held", flush=True)
            sys.stdin.read()
            """, self.here)
        self.assertEqual(holder.stdout.readline(), "held\n")
        waiter = self.begin("flock", self.there, "echo", "mine")
        self.wait_for_contenders("write", "write")
        holder.kill()
        self.assertEqual(waiter.communicate(timeout=30)[0], "mine\n")

    def test_a_mount_that_is_killed_holds_nothing(self):
        third = Mount("-o", "timeout=4", self.server.hosts)
        self.addCleanup(third.remove)
        self.hold(third.path / self.name)
        waiter = self.begin("flock", self.there, "echo", "mine")
        self.wait_for_contenders("write", "write")
        third.process.kill()
        self.assertEqual(waiter.communicate(timeout=60)[0], "mine\n")

    def test_the_order_is_that_of_arrival(self):
        holder = self.hold(self.here)
        log = self.directory_of_results() / "order"
        waiters = []
        for number in range(6):
            path = (self.here, self.there)[number % 2]
            waiters.append(self.begin("flock", path, "sh", "-c", f"echo {number} >> {log}"))
            self.wait_for_contenders(*["write"] * (number + 2))
        self.let_go(holder)
        for waiter in waiters:
            self.assertEqual(waiter.wait(timeout=30), 0)
        self.assertEqual(log.read_text().split(), [str(number) for number in range(6)])

    def directory_of_results(self):
        directory = self.mount.directory / ("results-" + self.name)
        directory.mkdir(exist_ok=True)
        self.addCleanup(shutil.rmtree, directory, True)
        return directory

    def test_a_mount_of_a_subtree_contends_with_one_of_the_whole(self):
        self.zk.create("/app-of-locks", b"")
        self.zk.create("/app-of-locks/job", b"")
        third = Mount(self.server.hosts + "/app-of-locks")
        self.addCleanup(third.remove)
        self.hold(self.root / "app-of-locks/job")
        self.assertFalse(self.can_lock(third.path / "job"))
        self.assertFalse(self.can_lock(third.path / "job@stat"))
        shown = (third.path / "job@queue").read_text()
        self.assertRegex(shown, "^holds write-[0-9]{10} 0x[0-9a-f]+ ")

    def test_fcntl_locks_whole_files(self):
        with open(self.here, "r+") as one, open(self.there, "r+") as other:
            fcntl.lockf(one, fcntl.LOCK_EX)
            self.assertEqual(self.contenders()[0][:12], "fcntl-write-")
            with self.assertRaises(BlockingIOError):
                fcntl.lockf(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = fcntl.fcntl(other, fcntl.F_GETLK, record(fcntl.F_WRLCK))
            kind, _, start, length, pid = struct.unpack("hhqqi4x", found)
            self.assertEqual((kind, start, length, pid), (fcntl.F_WRLCK, 0, 0, os.getpid()))
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.lockf(one, fcntl.LOCK_UN)
            fcntl.lockf(other, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def test_a_part_of_a_file_cannot_be_locked(self):
        with open(self.here, "r+") as file:
            for length, start in ((1, 0), (0, 1), (100, 100)):
                with self.assertRaises(OSError) as refused:
                    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, length, start)
                self.assertEqual(refused.exception.errno, 37)  # ENOLCK
        self.assertEqual(self.contenders(), [])

    def test_a_process_loses_its_fcntl_lock_with_its_first_close(self):
        with open(self.here, "r+") as one:
            fcntl.lockf(one, fcntl.LOCK_EX)
            os.close(os.open(self.here, os.O_RDWR))
            with open(self.there, "r+") as other:
                fcntl.lockf(other, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def test_the_lock_of_an_open_file_description_goes_with_it(self):
        one = os.open(self.here, os.O_RDWR)
        fcntl.fcntl(one, F_OFD_SETLK, record(fcntl.F_WRLCK))
        os.close(os.open(self.here, os.O_RDWR))
        with open(self.there, "r+") as other:
            with self.assertRaises(BlockingIOError):
                fcntl.fcntl(other, F_OFD_SETLK, record(fcntl.F_WRLCK))
            os.close(one)
            wait_until(lambda: self.contenders() == [], "the lock is free")
            fcntl.fcntl(other, F_OFD_SETLK, record(fcntl.F_WRLCK))

    def test_a_holder_has_a_fence(self):
        fences = []
        for path in (self.here, self.there, self.here):
            with open(path, "r+") as file:
                with self.assertRaises(OSError):
                    os.getxattr(file.fileno(), "user.zk.fence")
                fcntl.flock(file, fcntl.LOCK_EX)
                fences.append(int(os.getxattr(file.fileno(), "user.zk.fence")))
            wait_until(lambda: self.contenders() == [], "the lock is free")
        self.assertEqual(fences, sorted(set(fences)))

    def test_a_thread_locks_for_its_process(self):
        with open(self.here, "r+") as file:
            thread = threading.Thread(target=fcntl.flock, args=(file, fcntl.LOCK_EX))
            thread.start()
            thread.join()
            command = pathlib.Path("/proc/self/comm").read_text().strip()
            shown = (self.here.parent / (self.name + "@queue")).read_text()
            self.assertRegex(shown, f"^holds \\S+ \\S+ \\S+ {os.getpid()} \\S+ {re.escape(command)}$")

    def test_the_queue_is_seen_and_broken(self):
        holder = self.hold(self.here)
        waiter = self.begin("flock", "-s", self.there, "echo", "mine")
        self.wait_for_contenders("write", "read")
        host = os.uname().nodename
        lines = (self.here.parent / (self.name + "@queue")).read_text().splitlines()
        time = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z"
        self.assertRegex(lines[0], f"^holds write-[0-9]+ 0x[0-9a-f]+ {re.escape(host)} "
                         f"{holder.pid} {time} flock$")
        self.assertRegex(lines[1], f"^waits read-[0-9]+ 0x[0-9a-f]+ {re.escape(host)} "
                         f"{waiter.pid} {time} flock$")
        self.assertEqual(len(lines), 2)
        self.shell(f"rm {self.name}@locks/write-*")
        self.assertEqual(waiter.communicate(timeout=30)[0], "mine\n")

    def test_the_queue_of_another_client_is_seen(self):
        self.zk.create("/queue-of-kazoo", b"")
        lock = self.zk.Lock("/queue-of-kazoo", "worker 7")
        with lock:
            self.assertRegex(self.shell("cat queue-of-kazoo@queue"),
                             r"^holds [0-9a-f]+__lock__[0-9]{10} 0x[0-9a-f]+ - - \S+ worker 7\n$")

    def test_the_queues_are_not_in_a_copy(self):
        self.hold(self.here)
        self.assertNotIn("zabfs", os.listdir(self.root))

    def expire(self, mount):
        """Ends the mount's session as the ensemble would; it hears of that when it comes back."""
        session = self.session_of(mount)
        worker = mount.worker()
        os.kill(worker, signal.SIGSTOP)
        wait_until(lambda: not self.zk.exists(session), "the session has expired", seconds=60)
        os.kill(worker, signal.SIGCONT)

    def session_of(self, mount):
        """An ephemeral znode of the mount's session."""
        marker = f"marker-{random.randrange(10 ** 9)}"
        subprocess.run(["bash", "-c", f"echo > {mount.path}/{marker}@e"], check=True)
        return "/" + marker

    def test_a_holder_whose_session_expires_can_know(self):
        descriptor = os.open(self.there, os.O_RDWR)
        self.addCleanup(os.close, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        self.expire(self.other)
        self.assertTrue(self.can_lock(self.here))
        watch = select.poll()
        watch.register(descriptor, 0)
        self.assertEqual(watch.poll(30_000), [(descriptor, select.POLLERR)])
        for use in (lambda: os.pread(descriptor, 1, 0), lambda: os.write(descriptor, b"x"),
                    lambda: fcntl.flock(descriptor, fcntl.LOCK_EX),
                    lambda: fcntl.flock(descriptor, fcntl.LOCK_UN)):
            with self.assertRaises(OSError) as refused:
                use()
            self.assertEqual(refused.exception.errno, 67)  # ENOLINK
        self.assertTrue(self.can_lock(self.there))

    def expect_holders_to_end(self, option, number, command):
        mount = Mount("-o", f"timeout=4,onloss={option}", self.server.hosts)
        self.addCleanup(mount.remove)
        path = mount.path / self.name
        bystander = self.begin("sh", "-c", "exec 8< $0; echo here; cat", path)
        self.assertEqual(bystander.stdout.readline(), "here\n")
        holder = self.begin("bash", "-c", command, path)
        self.assertEqual(holder.stdout.readline(), "held\n")
        self.expire(mount)
        self.assertEqual(holder.wait(timeout=30), -number)
        self.assertIsNone(bystander.poll())
        self.let_go(bystander)
        self.assertEqual(mount.log_path.read_text().count("is lost; processes that got a signal"), 1)
        return mount.log_path.read_text()

    def test_a_script_that_took_the_lock_gets_a_signal(self):
        log = self.expect_holders_to_end(
            "term", signal.SIGTERM, "exec 9> $0; flock 9; echo held; read -r line")
        self.assertIn("signal: 1", log)

    def test_all_that_hold_it_get_the_signal(self):
        log = self.expect_holders_to_end(
            "kill", signal.SIGKILL, "exec flock $0 sh -c 'echo held; cat'")
        self.assertRegex(log, "signal: [23]")  # flock, its shell, and perhaps cat in its place

    def test_who_holds_many_gets_one_signal(self):
        mount = Mount("-o", "timeout=4,onloss=term", self.server.hosts)
        self.addCleanup(mount.remove)
        locks = [mount.path / f"{self.name}{number}" for number in range(20)]
        script = """
            import fcntl, os, signal, sys
            signals, told = os.pipe()
            os.set_blocking(told, False)
            signal.signal(signal.SIGTERM, lambda *_: None)
            signal.set_wakeup_fd(told)
            files = [open(path, "w") for path in sys.argv[1:]]
            for file in files:
                fcntl.flock(file, fcntl.LOCK_EX)
            print("held", flush=True)
            os.read(signals, 1)
            print("signal", flush=True)
            sys.stdin.readline()
            os.write(told, b"0")
            print(len(os.read(signals, 100)) - 1, "more")
            """
        holder = self.python(script, *locks)
        self.assertEqual(holder.stdout.readline(), "held\n")
        self.expire(mount)
        self.assertEqual(holder.stdout.readline(), "signal\n")
        wait_until(lambda: mount.log_path.read_text().count("got a signal: 1") == len(locks),
                   "all locks are lost")
        self.assertEqual(holder.communicate("", timeout=30)[0], "0 more\n")

    def test_a_holder_is_ended_without_waiting_for_the_news(self):
        server = Server()
        self.addCleanup(server.remove)
        server.start()
        mount = Mount("-o", "timeout=4,onloss=term", server.hosts)
        self.addCleanup(mount.remove)
        subprocess.run(["touch", mount.path / "file"], check=True)
        holder = self.begin("bash", "-c", "exec 9>> $0; flock 9; echo held; read -r line",
                            mount.path / "file")
        self.assertEqual(holder.stdout.readline(), "held\n")
        server.pause()
        self.addCleanup(server.go_on)
        self.assertEqual(holder.wait(timeout=30), -signal.SIGTERM)

    def test_never_two_holders(self):
        total = self.directory_of_results() / "total"
        inside = self.directory_of_results() / "inside"
        total.write_text("0")
        script = """
            import fcntl, os, sys
            lock, inside, total, rounds = sys.argv[1:]
            for _ in range(int(rounds)):
                with open(lock, "r+") as file:
                    fcntl.flock(file, fcntl.LOCK_EX)
                    os.close(os.open(inside, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
                    with open(total, "r+") as count:
                        value = int(count.read()) + 1
                        count.seek(0)
                        count.write(str(value))
                    with open(lock, "r+") as shared:
                        value = int(shared.read() or 0) + 1
                        shared.seek(0)
                        shared.write(str(value))
                    os.unlink(inside)
            """
        workers = [self.python(script, (self.here, self.there)[number % 2], inside, total, 25)
                   for number in range(6)]
        for worker in workers:
            self.assertEqual(worker.wait(timeout=120), 0)
        self.assertEqual(total.read_text(), "150")
        self.assertEqual(self.zk.get("/" + self.name)[0], b"150")
        self.wait_for_contenders()


if __name__ == "__main__":
    unittest.main()
