"""Our client library against a real server: its calls, its watches, and a server that dies."""

import queue
import signal
import subprocess
import threading
import unittest

import wire
from deadline import wait_until
from server import BIN, TICK_MS, Server, dies_with_its_parent

CONNECTING, CONNECTED, EXPIRED, _, CLOSED = range(5)
CREATED, DELETED, CHANGED, CHILDREN = 1, 2, 3, 4
PATIENCE = 60
LONG_MS = 40_000  # of a session that shall outlive a restart of the server


class Shell:
    """A client_shell: commands in, lines out."""

    def __init__(self, hosts, timeout_ms=LONG_MS):
        self.process = subprocess.Popen(
            [str(BIN / "client_shell"), hosts, str(timeout_ms)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=dies_with_its_parent,
        )
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.session = int(self.expect(f"state {CONNECTED}").split()[2])

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip())

    def send(self, *commands):
        self.process.stdin.write("".join(command + "\n" for command in commands))
        self.process.stdin.flush()

    def next_line(self):
        return self.lines.get(timeout=PATIENCE)

    def expect(self, beginning):
        line = self.next_line()
        if not line.startswith(beginning):
            raise AssertionError(f"said {line!r} where {beginning!r} was expected")
        return line

    def call(self, command):
        """The answer to a command, as its code and data; nothing else may come before it."""
        self.send(command)
        return self.expect(" ".join(command.split()[:2]) + ":").split(": ", 1)[1].rstrip()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def end(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdin.close()
        self.process.stdout.close()


class ClientLibrary(unittest.TestCase):
    def setUp(self):
        self.server = Server(settings=[f"maxSessionTimeout={LONG_MS}"])
        self.addCleanup(self.server.remove)
        self.server.start()

    def shell(self, chroot="", **how):
        shell = Shell(self.server.hosts + chroot, **how)
        self.addCleanup(shell.end)
        return shell

    def other(self):
        connection = wire.Connection(self.server.port)
        self.addCleanup(connection.socket.close)
        return connection

    def test_calls_are_answered_in_order(self):
        shell = self.shell()
        shell.send("create /a one", "get /a", "set /a two", "get /a", "create /a x", "exists /no")
        for line in (
            "create /a: OK /a",
            "get /a: OK one",
            "set /a: OK",
            "get /a: OK two",
            "create /a: NodeExists",
            "exists /no: NoNode",
        ):
            shell.expect(line)
        self.assertEqual(shell.call("multi /a/x /a/y"), "OK")
        self.assertEqual(sorted(shell.call("children /a").split()), ["OK", "x", "y"])
        self.assertEqual(shell.call("sync /a"), "OK /a")
        self.assertEqual(shell.call("delete /a"), "NotEmpty")

    def test_watches_fire_once_and_before_the_reply_to_the_change(self):
        shell = self.shell()
        shell.send("watch-exists /w", "create /w", "watch-get /w", "watch-children /w")
        shell.send("create /w/c", "set /w 1", "set /w 2", "delete /w/c", "delete /w")
        for line in (
            "watch-exists /w: NoNode",
            f"event {CREATED} /w",
            "create /w: OK",
            "watch-get /w: OK",
            "watch-children /w: OK",
            f"event {CHILDREN} /w",
            "create /w/c: OK",
            f"event {CHANGED} /w",
            "set /w: OK",
            "set /w: OK",
            "delete /w/c: OK",
            "delete /w: OK",
        ):
            shell.expect(line)

    def test_watches_that_stay_fire_until_they_are_removed(self):
        shell = self.shell()
        shell.send("create /p", "create /r", "add-watch /p 0", "add-watch /r 1")
        shell.send("set /p 1", "create /p/c", "create /r/c", "set /r/c 1", "set /p 2")
        for line in (
            "create /p: OK",
            "create /r: OK",
            "add-watch /p: OK",
            "add-watch /r: OK",
            f"event {CHANGED} /p",
            "set /p: OK",
            f"event {CHILDREN} /p",
            "create /p/c: OK",
            f"event {CREATED} /r/c",
            "create /r/c: OK",
            f"event {CHANGED} /r/c",
            "set /r/c: OK",
            f"event {CHANGED} /p",
            "set /p: OK",
        ):
            shell.expect(line)
        shell.send("remove-watches /r 3", "set /r/c 2", "remove-watches /r 3", "set /p 3")
        for line in (
            "remove-watches /r: OK",
            "set /r/c: OK",
            "remove-watches /r: NoWatcher",
            f"event {CHANGED} /p",
            "set /p: OK",
        ):
            shell.expect(line)

    def test_watches_that_stay_are_set_again_on_the_next_connection(self):
        shell = self.shell(timeout_ms=LONG_MS)
        for command in ("create /p", "create /r", "add-watch /p 0", "add-watch /r 1"):
            shell.call(command)
        self.server.kill()
        shell.expect(f"state {CONNECTING}")
        self.server.start()
        shell.expect(f"state {CONNECTED}")
        other = self.other()
        for _ in range(2):
            other.call(wire.SET_DATA, wire.set_data("/p", b"2"))
            shell.expect(f"event {CHANGED} /p")
        other.call(wire.CREATE, wire.create("/r/c"))
        shell.expect(f"event {CREATED} /r/c")

    def test_a_chroot_is_the_root(self):
        self.shell().call("create /sub")
        shell = self.shell(chroot="/sub")
        self.assertEqual(shell.call("create /a data"), "OK /a")
        self.assertEqual(shell.call("watch-get /a"), "OK data")
        self.assertEqual(shell.call("children /"), "OK a")
        self.assertEqual(shell.call("sync /a"), "OK /a")
        self.other().call(wire.SET_DATA, wire.set_data("/sub/a", b"changed"))
        shell.expect(f"event {CHANGED} /a")

    def test_closing_ends_the_session(self):
        shell = self.shell()
        shell.call("ephemeral /e")
        shell.send("close")
        shell.expect(f"state {CLOSED}")
        shell.expect("close : OK")
        self.assertEqual(shell.process.wait(PATIENCE), 0)
        self.assertEqual(self.other().call(wire.EXISTS, wire.read("/e")).error, wire.NO_NODE)

    def test_a_killed_server_costs_neither_the_session_nor_a_read(self):
        shell = self.shell(timeout_ms=LONG_MS)
        shell.call("ephemeral /e")
        self.server.kill()
        shell.expect(f"state {CONNECTING}")
        shell.send("get /e")
        self.server.start()
        self.assertEqual(shell.expect(f"state {CONNECTED}").split()[2], str(shell.session))
        shell.expect("get /e: OK")

    def test_watches_survive_and_report_what_was_missed(self):
        shell = self.shell(timeout_ms=LONG_MS)
        for command in ("create /data 1", "create /parent", "create /doomed", "create /still 1"):
            shell.call(command)
        for command in ("get /data", "children /parent", "get /doomed", "exists /new", "get /still"):
            shell.call("watch-" + command)
        self.server.kill()
        shell.expect(f"state {CONNECTING}")
        shell.pause()
        self.server.start()
        other = self.other()
        other.call(wire.SET_DATA, wire.set_data("/data", b"2"))
        other.call(wire.CREATE, wire.create("/parent/child"))
        other.call(wire.DELETE, wire.versioned("/doomed"))
        other.call(wire.CREATE, wire.create("/new"))
        shell.go_on()
        events = {shell.expect("event") for _ in range(4)}
        self.assertEqual(
            events,
            {
                f"event {CHANGED} /data",
                f"event {CHILDREN} /parent",
                f"event {DELETED} /doomed",
                f"event {CREATED} /new",
            },
        )
        shell.expect(f"state {CONNECTED}")
        other.call(wire.SET_DATA, wire.set_data("/still", b"2"))
        shell.expect(f"event {CHANGED} /still")

    def test_writes_in_flight_are_answered_once_and_never_repeated(self):
        shell = self.shell(timeout_ms=LONG_MS)
        shell.call("create /counter")
        count = 20000
        shell.send(f"burst {count} /counter")
        acknowledged = lost = 0
        while acknowledged + lost < count:
            line = shell.next_line()
            acknowledged += line == f"burst {count}: OK"
            lost += line == f"burst {count}: ConnectionLoss"
            if acknowledged == 100 and self.server.process.poll() is None:
                self.server.kill()
                self.server.start()
        self.assertGreater(lost, 0, "the server was killed too late")
        _, stat = wire.get_data_reply(self.other().call(wire.GET_DATA, wire.read("/counter")).body)
        self.assertGreaterEqual(stat.version, acknowledged)
        self.assertLessEqual(stat.version, count)

    def test_an_expired_session_is_over_for_good(self):
        shell = self.shell(timeout_ms=5 * TICK_MS)
        shell.call("ephemeral /e")
        other = self.other()
        shell.pause()
        gone = lambda: other.call(wire.EXISTS, wire.read("/e")).error == wire.NO_NODE
        wait_until(gone, "the ephemeral of the stopped client is gone")
        shell.go_on()
        shell.expect(f"state {CONNECTING}")
        shell.expect(f"state {EXPIRED}")
        self.assertEqual(shell.call("get /e"), "SessionExpired")

    def test_a_server_that_hangs_is_noticed_and_forgiven(self):
        shell = self.shell(timeout_ms=10 * TICK_MS)
        shell.call("create /a")
        self.server.pause()
        shell.send("get /a", "set /a 1")
        shell.expect(f"state {CONNECTING}")
        shell.expect("set /a: ConnectionLoss")
        self.server.go_on()
        while not (line := shell.next_line()).startswith("get /a"):
            self.assertTrue(line.startswith("state"), line)
        # Whether the session outlived the pause is the server's to say.
        self.assertIn(line.split(": ")[1].split()[0], ("OK", "SessionExpired", "OperationTimeout"))

    def test_the_example_says_hello(self):
        said = subprocess.run(
            [str(BIN / "hello_client"), self.server.hosts],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        ).stdout.splitlines()
        self.assertEqual(
            said,
            ["create: OK", "exists: OK", f"event {CHANGED} at /hello", "set: OK", "get: OK", "data: ho"],
        )
        refused = subprocess.run([str(BIN / "hello_client"), "a:b"], capture_output=True, text=True)
        self.assertEqual(refused.returncode, 2)
        self.assertIn('"a:b"', refused.stderr)


if __name__ == "__main__":
    unittest.main()
