"""Streams of changes (`N@watch`, `N@watch=r`) and ACLs as files, in shells and programs that poll."""

import os
import select
import signal
import socket
import subprocess
import threading
import unittest

from kazoo.client import KazooClient
from kazoo.security import make_acl

from deadline import wait_until
from mount import Mount, MountTestCase
from server import dies_with_its_parent


class Road:
    """Forwards connections to the server, until it is cut; then none goes through until mended."""

    def __init__(self, port):
        self.port = port
        self.is_cut = False
        self.sockets = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.hosts = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if self.is_cut:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self.port))
            self.sockets += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self.forward, args=(one, other), daemon=True).start()

    @staticmethod
    def forward(one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        self.is_cut = True
        for end in self.sockets:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()
        self.sockets = []

    def mend(self):
        self.is_cut = False

    def close(self):
        self.cut()
        self.listener.close()


class Follower:
    """`cat` of a stream, and the lines that it has printed."""

    def __init__(self, directory, name):
        self.process = subprocess.Popen(["cat", name], cwd=directory, stdout=subprocess.PIPE,
                                        text=True, preexec_fn=dies_with_its_parent)
        self.name = name
        self.lines = []
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.split())

    def words(self):
        return [" ".join(line[1:]) for line in list(self.lines)]

    def is_blocked(self):
        """In a read of the file: so it has been opened."""
        directory = f"/proc/{self.process.pid}/fd"
        try:
            opened = [os.readlink(f"{directory}/{fd}") for fd in os.listdir(directory)]
        except FileNotFoundError:  # Closed while they were listed.
            return False
        with open(f"/proc/{self.process.pid}/stack", encoding="ascii") as stack:
            return (any(self.name in name for name in opened)
                    and "request_wait_answer" in stack.read())

    def wait_for(self, words):
        wait_until(lambda: len(self.lines) >= len(words), f"{words}, so far {self.lines}")
        if self.words() != words:
            raise AssertionError(f"{self.words()} instead of {words}")

    def end(self):
        self.process.kill()
        self.process.wait()
        self.thread.join()
        self.process.stdout.close()


class Streams(MountTestCase):
    settings = ("4lw.commands.whitelist=*",)

    def setUp(self):
        self.zk = KazooClient(hosts=self.server.hosts)
        self.zk.start()
        self.addCleanup(self.zk.close)
        self.addCleanup(self.zk.stop)
        self.name = self.id().rsplit(".", 1)[1]
        self.path = "/" + self.name

    def follow(self, view="@watch", root=None):
        follower = Follower(root or self.root, self.name + view)
        self.addCleanup(follower.end)
        return follower

    def is_watched(self):
        with socket.create_connection(("127.0.0.1", self.server.port)) as asked:
            asked.sendall(b"wchp")
            said = b"".join(iter(lambda: asked.recv(4096), b""))
        return self.path in said.decode().splitlines()

    def test_each_change_is_a_line_with_its_zxid(self):
        follower = self.follow()
        follower.wait_for([f"absent {self.path}"])
        self.zk.create(self.path, b"1")
        follower.wait_for([f"absent {self.path}", f"created {self.path}"])
        self.assertEqual(int(follower.lines[1][0]), self.zk.get(self.path)[1].czxid)
        stat = self.zk.set(self.path, b"2")
        wait_until(lambda: len(follower.lines) == 3, "the change is told")
        self.assertEqual(int(follower.lines[2][0]), stat.mzxid)
        self.zk.create(self.path + "/child", b"")
        wait_until(lambda: len(follower.lines) == 4, "the child is told")
        self.assertEqual(follower.words()[2:], [f"changed {self.path}", f"children {self.path}"])

    def test_none_of_many_is_lost_and_each_can_be_read_when_it_is_told(self):
        self.zk.create(self.path, b"0")
        script = (f"n=0; while read -r zxid event path; do"
                  f" v=$(cat {self.name}); [ $v -ge $n ] || echo older; n=$((n + 1));"
                  f" [ $n -le 200 ] || break; done < {self.name}@watch; echo $n")
        for shell in ("bash", "dash"):
            process = subprocess.Popen([shell, "-c", script], cwd=self.root, text=True,
                                       stdout=subprocess.PIPE, preexec_fn=dies_with_its_parent)
            self.addCleanup(process.kill)
            self.addCleanup(process.stdout.close)
            wait_until(self.is_watched, "it is watched")
            for value in range(1, 201):
                self.zk.set(self.path, str(value).encode())
            self.assertEqual(process.communicate(timeout=60)[0], "201\n")
            wait_until(lambda: not self.is_watched(), "it is not watched any more")

    def test_a_subtree(self):
        self.zk.create(self.path + "/before", b"", makepath=True)
        follower = self.follow("@watch=r")
        follower.wait_for([f"exists {self.path}"])
        self.zk.create(self.path + "/a", b"")
        self.zk.create(self.path + "/a/b", b"")
        self.zk.set(self.path + "/a/b", b"1")
        self.zk.delete(self.path + "/before")
        follower.wait_for([f"exists {self.path}", f"created {self.path}/a",
                           f"created {self.path}/a/b", f"changed {self.path}/a/b",
                           f"deleted {self.path}/before"])
        follower.process.send_signal(signal.SIGINT)
        self.assertEqual(follower.process.wait(timeout=30), -signal.SIGINT)
        wait_until(lambda: not self.is_watched(), "the watch is taken back")

    # Other watches of the same path, of the cache and of other views, must not end a stream.
    def test_what_else_is_watched_does_not_matter(self):
        self.zk.create(self.path, b"0")
        self.zk.create(self.path + "/child", b"0")
        stream, subtree = self.follow(), self.follow("@watch=r")
        stream.wait_for([f"exists {self.path}"])
        subtree.wait_for([f"exists {self.path}"])
        for number in range(1, 21):
            one = self.follow("@next")
            wait_until(one.is_blocked, "it waits")
            self.shell(f"cat {self.name}@data {self.name}/child > /dev/null; ls {self.name} > /dev/null"
                       f"; cat {self.name}@exists {self.name}@data > /dev/null")
            self.zk.set(self.path, str(number).encode())
            self.assertEqual(one.process.wait(timeout=30), 0)
            other = self.follow("@next")
            wait_until(other.is_blocked, "it waits")
            self.zk.create(f"{self.path}/n{number}", b"")
            self.assertEqual(other.process.wait(timeout=30), 0)
            other.thread.join()
            self.assertEqual(other.words(), [f"children {self.path}"])
            wait_until(lambda n=number: len(stream.lines) == 1 + 2 * n, "both are told")
            wait_until(lambda n=number: len(subtree.lines) == 1 + 2 * n, "of the subtree too")
        self.assertEqual(set(stream.words()[1:]), {f"changed {self.path}", f"children {self.path}"})

    def test_a_program_polls_and_a_reader_that_may_not_block_is_told(self):
        stream = os.open(self.root / (self.name + "@watch"), os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, stream)
        self.assertIn(b" absent ", os.read(stream, 100))
        with self.assertRaises(BlockingIOError):
            os.read(stream, 100)
        with select.epoll() as poller:
            poller.register(stream, select.EPOLLIN)
            self.assertEqual(poller.poll(0), [])
            for round_ in range(3):
                self.zk.create(f"{self.path}" if round_ == 0 else f"{self.path}/{round_}", b"")
                self.assertEqual(poller.poll(30), [(stream, select.EPOLLIN)])
                os.read(stream, 100)

    def test_what_a_lost_connection_hid_is_told_behind_it(self):
        road = Road(self.server.port)
        self.addCleanup(road.close)
        mount = Mount("-o", "timeout=4", road.hosts)
        self.addCleanup(mount.remove)
        for path in ("", "/stays", "/goes"):
            self.zk.create(self.path + path, b"1")
        stream = self.follow(root=mount.path)
        subtree = self.follow("@watch=r", root=mount.path)
        stream.wait_for([f"exists {self.path}"])
        subtree.wait_for([f"exists {self.path}"])
        self.shell(f"ls {self.name}")
        road.cut()
        wait_until(lambda: len(stream.lines) == 2 and len(subtree.lines) == 2, "it is noticed")
        stat = self.zk.set(self.path, b"2")
        self.zk.delete(self.path + "/goes")
        self.zk.set(self.path + "/stays", b"2")
        self.zk.create(self.path + "/comes", b"")
        road.mend()
        stream.wait_for([f"exists {self.path}", f"disconnected {self.path}",
                         f"connected {self.path}", f"changed {self.path}",
                         f"children {self.path}"])
        self.assertEqual(int(stream.lines[3][0]), stat.mzxid)
        subtree.wait_for([f"exists {self.path}", f"disconnected {self.path}",
                          f"connected {self.path}", f"changed {self.path}",
                          f"changed {self.path}/stays", f"created {self.path}/comes",
                          f"deleted {self.path}/goes"])
        self.zk.set(self.path, b"3")
        wait_until(lambda: stream.words()[-1] == f"changed {self.path}", "it goes on")

    def test_a_session_that_expires_ends_the_stream(self):
        road = Road(self.server.port)
        self.addCleanup(road.close)
        mount = Mount("-o", "timeout=3", road.hosts)
        self.addCleanup(mount.remove)
        self.zk.create(self.path, b"1")
        (mount.path / (self.name + "-owned@e")).touch()
        stream = self.follow(root=mount.path)
        stream.wait_for([f"exists {self.path}"])
        road.cut()
        wait_until(lambda: self.zk.exists(self.path + "-owned") is None, "the session has expired")
        road.mend()
        self.assertEqual(stream.process.wait(timeout=30), 0)
        stream.thread.join()
        self.assertEqual(stream.words()[-1], f"expired {self.path}")


class Acls(MountTestCase):
    def setUp(self):
        self.zk = KazooClient(hosts=self.server.hosts)
        self.zk.start()
        self.addCleanup(self.zk.close)
        self.addCleanup(self.zk.stop)

    def test_an_acl_is_a_file(self):
        self.shell("echo 1 > a && echo world:anyone:ra > a@acl")
        self.assertEqual(self.zk.get_acls("/a")[0], [make_acl("world", "anyone", read=True, admin=True)])
        self.assertIn("Permission denied", self.shell("{ /bin/echo 2 > a; } 2>&1", expect=1))
        self.assertEqual(self.shell("cat a a@acl"), "1\nworld:anyone:ra\n")
        self.shell("echo ip:127.0.0.1:w >> a@acl && /bin/echo 2 > a")
        self.assertEqual(self.shell("cat a a@acl"), "2\nworld:anyone:ra\nip:127.0.0.1:w\n")
        self.shell("printf 'world:anyone:cdrwa\\n' > b; cp b a@acl; cp a@acl c")
        self.assertEqual(self.shell("cat a@acl c"), "world:anyone:cdrwa\n" * 2)

    def test_what_is_no_acl_is_refused_and_changes_nothing(self):
        self.shell("echo 1 > n")
        for text in ("nonsense", "world:anyone:x", "", "nobody:knows:r", "ip:300.1.1.1:r"):
            self.assertIn("Invalid argument", self.shell(f"/bin/echo '{text}' | cp /dev/stdin n@acl", expect=1),
                          text)
        self.assertIn("Invalid argument", self.shell("echo nonsense > n@acl", expect=1))
        self.assertIn("No such file", self.shell("echo world:anyone:r > absent@acl", expect=1))
        self.assertEqual(self.shell("cat n@acl"), "world:anyone:cdrwa\n")

    def test_as_an_attribute(self):
        self.shell("echo 1 > x && setfattr -n user.zk.acl -v world:anyone:cdra x")
        self.assertEqual(self.shell("getfattr --only-values -n user.zk.acl x; cat x@stat | grep aversion"),
                         "world:anyone:cdra\naversion 1\n")
        # The copy has the permissions that show, and not the ACL.
        self.assertEqual(self.shell("cp -a x y && cat y y@acl"), "1\nworld:anyone:ra\n")


if __name__ == "__main__":
    unittest.main()
