"""A random load that leaves in a ZooKeeper's data directory whatever one can: every kind of znode and of
transaction, failed ones too, while snapshots are written."""

import base64
import contextlib
import hashlib
import random
import struct
import threading

import wire

CREATE_TTL = 21
PERSISTENT_TTL, SEQUENTIAL_TTL = 5, 6
HOUR_MS = 3_600_000


def digest_of(name, password):
    hashed = base64.b64encode(hashlib.sha1(f"{name}:{password}".encode()).digest()).decode()
    return f"{name}:{hashed}"


BOB = digest_of("bob", "secret")
ACLS = (
    wire.ANYONE,
    wire.ANYONE,
    wire.ANYONE,
    ((31, "digest", BOB), (1, "world", "anyone")),
    ((31, "ip", "127.0.0.1"), (1, "world", "anyone")),
    ((1, "world", "anyone"), (31, "digest", BOB), (31, "ip", "10.0.0.0/8")),
)


def create_ttl(path, data, flags, ttl_ms):
    return wire.create(path, data, flags) + struct.pack(">q", ttl_ms)


def set_acl(path, entries, version=-1):
    return wire.string(path) + wire.acl(entries) + struct.pack(">i", version)


class Load:
    """The server must know containers and TTLs."""

    def __init__(self, server, seed, sessions=6):
        self.random = random.Random(seed)
        self.paths = ["/"]
        self.made = 0
        self.server = server
        self.connections = [self.connect() for _ in range(sessions)]

    def connect(self):
        """A session of bob's, who may do everything everywhere."""
        connection = self.server.connect(timeout_ms=400_000)  # Or what the server admits.
        credential = b"\0\0\0\0" + wire.string("digest") + wire.string("bob:secret")
        connection.call(wire.AUTH, credential, xid=wire.AUTH_XID)
        return connection

    def data(self):
        kind = self.random.random()
        if kind < 0.1:
            return None
        if kind < 0.2:
            return b""
        return self.random.randbytes(self.random.randrange(1, 200))

    def new_path(self):
        # One of those that the other connections have made surely exists by now.
        parent = self.random.choice(self.paths[: 1 + len(self.paths) * 3 // 4])
        self.made += 1
        return f"{parent.rstrip('/')}/{self.random.choice('abcä')}{self.made}"

    def request(self):
        """One operation and its body."""
        dice = self.random.random()
        some = self.random.choice(self.paths)
        if dice < 0.45:
            path = self.new_path()
            flags = self.random.choice((0, 0, 0, 0, 1, 1, 2, 3))
            if flags == 0 and len(self.paths) < 5000:
                self.paths.append(path)
            kind = self.random.choice((wire.CREATE, wire.CREATE2))
            return kind, wire.create(path, self.data(), flags, self.random.choice(ACLS))
        if dice < 0.53:
            path = self.new_path()
            if self.random.random() < 0.5:
                self.paths.append(path)
                return wire.CREATE_CONTAINER, wire.create(path, self.data(), wire.CONTAINER)
            flags = self.random.choice((PERSISTENT_TTL, SEQUENTIAL_TTL))
            if flags == PERSISTENT_TTL:
                self.paths.append(path)
            return CREATE_TTL, create_ttl(path, self.data(), flags, HOUR_MS)
        if dice < 0.68:
            return wire.SET_DATA, wire.set_data(some, self.data())
        if dice < 0.75:
            if len(self.paths) < 100:
                return wire.DELETE, wire.versioned("/absent")
            return wire.DELETE, wire.versioned(self.paths.pop(-self.random.randrange(1, 50)))
        if dice < 0.85:
            return wire.SET_ACL, set_acl(some, self.random.choice(ACLS))
        first, second = self.new_path(), self.new_path()
        return wire.MULTI, wire.multi([
            (wire.CREATE, wire.create(first, self.data())),
            (wire.SET_DATA, wire.set_data(first, self.data())),
            (wire.CREATE2, wire.create(first + "/child", self.data(), wire.EPHEMERAL)),
            *([(wire.CHECK, wire.versioned(some, 77))] if self.random.random() < 0.3 else []),
            (wire.CREATE, wire.create(second, self.data(), wire.SEQUENTIAL)),
            (wire.DELETE, wire.versioned(first + "/child")),
        ])

    def run(self, requests, window=100):
        """All connections write at once; now and then a session ends and another begins."""
        done = 0
        while done < requests:
            for connection in self.connections:
                batch = [self.request() for _ in range(window)]
                for request in batch:
                    connection.send(*request)
            for at, connection in enumerate(self.connections):
                for _ in range(window):
                    connection.receive()
                done += window
            if self.random.random() < 0.2:
                ending = self.random.randrange(len(self.connections))
                self.connections[ending].close_session()
                self.connections[ending] = self.connect()

    def set_quota(self):
        """As ZooKeeper's shell does it."""
        connection = self.connections[0]
        quota = "/zookeeper/quota"
        connection.call(wire.CREATE, wire.create("/quota", b"12345"))
        for path, data in ((f"{quota}/quota", b""),
                           (f"{quota}/quota/zookeeper_limits", b"count=1000,bytes=-1"),
                           (f"{quota}/quota/zookeeper_stats", b"count=1,bytes=5")):
            connection.call(wire.CREATE, wire.create(path, data))
        for at in range(7):
            connection.call(wire.CREATE, wire.create(f"/quota/{at}", b"x" * at))

    @contextlib.contextmanager
    def kept_alive(self):
        """Pings from a thread of its own, as long as nothing else is asked on these connections."""
        over = threading.Event()

        def ping():
            while not over.wait(5):
                for connection in self.connections:
                    connection.ping()

        pinging = threading.Thread(target=ping)
        pinging.start()
        try:
            yield
        finally:
            over.set()
            pinging.join()

    def sessions(self):
        return {each.session: each.password for each in self.connections}

    def close(self):
        for connection in self.connections:
            connection.socket.close()
