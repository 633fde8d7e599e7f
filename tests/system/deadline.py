"""Waiting for a condition, with a deadline: the only way in which a system test passes time."""

import threading
import time


def wait_until(condition, what, seconds=20.0):
    """Returns the first true value of `condition`; fails naming `what` after `seconds`."""
    pause = threading.Event()
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: still not so after {seconds} seconds")
        pause.wait(0.01)
