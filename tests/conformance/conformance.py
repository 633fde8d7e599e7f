"""The same scripted calls to Apache ZooKeeper and to zabd, compared reply by reply.

    conformance.py [--only zookeeper|zabd] [--show PATTERN] [BATCH ...]

Without --only it fails when an answer differs and docs/compatibility.md does not say so. --show prints
the answers to the calls whose names match. Batches with the same configuration share their servers.
"""

import argparse
import concurrent.futures
import fnmatch
import importlib
import pathlib
import sys
import time

from calls import Op
from decoding import ERRORS
from differences import faults_of_the_list, intended
from side import Server, Side

SHOWN_MAX = 60
HERE = pathlib.Path(__file__).resolve().parent
KINDS = ("zookeeper", "zabd")


def all_batches():
    """The functions marked with `batch`, by name, in the order of their files and lines."""
    found = {}
    for path in sorted(HERE.glob("batch_*.py")):
        for function in vars(importlib.import_module(path.stem)).values():
            if hasattr(function, "batch_name"):
                found[function.batch_name] = function
    return found


def run(kind, batches, settings, java_options):
    """The transcript of one server for batches that share a configuration."""
    running = Server(kind, settings, java_options)
    try:
        running.start()
        side = Side(running)
        for name, function in batches:
            side.prefix = f"{name}/"
            if not function.zabd_only or kind == "zabd":
                function(side)
            if not running.is_up():
                raise AssertionError(f"{kind} has ended:\n{running.log_path.read_text()[-4000:]}")
        side.leave()
        return side
    finally:
        running.remove()


def grouped(batches):
    """Batches by the servers that they share. Those for zabd alone come last: what they leave in the tree
    is not there in the other server."""
    groups = {}
    for name, function in sorted(batches.items(), key=lambda item: item[1].zabd_only):
        key = (function.settings, function.java_options, name if function.alone else "")
        groups.setdefault(key, []).append((name, function))
    return groups


def converse(batches, kinds):
    """The transcripts of all batches by server, what was stated for zabd alone, and which operations
    and errors came up with it."""
    transcripts = {kind: {} for kind in kinds}
    stated, operations, errors = {}, set(), set()
    with concurrent.futures.ThreadPoolExecutor(len(kinds)) as pool:
        for (settings, java_options, _), members in grouped(batches).items():
            sides = pool.map(lambda k: run(k, members, settings, java_options), kinds)
            for kind, side in zip(kinds, sides):
                transcripts[kind].update(side.transcript)
                if kind == "zabd":
                    stated.update(side.expected)
                    operations |= side.operations
                    errors |= side.errors
    return transcripts, stated, operations, errors


def compare(expected, heard, differences):
    """The sentences about all differences that are not intended."""
    faults = []
    for name in list(expected) + [name for name in heard if name not in expected]:
        theirs = expected.get(name, "(was not asked)")
        ours = heard.get(name, "(was not asked)")
        if theirs == ours:
            continue
        excuses = [difference for difference in differences if difference.covers(name, ours)]
        for excuse in excuses[:1]:
            excuse.excused += 1
        if not excuses:
            faults.append(f"{name}\n    zookeeper: {theirs}\n    zabd:      {ours}")
    return faults


def main():
    known = all_batches()
    parser = argparse.ArgumentParser(description="compare two servers reply by reply")
    parser.add_argument("batches", nargs="*", metavar="BATCH", help=", ".join(known))
    parser.add_argument("--without", action="append", default=[], metavar="BATCHES",
                        help="leave these out; * and ? are wildcards")
    parser.add_argument("--only", choices=KINDS)
    parser.add_argument("--show", metavar="PATTERN")
    options = parser.parse_args()
    unknown = [name for name in options.batches if name not in known]
    if unknown:
        parser.error(f"unknown batch {unknown[0]}; there are {', '.join(known)}")
    batches = {name: known[name] for name in options.batches or known
               if not any(fnmatch.fnmatch(name, left_out) for left_out in options.without)}
    kinds = [options.only] if options.only else list(KINDS)
    began = time.monotonic()
    transcripts, stated, operations, errors = converse(batches, kinds)
    if options.show:
        for kind in kinds:
            for name, text in transcripts[kind].items():
                if fnmatch.fnmatch(name, options.show):
                    print(f"{kind}: {name}\n    {text}")
    calls = sum(len(transcript) for transcript in transcripts.values())
    print(f"{calls} answers of {' and '.join(kinds)} in {time.monotonic() - began:.0f} s")
    if options.only:
        return 0
    differences = intended()
    faults = compare({**transcripts["zookeeper"], **stated}, transcripts["zabd"], differences)
    for fault in faults[:SHOWN_MAX]:
        print(fault)
    if len(faults) > SHOWN_MAX:
        print(f"... and {len(faults) - SHOWN_MAX} more")
    rotten = faults_of_the_list(differences, batches)
    if not options.batches and not options.without:
        known_errors = [name for error, name in ERRORS.items() if error in errors]
        print(f"{len(operations & set(Op))} operations, and {', '.join(known_errors)}")
        rotten += [f"{Op(unasked).name} was not asked" for unasked in set(Op) - operations]
    for fault in rotten:
        print(f"the list: {fault}")
    print(f"{len(faults)} differences, {sum(d.excused for d in differences)} intended")
    return 1 if faults or rotten else 0


if __name__ == "__main__":
    sys.exit(main())
