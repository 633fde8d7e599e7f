"""Hostile and broken frames: lengths, truncation at every byte, null and absurd lists, unknown
operations. A server answers or closes; nobody else must notice."""

import struct

import calls
from batch import USUAL, batch
from calls import Op

FRAME_MAX = 0xFFFFF


def whole_requests():
    """One request of every operation; its znodes do not matter."""
    yield "create", calls.create("/t/n", b"data")
    yield "create2", calls.create2("/t/n", b"data")
    yield "container", calls.container("/t/n", b"data")
    yield "ttl", calls.create_ttl("/t/n", b"data")
    yield "delete", calls.delete("/t/n")
    yield "exists", calls.exists("/t")
    yield "get", calls.get_data("/t")
    yield "set", calls.set_data("/t", b"data")
    yield "getACL", calls.get_acl("/t")
    yield "setACL", calls.set_acl("/t")
    yield "children", calls.get_children("/t")
    yield "children2", calls.get_children2("/t")
    yield "sync", calls.sync("/t")
    yield "multi", calls.multi(calls.create("/t/n"), calls.delete("/t/n"), calls.check("/t"))
    yield "multiRead", calls.multi_read(calls.get_data("/t"), calls.get_children("/t"))
    yield "checkWatches", calls.check_watches("/t", 3)
    yield "removeWatches", calls.remove_watches("/t", 3)
    yield "setWatches", calls.set_watches(0, ["/t"], ["/t"], ["/t"])
    yield "setWatches2", calls.set_watches2(0, ["/t"], ["/t"], ["/t"], ["/t"], ["/t"])
    yield "ephemerals", calls.get_ephemerals("/t")
    yield "descendants", calls.count_descendants("/t")
    yield "addWatch", calls.add_watch("/t", 0)
    yield "reconfig", calls.reconfig("a", "b", "c")


@batch("truncated requests", settings=USUAL)
def truncated(side):
    client = side.client("a")
    client.quiet(calls.create("/t"))
    for name, (operation, body) in whole_requests():
        for size in range(len(body)):
            client.say(f"{name} cut to {size}", calls.bare(operation, body[:size]))
        client.say(f"{name} whole", calls.bare(operation, body))
        client.say(f"{name} with more behind", calls.bare(operation, body + b"more"))
        client.quiet(calls.delete("/t/n"))


def numbers_in_place():
    """Requests with an absurd length or count in each place that has one."""
    absurd = (-2, -1, -(1 << 31), (1 << 31) - 1, 1 << 20, (1 << 20) - 1, 5)
    text, flags = calls.text, calls.integer(0)
    for number in absurd:
        size = calls.integer(number)
        yield f"create, path of {number}", Op.CREATE, size + b"/b"
        yield f"create, data of {number}", Op.CREATE, text("/b/n") + size + b"x"
        yield f"create, ACL of {number}", Op.CREATE, text("/b/n") + text(b"") + size + flags
        entry = calls.integer(31) + size + b"world" + text("anyone")
        entries = text("/b/n") + text(b"") + calls.integer(1)
        yield f"create, scheme of {number}", Op.CREATE, entries + entry + flags
        entry = calls.integer(31) + text("world") + size + b"anyone"
        yield f"create, identity of {number}", Op.CREATE, entries + entry + flags
        yield f"set, data of {number}", Op.SET_DATA, text("/b") + size + b"x" + flags
        yield f"setACL, ACL of {number}", Op.SET_ACL, text("/b") + size + flags
        yield f"get, path of {number}", Op.GET_DATA, size + b"/b\0"
        yield f"delete, path of {number}", Op.DELETE, size + b"/b" + flags
        yield f"sync, path of {number}", Op.SYNC, size
        yield f"ephemerals, prefix of {number}", Op.GET_EPHEMERALS, size
        yield f"setWatches, data of {number}", Op.SET_WATCHES, calls.long(0) + size + flags * 2
        one = calls.long(0) + calls.integer(1)
        yield f"setWatches, path of {number}", Op.SET_WATCHES, one + size + flags * 2
        yield f"multi, path of {number}", Op.MULTI, (
            calls.multi_header(Op.DELETE, False, -1) + size + b"/b" + flags + calls.MULTI_END)
        yield f"removeWatches, path of {number}", Op.REMOVE_WATCHES, size + flags


@batch("absurd lengths", settings=USUAL)
def absurd_lengths(side):
    client = side.client("a")
    client.quiet(calls.create("/b", b"stays"))
    for name, operation, body in numbers_in_place():
        client.say(name, calls.bare(operation, body))
        client.quiet(calls.delete("/b/n"))
    client.say("what is there", calls.get_data("/b"))


@batch("frames", settings=USUAL)
def frames(side):
    """Frames of a session that are no requests."""
    client, bystander = side.client("a"), side.client("bystander")
    for name, payload in (
        ("empty", b""), ("one byte", b"\0"), ("xid alone", b"\0\0\0\1"), ("seven bytes", bytes(7)),
    ):
        client.link.send(calls.framed(payload))
        side.note(name, "answered" if client.reply() else "closed")
        client.connect()
    for length in (-1, -2, -(1 << 31), FRAME_MAX + 1, (1 << 31) - 1, 0x72756F6B, 0x47455420):
        client.link.send(calls.integer(length))
        side.note(f"length {length}", "answered" if client.reply() else "closed")
        client.connect()
    client.quiet(calls.create("/big"))
    overhead = 8 + len(calls.set_data("/big", b"").body)
    for size in (FRAME_MAX - 1, FRAME_MAX, FRAME_MAX + 1):
        call = calls.set_data("/big", b"x" * (size - overhead))
        client.say(f"frame of {size}", call)
    client.say("what is there", calls.get_data("/big"))
    for name, first in (
        ("ruok in a session", b"ruok"), ("HTTP", b"GET / HTTP/1.0\r\n\r\n"), ("ones", b"\xff" * 64),
        ("zeros", bytes(64)), ("TLS", bytes.fromhex("160301020001fc0303")),
    ):  # fmt: skip
        link = client.link if name.endswith("session") else side.stranger()
        link.send(first)
        side.note(name, link.everything().hex() or "closed")
        client.connect()
    bystander.say("another connection", calls.exists("/big"))


def pieces(side, name, size):
    """A handshake and a request, sent in pieces of `size` bytes."""
    link = side.stranger()
    request = struct.pack(">ii", 7, Op.EXISTS) + calls.exists("/").body
    stream = calls.framed(calls.handshake(10000)) + calls.framed(request)
    for at in range(0, len(stream), size):
        link.send(stream[at : at + size])
    side.note(name, " ".join(str(len(link.frame() or b"")) for _ in range(2)))


@batch("streams", settings=USUAL)
def streams(side):
    for size in (1, 2, 3, 5, 50, 1000):
        pieces(side, f"in pieces of {size}", size)


ANSWERED = {int(op) for op in Op} - {Op.NOTIFICATION, Op.CHECK, Op.DELETE_CONTAINER,
                                    Op.CREATE_SESSION, Op.ERROR}  # fmt: skip


@batch("unknown operations", settings=USUAL)
def unknown_operations(side):
    client = side.client("a")
    numbers = [*range(-20, 0), 0, 10, *range(23, 30), 99, 108, 109, 127, 128, 255, 1000,
               (1 << 31) - 1, -(1 << 31)]  # fmt: skip
    for number in numbers:
        if number in ANSWERED or number == Op.CREATE_SESSION:
            continue
        client.say(f"operation {number}", calls.bare(number))
        client.say(f"operation {number} with a body", calls.bare(number, calls.exists("/").body))


@batch("operations that are not for clients", settings=USUAL, zabd_only=True)
def internal_operations(side):
    """Apache ZooKeeper 3.8.0 never answers a check, answers createSession with a second handshake
    and reads deleteContainer wrongly."""
    client = side.client("a")
    refused = "-6 Unimplemented at -1 and closed"
    for name, call in (
        ("check", calls.check("/")), ("check of absent", calls.check("/absent", 3)),
        ("deleteContainer", calls.bare(Op.DELETE_CONTAINER, calls.text("/c"))),
        ("deleteContainer without length", calls.bare(Op.DELETE_CONTAINER, b"/c")),
        ("createSession", calls.bare(Op.CREATE_SESSION, calls.integer(30000))),
        ("createSession without body", calls.bare(Op.CREATE_SESSION)),
    ):  # fmt: skip
        client.say(name, call)
        side.expect(name, refused)
