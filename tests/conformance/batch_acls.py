"""ACLs: every scheme and identity, every permission with every operation, authentication."""

import base64
import hashlib
import itertools

import calls
from batch import USUAL, batch
from calls import ALL, ANYONE


def digest(user, password):
    credential = f"{user}:{password}".encode()
    return f"{user}:{base64.b64encode(hashlib.sha1(credential).digest()).decode()}"


BOB = digest("bob", "pw")
EVE = digest("eve", "pw")

IDENTITIES = [
    ("world", "anyone"), ("world", "someone"), ("world", ""), ("world", None), ("world", "ANYONE"),
    ("auth", ""), ("auth", None), ("auth", "x"), ("auth", BOB),
    ("digest", BOB), ("digest", "bob"), ("digest", "bob:x:y"), ("digest", ""), ("digest", ":"),
    ("digest", "bob:"), ("digest", ":x"), ("digest", "bob:short"), ("digest", None),
    ("ip", "127.0.0.1"), ("ip", "127.0.0.1/32"), ("ip", "127.0.0.0/8"), ("ip", "127.0.0.1/33"),
    ("ip", "127.0.0.1/0"), ("ip", "127.0.0.1/-1"), ("ip", "127.0.0.1/"), ("ip", "127.0.0.1/x"),
    ("ip", "127.0.0"), ("ip", "127.0.0.256"), ("ip", "127.0.0.1.1"), ("ip", ""), ("ip", None),
    ("ip", "localhost"), ("ip", "/8"),
    ("ip", "127.0.0.1/8/8"), ("ip", " 127.0.0.1"), ("ip", "1"),
    ("ip", "0.0.0.0/0"), ("ip", "10.0.0.0/8"), ("ip", "127.1.2.3/8"), ("ip", "-1.0.0.0"),
    ("super", ""), ("super", "x"), ("sasl", "bob"), ("x509", "CN=bob"), ("ensemble", "x"),
    ("nonsense", "x"), ("", "x"), (None, "x"), ("Digest", BOB), ("WORLD", "anyone"),
    ("digest", "größe:x"), ("ip", "::1/129"),
]  # fmt: skip
ADDRESSES = ["::1", "fe80::1/64", "::ffff:127.0.0.1", "2001:db8::/32", "::", "0127.0.0.1"]


@batch("other addresses", settings=USUAL, alone=True)
def other_addresses(side):
    """Addresses that the two servers read differently."""
    client = side.client("a")
    client.quiet(calls.create("/addresses"))
    for number, address in enumerate(ADDRESSES):
        client.say(address, calls.create(f"/addresses/{number}", entries=((ALL, "ip", address),)))
        client.quiet(calls.set_data("/addresses", b""))


@batch("identities", settings=USUAL, alone=True)
def identities(side):
    """What an ACL may name, by a stranger and by somebody who has authenticated twice."""
    stranger, known = side.client("stranger"), side.client("known")
    known.say("first", calls.auth("digest", b"bob:pw"))
    known.say("second", calls.auth("digest", b"eve:pw"))
    stranger.quiet(calls.create("/i"))
    for client, (number, (scheme, name)) in itertools.product(
        (stranger, known), enumerate(IDENTITIES)
    ):
        what = f"{scheme}:{name} by {client.label}"
        path = f"/i/{client.label}-{number}"
        entries = ((ALL, scheme, name),)
        client.say(what, calls.create(path, b"x", entries=entries))
        if client.made_path:
            client.say(f"{what}: get", calls.get_data(path))
            client.say(f"{what}: acl", calls.get_acl(path))
            client.say(f"{what}: set", calls.set_data(path, b"y"))
        client.quiet(calls.create(path + "-"))
        client.say(f"{what}: setACL", calls.set_acl(path + "-", entries))
        client.say(f"{what}: acl then", calls.get_acl(path + "-"))


LISTS = {
    "empty": (),
    "null": None,
    "twice the same": ANYONE * 2,
    "twice with other permissions": ((1, "world", "anyone"), (2, "world", "anyone")),
    "three with a double": ((1, "world", "anyone"), (2, "world", "anyone"), (1, "world", "anyone")),
    "good and bad": (*ANYONE, (31, "nonsense", "x")),
    "bad and good": ((31, "nonsense", "x"), *ANYONE),
    "auth and world": ((31, "auth", ""), *ANYONE),
    "world and auth": (*ANYONE, (31, "auth", "")),
    "twice auth": ((31, "auth", ""), (1, "auth", "")),
    "auth and the same digest": ((31, "auth", ""), (31, "digest", BOB)),
    "digests": ((31, "digest", BOB), (1, "digest", EVE)),
    "ip and digest": ((31, "ip", "127.0.0.1"), (31, "digest", BOB)),
    "hundred": tuple((31, "digest", f"u{number}:x") for number in range(100)),
    **{f"permissions {perms}": ((perms, "world", "anyone"),)
       for perms in (0, 32, 64, 255, -1, 0x7FFFFFFF)},
}  # fmt: skip


@batch("lists of ACLs", settings=USUAL)
def lists_of_acls(side):
    stranger, known = side.client("stranger"), side.client("known")
    known.say("auth", calls.auth("digest", b"bob:pw"))
    stranger.quiet(calls.create("/l"))
    for client, (name, entries) in itertools.product((stranger, known), LISTS.items()):
        what = f"{name} by {client.label}"
        path = f"/l/{client.label}-{name.replace(' ', '-')}"
        client.say(what, calls.create(path, entries=entries))
        for reader in (stranger, known):
            reader.say(f"{what}: seen by {reader.label}", calls.get_acl(path))
            reader.say(f"{what}: data for {reader.label}", calls.get_data(path))
        client.quiet(calls.create(path + "-"))
        client.say(f"{what}: set", calls.set_acl(path + "-", entries))
        client.say(f"{what}: set again", calls.set_acl(path + "-", entries, 1))
        client.say(f"{what}: seen then", calls.get_acl(path + "-"))
        in_multi = calls.multi(calls.create(path + "=", entries=entries))
        client.say(f"{what}: in a multi", in_multi)


def uses(path):
    """Every operation that some permission on `path` allows."""
    yield "get", calls.get_data(path)
    yield "exists", calls.exists(path)
    yield "children", calls.get_children(path)
    yield "children2", calls.get_children2(path)
    yield "descendants", calls.count_descendants(path)
    yield "acl", calls.get_acl(path)
    yield "set", calls.set_data(path, b"x")
    yield "check", calls.multi(calls.check(path))
    yield "create", calls.create(path + "/new")
    yield "delete", calls.delete(path + "/new")
    yield "delete old", calls.delete(path + "/old")
    yield "create in a multi", calls.multi(calls.create(path + "/new"))
    yield "create2", calls.create2(path + "/new2")
    yield "container", calls.container(path + "/new3")
    yield "ttl", calls.create_ttl(path + "/new4")
    yield "multiRead", calls.multi_read(calls.get_data(path), calls.get_children(path))
    yield "sync", calls.sync(path)
    yield "setACL", calls.set_acl(path, ANYONE)


@batch("permissions", settings=USUAL)
def permissions(side):
    maker, bob = side.client("maker"), side.client("bob")
    bob.say("auth", calls.auth("digest", b"bob:pw"))
    maker.quiet(calls.create("/p"))
    givers = {"world": "anyone", "digest": BOB, "ip": "127.0.0.1"}
    for (scheme, name), bits in itertools.product(givers.items(), range(32)):
        if scheme != "world" and bits not in (0, 1, 2, 4, 8, 16, 31):
            continue
        for client in (maker, bob):
            path = f"/p/{scheme}-{bits}-{client.label}"
            maker.quiet(calls.create(path, b"data"))
            maker.quiet(calls.create(path + "/old"))
            maker.quiet(calls.set_acl(path, ((bits, scheme, name),)))
            for use, call in uses(path):
                client.say(f"{use} with {bits} for {scheme} by {client.label}", call)


CREDENTIALS = {
    "empty": b"", "without colon": b"bob", "colon": b":", "two colons": b"a:b:c", "NUL": b"\0:\0",
    "null": None,
    "wrong super": b"super:wrong", "again": b"bob:pw",
}  # fmt: skip


@batch("auth", settings=USUAL)
def auth(side):
    client = side.client("a")
    client.say("nobody", calls.who_am_i())
    for name, credential in CREDENTIALS.items():
        client.say(f"digest {name}", calls.auth("digest", credential))
        client.say(f"digest {name}: who", calls.who_am_i())
    for name, credential in (("no UTF-8", b"\xff\xfe:\xff"), ("long", b"x" * 5000 + b":y")):
        other = side.client("other")
        other.say(f"digest {name}", calls.auth("digest", credential))
        other.say(f"digest {name}: who", calls.who_am_i())
    for kind in (-1, 1, 77):
        client.say(f"type {kind}", calls.auth("digest", b"bob:pw", kind))
    for xid in (-4, 3, 0, -77):
        client.say(f"xid {xid}", calls.auth("digest", b"xid:pw"), xid=xid)
        client.say(f"xid {xid}: who", calls.who_am_i())
    for scheme in ("ip", "world", "auth", "super", "sasl", "x509", "nonsense", "", None, "DIGEST"):
        for credential in (b"127.0.0.1", b"", None):
            client.say(f"{scheme} {credential}", calls.auth(scheme, credential))
            client.say(f"{scheme} {credential}: who", calls.who_am_i())
    for body in (b"", b"\0\0\0\0", calls.auth("digest", b"bob:pw").body[:-1]):
        client.say(f"body {body.hex()}", calls.bare(calls.Op.AUTH, body))
    client.say("end", calls.who_am_i())
    for token in (b"", None, b"token"):
        client.say(f"sasl {token}", calls.sasl(token))


@batch("superuser", settings=USUAL)
def superuser(side):
    maker, boss = side.client("maker"), side.client("boss")
    boss.say("auth", calls.auth("digest", b"super:secret"))
    boss.say("who", calls.who_am_i())
    maker.quiet(calls.create("/s"))
    maker.quiet(calls.create("/s/old"))
    maker.quiet(calls.set_acl("/s", ((0, "world", "anyone"),)))
    for use, call in uses("/s"):
        maker.say(f"{use} by the maker", call)
        boss.say(use, call)
    boss.say("config", calls.set_data("/zookeeper/config", b"x"))
    boss.say("delete config", calls.delete("/zookeeper/config"))
    boss.say("auth ACL", calls.create("/s/auth", entries=((31, "auth", ""),)))
    boss.say("seen", calls.get_acl("/s/auth"))
    boss.say("super in an ACL", calls.create("/s/super", entries=((31, "super", ""),)))
    boss.say("no ACL", calls.create("/s/none", entries=()))
    boss.say("wrong version", calls.set_data("/s", b"", 77))
    boss.say("absent", calls.get_data("/s/absent"))


@batch("identities of connections", settings=USUAL)
def lives(side):
    """An identity belongs to the connection, not to the session."""
    bob, other = side.client("bob"), side.client("other")
    bob.say("auth", calls.auth("digest", b"bob:pw"))
    bob.say("mine", calls.create("/mine", b"x", entries=((ALL, "digest", BOB),)))
    bob.say("get", calls.get_data("/mine"))
    other.say("get by another", calls.get_data("/mine"))
    bob.reattach()
    bob.say("who after a reconnection", calls.who_am_i())
    bob.say("get without auth", calls.get_data("/mine"))
    bob.say("auth again", calls.auth("digest", b"bob:pw"))
    bob.say("get with auth", calls.get_data("/mine"))
    other.say("auth by another", calls.auth("digest", b"bob:pw"))
    other.say("get by another then", calls.get_data("/mine"))
    other.say("eve too", calls.auth("digest", b"eve:pw"))
    other.say("both", calls.who_am_i())
    other.say("for both", calls.create("/both", entries=((ALL, "auth", ""),)))
    other.say("acl of both", calls.get_acl("/both"))
    bob.say("acl seen with one", calls.get_acl("/both"))
    stranger = side.client("stranger")
    for perms in (calls.READ, calls.ADMIN, calls.READ | calls.ADMIN, calls.WRITE):
        path = f"/masked{perms}"
        entries = ((perms, "world", "anyone"), (31, "digest", BOB), (31, "ip", "10.0.0.1"))
        other.quiet(calls.create(path, entries=entries))
        stranger.say(f"masked for {perms}", calls.get_acl(path))
        bob.say(f"masked for {perms} by bob", calls.get_acl(path))
