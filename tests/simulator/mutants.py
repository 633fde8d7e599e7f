#!/usr/bin/python3
"""Makes every mistake of mutants/table.py in a copy of the tree, and reports who notices.

    tests/simulator/mutants.py [--seeds COUNT] [--steps N] [--only WORD] [--preset NAME]
    tests/simulator/mutants.py --check    # only whether every mistake can still be made

For each: the scenario tests run first, then `simulate` with seed after seed, until something fails.
The last line counts the mistakes that nobody noticed; the exit status is 1 if there are any. It takes
some minutes: each mistake is a compilation.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent / "mutants"))
from table import MUTANTS  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEST_SECONDS = 300
SEED_SECONDS = 120


def mutated(text, mutant):
    """The text of the file with the mistake in it."""
    tokens = re.findall(r"\w+|[^\w\s]", mutant.old)
    pattern = re.compile(r"\s*".join(map(re.escape, tokens)))
    found = pattern.findall(text)
    if len(found) != 1:
        sys.exit(f"{mutant.file}: '{mutant.name}' is found {len(found)} times instead of once")
    return pattern.sub(lambda _: mutant.new, text)


def copy_tree(to):
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
                           stdout=subprocess.PIPE, text=True).stdout.split("\n")
    for name in filter(None, names):
        target = to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)


def build(tree, preset):
    done = subprocess.run(
        ["cmake", "--build", "--preset", preset, "-j2", "--target", "simulate",
         "simulator_tests"], cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit("it does not compile:\n" + done.stdout[-4000:])


def run(command, tree, seconds):
    """The output, and whether the program failed."""
    try:
        done = subprocess.run(command, cwd=tree, timeout=seconds, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace")
    except subprocess.TimeoutExpired:
        return "it does not end", True
    return done.stdout, done.returncode != 0


def first_line(output, *patterns):
    for pattern in patterns:
        found = re.search(pattern, output, re.MULTILINE)
        if found:
            return found.group(1).strip()[:160]
    return output.strip().split("\n")[-1][:160]


def noticed_by(tree, options):
    """What noticed the mistake: lines, none if nothing did."""
    bin_folder = tree / "build" / options.preset / "bin"
    output, has_failed = run([bin_folder / "simulator_tests", "--gtest_filter=*Scenarios*",
                              "--gtest_fail_fast"], tree, TEST_SECONDS)
    found = []
    if has_failed:
        test = first_line(output, r"^\[  FAILED  \] (\S+)", r"^\[ RUN +\] (\S+)\s*(?![\s\S]*\[ RUN)")
        found.append(f"{test}: " + first_line(output, r"(\w+: .*which was delivered.*)",
                                              r"(broken invariant.*)",
                                              r"^([A-Z][A-Za-z]+: .*)", r"(in vain: .*)"))
    for seed in range(1, options.seeds + 1):
        output, has_failed = run([bin_folder / "simulate", "--seed", str(seed), "--steps",
                                  str(options.steps)], tree, SEED_SECONDS)
        if has_failed:
            found.append(f"simulate --seed {seed}: "
                         + first_line(output, r"^FOUND (.*)", r"(broken invariant.*)"))
            break
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--steps", type=int, default=40000)
    parser.add_argument("--only", default="", help="mistakes whose name has this word")
    parser.add_argument("--preset", default="release", help="of cmake")
    parser.add_argument("--check", action="store_true",
                        help="only look whether the code that each mistake changes is there")
    options = parser.parse_args()
    if options.check:
        for mutant in MUTANTS:
            mutated((ROOT / mutant.file).read_text(), mutant)
        print(f"{len(MUTANTS)} mistakes can be made")
        return 0
    unnoticed = 0
    with tempfile.TemporaryDirectory(prefix="mutants.") as folder:
        tree = pathlib.Path(folder)
        copy_tree(tree)
        subprocess.run(["cmake", "--preset", options.preset], cwd=tree, check=True,
                       stdout=subprocess.DEVNULL)
        for mutant in MUTANTS:
            if options.only not in mutant.name:
                continue
            file = tree / mutant.file
            original = file.read_text()
            file.write_text(mutated(original, mutant))
            build(tree, options.preset)
            found = noticed_by(tree, options)
            file.write_text(original)
            unnoticed += not found
            print(f"{'noticed' if found else 'NOT NOTICED'}: {mutant.name}")
            for line in found:
                print(f"    {line}", flush=True)
    print(f"{unnoticed} not noticed")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
