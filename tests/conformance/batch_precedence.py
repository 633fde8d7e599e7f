"""Requests with several faults at once: which of them is told."""

import itertools

import calls
from batch import USUAL, batch
from calls import ANYONE, NOBODY, Op

WORLD_BUT = {bit: ((calls.ALL & ~bit, "world", "anyone"),) for bit in (1, 2, 4, 8, 16)}


def both_ways(client, name, call):
    """The call alone and as the only part of a multi."""
    client.say(name, call)
    client.say(f"{name}, in a multi", calls.multi(call))


MAKERS = {
    "create": (Op.CREATE, calls.PERSISTENT),
    "create2": (Op.CREATE2, calls.EPHEMERAL),
    "sequential": (Op.CREATE, calls.SEQUENTIAL),
    "container": (Op.CREATE_CONTAINER, calls.CONTAINER),
    "ttl": (Op.CREATE_TTL, calls.TTL),
}
ENTRIES = {
    "": ANYONE,
    "no ACL": (),
    "bad scheme": ((31, "nonsense", "x"),),
    "auth of nobody": ((31, "auth", ""),),
}
PARENTS = {
    "in open": "/c/open",
    "in nothing": "/c/none",
    "in closed": "/c/closed",
    "in ephemeral": "/c/ephemeral",
    "in closed ephemeral": "/c/closed-ephemeral",
    "in nothing in closed": "/c/closed/none",
    "without slash": None,
}
NAMES = {"fresh": "/fresh", "bad name": "/bad\x01", "existing": "/there", "NUL": "/a\0b",
         "slash": "/", "two slashes": "//there"}  # fmt: skip


@batch("precedence of create", settings=USUAL)
def precedence_of_create(side):
    client = side.client("a")
    for path, flags, entries in (
        ("/c", 0, ANYONE), ("/c/open", 0, ANYONE), ("/c/open/there", 0, ANYONE),
        ("/c/ephemeral", 1, ANYONE), ("/c/closed-ephemeral", 1, WORLD_BUT[4]),
        ("/c/closed", 0, ANYONE), ("/c/closed/there", 0, ANYONE),
    ):  # fmt: skip
        client.quiet(calls.create(path, flags=flags, entries=entries))
    client.quiet(calls.set_acl("/c/closed", WORLD_BUT[4]))
    for (maker, (operation, flags)), (fault, entries) in itertools.product(
        MAKERS.items(), ENTRIES.items()):  # fmt: skip
        for bad_flags in (False, True):
            for (where, parent), (what, name) in itertools.product(PARENTS.items(), NAMES.items()):
                if maker == "container" and bad_flags:
                    continue  # These make a container in one server only: see `flags`.
                path = name[1:] if parent is None else parent + name
                call = calls.create(path, b"", 9 if bad_flags else flags, entries, operation)
                full = f"{maker} {what} {where} {fault}{' bad flags' if bad_flags else ''}"
                client.say(full, call)
                if client.made_path:
                    client.quiet(calls.delete(client.made_path))
    for fault, entries in ENTRIES.items():
        for (where, parent), (what, name) in itertools.product(PARENTS.items(), NAMES.items()):
            path = name[1:] if parent is None else parent + name
            call = calls.multi(calls.create(path, entries=entries), calls.check("/", 99))
            client.say(f"multi create {what} {where} {fault}", call)


NODES = ["absent", "leaf", "full", "changed"]
DIRECTORIES = {"open": ANYONE, "closed": WORLD_BUT[8]}


def scene(client, root):
    """For each directory a leaf, a node with a child and a node of version 1."""
    client.quiet(calls.create(root))
    for name, entries in DIRECTORIES.items():
        client.quiet(calls.create(f"{root}/{name}"))
        for node in NODES[1:]:
            client.quiet(calls.create(f"{root}/{name}/{node}"))
        client.quiet(calls.create(f"{root}/{name}/full/child"))
        client.quiet(calls.set_data(f"{root}/{name}/changed", b"1"))
        client.quiet(calls.set_acl(f"{root}/{name}", entries))


@batch("precedence of delete", settings=USUAL)
def precedence_of_delete(side):
    client = side.client("a")
    scene(client, "/d")
    where = itertools.product([*DIRECTORIES, "none"], NODES, (-1, 0, 1, 7, -2))
    for directory, node, version in where:
        name = f"{node} in {directory} of version {version}"
        both_ways(client, name, calls.delete(f"/d/{directory}/{node}", version))
    for path in ("d", "", "/", "/zookeeper", "/zookeeper/config", "/d/", "/d//x", "/d/a\0", "/d/."):
        for version in (-1, 7):
            both_ways(client, f"'{path}' of version {version}", calls.delete(path, version))


@batch("precedence of set", settings=USUAL)
def precedence_of_set(side):
    client = side.client("a")
    client.quiet(calls.create("/t"))
    client.quiet(calls.create("/t/open"))
    client.quiet(calls.create("/t/no-write", entries=WORLD_BUT[2]))
    client.quiet(calls.create("/t/no-admin", entries=WORLD_BUT[16]))
    client.quiet(calls.create("/t/no-read", entries=WORLD_BUT[1]))
    client.quiet(calls.create("/t/nobody", entries=NOBODY))
    paths = ["/t/open", "/t/no-write", "/t/no-admin", "/t/no-read", "/t/nobody", "/t/absent",
             "/t/absent/x", "/t//open", "/t/open/", "t", "", "/t/\x01", "/t/a\0b"]  # fmt: skip
    for path, version in itertools.product(paths, (-1, 0, 1, 7, -2)):
        both_ways(client, f"data of {path}, version {version}", calls.set_data(path, b"", version))
        client.say(f"check of {path}, version {version}", calls.multi(calls.check(path, version)))
        for fault, entries in {**ENTRIES, "no world": ((31, "world", "x"),)}.items():
            if fault or version != 0:
                call = calls.set_acl(path, entries, version)
                client.say(f"ACL of {path}, version {version} {fault}", call)
    for path in paths:
        client.say(f"get {path}", calls.get_data(path))
        client.say(f"acl {path}", calls.get_acl(path))
        client.say(f"children {path}", calls.get_children(path))
        client.say(f"children2 {path}", calls.get_children2(path))
        client.say(f"exists {path}", calls.exists(path))
        client.say(f"descendants {path}", calls.count_descendants(path))
        both = calls.multi_read(calls.get_data(path), calls.get_children(path))
        client.say(f"multiRead {path}", both)
