"""Watches: every kind, alone and in pairs, and every change near the watched node."""

import itertools

import calls
from batch import USUAL, batch
from calls import ANYONE, NOBODY

# How a watcher arms a watch on {}/n (or on its parent); "absent" needs a scene without the node.
KINDS = {
    "data": lambda p: calls.get_data(p + "/n", watch=True),
    "exists": lambda p: calls.exists(p + "/n", watch=True),
    "children": lambda p: calls.get_children(p + "/n", watch=True),
    "children2": lambda p: calls.get_children2(p + "/n", watch=True),
    "persistent": lambda p: calls.add_watch(p + "/n", 0),
    "recursive": lambda p: calls.add_watch(p + "/n", 1),
    "children of parent": lambda p: calls.get_children(p, watch=True),
    "persistent on parent": lambda p: calls.add_watch(p, 0),
    "recursive on parent": lambda p: calls.add_watch(p, 1),
    "recursive on root": lambda p: calls.add_watch("/", 1),
    "data of child": lambda p: calls.get_data(p + "/n/c", watch=True),
    "exists of absent": lambda p: calls.exists(p + "/n/absent", watch=True),
    "data of absent": lambda p: calls.get_data(p + "/n/absent", watch=True),
    "persistent on absent": lambda p: calls.add_watch(p + "/n/absent", 0),
    "recursive on absent": lambda p: calls.add_watch(p + "/n/absent", 1),
}


def changes(p):
    """Everything that can happen, in an order that leaves each step possible."""
    n = p + "/n"
    yield "set", calls.set_data(n, b"1")
    yield "set again", calls.set_data(n, b"2")
    yield "setACL", calls.set_acl(n, ANYONE)
    yield "failed set", calls.set_data(n, b"3", 99)
    yield "set child", calls.set_data(n + "/c", b"1")
    yield "create child", calls.create(n + "/d")
    yield "create absent", calls.create(n + "/absent")
    yield "set absent", calls.set_data(n + "/absent", b"1")
    yield "create grandchild", calls.create(n + "/absent/x")
    yield "delete grandchild", calls.delete(n + "/absent/x")
    yield "delete absent", calls.delete(n + "/absent")
    yield "create absent again", calls.create2(n + "/absent")
    yield "ephemeral child", calls.create(n + "/e", flags=calls.EPHEMERAL)
    yield "container child", calls.container(n + "/container")
    yield "failed multi", calls.multi(calls.set_data(n, b"x"), calls.check(n, 99))
    yield "multi", calls.multi(
        calls.set_data(n, b"m"), calls.create(n + "/m"), calls.set_data(n + "/m", b"m"),
        calls.delete(n + "/m"), calls.check(n), calls.set_data(p, b"m"))
    yield "deletes", calls.multi(
        *[calls.delete(f"{n}/{name}") for name in ("c", "d", "absent", "e", "container")])
    yield "delete", calls.delete(n)
    yield "create", calls.create(n)
    yield "create child again", calls.create(n + "/c")
    yield "delete all in a multi", calls.multi(calls.delete(n + "/c"), calls.delete(n))
    yield "create in a multi", calls.multi(calls.create(n), calls.create(n + "/c"))
    yield "sibling", calls.create(p + "/sibling")
    yield "set parent", calls.set_data(p, b"p")


def prepared(client, parent):
    for path in (parent, parent + "/n", parent + "/n/c"):
        client.quiet(calls.create(path))


def follow(side, name, parent, kinds):
    """One watcher with some watches, and a writer that makes every change."""
    writer = side.client("writer")
    prepared(writer, parent)
    watcher = side.client("watcher")
    for kind in kinds:
        watcher.say(f"{name}: arm {kind}", KINDS[kind](parent))
    for change, call in changes(parent):
        writer.say(f"{name}: {change}", call)
        watcher.listen(f"{name}: {change}: heard")
    watcher.link.close()
    writer.link.close()


def follow_own(side, name, parent, kinds):
    """As `follow`, but whoever watches makes the changes too, and arms again after each."""
    client = side.client("watcher")
    prepared(client, parent)
    for change, call in changes(parent):
        for kind in kinds:
            client.say(f"{name}: arm {kind} before {change}", KINDS[kind](parent))
        client.say(f"{name}: {change}", call)
    client.link.close()


@batch("watches", settings=USUAL)
def watches(side):
    side.client("a").quiet(calls.create("/w"))
    for number, kind in enumerate(KINDS):
        follow(side, kind, f"/w/{number}", [kind])


@batch("own watches", settings=USUAL)
def own_watches(side):
    side.client("a").quiet(calls.create("/o"))
    for number, kind in enumerate(KINDS):
        follow_own(side, kind, f"/o/{number}", [kind])


PLAIN = ["data", "exists", "children", "children of parent", "exists of absent"]
LASTING = ["persistent", "recursive", "persistent on parent", "recursive on parent",
           "recursive on root"]  # fmt: skip


@batch("pairs of watches", settings=USUAL)
def pairs_of_watches(side):
    side.client("a").quiet(calls.create("/p"))
    pairs = [*itertools.combinations(PLAIN, 2)]
    for number, pair in enumerate(pairs):
        follow(side, " and ".join(pair), f"/p/{number}", pair)
    follow(side, "all that fire once", "/p/all", PLAIN)


@batch("pairs of lasting watches", settings=USUAL)
def pairs_of_lasting_watches(side):
    side.client("a").quiet(calls.create("/l"))
    pairs = [*itertools.product(PLAIN, LASTING), *itertools.combinations(LASTING, 2)]
    pairs += [("persistent", "data"), ("recursive", "children"), ("recursive", "persistent"),
              ("recursive", "data"), ("recursive", "exists"), ("persistent", "children")]  # fmt: skip
    for number, pair in enumerate(pairs):
        follow(side, " and ".join(pair), f"/l/{number}", pair)
    follow(side, "all that last", "/l/all", LASTING)


@batch("watches that fire once", settings=USUAL)
def watches_that_fire_once(side):
    """What does not set a watch, what sets it twice, and what ends it."""
    writer, watcher, other = (side.client(label) for label in ("writer", "watcher", "other"))
    writer.quiet(calls.create("/x"))
    for name, armed in (
        ("twice data", [calls.get_data("/x", True)] * 2),
        ("data and exists", [calls.get_data("/x", True), calls.exists("/x", True)]),
        ("unset by a later read", [calls.get_data("/x", True), calls.get_data("/x", False)]),
        ("without watch", [calls.get_data("/x"), calls.exists("/x"), calls.get_children("/x")]),
        ("failed", [calls.get_data("/x/n", True), calls.get_children("/x/n", True),
                    calls.get_children2("/x/n", True)]),
        ("exists of absent", [calls.exists("/x/n", True)]),
    ):  # fmt: skip
        for number, call in enumerate(armed):
            watcher.say(f"{name}: arm {number}", call)
        for change, call in (
            ("set", calls.set_data("/x", b"1")), ("set again", calls.set_data("/x", b"2")),
            ("create", calls.create("/x/n")), ("set it", calls.set_data("/x/n", b"3")),
            ("delete", calls.delete("/x/n")),
        ):  # fmt: skip
            writer.say(f"{name}: {change}", call)
            watcher.listen(f"{name}: {change}: heard")
            other.listen(f"{name}: {change}: heard by another")


@batch("sessions that end before watchers", settings=USUAL)
def session_ends(side):
    """The ephemerals of a closed session, for each kind of watch."""
    watcher = side.client("watcher")
    watcher.quiet(calls.create("/s"))
    for kind in KINDS:
        owner = side.client("owner")
        parent = f"/s/{kind.replace(' ', '-')}"
        watcher.quiet(calls.create(parent))
        owner.quiet(calls.create(parent + "/n", flags=calls.EPHEMERAL))
        follower = side.client("follower")
        follower.say(f"{kind}: arm", KINDS[kind](parent))
        owner.say(f"{kind}: close", calls.close_session())
        follower.listen(f"{kind}: heard", ordered=False)
        follower.say(f"{kind}: parent", calls.get_children2(parent))
    for count in (2, 5):
        owner = side.client("owner")
        for number in range(count):
            owner.quiet(calls.create(f"/s/{number}", flags=calls.EPHEMERAL))
            watcher.say(f"{count}: arm {number}", calls.exists(f"/s/{number}", watch=True))
        watcher.say(f"{count}: arm parent", calls.get_children("/s", watch=True))
        owner.say(f"{count}: close", calls.close_session())
        watcher.listen(f"{count}: heard", ordered=False)


@batch("watches without permission", settings=USUAL)
def filtered(side):
    """Events are for those who may read: the node, or the parent of what has come and gone."""
    writer, watcher = side.client("writer"), side.client("watcher")
    writer.quiet(calls.create("/f"))
    for kind in KINDS:
        parent = f"/f/{kind.replace(' ', '-')}"
        prepared(writer, parent)
        watcher.say(f"{kind}: arm", KINDS[kind](parent))
        writer.quiet(calls.set_acl(parent + "/n/c", ((30, "world", "anyone"),)))
        writer.quiet(calls.set_acl(parent + "/n", ((30, "world", "anyone"),)))
        for change, call in changes(parent):
            writer.say(f"{kind}: {change}", call)
            watcher.listen(f"{kind}: {change}: heard")
        writer.quiet(calls.set_acl(parent + "/n", NOBODY))
