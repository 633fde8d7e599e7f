"""A reply taken apart field by field, as one line of text that two servers can be compared by.

Only what must differ between two servers is renamed: a zxid is called after the call that made it, a
session after its connection, a time is only present or absent.
"""

import bisect
import struct
import time

from calls import Op

ERRORS = {
    0: "OK", -1: "SystemError", -2: "RuntimeInconsistency", -3: "DataInconsistency",
    -5: "MarshallingError", -6: "Unimplemented", -8: "BadArguments", -13: "NewConfigNoQuorum",
    -14: "ReconfigInProgress", -101: "NoNode", -102: "NoAuth", -103: "BadVersion",
    -108: "NoChildrenForEphemerals", -110: "NodeExists", -111: "NotEmpty",
    -112: "SessionExpired", -114: "InvalidACL", -115: "AuthFailed", -118: "SessionMoved",
    -119: "NotReadOnly", -121: "NoWatcher", -123: "ReconfigDisabled",
    -124: "SessionClosedRequireSaslAuth", -125: "QuotaExceeded", -127: "ThrottledOp",
}  # fmt: skip
EVENTS = {1: "Created", 2: "Deleted", 3: "DataChanged", 4: "ChildrenChanged"}
STAT = struct.Struct(">qqqqiiiqiiq")
CLOCK_TOLERANCE_S = 600


class Names:
    """What one server's zxids and sessions are called."""

    def __init__(self):
        self.zxids = {}
        self.titles = {}
        self.ordered = []
        self.sessions = {0: "none"}

    def made(self, zxid, call):
        """Notes that the successful write `call` has this zxid; false if it is not a new one."""
        is_new = not self.ordered or zxid > self.ordered[-1]
        if is_new:
            self.ordered.append(zxid)
            self.zxids[zxid] = call
        return is_new

    def unused(self, name):
        """`name`, with a number behind it where a write has it already."""
        number = self.titles[name] = self.titles.get(name, 0) + 1
        return name if number == 1 else f"{name} #{number}"

    def exactly(self, zxid):
        if zxid <= 0:
            return str(zxid)
        return self.zxids.get(zxid) or f"after {self.latest(zxid)}"

    def latest(self, zxid):
        """The last write that a zxid covers: failed writes use up zxids in one server only."""
        if zxid <= 0:
            return str(zxid)
        at = bisect.bisect_right(self.ordered, zxid)
        return self.zxids[self.ordered[at - 1]] if at else "the beginning"

    def session(self, number):
        return self.sessions.get(number, f"unknown {number:#x}")


def error_name(error):
    return f"{error} {ERRORS.get(error, '?')}"


def time_name(milliseconds):
    if milliseconds == 0:
        return "0"
    is_now = abs(milliseconds / 1000 - time.time()) < CLOCK_TOLERANCE_S
    return "now" if is_now else str(milliseconds)


def shown(data):
    return "null" if data is None else repr(data)[1:]


class Reader:
    """Takes a body apart from its beginning; IndexError when it ends too early."""

    def __init__(self, body, names):
        self.body = body
        self.names = names
        self.at = 0

    def take(self, form):
        structure = struct.Struct(form)
        if self.at + structure.size > len(self.body):
            raise IndexError("the body ends too early")
        values = structure.unpack_from(self.body, self.at)
        self.at += structure.size
        return values

    def integer(self):
        return self.take(">i")[0]

    def raw(self):
        size = self.integer()
        if size < 0:
            return None if size == -1 else b"?"
        if self.at + size > len(self.body):
            raise IndexError("the body ends too early")
        self.at += size
        return self.body[self.at - size : self.at]

    def text(self):
        return shown(self.raw())

    def data(self):
        data = self.raw()
        if data is not None and len(data) > 200:
            return f"{len(data)} bytes from {shown(data[:20])} to {shown(data[-20:])}"
        return "data " + shown(data)

    def texts(self):
        count = self.integer()
        return "[" + " ".join(sorted(self.text() for _ in range(count))) + "]"

    def acl(self):
        count = self.integer()
        return "acl[" + " ".join(self.entry() for _ in range(count)) + "]"

    def entry(self):
        return f"{self.integer()}:{self.text()}:{self.text()}"

    def identities(self):
        count = self.integer()
        entries = [f"{self.text()}:{self.text()}" for _ in range(count)]
        return "[" + " ".join(sorted(entries)) + "]"

    def stat(self):
        (czxid, mzxid, ctime, mtime, version, cversion, aversion, owner, length, children,
         pzxid) = self.take(STAT.format)  # fmt: skip
        name = self.names.exactly
        return (
            f"stat{{c={name(czxid)} m={name(mzxid)} p={name(pzxid)}"
            f" ctime={time_name(ctime)} mtime={time_name(mtime)}"
            f" version={version} cversion={cversion} aversion={aversion}"
            f" owner={self.names.session(owner)} length={length} children={children}}}"
        )

    def results(self):
        results = []
        while self.at < len(self.body):
            kind, done, error = self.take(">i?i")
            if done:
                results.append(f"end({kind},{error})")
            elif kind == Op.ERROR:
                results.append(f"error({error},{error_name(self.integer())})")
            else:
                fields = " ".join([str(error), *self.fields(kind)])
                results.append(f"{kind}({fields})")
        return "{" + " ".join(results) + "}"

    def fields(self, operation):
        return [field(self) for field in FIELDS.get(operation, ())]

    def rest(self):
        left = self.body[self.at :]
        return [f"and {len(left)} bytes more: {left[:40].hex()}"] if left else []


FIELDS = {
    Op.CREATE: (Reader.text,),
    Op.CREATE2: (Reader.text, Reader.stat),
    Op.CREATE_CONTAINER: (Reader.text, Reader.stat),
    Op.CREATE_TTL: (Reader.text, Reader.stat),
    Op.EXISTS: (Reader.stat,),
    Op.GET_DATA: (Reader.data, Reader.stat),
    Op.SET_DATA: (Reader.stat,),
    Op.GET_ACL: (Reader.acl, Reader.stat),
    Op.SET_ACL: (Reader.stat,),
    Op.GET_CHILDREN: (Reader.texts,),
    Op.GET_CHILDREN2: (Reader.texts, Reader.stat),
    Op.SYNC: (Reader.text,),
    Op.MULTI: (Reader.results,),
    Op.MULTI_READ: (Reader.results,),
    Op.RECONFIG: (Reader.data, Reader.stat),
    Op.SASL: (Reader.text,),
    Op.GET_EPHEMERALS: (Reader.texts,),
    Op.GET_ALL_CHILDREN_NUMBER: (lambda reader: str(reader.integer()),),
    Op.ADD_WATCH: (lambda reader: str(reader.integer()),),
    Op.WHO_AM_I: (Reader.identities,),
}
WRITES = {Op.CREATE, Op.CREATE2, Op.CREATE_CONTAINER, Op.CREATE_TTL, Op.DELETE, Op.SET_DATA,
          Op.SET_ACL, Op.MULTI, Op.CLOSE_SESSION}  # fmt: skip


def body_text(operation, body, names):
    reader = Reader(body, names)
    try:
        fields = reader.fields(operation)
        return " ".join(fields + reader.rest())
    except (IndexError, struct.error):
        return f"malformed {body.hex()}"


def first_text(body):
    """The text that a body begins with, for the path of a create."""
    return Reader(body, None).raw().decode()


def event_text(zxid, body, names):
    """An event with all that is unusual about it. Its zxid is -1 up to ZooKeeper 3.8; from 3.9 on, and
    in zabd, it is that of the change, and must be a known one."""
    reader = Reader(body, names)
    kind, state = reader.take(">ii")
    parts = [f"event {EVENTS.get(kind, kind)} {reader.text()}", *reader.rest()]
    if zxid != -1 and zxid not in names.zxids:
        parts.append(f"with the unknown zxid {zxid}")
    if state != 3:
        parts.append(f"in state {state}")
    return " ".join(parts)


def is_failed_multi(body):
    kind, done, _ = struct.unpack_from(">i?i", body)
    return kind == Op.ERROR and not done
