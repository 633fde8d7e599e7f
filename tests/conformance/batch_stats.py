"""What every write leaves in the Stat of the node, of its parent and of the parent's parent."""

import calls
from batch import USUAL, batch
from calls import ANYONE


def story():
    """Writes to one family of nodes, as names and calls."""
    yield "create child", calls.create("/g/p/n", b"abc")
    yield "create empty", calls.create("/g/p/empty", b"")
    yield "create null", calls.create("/g/p/null", None)
    yield "create2", calls.create2("/g/p/two", b"12")
    yield "create ephemeral", calls.create("/g/p/e", b"e", calls.EPHEMERAL)
    yield "create sequential", calls.create("/g/p/s-", b"s", calls.SEQUENTIAL)
    yield "create container", calls.container("/g/p/c", b"c")
    yield "create ttl", calls.create_ttl("/g/p/t", b"t")
    yield "set", calls.set_data("/g/p/n", b"defghi")
    yield "set to the same", calls.set_data("/g/p/n", b"defghi")
    yield "set to null", calls.set_data("/g/p/n", None)
    yield "set to empty", calls.set_data("/g/p/n", b"")
    yield "set with its version", calls.set_data("/g/p/n", b"x", 4)
    yield "set of another version", calls.set_data("/g/p/n", b"x", 4)
    yield "setACL", calls.set_acl("/g/p/n", ANYONE)
    yield "setACL with its version", calls.set_acl("/g/p/n", ANYONE, 1)
    yield "setACL of another version", calls.set_acl("/g/p/n", ANYONE, 1)
    yield "create grandchild", calls.create("/g/p/n/m", b"m")
    yield "set grandchild", calls.set_data("/g/p/n/m", b"mm")
    yield "delete of a parent", calls.delete("/g/p/n")
    yield "delete grandchild", calls.delete("/g/p/n/m")
    yield "delete", calls.delete("/g/p/n")
    yield "create again", calls.create("/g/p/n", b"again")
    yield "create again fails", calls.create("/g/p/n", b"again")
    yield "empty multi", calls.multi()
    yield "multi", calls.multi(
        calls.create("/g/p/m"), calls.set_data("/g/p/m", b"1"), calls.set_data("/g/p/n", b"2"),
        calls.set_data("/g/p", b"3"), calls.check("/g/p", 1), calls.create("/g/p/m/x"))
    yield "multi that fails", calls.multi(
        calls.create("/g/p/z"), calls.set_data("/g/p/n", b"2"), calls.check("/g/p", 7))
    yield "multi that makes and removes", calls.multi(
        calls.create("/g/p/z"), calls.delete("/g/p/z"), calls.create("/g/p/z", b"zz"),
        calls.set_data("/g/p/z", b"zzz"))
    yield "multi that removes and makes", calls.multi(
        calls.delete("/g/p/z"), calls.create("/g/p/z", b"new"))
    yield "multi of checks", calls.multi(calls.check("/g/p/z"), calls.check("/g/p/z", 0))
    yield "child of container", calls.create("/g/p/c/x")
    yield "child of ttl", calls.create("/g/p/t/x")
    yield "set container", calls.set_data("/g/p/c", b"cc")
    yield "set ttl", calls.set_data("/g/p/t", b"tt")
    yield "setACL of parent", calls.set_acl("/g/p", ANYONE)
    yield "sync", calls.sync("/g")
    yield "set root", calls.set_data("/", b"root")
    yield "setACL of root", calls.set_acl("/", ANYONE)
    yield "set quota", calls.set_data("/zookeeper/quota", b"q")
    yield "create in quota", calls.create("/zookeeper/quota/g")
    yield "create in zookeeper", calls.create("/zookeeper/g")
    yield "set config", calls.set_data("/zookeeper/config", b"q")
    yield "set zookeeper", calls.set_data("/zookeeper", b"q")


SEEN = ("/", "/g", "/g/p", "/g/p/n", "/g/p/m", "/g/p/z", "/g/p/c", "/g/p/t", "/g/p/e",
        "/zookeeper", "/zookeeper/quota", "/zookeeper/config")  # fmt: skip


@batch("stats", settings=USUAL)
def stats(side):
    client = side.client("a")
    other = side.client("b")
    for path in SEEN[:1] + SEEN[-3:]:
        client.say(f"at first: get {path}", calls.get_data(path))
        client.say(f"at first: acl {path}", calls.get_acl(path))
        client.say(f"at first: children {path}", calls.get_children2(path))
    client.quiet(calls.create("/g"))
    client.quiet(calls.create("/g/p"))
    for name, call in story():
        client.say(name, call)
        for path in SEEN:
            other.say(f"{name}: {path}", calls.get_data(path))
    client.say("close", calls.close_session())
    for path in SEEN:
        other.say(f"after the close: {path}", calls.exists(path))
    for operation in (calls.get_children, calls.get_children2, calls.get_acl,
                      calls.count_descendants):  # fmt: skip
        for path in ("/", "/g", "/g/p"):
            other.say(f"{operation.__name__} {path}", operation(path))


@batch("data", settings=USUAL)
def data(side):
    """Data and listings of many sizes, and versions."""
    client = side.client("a")
    client.quiet(calls.create("/v"))
    for size in (0, 1, 199, 4096, 65536, 1000000, 1048000):
        value = bytes(number % 251 for number in range(size))
        client.say(f"create {size}", calls.create(f"/v/{size}", value))
        client.say(f"get {size}", calls.get_data(f"/v/{size}"))
        client.say(f"set {size}", calls.set_data(f"/v/{size}", value[::-1]))
        client.say(f"get the new {size}", calls.get_data(f"/v/{size}"))
        client.say(f"delete {size}", calls.delete(f"/v/{size}"))
    client.quiet(calls.create("/v/n"))
    for version in [-1, 0, 1, 1, 3, 2, -2, 2, 0x7FFFFFFF, -0x80000000]:
        client.say(f"set version {version}", calls.set_data("/v/n", b"", version))
        client.say(f"check version {version}", calls.multi(calls.check("/v/n", version)))
    for number in range(300):
        client.quiet(calls.create(f"/v/n/{number}"))
        if number in (0, 1, 9, 99, 299):
            client.say(f"children {number}", calls.get_children2("/v/n"))
            client.say(f"descendants {number}", calls.count_descendants("/v"))
    for prefix in ("/v", "/v/", "/v/e", "/v/e/", "/v/ee", "", "/", None, "v", "/zookeeper", "/V"):
        client.say(f"no ephemerals {prefix}", calls.get_ephemerals(prefix))
    for path in ("/v/e", "/v/ee", "/v/f", "/ve"):
        client.quiet(calls.create(path, flags=calls.EPHEMERAL))
    other = side.client("b")
    for prefix in ("/v", "/v/", "/v/e", "/v/e/", "/v/ee", "", "/", None, "v", "/zookeeper", "/V"):
        client.say(f"ephemerals {prefix}", calls.get_ephemerals(prefix))
        other.say(f"ephemerals of another {prefix}", calls.get_ephemerals(prefix))
