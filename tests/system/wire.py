"""ZooKeeper's client protocol by hand, as far as the system tests need to see the bytes.

A client library hides what these tests are about: how many requests are in flight, the zxid of each
reply, and what happens to a session whose owner falls silent. The numbers are those of
ZooKeeper's zookeeper.jute and ZooDefs.OpCode.
"""

import collections
import socket
import struct

CREATE, DELETE, EXISTS, GET_DATA, SET_DATA, GET_ACL, SET_ACL = 1, 2, 3, 4, 5, 6, 7
GET_CHILDREN, SYNC, PING, GET_CHILDREN2, CHECK, MULTI, CREATE2 = 8, 9, 11, 12, 13, 14, 15
CHECK_WATCHES, REMOVE_WATCHES, CREATE_CONTAINER, CREATE_TTL = 17, 18, 19, 21
AUTH, SET_WATCHES, GET_EPHEMERALS, GET_ALL_CHILDREN_NUMBER = 100, 101, 103, 104
ADD_WATCH, WHO_AM_I, CLOSE_SESSION = 106, 107, -11

EPHEMERAL, SEQUENTIAL, CONTAINER = 1, 2, 4

OK, NO_NODE = 0, -101
EVENT_XID, PING_XID, AUTH_XID, SET_WATCHES_XID = -1, -2, -4, -8

Reply = collections.namedtuple("Reply", "xid zxid error body")
Stat = collections.namedtuple(
    "Stat",
    "czxid mzxid ctime mtime version cversion aversion ephemeral_owner data_length"
    " num_children pzxid",
)
STAT = struct.Struct(">qqqqiiiqiiq")


def buffer(data):
    if data is None:
        return struct.pack(">i", -1)
    return struct.pack(">i", len(data)) + data


def take_buffer(body, at):
    (size,) = struct.unpack_from(">i", body, at)
    if size < 0:
        return None, at + 4
    return body[at + 4 : at + 4 + size], at + 4 + size


def take_strings(body, at=0):
    (count,) = struct.unpack_from(">i", body, at)
    at += 4
    strings = []
    for _ in range(count):
        value, at = take_buffer(body, at)
        strings.append(value.decode())
    return strings


ANYONE = ((31, "world", "anyone"),)


def string(text):
    return buffer(text.encode())


def strings(texts):
    return struct.pack(">i", len(texts)) + b"".join(string(text) for text in texts)


def acl(entries):
    body = struct.pack(">i", len(entries))
    for permissions, scheme, identity in entries:
        body += struct.pack(">i", permissions) + string(scheme) + string(identity)
    return body


def create(path, data=b"", flags=0, entries=ANYONE):
    """The body of CREATE, CREATE2 and CREATE_CONTAINER alike."""
    return string(path) + buffer(data) + acl(entries) + struct.pack(">i", flags)


def set_data(path, data, version=-1):
    return string(path) + buffer(data) + struct.pack(">i", version)


def versioned(path, version=-1):
    """The body of DELETE and CHECK alike; ADD_WATCH and REMOVE_WATCHES have a mode in its place."""
    return string(path) + struct.pack(">i", version)


def read(path, watch=False):
    """The body of EXISTS, GET_DATA, GET_CHILDREN and GET_CHILDREN2 alike."""
    return string(path) + struct.pack(">?", watch)


def multi(operations):
    """The body of a MULTI of `operations`, pairs of operation and body."""
    parts = [struct.pack(">i?i", operation, False, -1) + body for operation, body in operations]
    return b"".join(parts) + struct.pack(">i?i", -1, True, -1)


class Refused(Exception):
    """The server closed the connection instead of answering the handshake."""


class Connection:
    """One session on one connection; requests are pipelined as the caller likes."""

    def __init__(
        self,
        port,
        timeout_ms=10000,
        session=0,
        password=bytes(16),
        last_zxid=0,
        patience=30,
        host="127.0.0.1",
    ):
        self.socket = socket.create_connection((host, port), timeout=patience)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.xid = 0
        self.events = []  # The bodies of the events that came before the reply to a `call`.
        request = struct.pack(">iqiq", 0, last_zxid, timeout_ms, session)
        try:
            self._send_frame(request + buffer(password) + b"\0")
            answer = self._receive_frame()
        except OSError as error:
            self.socket.close()
            raise Refused from error
        _, self.timeout_ms, self.session = struct.unpack_from(">iiq", answer)
        self.password, _ = take_buffer(answer, 16)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _send_frame(self, payload):
        self.socket.sendall(struct.pack(">i", len(payload)) + payload)

    def _receive_frame(self):
        while True:
            if len(self.received) >= 4:
                (size,) = struct.unpack_from(">i", self.received)
                if len(self.received) >= 4 + size:
                    frame = self.received[4 : 4 + size]
                    self.received = self.received[4 + size :]
                    return frame
            more = self.socket.recv(1 << 16)
            if not more:
                raise ConnectionResetError("the server closed the connection")
            self.received += more

    def send(self, operation, body=b"", xid=None):
        if xid is None:
            self.xid += 1
            xid = self.xid
        self._send_frame(struct.pack(">ii", xid, operation) + body)
        return xid

    def receive(self):
        frame = self._receive_frame()
        return Reply(*struct.unpack_from(">iqi", frame), frame[16:])

    def call(self, operation, body=b"", xid=None):
        xid = self.send(operation, body, xid)
        while (reply := self.receive()).xid == EVENT_XID:
            self.events.append(reply.body)
        if reply.xid != xid:
            raise AssertionError(f"asked {xid}, got the answer to {reply.xid}")
        return reply

    def call_all(self, requests, window=200):
        """Pipelines `requests`, pairs of operation and body, and returns their replies in order."""
        replies = []
        sent = 0
        while len(replies) < len(requests):
            while sent < len(requests) and sent - len(replies) < window:
                self.send(*requests[sent])
                sent += 1
            replies.append(self.receive())
        return replies

    def ping(self):
        self.call(PING, xid=PING_XID)

    def close_session(self):
        self.call(CLOSE_SESSION)
        self.socket.close()


def get_data_reply(body):
    data, at = take_buffer(body, 0)
    return data, Stat(*STAT.unpack_from(body, at))
