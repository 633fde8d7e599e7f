"""One server's part of a script: connections that say what they are told and write down the answers."""

import pathlib
import select
import socket
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))

import calls
import server
from calls import Op
from decoding import (WRITES, Names, body_text, error_name, event_text, first_text,
                      is_failed_multi)  # fmt: skip

PATIENCE_S = 30
CLOSING_S = 2
EVENT_XID = -1
CLOSED = "closed"
SILENT = "silence"


class Server(server.Server):
    """A server with options that only a JVM takes, and nothing in its configuration but the given."""

    def __init__(self, kind, settings, java_options=()):
        super().__init__(kind, settings, tick_ms=2000)
        self.java_options = java_options
        lines = self.config.read_text().splitlines()
        kept = [line for line in lines if not line.startswith("4lw.")]
        kept += [line for line in settings if line.startswith("4lw.")]
        self.config.write_text("\n".join([*kept, "maxClientCnxns=0"]) + "\n")

    def command(self):
        command = super().command()
        if self.kind == "zookeeper":
            at = len(self.prefix) + 1
            command[at:at] = ["-Dzookeeper.forceSync=no", *self.java_options]
        return command


class Silence(Exception):
    """The server neither answered nor closed."""


class Side:
    """One server, what its zxids and sessions are called, and the transcript of all calls."""

    def __init__(self, running):
        self.server = running
        self.kind = running.kind
        self.names = Names()
        self.transcript = {}
        self.expected = {}
        self.prefix = ""
        self.connections = []
        self.operations = set()
        self.errors = set()

    def unique(self, name):
        name = f"{self.prefix}{name}"
        number, candidate = 1, name
        while candidate in self.transcript:
            number += 1
            candidate = f"{name} #{number}"
        self.transcript[candidate] = ""
        return candidate

    def note(self, name, text):
        """Writes down an observation that is not the reply to a request."""
        self.transcript[self.unique(name)] = text

    def expect(self, name, text):
        """States what must be heard, where the other server cannot be asked."""
        self.expected[f"{self.prefix}{name}"] = text

    def client(self, label, **how):
        return Client(self, label, **how)

    def stranger(self):
        """A connection that has said nothing yet."""
        link = Link(self.server.port)
        self.connections.append(link)
        return link

    def leave(self):
        for link in self.connections:
            link.close()


class Link:
    """A socket, and the frames that come out of it."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.is_closed = False

    def close(self):
        self.socket.close()
        self.is_closed = True

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            self.is_closed = True

    def more(self, patience):
        """True when more has been read, false at the end of the stream."""
        readable, _, _ = select.select([self.socket], [], [], patience)
        if not readable:
            raise Silence
        try:
            data = self.socket.recv(1 << 16)
        except OSError:
            data = b""
        self.received += data
        return bool(data)

    def frame(self, patience=PATIENCE_S):
        """The next frame, or None when the server has closed."""
        while not self.is_closed:
            if len(self.received) >= 4:
                (size,) = struct.unpack_from(">i", self.received)
                if len(self.received) >= 4 + size:
                    frame = self.received[4 : 4 + size]
                    self.received = self.received[4 + size :]
                    return frame
            if not self.more(patience):
                self.close()
        return None

    def everything(self):
        """All that comes until the server closes."""
        while not self.is_closed:
            if not self.more(PATIENCE_S):
                self.close()
        return self.received


def title(call):
    """A name for a call that nobody has named: its operation and, mostly, its path."""
    try:
        return f"({Op(call.operation).name.lower()} {first_text(call.body)})"
    except (ValueError, IndexError, AttributeError):
        return f"({call.operation})"


class Client:
    """A session on a connection; `how` are the arguments of calls.handshake.

    A connection that the server has closed is replaced, with a new session, before the next call.
    """

    def __init__(self, side, label, timeout_ms=40000, **how):
        self.side = side
        self.label = label
        self.how = {"timeout_ms": timeout_ms, **how}
        self.events = []
        self.xid = 0
        self.link = None
        self.connect()

    def connect(self):
        self.link = self.side.stranger()
        self.link.send(calls.framed(calls.handshake(**self.how)))
        frame = self.link.frame()
        if frame is None:
            self.session = 0
            return
        _, self.timeout_ms, self.session = struct.unpack_from(">iiq", frame)
        self.password = frame[20:36]
        if self.session:
            self.side.names.sessions[self.session] = self.label

    def reattach(self):
        """The same session on a new connection."""
        self.how.update(session=self.session, password=self.password)
        self.connect()
        self.how.update(session=0, password=bytes(16))

    def send(self, call, xid=None):
        if xid is None:
            xid = calls.XIDS.get(call.operation)
        if xid is None:
            self.xid += 1
            xid = self.xid
        self.side.operations.add(call.operation)
        self.link.send(calls.framed(struct.pack(">ii", xid, call.operation) + call.body))
        return xid

    def reply(self, sent=0):
        """The next reply that is no event, as xid, zxid, error and body; None when closed. A
        request `sent` with the xid of events has a reply that looks like one."""
        while (frame := self.link.frame()) is not None:
            if len(frame) < 16:
                return (None, 0, 0, frame)
            xid, zxid, error = struct.unpack_from(">iqi", frame)
            if xid != EVENT_XID or sent == EVENT_XID:
                return xid, zxid, error, frame[16:]
            self.events.append((zxid, frame[16:]))
        return None

    def say(self, name, call, xid=None):
        """One call, and its reply written down as `name`; returns the error, or None when closed."""
        if self.link.is_closed:
            self.connect()
        name = self.side.unique(name)
        sent = self.send(call, xid)
        try:
            text, error = self.described(name, call, sent, self.reply(sent))
        except Silence:
            text, error = SILENT, None
            self.link.close()
        self.side.transcript[name] = " ".join(self.heard() + [text])
        return error

    def heard(self):
        """The events since the last time, described: their zxids are known by now."""
        events, self.events = self.events, []
        return [event_text(zxid, body, self.side.names) for zxid, body in events]

    def described(self, name, call, sent, reply):
        if reply is None:
            return CLOSED, None
        xid, zxid, error, body = reply
        self.side.errors.add(error)
        if xid is None:
            return f"a short frame {body.hex()}", None
        parts = [error_name(error)]
        if xid != sent:
            parts.append(f"xid {xid} instead of {sent}")
        is_write = call.operation in WRITES and error == 0
        if is_write and not (call.operation == Op.MULTI and is_failed_multi(body)):
            if not self.side.names.made(zxid, name):
                parts.append("with a zxid that is not new")
        covered = self.side.names.latest(zxid)
        parts.append("at its own zxid" if covered == name else f"at {covered}")
        if body or not error:
            parts.append(body_text(call.operation, body, self.side.names))
        self.made_path = None
        if error == 0 and call.operation in (
            Op.CREATE, Op.CREATE2, Op.CREATE_CONTAINER, Op.CREATE_TTL):  # fmt: skip
            self.made_path = first_text(body)
        if error != 0 or call.operation == Op.CLOSE_SESSION:
            is_expected = zxid <= 0 or call.operation == Op.CLOSE_SESSION
            parts.append(self.whether_closed(CLOSING_S if is_expected else 0))
        return " ".join(part for part in parts if part), error

    def whether_closed(self, patience):
        """Pings until the server has closed; where that is to be expected, for some time, because a
        ping can overtake the end of a connection."""
        deadline = time.monotonic() + patience
        while True:
            self.send(calls.ping())
            if self.reply() is None:
                return "and closed"
            if time.monotonic() >= deadline:
                return ""

    def listen(self, name, ordered=True):
        """Writes down the events that have come by now."""
        if self.link.is_closed:
            self.connect()
        self.send(calls.ping())
        is_open = self.reply() is not None
        heard = self.heard()
        if not ordered:
            heard.sort()
        self.side.note(name, " ".join(heard) + ("" if is_open else " closed"))

    def quiet(self, call):
        """A call whose reply is of no interest, for setting the scene; returns its error.

        A write in here names its zxid too."""
        if self.link.is_closed:
            self.connect()
        sent = self.send(call)
        reply = self.reply()
        if reply is None:
            self.side.note(f"scene: {call}", CLOSED)
            return None
        self.described(self.side.names.unused(f"{self.side.prefix}{title(call)}"), call, sent, reply)
        return reply[2]
