"""Transactions: every pair of parts, good and bad, and everything that may not be in one."""

import itertools
import struct

import calls
from batch import USUAL, batch
from calls import NOBODY, Op

# Parts by name; {} is a number of the transaction, so that each works on znodes of its own.
PARTS = {
    "create": lambda p: calls.create(p + "/new"),
    "create2": lambda p: calls.create2(p + "/new2", b"2"),
    "container": lambda p: calls.container(p + "/c"),
    "ttl": lambda p: calls.create_ttl(p + "/t"),
    "sequential": lambda p: calls.create(p + "/s-", flags=calls.SEQUENTIAL),
    "ephemeral": lambda p: calls.create(p + "/e", flags=calls.EPHEMERAL),
    "delete": lambda p: calls.delete(p + "/new"),
    "delete old": lambda p: calls.delete(p + "/old"),
    "set": lambda p: calls.set_data(p + "/old", b"set"),
    "check": lambda p: calls.check(p + "/old", 0),
    "check of the next version": lambda p: calls.check(p + "/old", 1),
    "bad path": lambda p: calls.create(p + "//x"),
    "bad flags": lambda p: calls.create(p + "/x", flags=99),
    "bad ACL": lambda p: calls.create(p + "/x", entries=()),
    "closed": lambda p: calls.create("/m/closed/x"),
    "absent": lambda p: calls.set_data(p + "/absent"),
    "not empty": lambda p: calls.delete("/m"),
    "child of ephemeral": lambda p: calls.create(p + "/e/child"),
}


@batch("pairs in multis", settings=USUAL)
def pairs(side):
    client = side.client("a")
    client.quiet(calls.create("/m"))
    client.quiet(calls.create("/m/closed", entries=NOBODY))
    for number, (first, second) in enumerate(itertools.product(PARTS, repeat=2)):
        parent = f"/m/{number}"
        client.quiet(calls.create(parent))
        client.quiet(calls.create(parent + "/old"))
        call = calls.multi(PARTS[first](parent), PARTS[second](parent))
        client.say(f"{first}, {second}", call)
        client.say(f"{first}, {second}: children", calls.get_children2(parent))
    for first, second, third in itertools.product(
        ("create", "set", "delete old", "check"), ("closed", "set", "absent"), PARTS
    ):
        parent = "/m/" + "-".join((first, second, third)).replace(" ", "")
        client.quiet(calls.create(parent))
        client.quiet(calls.create(parent + "/old"))
        parts = [PARTS[part](parent) for part in (first, second, third)]
        client.say(f"{first}, {second}, {third}", calls.multi(*parts))


def foreign_parts():
    """Operations that do not belong into a transaction, with bodies that are right elsewhere."""
    yield "exists", calls.exists("/")
    yield "get", calls.get_data("/")
    yield "getACL", calls.get_acl("/")
    yield "setACL", calls.set_acl("/n")
    yield "children", calls.get_children("/")
    yield "children2", calls.get_children2("/")
    yield "sync", calls.sync("/")
    yield "ping", calls.ping()
    yield "multi", calls.multi(calls.create("/n/inner"))
    yield "multiRead", calls.multi_read(calls.get_data("/"))
    yield "auth", calls.auth("digest", b"a:b")
    yield "close", calls.close_session()
    yield "setWatches", calls.set_watches(0)
    yield "addWatch", calls.add_watch("/", 0)
    yield "ephemerals", calls.get_ephemerals("/")
    yield "whoAmI", calls.who_am_i()
    yield "reconfig", calls.reconfig("server.1=a:1:2")
    yield "unknown", calls.bare(77)
    yield "error", calls.bare(-1, struct.pack(">i", -101))
    yield "notification", calls.bare(0)
    yield "create session", calls.bare(Op.CREATE_SESSION, calls.integer(30000))


@batch("foreign parts of multis", settings=USUAL)
def foreign(side):
    client = side.client("a")
    client.quiet(calls.create("/n"))
    good = calls.create("/n/good")
    reading = calls.get_data("/n")
    for name, part in foreign_parts():
        client.say(f"{name} alone", calls.multi(part))
        client.say(f"{name} first", calls.multi(part, good))
        client.say(f"{name} last", calls.multi(good, part))
        client.say(f"{name} alone in a multiRead", calls.multi_read(part))
        client.say(f"{name} first in a multiRead", calls.multi_read(part, reading))
        client.say(f"{name} last in a multiRead", calls.multi_read(reading, part))
    for name, part in (("create", good), ("delete", calls.delete("/n")),
                       ("set", calls.set_data("/n")), ("check", calls.check("/n")),
                       ("create2", calls.create2("/n/x")), ("container", calls.container("/n/x")),
                       ("ttl", calls.create_ttl("/n/x"))):  # fmt: skip
        client.say(f"{name} in a multiRead", calls.multi_read(part))
        client.say(f"{name} behind a read", calls.multi_read(reading, part))
    client.say("nothing was made", calls.get_children2("/n"))


def malformed_lists():
    header, end = calls.multi_header, calls.MULTI_END
    create = header(Op.CREATE, False, -1) + calls.create("/o/n").body
    yield "empty body", b""
    yield "end alone", end
    yield "end without type", header(0, True, -1)
    yield "end with another error", header(-1, True, 0)
    yield "end of a type that creates", header(Op.CREATE, True, -1)
    yield "no end", create
    yield "half an end", create + end[:5]
    yield "two ends", create + end + end
    yield "parts behind the end", create + end + create + end
    yield "part with an error", header(Op.CREATE, False, 0) + calls.create("/o/m").body + end
    yield "part that says done", header(Op.CREATE, True, -1) + calls.create("/o/k").body + end
    yield "not done of type -1", header(-1, False, -1) + end
    yield "half a part", create[:-3] + end
    yield "a part without its body", header(Op.CREATE, False, -1) + end


@batch("lists of multis", settings=USUAL)
def lists(side):
    client = side.client("a")
    client.quiet(calls.create("/o"))
    for name, body in malformed_lists():
        client.say(name, calls.bare(Op.MULTI, body))
        client.say(f"{name}: children", calls.get_children2("/o"))
        client.say(f"{name}, read", calls.bare(Op.MULTI_READ, body))
        client.quiet(calls.delete("/o/n"))
    many = [calls.create(f"/o/{number}") for number in range(500)]
    client.say("five hundred parts", calls.multi(*many))
    client.say("five hundred deletes", calls.multi(
        *[calls.delete(f"/o/{number}") for number in range(500)], calls.check("/o/0")))
    client.say("and without the fault", calls.multi(
        *[calls.delete(f"/o/{number}") for number in range(500)]))


READS = {
    "get": lambda: calls.get_data("/r/n"),
    "get absent": lambda: calls.get_data("/r/absent"),
    "get closed": lambda: calls.get_data("/r/closed"),
    "get badly": lambda: calls.get_data("/r//n"),
    "get null": lambda: calls.get_data("/r/null"),
    "children": lambda: calls.get_children("/r"),
    "children of absent": lambda: calls.get_children("/r/absent"),
    "children of closed": lambda: calls.get_children("/r/closed"),
    "watching": lambda: calls.get_data("/r/n", watch=True),
    "watching children": lambda: calls.get_children("/r", watch=True),
}


@batch("multiRead", settings=USUAL)
def multi_reads(side):
    client = side.client("a")
    other = side.client("b")
    client.quiet(calls.create("/r", b"root"))
    client.quiet(calls.create("/r/n", b"value"))
    client.quiet(calls.create("/r/null", None))
    client.quiet(calls.create("/r/closed", b"secret", entries=NOBODY))
    client.say("of nothing", calls.multi_read())
    for first, second in itertools.product(READS, repeat=2):
        client.say(f"{first}, {second}", calls.multi_read(READS[first](), READS[second]()))
    client.say("all", calls.multi_read(*[part() for part in READS.values()]))
    other.say("a change", calls.set_data("/r/n", b"new"))
    other.say("a child", calls.create("/r/new"))
    client.listen("watches are not set")
