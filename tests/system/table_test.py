"""The tables "operation by kind of name" of docs/filesystem.md, cell by cell on a real mount: the first
column names a file, each other column an operation, and each cell what the operation answers.

    /usr/bin/python3 table_test.py --print        # the tables as they are, for the page"""

import ctypes
import errno
import fcntl
import itertools
import os
import select
import stat
import sys
import unittest

from mount import MountTestCase
from server import SOURCE_ROOT

PAGE = SOURCE_ROOT / "docs/filesystem.md"
TITLE = "### Operation by kind of name"
LIBC = ctypes.CDLL(None, use_errno=True)
NOREPLACE = 1


class Cell:
    """A directory of its own with one file of every kind, and a name in it."""

    def __init__(self, root, number, name):
        self.here = root / f"cell{number}"
        os.mkdir(self.here)
        (self.here / "f").write_text("data")
        os.mkdir(self.here / "d")
        os.mkdir(self.here / "full")
        (self.here / "full/c").touch()
        os.mkdir(self.here / "both")
        (self.here / "both@data").write_text("data")
        (self.here / "eph@e").write_text("data")
        (self.here / "other").touch()
        self.path = root / name if name.startswith("@mount") else self.here / name

    def opened(self, flags, use=lambda descriptor: "ok"):
        descriptor = os.open(self.path, flags, 0o644)
        try:
            return use(descriptor)
        finally:
            os.close(descriptor)


def shown(cell):
    status = os.stat(cell.path)
    kind = "directory" if stat.S_ISDIR(status.st_mode) else "file"
    return f"{kind} {stat.S_IMODE(status.st_mode):o}"


def read(cell):
    def content(descriptor):
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        if not poll.poll(0):
            return "waits"
        text = os.read(descriptor, 1 << 20).decode()
        for sign, word in [("data", "data"), ("czxid", "stat"), ("world:anyone", "ACL"),
                           ("exists", "line"), ("absent", "line"), ("", "text")]:
            if text.startswith(sign) or f" {sign} " in text:
                return word if text else "empty"
        return "text"

    return cell.opened(os.O_RDONLY | os.O_NONBLOCK, content)


def both(cell):
    return cell.opened(os.O_RDWR)


def write(cell):
    return cell.opened(os.O_WRONLY)


def empty(cell):
    return cell.opened(os.O_WRONLY | os.O_TRUNC)


def append(cell):
    return cell.opened(os.O_WRONLY | os.O_APPEND)


def create(cell):
    return cell.opened(os.O_WRONLY | os.O_CREAT | os.O_EXCL)


def create_for_reading(cell):
    return cell.opened(os.O_RDONLY | os.O_CREAT)


def listing(cell):
    names = os.listdir(cell.path)
    return " ".join(sorted(names)) or "empty" if len(names) < 4 else "names"


def make_directory(cell):
    os.mkdir(cell.path)
    return "ok"


def make_node(cell):
    os.mknod(cell.path, stat.S_IFREG | 0o644)
    return "ok"


def make_pipe(cell):
    os.mkfifo(cell.path)
    return "ok"


def make_symbolic_link(cell):
    os.symlink("other", cell.path)
    return "ok"


def make_link(cell):
    os.link(cell.here / "other", cell.path)
    return "ok"


def unlink(cell):
    os.unlink(cell.path)
    return "ok"


def rmdir(cell):
    os.rmdir(cell.path)
    return "ok"


def move_away(cell):
    os.rename(cell.path, cell.here / "moved")
    return "ok"


def move_file_onto(cell):
    os.rename(cell.here / "other", cell.path)
    return "ok"


def move_directory_onto(cell):
    os.mkdir(cell.here / "another")
    os.rename(cell.here / "another", cell.path)
    return "ok"


def truncate(cell):
    os.truncate(cell.path, 2)
    return "ok"


def chmod_same(cell):
    os.chmod(cell.path, stat.S_IMODE(os.stat(cell.path).st_mode))
    return "ok"


def chmod_444(cell):
    os.chmod(cell.path, 0o444)
    return "ok"


def chmod_555(cell):
    os.chmod(cell.path, 0o555)
    return "ok"


def chmod_600(cell):
    os.chmod(cell.path, 0o600)
    return "ok"


def chown_other(cell):
    os.chown(cell.path, 12345, -1)
    return "ok"


def touch(cell):
    os.utime(cell.path)
    return "ok"


def set_time(cell):
    os.utime(cell.path, (1, 1))
    return "ok"


def get_attribute(cell):
    return "ok" if os.getxattr(cell.path, "user.zk.path") else "empty"


def set_acl(cell):
    os.setxattr(cell.path, "user.zk.acl", b"world:anyone:cdrwa\n")
    return "ok"


def set_attribute(cell):
    os.setxattr(cell.path, "user.zk.version", b"7")
    return "ok"


def remove_attribute(cell):
    os.removexattr(cell.path, "user.zk.version")
    return "ok"


def lock_whole(cell):
    return cell.opened(os.O_RDONLY, lambda d: fcntl.flock(d, fcntl.LOCK_EX | fcntl.LOCK_NB) or "ok")


def lock_part(cell):
    lock = lambda d: fcntl.lockf(d, fcntl.LOCK_SH | fcntl.LOCK_NB, 1) or "ok"
    return cell.opened(os.O_RDONLY, lock)


OPERATIONS = {
    "stat": shown,
    "read": read,
    "open to write": write,
    "read and write": both,
    "`>`": empty,
    "`>>`": append,
    "list": listing,
    "create": create,
    "create to read": create_for_reading,
    "mkdir": make_directory,
    "mknod": make_node,
    "mkfifo": make_pipe,
    "symlink": make_symbolic_link,
    "link": make_link,
    "unlink": unlink,
    "rmdir": rmdir,
    "rename": move_away,
    "file onto it": move_file_onto,
    "directory onto it": move_directory_onto,
    "truncate": truncate,
    "touch": touch,
    "set a time": set_time,
    "chmod as it is": chmod_same,
    "chmod 444": chmod_444,
    "chmod 555": chmod_555,
    "chmod 600": chmod_600,
    "chown": chown_other,
    "getfattr": get_attribute,
    "setfattr acl": set_acl,
    "setfattr version": set_attribute,
    "setfattr -x": remove_attribute,
    "flock": lock_whole,
    "lock a part": lock_part,
}

# Of the page when it is written anew.
COLUMNS = [
    ["stat", "read", "open to write", "read and write", "`>`", "`>>`", "list"],
    ["create", "create to read", "mkdir", "mknod", "mkfifo", "symlink", "link"],
    ["unlink", "rmdir", "rename", "file onto it", "directory onto it", "truncate", "touch",
     "set a time"],
    ["chmod as it is", "chmod 444", "chmod 555", "chmod 600", "chown", "getfattr", "setfattr acl",
     "setfattr version", "setfattr -x", "flock", "lock a part"],
]
NAMES = ["none", "f", "eph", "d", "full", "both", "f@data", "d@data", "both@data", "f@dir", "d@dir",
         "f@stat", "f@acl", "f@v=1", "f@v=9", "none@v=9", "f@cas", "f@sync", "f@next", "f@exists",
         "none@exists", "f@gone", "none@gone", "f@watch", "f@watch=r", "f@queue", "f@locks",
         "f@@stat", "f@stat@data", "@mount", "@mount/zxid", "@mount/txn", "@mount/none", "n@e", "n@s",
         "n@es", "n@h", "n@c", "n@ttl=1h", "f@e", "n@ee", "n@v=x", "f/x", "none/x"]


def split(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def cells():
    """(name, operation, answer) of every cell of the page."""
    text = PAGE.read_text().partition(TITLE)[2].partition("\n### ")[0]
    columns = []
    for line in text.splitlines():
        if line.startswith("| name |"):
            columns = split(line)[1:]
        elif line.startswith("| `") and columns:
            name, *answers = split(line)
            for operation, answer in zip(columns, answers, strict=True):
                yield name.strip("`"), operation, answer


class Table(MountTestCase):
    settings = ("extendedTypesEnabled=true",)  # without it ZooKeeper has no times to live
    numbers = itertools.count()

    def answer(self, name, operation):
        cell = Cell(self.root, next(self.numbers), name)
        try:
            return OPERATIONS[operation](cell)
        except OSError as refused:
            return errno.errorcode[refused.errno]

    def test_every_cell_is_true(self):
        seen = 0
        for name, operation, answer in cells():
            seen += 1
            with self.subTest(name=name, operation=operation):
                self.assertEqual(self.answer(name, operation), answer)
        self.assertGreater(seen, 1000)

    def test_no_cell_is_missing(self):
        told = {(name, operation) for name, operation, _ in cells()}
        self.assertEqual(told, set(itertools.product(NAMES, OPERATIONS)))


def print_tables():
    Table.setUpClass()
    try:
        table = Table()
        for columns in COLUMNS:
            print("| name |", " | ".join(columns), "|")
            print("|" + "---|" * (len(columns) + 1))
            for name in NAMES:
                answers = [table.answer(name, operation) for operation in columns]
                print(f"| `{name}` |", " | ".join(answers), "|", flush=True)
            print()
    finally:
        Table.doClassCleanups()


if __name__ == "__main__":
    if sys.argv[1:] == ["--print"]:
        print_tables()
    else:
        unittest.main()
