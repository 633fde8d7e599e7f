"""Every operation with every kind of odd path."""

import calls
from batch import USUAL, batch
from calls import ANY, Op

ODD = {
    "null": None,
    "empty": "",
    "root": "/",
    "two slashes": "//",
    "no slash": "p",
    "no slash first": "p/x",
    "slash last": "/p/",
    "absent with slash last": "/p/n/",
    "slash twice": "/p//n",
    "dot": "/p/.",
    "dot first": "/./p",
    "dot inside": "/p/./n",
    "dot dot": "/p/..",
    "dot dot inside": "/p/../n",
    "three dots": "/p/...",
    "name with dot first": "/p/.n",
    "name with dot last": "/p/n.",
    "name with dots first": "/p/..n",
    "NUL": "\0",
    "NUL inside": "/p/a\0b",
    "NUL last": "/p/a\0",
    "U+0001": "/p/\x01",
    "U+001F": "/p/\x1f",
    "blank": "/p/ ",
    "U+007F": "/p/\x7f",
    "U+0080": "/p/\x80",
    "U+009F": "/p/\x9f",
    "U+00A0": "/p/\xa0",
    "U+D7FF": "/p/\ud7ff",
    "U+E000": "/p/\ue000",
    "U+F8FF": "/p/\uf8ff",
    "U+F900": "/p/\uf900",
    "U+FFEF": "/p/\uffef",
    "U+FFF0": "/p/\ufff0",
    "U+FFFD": "/p/\ufffd",
    "U+FFFF": "/p/\uffff",
    "U+1F600": "/p/\U0001f600",
    "a surrogate": b"/p/\xed\xa0\x80",
    "two surrogates": b"/p/\xed\xa0\xbd\xed\xb8\x80",
    "no UTF-8": b"/p/\xff",
    "half a character": b"/p/\xc3",
    "overlong": b"/p/\xc0\xaf",
    "umlaut": "/p/größe",
    "long": "/p/" + "x" * 3000,
    "deep": "/p" + "/x" * 500,
    "zookeeper": "/zookeeper",
    "zookeeper quota": "/zookeeper/quota",
    "zookeeper config": "/zookeeper/config",
    "in zookeeper": "/zookeeper/p",
    "nearly zookeeper": "/zookeeperp",
    "ordinary": "/p/ordinary",
    "absent parent": "/absent/n",
}


def operations(path):
    """Every operation that has a path, writes first and the delete last."""
    yield "create", calls.create(path)
    yield "create sequential", calls.create(path, flags=calls.SEQUENTIAL)
    yield "create2", calls.create2(path)
    yield "container", calls.container(path)
    yield "ttl", calls.create_ttl(path)
    yield "multi create", calls.multi(calls.create(path))
    yield "multi check", calls.multi(calls.check(path))
    yield "multi set", calls.multi(calls.set_data(path, b"x"))
    yield "exists", calls.exists(path)
    yield "get", calls.get_data(path)
    yield "set", calls.set_data(path, b"abc")
    yield "set of another version", calls.set_data(path, b"abc", 77)
    yield "getACL", calls.get_acl(path)
    yield "setACL", calls.set_acl(path, ((31, "world", "anyone"),), 77)
    yield "children", calls.get_children(path)
    yield "children2", calls.get_children2(path)
    yield "sync", calls.sync(path)
    yield "ephemerals", calls.get_ephemerals(path)
    yield "descendants", calls.count_descendants(path)
    yield "multiRead", calls.multi_read(calls.get_data(path), calls.get_children(path))
    yield "checkWatches", calls.check_watches(path, ANY)
    yield "removeWatches", calls.remove_watches(path, ANY)
    yield "delete of another version", calls.delete(path, 77)
    yield "multi delete of another version", calls.multi(calls.delete(path, 77))


KEPT = {"/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config", ""}


@batch("paths", settings=USUAL)
def paths(side):
    client = side.client("a")
    client.quiet(calls.create("/p"))
    for name, path in ODD.items():
        for operation, call in operations(path):
            client.say(f"{operation}: {name}", call)
            if call.operation in (Op.CREATE, Op.CREATE2) and client.made_path not in (None, path):
                client.quiet(calls.delete(client.made_path))
        if path not in KEPT:
            client.say(f"delete: {name}", calls.delete(path))
    for path in ("/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"):
        client.say(f"delete: {path}", calls.delete(path))


@batch("watched paths", settings=USUAL)
def watched_paths(side):
    """Watches on odd paths: they may wait for what can never be."""
    client = side.client("a")
    for name, path in ODD.items():
        client.say(f"exists: {name}", calls.exists(path, watch=True))
        client.say(f"get: {name}", calls.get_data(path, watch=True))
        client.say(f"children: {name}", calls.get_children(path, watch=True))
        for kind in (calls.CHILDREN, calls.DATA):
            client.say(f"check {kind}: {name}", calls.check_watches(path, kind))
        for mode in (0, 1):
            client.say(f"add {mode}: {name}", calls.add_watch(path, mode))
        client.say(f"check any: {name}", calls.check_watches(path, ANY))
        client.say(f"remove any: {name}", calls.remove_watches(path, ANY))
        client.say(f"setWatches: {name}", calls.set_watches(1 << 62, [path], [path], [path]))
        client.say(f"remove all: {name}", calls.remove_watches(path, ANY))
