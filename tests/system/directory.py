"""Directories read in small parts, as getdents(2) gives them."""

import ctypes
import os
import sys

LIBC = ctypes.CDLL(None, use_errno=True)


def some_names(descriptor):
    """The next few names of an open directory, as getdents(2) gives them."""
    buffer = ctypes.create_string_buffer(1024)
    size = LIBC.getdents64(descriptor, buffer, len(buffer))
    if size < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    names = []
    at = 0
    while at < size:
        length = int.from_bytes(buffer.raw[at + 16:at + 18], sys.byteorder)
        names.append(buffer.raw[at + 19:at + length].split(b"\0")[0].decode())
        at += length
    return names
