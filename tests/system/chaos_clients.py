"""The clients of chaos_test.py: each does one thing again and again, through whichever server
answers, and records what it asked, when, and what it heard.

A request whose answer did not come is recorded too: it may have happened, at any time after it was
sent. A client keeps its session as long as it lives, and moves with it from server to server.
"""

import collections
import random
import threading
import time

import wire
from kazoo.client import KazooClient
from kazoo.exceptions import KazooException, NoNodeError, RolledBackError
from kazoo.handlers.threading import KazooTimeoutError
from kazoo.recipe.lock import LockTimeout

REGISTERS = 3
SESSION_MS = 4000
PATIENCE = 1.0  # Seconds without an answer after which a client tries another server.
BAD_VERSION = -103
FOREVER = float("inf")

# `version` and `zxid` are None, and `end` FOREVER, while nobody knows whether it happened.
Write = collections.namedtuple("Write", "value begin end version zxid expected")
Read = collections.namedtuple("Read", "value begin end version zxid is_synced")
Created = collections.namedtuple("Created", "path value begin end zxid")


class Client:
    """A session and a thread; subclasses say what one `step` is."""

    def __init__(self, name, servers, seed):
        self.name = name
        self.servers = servers
        self.chance = random.Random(seed)
        self.connection = None
        self.session = (0, bytes(16))
        self.last_zxid = 0
        self.sent = 0
        self.acknowledged = 0  # writes
        self.unknown = 0  # writes
        self.went_back = 0  # how often this session was shown something older than before
        self.failure = None
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        try:
            while not self.ends.is_set():
                try:
                    if self.connection is None:
                        self._attach()
                    self.step()
                except (OSError, wire.Refused):
                    self._leave()
                    self.ends.wait(0.02)
        except BaseException as failure:  # Raised again by `join`, in the test's own thread.
            self.failure = failure
        finally:
            self._leave()

    def _attach(self):
        session, password = self.session
        server = self.chance.choice(self.servers)
        self.connection = server.connect(timeout_ms=SESSION_MS, session=session, password=password,
                                         last_zxid=self.last_zxid, patience=PATIENCE)
        self.session = (self.connection.session, self.connection.password)
        if self.connection.session == 0:  # It has expired; the next attempt opens a new one.
            self.session = (0, bytes(16))
            raise wire.Refused

    def _leave(self):
        if self.connection is not None:
            self.connection.socket.close()
            self.connection = None

    def step(self):
        raise NotImplementedError

    def new_value(self):
        self.sent += 1
        return f"{self.name}:{self.sent}"

    def call(self, operation, body):
        reply = self.connection.call(operation, body)
        if reply.zxid < self.last_zxid:
            self.went_back += 1
        self.last_zxid = max(self.last_zxid, reply.zxid)
        return reply

    def write(self, operation, body):
        """As call; counts what is not answered."""
        try:
            reply = self.call(operation, body)
        except OSError:
            self.unknown += 1
            raise
        if reply.error == wire.OK:
            self.acknowledged += 1
        return reply

    def get(self, path):
        reply = self.call(wire.GET_DATA, wire.read(path))
        if reply.error != wire.OK:
            raise AssertionError(f"{path} was there, and now: {reply}")
        return wire.get_data_reply(reply.body)

    def join(self):
        self.thread.join(timeout=60)
        if self.thread.is_alive():
            raise AssertionError(f"client {self.name} does not end")
        if self.failure is not None:
            raise self.failure


class RegisterClient(Client):
    """Reads and writes /register-N, sometimes only if it has the version seen last."""

    def __init__(self, name, servers, seed):
        super().__init__(name, servers, seed)
        self.writes = [[] for _ in range(REGISTERS)]
        self.reads = [[] for _ in range(REGISTERS)]
        self.refused = [[] for _ in range(REGISTERS)]  # Writes that answered BadVersion.
        self.seen = [0] * REGISTERS  # The last version that this session was shown.

    def step(self):
        register = self.chance.randrange(REGISTERS)
        kind = self.chance.choice(("read", "synced read", "write", "swap", "swap"))
        if kind in ("read", "synced read"):
            self._read(register, kind == "synced read")
        else:
            self._write(register, self.seen[register] if kind == "swap" else -1)

    def _read(self, register, is_synced):
        path = f"/register-{register}"
        begin = time.monotonic()
        if is_synced:
            synced = self.call(wire.SYNC, wire.string(path))
            if synced.error != wire.OK:
                raise AssertionError(f"a sync was answered with {synced}")
        data, stat = self.get(path)
        read = Read(data.decode(), begin, time.monotonic(), stat.version, stat.mzxid, is_synced)
        self.reads[register].append(read)
        self._saw(register, stat.version)

    def _write(self, register, expected):
        value = self.new_value()
        body = wire.set_data(f"/register-{register}", value.encode(), expected)
        begin = time.monotonic()
        try:
            reply = self.write(wire.SET_DATA, body)
        except OSError:
            self.writes[register].append(Write(value, begin, FOREVER, None, None, expected))
            raise
        end = time.monotonic()
        if reply.error == BAD_VERSION:
            self.refused[register].append(Write(value, begin, end, None, None, expected))
            self.seen[register] = self.get(f"/register-{register}")[1].version
            return
        if reply.error != wire.OK:
            raise AssertionError(f"a write was answered with {reply}")
        stat = wire.Stat(*wire.STAT.unpack(reply.body))
        write = Write(value, begin, end, stat.version, stat.mzxid, expected)
        self.writes[register].append(write)
        self._saw(register, stat.version)

    def _saw(self, register, version):
        if version < self.seen[register]:
            self.went_back += 1
        self.seen[register] = version


class CounterClient(Client):
    """Adds one to /counter, if nobody has changed it since it was read."""

    def step(self):
        data, stat = self.get("/counter")
        body = wire.set_data("/counter", str(int(data) + 1).encode(), stat.version)
        reply = self.write(wire.SET_DATA, body)
        if reply.error not in (wire.OK, BAD_VERSION):
            raise AssertionError(f"counting was answered with {reply}")


class SequenceClient(Client):
    """Creates sequential znodes, and deletes most of them again."""

    def __init__(self, name, servers, seed):
        super().__init__(name, servers, seed)
        self.created = []
        self.deleted = set()
        self.perhaps_deleted = set()

    def step(self):
        value = self.new_value()
        begin = time.monotonic()
        body = wire.create("/sequence/n-", value.encode(), wire.SEQUENTIAL)
        reply = self.write(wire.CREATE, body)
        if reply.error != wire.OK:
            raise AssertionError(f"a create was answered with {reply}")
        path = wire.take_buffer(reply.body, 0)[0].decode()
        self.created.append(Created(path, value, begin, time.monotonic(), reply.zxid))
        if self.chance.random() < 0.9:
            self._delete(self.created[-1].path)

    def _delete(self, path):
        self.perhaps_deleted.add(path)
        reply = self.write(wire.DELETE, wire.versioned(path))
        if reply.error != wire.OK:
            raise AssertionError(f"{path} was there, and its deletion was answered with {reply}")
        self.perhaps_deleted.discard(path)
        self.deleted.add(path)


class LockClient:
    """Takes kazoo's lock, writes /fence a few times, and gives the lock back.

    Each write is one transaction with a check that the lock's znode is still there. So whoever has
    written twice has held the lock all the time between, whatever it knew of its own session, and
    nobody else can have written: the second version must be the one after the first.
    """

    def __init__(self, name, hosts, seed):
        self.chance = random.Random(seed)
        self.client = KazooClient(hosts, timeout=SESSION_MS / 1000, randomize_hosts=True)
        self.lock = self.client.Lock("/lock", name)
        self.holds = 0
        self.lost = 0  # how often a hold ended with an error
        self.versions = []  # of /fence, one list for each hold
        self.failure = None
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        is_started = False
        try:
            while not self.ends.is_set():
                try:
                    if not is_started:
                        self.client.start(timeout=10)  # From then on it connects again by itself.
                        is_started = True
                    self._hold()
                except (KazooException, KazooTimeoutError, LockTimeout):
                    self.lost += 1
                    self.ends.wait(0.02)
        except BaseException as failure:  # Raised again by `join`, in the test's own thread.
            self.failure = failure

    def _hold(self):
        if not self.lock.acquire(timeout=10):
            return
        self.holds += 1
        versions = []
        self.versions.append(versions)
        try:
            for _ in range(self.chance.randrange(1, 5)):
                transaction = self.client.transaction()
                transaction.check(f"/lock/{self.lock.node}", 0)
                transaction.set_data("/fence", self.lock.node.encode())
                checked, written = transaction.commit()
                if isinstance(checked, (NoNodeError, RolledBackError)):
                    return  # The session has expired, and with it the lock's znode.
                if isinstance(written, Exception):
                    raise AssertionError(f"a fenced write was answered with {written!r}")
                versions.append(written.version)
        finally:
            self.lock.release()

    def held_with_others(self):
        """In how many holds somebody else wrote between two writes of ours."""
        return sum(versions != list(range(versions[0], versions[0] + len(versions)))
                   for versions in self.versions if versions)

    def join(self):
        self.thread.join(timeout=90)
        if self.thread.is_alive():
            raise AssertionError("a client of the lock does not end")
        self.client.stop()
        self.client.close()
        if self.failure is not None:
            raise self.failure
