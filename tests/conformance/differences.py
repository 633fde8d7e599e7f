"""The intended differences: differences.txt, checked against what happens and what is documented.

A line is three fields with `|` between them:

    calls, with * and ? as wildcards | section of docs/compatibility.md | part of what zabd says

It excuses a difference in every call that it names, if zabd's answer contains the third field, which may
be empty. A line
that excuses nothing in a run of all its batches is an error, and so is an unknown section.
"""

import fnmatch
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
DOCUMENT = HERE.parent.parent / "docs" / "compatibility.md"


class Difference:
    def __init__(self, line):
        fields = [field.strip() for field in line.split("|")]
        if len(fields) != 3 or not all(fields[:2]):
            raise SystemExit(f"differences.txt: three fields are needed: {line}")
        self.calls, self.section, self.answer = fields
        self.pattern = re.compile(fnmatch.translate(self.calls.replace("[", "[[]")))
        self.excused = 0

    def covers(self, name, answer):
        return bool(self.pattern.match(name)) and self.answer in answer

    def is_of_one_of(self, batches):
        return bool(fnmatch.filter(batches, self.calls.split("/", 1)[0]))


def intended():
    lines = (HERE / "differences.txt").read_text().splitlines()
    return [Difference(line) for line in lines if line.strip() and not line.startswith("#")]


def faults_of_the_list(differences, batches):
    """Lines that name no section of the document, and those of `batches` that excused nothing."""
    headings = re.findall(r"^#+ (.*)$", DOCUMENT.read_text(), re.MULTILINE)
    faults = []
    for difference in differences:
        if difference.section not in headings:
            faults.append(f"no section '{difference.section}' in docs/compatibility.md")
        if difference.is_of_one_of(batches) and not difference.excused:
            faults.append(f"does not happen any more: {difference.calls} ({difference.section})")
    return faults
