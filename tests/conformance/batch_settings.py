"""Configurations that change what clients hear: reconfiguration, authentication that is required,
ACLs that are not looked at."""

import calls
from batch import USUAL, batch


def reconfigurations():
    yield "nothing", calls.reconfig()
    yield "joining", calls.reconfig(joining="server.2=127.0.0.1:2888:3888;2181")
    yield "leaving", calls.reconfig(leaving="1")
    yield "members", calls.reconfig(members="server.1=127.0.0.1:2888:3888;2181")
    yield "both", calls.reconfig(joining="server.2=a:1:2", members="server.1=a:1:2")
    yield "nonsense", calls.reconfig(joining="nonsense")
    yield "empty", calls.reconfig("", "", "")
    yield "another version", calls.reconfig(leaving="1", version=77)


def ask_all(side):
    client = side.client("a")
    for name, call in reconfigurations():
        client.say(name, call)
    client.say("auth", calls.auth("digest", b"super:secret"))
    for name, call in reconfigurations():
        client.say(f"{name} by the superuser", call)
    client.say("config", calls.get_data("/zookeeper/config"))


@batch("reconfiguration that is off", settings=USUAL)
def reconfiguration_is_off(side):
    ask_all(side)


@batch("reconfiguration alone", settings=(*USUAL, "reconfigEnabled=true"))
def reconfiguration_alone(side):
    ask_all(side)


@batch("without ACLs", settings=(*USUAL, "skipACL=yes"))
def without_acls(side):
    client = side.client("a")
    client.say("create", calls.create("/s", b"x", entries=calls.NOBODY))
    client.say("get", calls.get_data("/s"))
    client.say("set", calls.set_data("/s", b"y"))
    client.say("create below", calls.create("/s/n", entries=()))
    client.say("create below then", calls.create("/s/n"))
    client.say("acl", calls.get_acl("/s"))
    client.say("setACL", calls.set_acl("/s"))
    client.say("set config", calls.set_data("/zookeeper/config", b"x"))
    client.say("delete", calls.delete("/s/n"))
    client.say("who", calls.who_am_i())
    client.say("nonsense", calls.create("/t", entries=((31, "nonsense", "x"),)))


@batch("enforced authentication",
       settings=("enforce.auth.enabled=true", "enforce.auth.schemes=digest"))
def enforced_authentication(side):
    client = side.client("a")
    for name, call in (
        ("create", calls.create("/e")), ("exists", calls.exists("/")), ("ping", calls.ping()),
        ("who", calls.who_am_i()), ("sync", calls.sync("/")), ("multi", calls.multi()),
        ("setWatches", calls.set_watches(0)), ("close", calls.close_session()),
        ("bad operation", calls.bare(77)), ("sasl", calls.sasl(b"")),
        ("auth of another scheme", calls.auth("ip", b"")), ("exists then", calls.exists("/")),
        ("truncated", calls.bare(calls.Op.CREATE, b"\0")),
    ):  # fmt: skip
        client.say(name, call)
    client.say("auth", calls.auth("digest", b"bob:pw"))
    client.say("create with", calls.create("/e"))
    client.say("exists with", calls.exists("/e"))
    client.say("who with", calls.who_am_i())
    client.reattach()
    client.say("exists after a reconnection", calls.exists("/e"))


@batch("no superuser")
def no_superuser(side):
    client = side.client("a")
    client.say("auth", calls.auth("digest", b"super:secret"))
    client.say("who", calls.who_am_i())
    client.say("set config", calls.set_data("/zookeeper/config", b"x"))
    client.say("auth ACL", calls.create("/a", entries=((31, "auth", ""),)))
    client.say("acl", calls.get_acl("/a"))

