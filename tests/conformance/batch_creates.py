"""Creation: every flag with every operation, times to live, sequence numbers."""

import itertools

import calls
from batch import USUAL, batch
from calls import NOBODY, Op

MAKERS = {
    "create": Op.CREATE,
    "create2": Op.CREATE2,
    "container": Op.CREATE_CONTAINER,
    "ttl": Op.CREATE_TTL,
}
FLAGS = [*range(-2, 9), 15, 16, 256, 0x7FFFFFFF, -0x80000000]
TTLS = [1, 1000, (1 << 40) - 1, 0, -1, -2, 1 << 40, (1 << 63) - 1, -(1 << 63)]


def ends_zookeeper(operation, flags, ttl):
    """Apache ZooKeeper logs these and then cannot apply them, nor start again."""
    return operation == Op.CREATE_TTL and ttl < 0 and flags in range(5)


def belongs_elsewhere(operation, flags):
    """Flags that another operation is for."""
    if operation in (Op.CREATE, Op.CREATE2):
        return flags == calls.CONTAINER
    return operation == Op.CREATE_CONTAINER and flags in range(4)


def is_plain_with_ttl(call_flags):
    """What createTTL must not make; in a transaction of Apache ZooKeeper it makes it without a TTL."""
    return call_flags in range(5)


# Servers of its own: it leaves znodes in one of them only.
@batch("flags of other operations", settings=(*USUAL, "maxSessionTimeout=40000"))
def flags_of_other_operations(side):
    client = side.client("a")
    client.quiet(calls.create("/other"))
    for (name, operation), flag in itertools.product(MAKERS.items(), FLAGS):
        is_ttl = operation == Op.CREATE_TTL and is_plain_with_ttl(flag)
        if is_ttl or belongs_elsewhere(operation, flag):
            path = f"/other/{name}{flag}"
            client.say(f"{name} {flag}", calls.create(path, b"x", flag, operation=operation))
            client.quiet(calls.set_data("/other", b""))
            part = calls.create(path + "-", b"x", flag, operation=operation)
            client.say(f"{name} {flag} in a multi", calls.multi(part))
            client.quiet(calls.set_data("/other", b""))


@batch("flags", settings=USUAL)
def flags(side):
    client = side.client("a")
    other = side.client("b")
    client.quiet(calls.create("/f"))
    for (name, operation), flag in itertools.product(MAKERS.items(), FLAGS):
        if belongs_elsewhere(operation, flag):
            continue
        parent = f"/f/{name}{flag}"
        client.quiet(calls.create(parent))
        call = calls.create(parent + "/n", b"xyz", flag, operation=operation)
        client.say(f"{name} {flag}", call)
        made = client.made_path
        if made:
            other.say(f"{name} {flag}: seen", calls.get_data(made))
            client.say(f"{name} {flag}: child", calls.create(made + "/child"))
            client.say(f"{name} {flag}: child gone", calls.delete(made + "/child"))
            client.say(f"{name} {flag}: set", calls.set_data(made, b"new"))
            client.say(f"{name} {flag}: gone", calls.delete(made))
        if operation != Op.CREATE_TTL or not is_plain_with_ttl(flag):
            client.say(f"{name} {flag} in a multi", calls.multi(call))
        client.say(f"{name} {flag}: children", calls.get_children2(parent))
        other.say(f"{name} {flag}: ephemerals", calls.get_ephemerals("/f"))
    client.say("all ephemerals", calls.get_ephemerals("/f"))
    client.say("closed", calls.close_session())
    other.say("all descendants", calls.count_descendants("/f"))


@batch("times to live", settings=USUAL)
def times_to_live(side):
    client = side.client("a")
    client.quiet(calls.create("/l"))
    for ttl, flag in itertools.product(TTLS, range(8)):
        if ends_zookeeper(Op.CREATE_TTL, flag, ttl):
            continue
        call = calls.create_ttl(f"/l/n{ttl}-{flag}-", b"x", flag, ttl=ttl)
        client.say(f"{ttl} flags {flag}", call)
        if not is_plain_with_ttl(flag):
            client.say(f"{ttl} flags {flag}, in a multi", calls.multi(call))


@batch("times to live that end ZooKeeper", settings=USUAL, zabd_only=True)
def deadly_times_to_live(side):
    client = side.client("a")
    client.say("parent", calls.create("/deadly"))
    side.expect("parent", "0 OK at its own zxid '/deadly'")
    for ttl, flag in itertools.product(TTLS, range(5)):
        if ends_zookeeper(Op.CREATE_TTL, flag, ttl):
            call = calls.create_ttl("/deadly/n", b"x", flag, ttl=ttl)
            at = f"at {side.prefix}parent"
            client.say(f"{ttl} flags {flag}", call)
            side.expect(f"{ttl} flags {flag}", f"-8 BadArguments {at}")
            client.say(f"{ttl} flags {flag}, in a multi", calls.multi(call))
            side.expect(
                f"{ttl} flags {flag}, in a multi",
                f"0 OK {at} {{error(-8,-8 BadArguments) end(-1,-1)}}",
            )


@batch("no times to live", settings=("extendedTypesEnabled=false",))
def no_times_to_live(side):
    client = side.client("a")
    for ttl, flag in itertools.product((1000, 0, -1), range(8)):
        if ends_zookeeper(Op.CREATE_TTL, flag, ttl):
            continue
        call = calls.create_ttl(f"/n{ttl}-{flag}-", b"x", flag, ttl=ttl)
        client.say(f"{ttl} flags {flag}", call)
        if not is_plain_with_ttl(flag):
            client.say(f"{ttl} flags {flag}, in a multi", calls.multi(call))
        client.say(f"{ttl} flags {flag}, absent parent", call._replace(
            body=calls.create_ttl("/absent/n", b"x", flag, ttl=ttl).body))
    for flag in set(range(8)) - {calls.CONTAINER}:
        client.say(f"create flags {flag}", calls.create("/c-", flags=flag))
    client.say("container", calls.container("/d-"))
    client.say("what there is", calls.get_children("/"))


def sequence_steps():
    """A story of one parent, as names and calls; the suffixes that come out are what is compared."""
    sequential = calls.SEQUENTIAL
    yield "first", calls.create("/s/q-", flags=sequential)
    yield "second", calls.create("/s/q-", flags=sequential)
    yield "other name, same count", calls.create("/s/other", flags=sequential)
    yield "plain", calls.create("/s/plain")
    yield "after a plain one", calls.create("/s/q-", flags=sequential)
    yield "delete the last", calls.delete("/s/q-0000000004")
    yield "after a delete", calls.create("/s/q-", flags=sequential)
    yield "failed", calls.create("/s/plain")
    yield "failed by its ACL", calls.create("/s/q-", flags=sequential, entries=())
    yield "failed by its name", calls.create("/s/q\x01", flags=sequential)
    yield "after failures", calls.create("/s/q-", flags=sequential)
    yield "empty name", calls.create("/s/", flags=sequential)
    yield "ephemeral", calls.create("/s/e-", flags=calls.EPHEMERAL_SEQUENTIAL)
    yield "plain ephemeral", calls.create("/s/e", flags=calls.EPHEMERAL)
    yield "ttl", calls.create_ttl("/s/t-", flags=calls.TTL_SEQUENTIAL)
    yield "container", calls.container("/s/c")
    yield "create2", calls.create2("/s/q-", flags=sequential)
    yield "under an ephemeral", calls.create("/s/e/q-", flags=sequential)
    yield "under nothing", calls.create("/s/none/q-", flags=sequential)
    multi = [calls.create("/s/m-", flags=sequential)] * 3
    yield "three in a multi", calls.multi(*multi)
    yield "rolled back", calls.multi(*multi, calls.check("/s", 99))
    yield "after a rollback", calls.create("/s/q-", flags=sequential)
    yield "parent and child in a multi", calls.multi(
        calls.create("/s/new"), *[calls.create("/s/new/q-", flags=sequential)] * 2)
    yield "in the new parent", calls.create("/s/new/q-", flags=sequential)
    yield "taken by hand", calls.create("/s/new/h-0000000005")
    yield "before the taken one", calls.create("/s/new/h-", flags=sequential)
    yield "delete and make the parent again", calls.multi(
        calls.create("/s/new2"), calls.create("/s/new2/q-", flags=sequential),
        calls.delete("/s/new2/q-0000000000"), calls.delete("/s/new2"), calls.create("/s/new2"))
    yield "counts from the beginning", calls.create("/s/new2/q-", flags=sequential)
    yield "in the root", calls.create("/q-", flags=sequential)
    yield "in a closed parent", calls.create("/s/closed", entries=NOBODY)
    yield "refused", calls.create("/s/closed/q-", flags=sequential)
    yield "digits", calls.create("/s/new2/123", flags=sequential)
    yield "all in all", calls.get_children2("/s")


@batch("sequences", settings=USUAL)
def sequences(side):
    client = side.client("a")
    client.quiet(calls.create("/s"))
    for name, call in sequence_steps():
        client.say(name, call)
        client.say(f"{name}: the parent", calls.exists("/s"))
    client.say("parents that are taken", calls.create("/s/hand"))
    for number in (1, 2, 3):
        taken = f"/s/hand/q-{number:010}"
        client.say(f"taken {number}", calls.create(taken))
    client.say("free", calls.create("/s/hand/q-", flags=calls.SEQUENTIAL))
    client.say("still free", calls.create("/s/hand/q-", flags=calls.SEQUENTIAL))
    client.say("make a gap", calls.create("/s/gap"))
    client.say("take what is next", calls.create("/s/gap/q-0000000001"))
    for attempt in (1, 2, 3):
        client.say(f"what is next is taken {attempt}",
                   calls.create("/s/gap/q-", flags=calls.SEQUENTIAL))
    client.say("another child", calls.create("/s/gap/x"))
    client.say("goes on", calls.create("/s/gap/q-", flags=calls.SEQUENTIAL))
