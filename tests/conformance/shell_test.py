"""Every command of ZooKeeper's Java shell, against Apache ZooKeeper and against zabd: the same words?

One shell runs all of shell_commands.txt, and what it prints is compared command by command. Numbers that
differ between any two servers (zxids, sessions, times) are named after the order in which they appear.
Events are printed by a thread of their own, so they are compared apart from the commands.
"""

import concurrent.futures
import pathlib
import re
import subprocess
import sys

from batch import USUAL
from differences import faults_of_the_list, intended
from side import Server
from conformance import compare
from server import JAVA, dies_with_its_parent

HERE = pathlib.Path(__file__).resolve().parent
MARK = "printwatches"  # Says whether it is on, and so ends the output of the command before it.
MARKED = re.compile(r"printwatches is (?:on|off)\n")
EVENT = re.compile(r"\n(WatchedEvent [^\n]*)\n")
EVENT_TITLE = "\nWATCHER::\n"


def script(port):
    lines = (HERE / "shell_commands.txt").read_text().splitlines()
    return [line.replace("PORT", str(port)) for line in lines if line and line[0] != "#"]


class Names:
    def __init__(self):
        self.numbers = {}

    def named(self, match):
        if int(match[0], 16) == 0:
            return "0x0"
        return self.numbers.setdefault(match[0], f"number-{len(self.numbers) + 1}")


def normalized(text, port, names):
    text = text.replace(str(port), "PORT")
    text = re.sub(r"\b\w{3} \w{3} \d\d [\d:]{8} \w+ \d{4}", "DATE", text)
    # Old zxids in a statistic of an untouched znode are 0, whoever serves it.
    text = re.sub(r"^\d{4}-\d\d-\d\d [^\n]*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^(\[)(.*)(\])$", lambda m: "[" + ", ".join(sorted(m[2].split(", "))) + "]", text,
                  flags=re.MULTILINE)
    # A set, in the order of a hash.
    text = re.sub(r"(?<=^Auth scheme: User\n)(.*)", lambda m: "\n".join(sorted(m[1].split("\n"))),
                  text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"0x[0-9a-f]+", names.named, text)


def run(kind):
    """What the shell printed for each command, by command, and all events in their order."""
    server = Server(kind, USUAL)
    try:
        server.start()
        commands = script(server.port)
        lines = [line for command in commands for line in (command, MARK)]
        ended = subprocess.run(
            [*JAVA, "-Dfile.encoding=UTF-8", "org.apache.zookeeper.ZooKeeperMain", "-server",
             server.hosts],
            input="\n".join([*lines, "quit"]) + "\n", stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=120, preexec_fn=dies_with_its_parent,
        )  # fmt: skip
        printed = ended.stdout.replace(EVENT_TITLE, "")
        events = EVENT.findall(printed)
        outputs = MARKED.split(EVENT.sub("", printed))
        names, said = Names(), {}
        for number, (command, output) in enumerate(zip(commands, outputs), 1):
            name = f"shell/{number} {command.replace(str(server.port), 'PORT')}"
            said[name] = normalized(output, server.port, names).strip()
        said["shell/number of answers"] = f"{len(outputs)} exit {ended.returncode}"
        for number, event in enumerate(events):
            said[f"shell/event {number}"] = event
        return said
    finally:
        server.remove()


def main():
    kinds = sys.argv[1:] or ["zookeeper", "zabd"]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        theirs, ours = pool.map(run, kinds)
    differences = intended()
    faults = compare(theirs, ours, differences)
    for fault in faults + faults_of_the_list(differences, {"shell"}):
        print(fault)
    print(f"{len(theirs)} answers, {len(faults)} differences")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
