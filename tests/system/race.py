"""Processes that look at a mount as fast as they can while it changes, until one sees what it must not.

KEEPING_SECONDS says how long each race lasts.
"""

import multiprocessing
import os
import time

SECONDS = float(os.environ.get("KEEPING_SECONDS", "4"))
FORK = multiprocessing.get_context("fork")


def expect(condition, sentence):
    if not condition:
        raise AssertionError(sentence)


class Seen:
    """The newest number of each thing that anybody has seen."""

    def __init__(self, count):
        self.numbers = FORK.Array("q", [0] * count)

    def __getitem__(self, index):
        return self.numbers[index]

    def raise_to(self, index, number):
        with self.numbers.get_lock():
            self.numbers[index] = max(self.numbers[index], number)


class Race:
    """Processes that run `step(...)` again and again, until one fails or the time is over."""

    def __init__(self):
        self.ended = FORK.Event()
        self.failures = FORK.SimpleQueue()
        self.processes = []

    def add(self, step, *arguments):
        process = FORK.Process(target=self.run, args=(step, arguments), daemon=True)
        self.processes.append(process)
        process.start()

    def run(self, step, arguments):
        count = 0
        try:
            while not self.ended.is_set():
                step(*arguments)
                count += 1
        except BaseException as error:  # The process ends here, whatever it is.
            self.failures.put(f"{step.__name__} after {count} rounds: {error!r}")
            self.ended.set()

    def finish(self, change):
        """Calls `change` in this process until the time is over; what failed anywhere."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and not self.ended.is_set():
            change()
        self.ended.set()
        for process in self.processes:
            process.join(20)
            if process.is_alive():
                process.kill()
                self.failures.put("a reader does not end")
        failures = []
        while not self.failures.empty():
            failures.append(self.failures.get())
        return failures
