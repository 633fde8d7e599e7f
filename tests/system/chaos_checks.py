"""What the recorded histories of chaos_test.py must have in common, whatever happened to servers.

Each check gets what the clients recorded and the tree that is there at the end, and adds what it finds
to a Counter of violations. The order of the writes of a register is that of its versions; nothing
else has to be guessed to say whether what the clients heard is linearizable: no operation that had
ended before another began may come after it in that order.
"""

import collections

from chaos_clients import FOREVER


def in_real_time(operations):
    """Counts operations that come before one that had ended when they began. `operations` are
    (begin, end, order); of equal order only reads may be."""
    ends = sorted((end, order) for _, end, order in operations if end != FOREVER)
    wrong = ended = 0
    latest = -1
    for begin, _, order in sorted(operations):
        while ended < len(ends) and ends[ended][0] < begin:
            latest = max(latest, ends[ended][1])
            ended += 1
        wrong += order < latest
    return wrong


class RegisterHistory:
    """All that was written to and read from one register."""

    def __init__(self, clients, register, final):
        self.writes = [write for client in clients for write in client.writes[register]]
        self.reads = [read for client in clients for read in client.reads[register]]
        self.refused = [write for client in clients for write in client.refused[register]]
        self.final_value, self.final_stat = final

    def check(self, found):
        shown = self._values_by_version(found)
        written = {write.value: write for write in self.writes}
        versions = collections.Counter(value for _, value in shown.items())
        found["applied twice"] += sum(count > 1 for count in versions.values())
        operations = []
        for version, value in shown.items():
            if version == 0:
                continue  # What the register began with.
            if value not in written:
                found["invented"] += 1
                continue
            write = written[value]
            operations.append((write.begin, write.end, 2 * version))
            if write.expected not in (-1, version - 1):
                found["swapped at a wrong version"] += 1
        for read in self.reads:
            write = written.get(read.value)
            if write is not None and write.begin > read.end:
                found["invented"] += 1
            if read.is_synced:
                operations.append((read.begin, read.end, 2 * read.version + 1))
        found["not linearizable"] += in_real_time(operations)
        self._check_refused(shown, found)
        self._check_count(found)

    def _values_by_version(self, found):
        """Every version that anybody was told of; all must agree on its value and its zxid."""
        values = {self.final_stat.version: self.final_value.decode()}
        zxids = {self.final_stat.version: self.final_stat.mzxid}
        answered = [write for write in self.writes if write.version is not None]
        for each in [*answered, *self.reads]:
            if values.setdefault(each.version, each.value) != each.value:
                found["lost"] += 1
            if zxids.setdefault(each.version, each.zxid) != each.zxid:
                found["lost"] += 1
            if each.version > self.final_stat.version:
                found["lost"] += 1
        in_order = [zxids[version] for version in sorted(zxids)]
        found["reordered"] += in_order != sorted(set(in_order))
        return values

    def _check_refused(self, shown, found):
        applied = set(shown.values())
        for write in self.refused:
            found["invented"] += write.value in applied
            found["refused wrongly"] += write.expected >= self.final_stat.version

    def _check_count(self, found):
        """Each version is one write, so there are as many as were acknowledged, or some more."""
        acknowledged = sum(write.version is not None for write in self.writes)
        if self.final_stat.version < acknowledged:
            found["lost"] += acknowledged - self.final_stat.version
        if self.final_stat.version > len(self.writes):
            found["invented"] += self.final_stat.version - len(self.writes)


def check_registers(clients, tree, found):
    for register in range(len(clients[0].writes)):
        RegisterHistory(clients, register, tree[f"/register-{register}"]).check(found)


def check_counter(clients, tree, found):
    data, stat = tree["/counter"]
    acknowledged = sum(client.acknowledged for client in clients)
    unknown = sum(client.unknown for client in clients)
    if int(data) < acknowledged:
        found["lost"] += acknowledged - int(data)
    if int(data) > acknowledged + unknown or int(data) != stat.version:
        found["applied twice"] += 1


def check_sequences(clients, tree, found):
    created = [each for client in clients for each in client.created]
    found["applied twice"] += len(created) - len({each.path for each in created})
    numbers = [(each.begin, each.end, int(each.path[-10:])) for each in created]
    found["not linearizable"] += in_real_time(numbers)
    by_zxid = [each.path for each in sorted(created, key=lambda each: each.zxid)]
    found["reordered"] += by_zxid != sorted(by_zxid)
    deleted = {path for client in clients for path in client.deleted}
    perhaps = {path for client in clients for path in client.perhaps_deleted}
    for each in created:
        there = tree.get(each.path)
        if each.path in deleted:
            found["undone"] += there is not None
        elif each.path not in perhaps and there is None:
            found["lost"] += 1
        if there is not None:
            found["lost"] += (there[0].decode(), there[1].czxid) != (each.value, each.zxid)
    left = [data.decode() for path, (data, _) in tree.items() if path.startswith("/sequence/")]
    found["applied twice"] += len(left) - len(set(left))
    sent = {client.name: client.sent for client in clients}
    for value in left:
        name, number = value.split(":")
        found["invented"] += int(number) > sent.get(name, 0)


def check_locks(clients, tree, found):
    found["lock held twice"] += sum(client.held_with_others() for client in clients)
    found["lock left behind"] += any(path.startswith("/lock/") for path in tree)
