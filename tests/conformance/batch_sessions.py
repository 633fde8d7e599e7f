"""Sessions: the handshake with every kind of field, re-attachment, and the end of a session."""

import struct

import calls
from batch import USUAL, batch


def connected(side, name, payload, then=()):
    """Sends a connect request's payload, and writes down the answer field by field."""
    link = side.stranger()
    link.send(calls.framed(payload) + b"".join(then))
    frame = link.frame()
    if frame is None:
        side.note(name, "closed")
        return link, None
    protocol, timeout, session = struct.unpack_from(">iiq", frame)
    (size,) = struct.unpack_from(">i", frame, 16)
    password = frame[20:36]
    known = side.names.sessions.get(session, "a new session")
    text = f"protocol {protocol} timeout {timeout} {known} password of {size} bytes"
    if password == bytes(16):
        text += ", all zero"
    text += f", tail {frame[36:].hex() or 'none'}"
    if session == 0:
        text += " and open" if link.frame() else " and closed"
    side.note(name, text)
    return link, (session, password)


def payloads():
    for timeout in (0, 1, -1, 3999, 4000, 4001, 10000, 39999, 40000, 40001, 1 << 30, -(1 << 31)):
        yield f"timeout {timeout}", calls.handshake(timeout)
    for size in (0, 1, 8, 15, 16, 17, 100):
        yield f"password of {size} bytes", calls.handshake(10000, password=bytes(size))
    yield "null password", calls.handshake(10000, password=None)
    yield "some password", calls.handshake(10000, password=b"x" * 16)
    for version in (1, -1, 1 << 30):
        yield f"protocol {version}", calls.handshake(10000, version=version)
    for tail in (b"", b"\0", b"\1", b"\2", b"\xff", b"\0\0", b"\1more", b"\0" * 100):
        yield f"tail {tail.hex() or 'none'}", calls.handshake(10000, tail=tail)
    for zxid in (-1, 0, -(1 << 63)):
        yield f"has seen {zxid}", calls.handshake(10000, last_zxid=zxid)
    for zxid in (1 << 40, (1 << 63) - 1):
        yield f"has seen {zxid}", calls.handshake(10000, last_zxid=zxid)
    for session in (1, -1, 0x7FFFFFFFFFFFFFFF, -(1 << 63), 72057594037927936):
        yield f"session {session}", calls.handshake(10000, session=session)
        yield f"session {session}, password", calls.handshake(10000, session, b"x" * 16)
        yield f"session {session}, null", calls.handshake(10000, session, None)
    whole = calls.handshake(10000)
    for size in range(len(whole)):
        yield f"cut to {size} bytes", whole[:size]


@batch("handshakes", settings=USUAL)
def handshakes(side):
    for name, payload in payloads():
        link, _ = connected(side, name, payload)
        if not link.is_closed:
            link.send(calls.framed(struct.pack(">ii", -2, calls.Op.PING)))
            side.note(f"{name}: then a ping", "answered" if link.frame() else "closed")
        link.close()


@batch("re-attachment", settings=USUAL)
def reattachment(side):
    owner = side.client("owner")
    owner.say("scene", calls.create("/a"))
    owner.say("ephemeral", calls.create("/a/e", flags=calls.EPHEMERAL))
    owner.say("arm", calls.get_data("/a", watch=True))
    owner.say("arm lasting", calls.add_watch("/a", 1))
    session, password = owner.session, owner.password
    for name, payload in (
        ("wrong password", calls.handshake(10000, session, b"x" * 16)),
        ("zero password", calls.handshake(10000, session)),
        ("null password", calls.handshake(10000, session, None)),
        ("empty password", calls.handshake(10000, session, b"")),
        ("long password", calls.handshake(10000, session, password + b"\0")),
        ("short password", calls.handshake(10000, session, password[:15])),
        ("unknown session", calls.handshake(10000, session + 77, password)),
        ("from the future", calls.handshake(10000, session, password, 1 << 50)),
    ):
        connected(side, name, payload)
    owner.listen("the owner after strangers")
    owner.reattach()
    owner.say("again", calls.exists("/a/e"))
    owner.say("no watches", calls.check_watches("/a", 3))
    owner.say("own ephemerals", calls.get_ephemerals("/"))
    for timeout in (1, 7777, 1 << 30):
        old = owner.link
        link, _ = connected(side, f"timeout {timeout}", calls.handshake(timeout, session, password))
        side.note(f"timeout {timeout}: the old connection", "open" if old.frame() else "closed")
        owner.link = link
        owner.say(f"timeout {timeout}: serves", calls.set_data("/a", b"x"))
    owner.say("close", calls.close_session())
    connected(side, "after the close", calls.handshake(10000, session, password))
    owner.say("ephemeral is gone", calls.exists("/a/e"))


@batch("old clients", settings=USUAL)
def old_clients(side):
    """Without the flag readOnly, as before 3.4."""
    client = side.client("old", tail=b"")
    client.say("create", calls.create("/old"))
    client.say("exists", calls.exists("/old"))
    client.reattach()
    client.say("exists again", calls.exists("/old"))
    client.say("close", calls.close_session())


def answers_before_the_close(side):
    """What is answered of requests in front of a close and behind it."""
    replies = []
    while not replies:  # A server that closes on unread requests may reset what it has said.
        owner = side.client("owner")
        owner.send(calls.create("/z/behind", flags=calls.EPHEMERAL))
        owner.send(calls.close_session())
        owner.send(calls.create("/z/late"))
        owner.send(calls.exists("/z"))
        while (reply := owner.reply()) is not None:
            if reply[2] != -112:  # Which of them are still refused by name is a race in ZooKeeper.
                replies.append(f"{reply[0]}:{reply[2]}")
    return " ".join(replies)


@batch("ends of sessions", settings=USUAL)
def ends(side):
    watcher = side.client("watcher")
    watcher.quiet(calls.create("/z"))
    for number, how in enumerate(("close", "close with a body", "close with another xid")):
        owner = side.client("owner")
        owner.quiet(calls.create(f"/z/{number}", flags=calls.EPHEMERAL))
        watcher.say(f"{how}: arm", calls.exists(f"/z/{number}", watch=True))
        body = b"body" if how.endswith("body") else b""
        xid = -5 if how.endswith("xid") else None
        owner.say(how, calls.bare(calls.Op.CLOSE_SESSION, body), xid=xid)
        watcher.listen(f"{how}: heard")
        watcher.say(f"{how}: gone", calls.exists(f"/z/{number}"))
    side.note("requests behind the close", answers_before_the_close(side))
    watcher.say("nothing of it", calls.get_children("/z"))
    owner = side.client("owner")
    owner.quiet(calls.create("/z/dropped", flags=calls.EPHEMERAL))
    owner.link.close()
    watcher.say("a lost connection ends nothing", calls.exists("/z/dropped"))


@batch("xids and pipelines", settings=USUAL)
def xids(side):
    client = side.client("a")
    for xid in (1, 1, 0, -3, -5, -7, -100, 0x7FFFFFFF, -0x80000000, -1, -2, -4, -8):
        client.say(f"xid {xid}", calls.exists("/"), xid=xid)
        client.say(f"write with xid {xid}", calls.set_data("/", b"x"), xid=xid)
    for xid in (-2, 5, 0, -1):
        client.say(f"ping with xid {xid}", calls.ping(), xid=xid)
    client.say("ping with a body", calls.bare(calls.Op.PING, b"body"))
    for name, requests in (
        ("reads and writes", [calls.create("/y"), calls.exists("/y"), calls.set_data("/y", b"1"),
                              calls.get_data("/y"), calls.delete("/y"), calls.exists("/y")]),
        ("failures between", [calls.create("/y//"), calls.create("/y"), calls.create("/y"),
                              calls.get_data("/y/n"), calls.delete("/y", 7), calls.delete("/y")]),
        ("all kinds", [calls.sync("/"), calls.create("/y"), calls.multi(calls.delete("/y")),
                       calls.get_children("/"), calls.who_am_i(), calls.sync("/")]),
        ("many", [calls.set_data("/", b"x")] * 200),
    ):  # fmt: skip
        sent = [client.send(call) for call in requests]
        replies = [client.reply() or (None, 0, None) for _ in sent]
        in_order = "in order" if [reply[0] for reply in replies] == sent else "NOT IN ORDER"
        zxids = [reply[1] for reply in replies]
        never_back = "" if zxids == sorted(zxids) else " with zxids that go back"
        errors = " ".join(str(reply[2]) for reply in replies)
        side.note(name, f"{in_order}{never_back}: {errors}")
    link = side.stranger()
    request = struct.pack(">ii", 1, calls.Op.EXISTS) + calls.exists("/").body
    link.send(calls.framed(calls.handshake(10000)) + calls.framed(request))
    link.frame()
    side.note("behind the handshake", "answered" if link.frame() else "closed")


@batch("expiry", settings=("minSessionTimeout=1000", "maxSessionTimeout=50000"))
def expiry(side):
    """A session whose owner falls silent, seen by the others and by its owner."""
    for timeout in (0, 999, 1000, 1001, 49999, 50000, 50001):
        connected(side, f"timeout {timeout}", calls.handshake(timeout))
    watcher = side.client("watcher")
    owner = side.client("owner", timeout_ms=1000)
    owner.say("scene", calls.create("/x"))
    owner.say("ephemeral", calls.create("/x/e", flags=calls.EPHEMERAL))
    watcher.say("arm", calls.get_data("/x/e", watch=True))
    watcher.say("arm parent", calls.get_children("/x", watch=True))
    for _ in range(2):  # The event of the znode and that of its parent.
        frame = watcher.link.frame()
        watcher.events.append((struct.unpack_from(">q", frame, 4)[0], frame[16:]))
    side.note("events", " ".join(str(body) for _, body in watcher.events))
    watcher.events.clear()
    side.note("the owner's connection", "open" if owner.link.frame() else "closed")
    payload = calls.handshake(1000, owner.session, owner.password)
    connected(side, "coming back", payload)
    watcher.say("the ephemeral", calls.exists("/x/e"))
    watcher.say("what is left", calls.get_children("/x"))
