"""Requests as they are written on the wire, good and bad: every builder returns a Call.

A text may be str, bytes (sent as they are) or None (the null string); a list may be None too.
"""

import collections
import enum
import struct


class Op(enum.IntEnum):
    NOTIFICATION = 0
    CREATE = 1
    DELETE = 2
    EXISTS = 3
    GET_DATA = 4
    SET_DATA = 5
    GET_ACL = 6
    SET_ACL = 7
    GET_CHILDREN = 8
    SYNC = 9
    PING = 11
    GET_CHILDREN2 = 12
    CHECK = 13
    MULTI = 14
    CREATE2 = 15
    RECONFIG = 16
    CHECK_WATCHES = 17
    REMOVE_WATCHES = 18
    CREATE_CONTAINER = 19
    DELETE_CONTAINER = 20
    CREATE_TTL = 21
    MULTI_READ = 22
    AUTH = 100
    SET_WATCHES = 101
    SASL = 102
    GET_EPHEMERALS = 103
    GET_ALL_CHILDREN_NUMBER = 104
    SET_WATCHES2 = 105
    ADD_WATCH = 106
    WHO_AM_I = 107
    CREATE_SESSION = -10
    CLOSE_SESSION = -11
    ERROR = -1


# xid, if not the next ordinary one.
XIDS = {Op.PING: -2, Op.AUTH: -4, Op.SET_WATCHES: -8, Op.SET_WATCHES2: -8}

PERSISTENT, EPHEMERAL, SEQUENTIAL, EPHEMERAL_SEQUENTIAL, CONTAINER, TTL, TTL_SEQUENTIAL = range(7)
READ, WRITE, MAKE, REMOVE, ADMIN, ALL = 1, 2, 4, 8, 16, 31
CHILDREN, DATA, ANY = 1, 2, 3  # What checkWatches and removeWatches ask for.

ANYONE = ((ALL, "world", "anyone"),)
NOBODY = ((ALL, "ip", "192.0.2.1"),)  # An address from which no test connects.

Call = collections.namedtuple("Call", "operation body")


def integer(value):
    return struct.pack(">i", value)


def long(value):
    return struct.pack(">q", value)


def text(value):
    if value is None:
        return integer(-1)
    data = value.encode() if isinstance(value, str) else value
    return integer(len(data)) + data


def texts(values):
    if values is None:
        return integer(-1)
    return integer(len(values)) + b"".join(text(value) for value in values)


def acl(entries):
    if entries is None:
        return integer(-1)
    parts = [integer(perms) + text(scheme) + text(name) for perms, scheme, name in entries]
    return integer(len(entries)) + b"".join(parts)


def create(path, data=b"", flags=PERSISTENT, entries=ANYONE, operation=Op.CREATE, ttl=None):
    body = text(path) + text(data) + acl(entries) + integer(flags)
    if operation == Op.CREATE_TTL:
        body += long(1000 if ttl is None else ttl)
    return Call(operation, body)


def create2(path, data=b"", flags=PERSISTENT, entries=ANYONE):
    return create(path, data, flags, entries, Op.CREATE2)


def container(path, data=b"", flags=CONTAINER, entries=ANYONE):
    return create(path, data, flags, entries, Op.CREATE_CONTAINER)


def create_ttl(path, data=b"", flags=TTL, entries=ANYONE, ttl=1000000):
    return create(path, data, flags, entries, Op.CREATE_TTL, ttl)


def delete(path, version=-1):
    return Call(Op.DELETE, text(path) + integer(version))


def check(path, version=-1):
    return Call(Op.CHECK, text(path) + integer(version))


def set_data(path, data=b"", version=-1):
    return Call(Op.SET_DATA, text(path) + text(data) + integer(version))


def set_acl(path, entries=ANYONE, version=-1):
    return Call(Op.SET_ACL, text(path) + acl(entries) + integer(version))


def get_acl(path):
    return Call(Op.GET_ACL, text(path))


def read(operation, path, watch=False):
    return Call(operation, text(path) + struct.pack(">?", watch))


def exists(path, watch=False):
    return read(Op.EXISTS, path, watch)


def get_data(path, watch=False):
    return read(Op.GET_DATA, path, watch)


def get_children(path, watch=False):
    return read(Op.GET_CHILDREN, path, watch)


def get_children2(path, watch=False):
    return read(Op.GET_CHILDREN2, path, watch)


def sync(path):
    return Call(Op.SYNC, text(path))


def get_ephemerals(prefix):
    return Call(Op.GET_EPHEMERALS, text(prefix))


def count_descendants(path):
    return Call(Op.GET_ALL_CHILDREN_NUMBER, text(path))


def add_watch(path, mode):
    return Call(Op.ADD_WATCH, text(path) + integer(mode))


def check_watches(path, kind):
    return Call(Op.CHECK_WATCHES, text(path) + integer(kind))


def remove_watches(path, kind):
    return Call(Op.REMOVE_WATCHES, text(path) + integer(kind))


def set_watches(zxid, data=(), exist=(), child=()):
    return Call(Op.SET_WATCHES, long(zxid) + texts(data) + texts(exist) + texts(child))


def set_watches2(zxid, data=(), exist=(), child=(), persistent=(), recursive=()):
    body = set_watches(zxid, data, exist, child).body + texts(persistent) + texts(recursive)
    return Call(Op.SET_WATCHES2, body)


def auth(scheme, credential, kind=0):
    return Call(Op.AUTH, integer(kind) + text(scheme) + text(credential))


def who_am_i():
    return Call(Op.WHO_AM_I, b"")


def sasl(token):
    return Call(Op.SASL, text(token))


def reconfig(joining=None, leaving=None, members=None, version=-1):
    return Call(Op.RECONFIG, text(joining) + text(leaving) + text(members) + long(version))


def ping():
    return Call(Op.PING, b"")


def close_session():
    return Call(Op.CLOSE_SESSION, b"")


def bare(operation, body=b""):
    return Call(operation, body)


def multi_header(kind, done, error):
    return struct.pack(">i?i", kind, done, error)


MULTI_END = multi_header(-1, True, -1)


def multi(*operations, operation=Op.MULTI):
    parts = [multi_header(kind, False, -1) + body for kind, body in operations]
    return Call(operation, b"".join(parts) + MULTI_END)


def multi_read(*operations):
    return multi(*operations, operation=Op.MULTI_READ)


def handshake(timeout_ms, session=0, password=bytes(16), last_zxid=0, version=0, tail=b"\0"):
    """A connect request's frame without its length; `tail` is the flag readOnly, if any."""
    return struct.pack(">iqiq", version, last_zxid, timeout_ms, session) + text(password) + tail


def framed(payload):
    return integer(len(payload)) + payload
