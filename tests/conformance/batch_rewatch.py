"""Watches that are set again after a reconnection, asked for, and removed."""

import itertools

import calls
from batch import USUAL, batch
from calls import NOBODY

LISTS = ("data", "exist", "child", "persistent", "recursive")
NODES = {
    "absent": "/r/absent",
    "unchanged": "/r/unchanged",
    "changed": "/r/changed",
    "with a new child": "/r/child",
    "without its child": "/r/gone",
    "deleted": "/r/deleted",
    "made again": "/r/again",
    "made": "/r/made",
    "of another ACL": "/r/acl",
    "closed": "/r/closed",
    "root": "/",
    "no path": "nothing",
}


def happenings(client):
    """The scene, and what happens in it while the watcher is away; returns the zxid between."""
    client.quiet(calls.create("/r"))
    for name in ("unchanged", "changed", "child", "gone", "gone/x", "deleted", "again", "acl"):
        client.quiet(calls.create(f"/r/{name}"))
    client.quiet(calls.create("/r/closed", entries=NOBODY))
    between = client.side.names.ordered[-1]
    for call in (
        calls.set_data("/r/changed", b"1"), calls.create("/r/child/x"), calls.delete("/r/gone/x"),
        calls.delete("/r/deleted"), calls.delete("/r/again"), calls.create("/r/again"),
        calls.create("/r/made"), calls.set_acl("/r/acl", calls.ANYONE),
    ):  # fmt: skip
        client.quiet(call)
    return between


def request(kind, paths, zxid, old):
    if old:
        return calls.set_watches(zxid, **{kind: paths})
    return calls.set_watches2(zxid, **{kind: paths})


def later(client, path):
    """What may happen to one path afterwards, as names and calls."""
    yield "create", calls.create(path)
    yield "set", calls.set_data(path, b"later")
    yield "create child", calls.create(path + "/later")
    yield "delete child", calls.delete(path + "/later")


def rewatch(side, old):
    writer = side.client("writer")
    between = happenings(writer)
    for kind in LISTS[:3] if old else LISTS:
        for node, path in NODES.items():
            for since, zxid in (("before", between), ("always", 0), ("later", 1 << 60)):
                watcher = side.client("watcher")
                name = f"{kind} {node}, since {since}"
                watcher.say(name, request(kind, [path], zxid, old))
                for what, ask in (("data", calls.DATA), ("children", calls.CHILDREN)):
                    watcher.say(f"{name}: is {what} armed", calls.check_watches(path, ask))
                watcher.link.close()
    for kind, (node, path) in itertools.product(LISTS[:3] if old else LISTS, NODES.items()):
        if not path.startswith("/r/"):
            continue
        watcher = side.client("watcher")
        name = f"{kind} {node}, then"
        watcher.say(name, request(kind, [path], 1 << 60, old))
        for change, call in later(writer, path):
            writer.say(f"{name} {change}", call)
            watcher.listen(f"{name} {change}: heard")
        watcher.link.close()


@batch("setWatches", settings=USUAL)
def set_watches(side):
    rewatch(side, old=True)


@batch("setWatches2", settings=USUAL)
def set_watches2(side):
    rewatch(side, old=False)


@batch("lists of setWatches", settings=USUAL)
def lists_of_set_watches(side):
    client = side.client("a")
    client.quiet(calls.create("/l"))
    every = list(NODES.values()) + ["/l", "/l"]
    client.say("nothing", calls.set_watches(0))
    client.say("nothing, 2", calls.set_watches2(0))
    for xid in (-8, 5, 0, -7):
        client.say(f"xid {xid}", calls.set_watches(0, ["/l"]), xid=xid)
        client.say(f"xid {xid}, 2", calls.set_watches2(0, ["/l"]), xid=xid)
    client.say("everything", calls.set_watches(0, every, every, every))
    client.say("everything, 2", calls.set_watches2(0, every, every, every, every, every))
    for zxid in (-1, 0, 1, (1 << 63) - 1, -(1 << 63)):
        client.say(f"since {zxid}", calls.set_watches(zxid, ["/l"], ["/l"], ["/l"]))
    for kind in LISTS:
        client.say(f"null {kind}, 2", calls.set_watches2(0, **{kind: None}))
        client.say(f"null path in {kind}, 2", calls.set_watches2(0, **{kind: [None]}))
        client.say(f"empty path in {kind}, 2", calls.set_watches2(0, **{kind: [""]}))
        if kind in LISTS[:3]:
            client.say(f"null {kind}", calls.set_watches(0, **{kind: None}))
            client.say(f"null path in {kind}", calls.set_watches(0, **{kind: [None]}))
    client.say("all null", calls.set_watches(0, None, None, None))
    client.say("end", calls.exists("/l"))


ARMED = {
    "nothing": [],
    "data": [calls.get_data("/m/n", True)],
    "exists": [calls.exists("/m/n", True)],
    "children": [calls.get_children("/m/n", True)],
    "data and children": [calls.get_data("/m/n", True), calls.get_children("/m/n", True)],
    "persistent": [calls.add_watch("/m/n", 0)],
    "recursive": [calls.add_watch("/m/n", 1)],
    "recursive above": [calls.add_watch("/m", 1)],
    "persistent above": [calls.add_watch("/m", 0)],
}
BOTH = {
    "data then persistent": [calls.get_data("/m/n", True), calls.add_watch("/m/n", 0)],
    "children then recursive": [calls.get_children("/m/n", True), calls.add_watch("/m/n", 1)],
    "persistent then recursive": [calls.add_watch("/m/n", 0), calls.add_watch("/m/n", 1)],
    "recursive then persistent": [calls.add_watch("/m/n", 1), calls.add_watch("/m/n", 0)],
    "recursive then data": [calls.add_watch("/m/n", 1), calls.get_data("/m/n", True)],
    "persistent then children": [calls.add_watch("/m/n", 0), calls.get_children("/m/n", True)],
}


def ask_and_remove(side, armed):
    writer = side.client("writer")
    writer.quiet(calls.create("/m"))
    writer.quiet(calls.create("/m/n"))
    for (what, setting), kind in itertools.product(armed.items(), (1, 2, 3)):
        watcher = side.client("watcher")
        name = f"{what}, kind {kind}"
        for call in setting:
            watcher.quiet(call)
        for asked in (1, 2, 3):
            watcher.say(f"{name}: ask {asked}", calls.check_watches("/m/n", asked))
        watcher.say(f"{name}: remove", calls.remove_watches("/m/n", kind))
        watcher.say(f"{name}: remove again", calls.remove_watches("/m/n", kind))
        for asked in (1, 2, 3):
            watcher.say(f"{name}: ask {asked} then", calls.check_watches("/m/n", asked))
        for change, call in (("set", calls.set_data("/m/n", b"1")),
                             ("child", calls.create("/m/n/c")),
                             ("child gone", calls.delete("/m/n/c")),
                             ("gone", calls.delete("/m/n")), ("made", calls.create("/m/n"))):  # fmt: skip
            writer.quiet(call)
            watcher.listen(f"{name}: {change}")
        watcher.link.close()


@batch("removeWatches", settings=USUAL)
def remove(side):
    ask_and_remove(side, ARMED)
    client = side.client("a")
    client.quiet(calls.add_watch("/m", 0))
    for kind in (-1, 0, 4, 5, 6, 100):
        client.say(f"ask kind {kind}", calls.check_watches("/m", kind))
        client.say(f"remove kind {kind}", calls.remove_watches("/m", kind))
    for mode in (-1, 2, 3, 100):
        client.say(f"add mode {mode}", calls.add_watch("/m", mode))
    client.say("still there", calls.check_watches("/m", 3))
    other = side.client("b")
    other.say("not another's", calls.remove_watches("/m", 3))
    client.say("still there then", calls.check_watches("/m", 3))


@batch("removeWatches of several", settings=USUAL)
def remove_several(side):
    ask_and_remove(side, BOTH)
