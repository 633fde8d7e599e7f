"""Quotas: limits and statistics below /zookeeper/quota, soft and hard."""

import calls
from batch import USUAL, batch

LIMITS, STATS = "zookeeper_limits", "zookeeper_stats"
# What ZooKeeper's shell writes for: count 3 and bytes 20, soft and hard.
SOFT = b"count=3,bytes=20"
HARD = b"count=-1,bytes=-1=;byteHardLimit=20;countHardLimit=3"
BOTH = b"count=2,bytes=10=;byteHardLimit=20;countHardLimit=3"


def limited(client, path, limits):
    """What the shell's setquota does for a path that exists."""
    at = "/zookeeper/quota"
    for part in path.strip("/").split("/"):
        at += "/" + part
        client.quiet(calls.create(at))
    client.say(f"limits of {path}", calls.create(f"{at}/{LIMITS}", limits))
    client.say(f"statistics of {path}", calls.create(f"{at}/{STATS}", b"count=0,bytes=0"))


def statistics(client, name, path):
    client.say(f"{name}: statistics", calls.get_data(f"/zookeeper/quota{path}/{STATS}"))


def growth(path):
    yield "one", calls.create(path + "/1", b"12345")
    yield "two", calls.create(path + "/2", b"12345")
    yield "three", calls.create(path + "/3", b"12345")
    yield "four", calls.create(path + "/4", b"12345")
    yield "child of a child", calls.create(path + "/1/x", b"12345")
    yield "more bytes", calls.set_data(path + "/1", b"x" * 30)
    yield "fewer bytes", calls.set_data(path + "/1", b"1")
    yield "null", calls.set_data(path + "/1", None)
    yield "of itself", calls.set_data(path, b"x" * 15)
    yield "more of itself", calls.set_data(path, b"x" * 25)
    yield "wrong version and too much", calls.set_data(path, b"x" * 30, 99)
    yield "multi", calls.multi(calls.create(path + "/m", b"1"), calls.create(path + "/m2", b"2"))
    yield "delete", calls.delete(path + "/1")
    yield "delete again", calls.delete(path + "/2")
    yield "create then", calls.create(path + "/5", b"1")
    yield "ephemeral", calls.create(path + "/e", b"1", flags=calls.EPHEMERAL)
    yield "sequential", calls.create(path + "/s-", b"1", flags=calls.SEQUENTIAL)
    yield "create2", calls.create2(path + "/c2", b"1")
    yield "container", calls.container(path + "/c", b"1")
    yield "beside", calls.create(path + "-beside", b"x" * 100)


def grow(client, path):
    for name, call in growth(path):
        client.say(f"{path} {name}", call)
        statistics(client, f"{path} {name}", path)
    client.say(f"{path} limits then", calls.get_data(f"/zookeeper/quota{path}/{LIMITS}"))


def quotas(side):
    client = side.client("a")
    for path, limits in (("/soft", SOFT), ("/hard", HARD), ("/both", BOTH)):
        client.quiet(calls.create(path))
        limited(client, path, limits)
        statistics(client, f"{path} at first", path)
        grow(client, path)
    client.say("ends", calls.close_session())
    for path in ("/soft", "/hard", "/both"):
        statistics(client, f"{path} after the session", path)
    client.quiet(calls.create("/n"))
    client.quiet(calls.create("/n/deep"))
    limited(client, "/n/deep", HARD)
    for number in range(5):
        client.say(f"above {number}", calls.create(f"/n/{number}", b"x" * 50))
        client.say(f"below {number}", calls.create(f"/n/deep/{number}", b"x"))
    statistics(client, "below", "/n/deep")
    for number, text in enumerate((b"", None, b"nonsense", b"count=1", b"bytes=1", b"count=x,bytes=y",
                                   b"count=1,bytes=1,more=2", b"count=0,bytes=0")):  # fmt: skip
        path = f"/odd{number}"
        client.quiet(calls.create(path))
        limited(client, path, text)
        client.say(f"odd {text}", calls.create(path + "/x", b"data"))
        statistics(client, f"odd {text}", path)
    client.say("limits are changed", calls.set_data("/zookeeper/quota/soft/" + LIMITS, HARD))
    client.say("then hard", calls.create("/soft/after", b"x" * 100))
    for name in (STATS, LIMITS):
        client.say(f"delete {name}", calls.delete(f"/zookeeper/quota/hard/{name}"))
    client.say("then free", calls.create("/hard/free", b"x" * 100))
    client.say("children", calls.get_children("/zookeeper/quota"))


@batch("quotas", settings=USUAL)
def soft_quotas(side):
    quotas(side)


@batch("enforced quotas in multis", settings=(*USUAL, "enforceQuota=true"))
def quotas_in_multis(side):
    client = side.client("a")
    client.quiet(calls.create("/f"))
    limited(client, "/f", b"count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=3")
    client.quiet(calls.create("/f/1"))
    client.quiet(calls.create("/f/2"))
    client.say("frees first", calls.multi(calls.delete("/f/2"), calls.create("/f/3")))


@batch("enforced quotas", settings=(*USUAL, "enforceQuota=true"))
def hard_quotas(side):
    quotas(side)


@batch("precedence of quotas", settings=(*USUAL, "enforceQuota=true"))
def precedence_of_quotas(side):
    """Requests that would pass a hard quota and have another fault."""
    client = side.client("a")
    for path, limits in (("/pc", b"count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=4"),
                         ("/pb", b"count=-1,bytes=-1=;byteHardLimit=9;countHardLimit=-1")):  # fmt: skip
        client.quiet(calls.create(path))
        client.quiet(calls.create(path + "/e", flags=calls.EPHEMERAL))
        client.quiet(calls.create(path + "/closed", entries=calls.NOBODY))
        client.quiet(calls.create(path + "/there"))
        limited(client, path, limits)
        for name in ("there", "fresh", "e/x", "closed/x", "none/x", "bad\x01", ""):
            for flags in (0, calls.EPHEMERAL, calls.SEQUENTIAL, 9):
                for fault, entries in (("", calls.ANYONE), (", no ACL", ())):
                    call = calls.create(f"{path}/{name}", b"x" * 10, flags, entries)
                    client.say(f"create {path}/{name}, flags {flags}{fault}", call)
        for name in ("there", "closed", "e", "none", "there/", "bad\x01"):
            for version in (-1, 0, 7):
                call = calls.set_data(f"{path}/{name}", b"x" * 10, version)
                client.say(f"set {path}/{name}, version {version}", call)
                client.say(f"set {path}/{name}, version {version}, in a multi", calls.multi(call))
