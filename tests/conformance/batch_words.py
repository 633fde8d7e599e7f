"""Four-letter words: the shape of every answer, line by line; numbers, times and addresses differ."""

import re

import calls
from batch import USUAL, batch

WORDS = ("ruok", "srvr", "stat", "mntr", "conf", "cons", "dump", "envi", "dirs", "wchs", "wchc",
         "wchp", "isro", "srst", "crst", "gtmk", "hash", "lead")  # fmt: skip
# Lines that only one of the servers can have: a JVM has its own, and so has every release.
FREE_LINES = {"mntr", "envi", "conf", "hash"}


def ask(side, word):
    link = side.stranger()
    link.send(word)
    return link.everything().decode(errors="replace")


def shape(text):
    """The text without what differs between two runs of the same server."""
    text = re.sub(r"/?127\.0\.0\.1:\d+", "ADDRESS", text)
    text = re.sub(r"0x[0-9a-f]+", "HEX", text)
    text = re.sub(r"\b\w{3} \w{3} \d\d [\d:]{8} \w+ \d{4}", "DATE", text)
    text = re.sub(r"version: [^\n]*", "version: V", text)
    text = re.sub(r"lop=\w+", "lop=OP", text)
    return re.sub(r"-?\d+(\.\d+)?", "N", text)


def first_of_each(lines):
    """Lines without repetition, sorted: how many sessions there are is not what is asked."""
    return sorted(set(lines))


@batch("four-letter words", settings=USUAL, alone=True)
def words(side):
    client = side.client("a")
    client.quiet(calls.create("/4"))
    client.quiet(calls.create("/4/e", flags=calls.EPHEMERAL))
    client.quiet(calls.get_data("/4", watch=True))
    for word in WORDS:
        text = ask(side, word.encode())
        if word in FREE_LINES:
            side.note(f"{word} answers", "lines" if text.count("\n") > 1 else shape(text) or "closed")
        else:
            side.note(word, repr(first_of_each(shape(text).split("\n"))))
    for form in (b"ruok\n", b"ruok\r\n", b"ruokruok", b"RUOK", b"Ruok", b"abcd", b"    ", b"\nruok"):
        side.note(f"form {form}", shape(ask(side, form)) or "closed")
    side.note("stmk", shape(ask(side, b"stmk" + calls.long(306))))


MNTR = ("zk_version", "zk_server_state", "zk_znode_count", "zk_watch_count", "zk_ephemerals_count",
        "zk_approximate_data_size", "zk_avg_latency", "zk_min_latency", "zk_max_latency",
        "zk_packets_received", "zk_packets_sent", "zk_num_alive_connections",
        "zk_outstanding_requests", "zk_open_file_descriptor_count",
        "zk_max_file_descriptor_count", "zk_global_sessions", "zk_uptime")  # fmt: skip
CONF = ("clientPort", "dataDir", "dataDirSize", "dataLogDir", "dataLogSize", "tickTime",
        "maxClientCnxns", "minSessionTimeout", "maxSessionTimeout", "clientPortListenBacklog",
        "serverId", "secureClientPort")  # fmt: skip
ENVI = ("zookeeper.version", "host.name", "os.name", "os.arch", "os.version", "user.name",
        "user.home", "user.dir")  # fmt: skip


def values(text, separator):
    pairs = (line.split(separator, 1) for line in text.split("\n") if separator in line)
    return {key: value for key, value in pairs}


@batch("keys of four-letter words", settings=USUAL, alone=True)
def keys_of_words(side):
    """Of the words whose lines may differ: the keys that monitoring tools look for."""
    for word, separator, keys in (("mntr", "\t", MNTR), ("conf", "=", CONF), ("envi", "=", ENVI)):
        found = values(ask(side, word.encode()), separator)
        for key in keys:
            value = found.get(key)
            kind = "absent" if value is None else re.sub(r"-?\d+(\.\d+)?$", "number", value)
            if kind not in ("absent", "number"):
                kind = "text"
            side.note(f"{word} {key}", kind)


@batch("counts in four-letter words", settings=USUAL, alone=True)
def counts(side):
    """What the words count, after a known story."""
    client, watcher = side.client("a"), side.client("b")
    base = values(ask(side, b"mntr"), "\t")

    def count(name):
        found = values(ask(side, b"mntr"), "\t")
        for key in ("zk_znode_count", "zk_watch_count", "zk_ephemerals_count",
                    "zk_approximate_data_size"):  # fmt: skip
            change = int(found.get(key, -1)) - int(base.get(key, -1))
            side.note(f"{key} {name}", str(change))
        side.note(f"wchs {name}", ask(side, b"wchs"))

    client.quiet(calls.create("/k", b"12345"))
    count("with one znode")
    client.quiet(calls.create("/k/e", b"123", flags=calls.EPHEMERAL))
    count("with an ephemeral")
    watcher.quiet(calls.get_data("/k", watch=True))
    count("with a data watch")
    watcher.quiet(calls.get_children("/k", watch=True))
    client.quiet(calls.exists("/none", watch=True))
    count("with watches of all kinds")
    client.quiet(calls.set_data("/k", b""))
    count("after one fired")
    client.quiet(calls.close_session())
    count("without the session")


@batch("words that are not listed")
def not_listed(side):
    for word in (*WORDS, "stmk"):
        text = shape(ask(side, word.encode()))
        side.note(word, "answers" if word == "srvr" else repr(text))


@batch("some words are listed", settings=("4lw.commands.whitelist=ruok, stat",))
def some_listed(side):
    for word in WORDS:
        text = shape(ask(side, word.encode()))
        side.note(word, "answers" if word == "stat" else repr(text))
