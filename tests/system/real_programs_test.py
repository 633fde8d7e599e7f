"""Programs that people run, on a real mount of zabd and of Apache ZooKeeper: copies, searches, editors, git,
and the sentences that they print where a znode cannot be what they ask for."""

import errno
import os
import pathlib
import subprocess
import sys
import unittest

from deadline import wait_until
from mount import MountTestCase
from server import dies_with_its_parent


class Copies(MountTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        source = cls.mount.directory / "source"
        (source / "sub/deep").mkdir(parents=True)
        for n in range(20):
            (source / f"sub/file{n}").write_text(f"text {n}\n" * n)
        (source / "sub/deep/read-only").write_text("kept\n")
        (source / "sub/deep/read-only").chmod(0o444)
        (source / "empty").touch()
        (source / "no children").mkdir()
        cls.source = source

    def test_cp_keeps_a_tree_with_times_and_permissions(self):
        self.shell(f"cp -a {self.source} copied && diff -r {self.source} copied")
        self.assertEqual(self.shell("stat -c %a copied/sub/deep/read-only copied/sub/file1"), "444\n644\n")

    def test_rsync_copies_once(self):
        self.shell(f"rsync -a {self.source}/ synced && diff -r {self.source} synced")
        self.assertEqual(self.shell(f"rsync -a --checksum --itemize-changes --no-times {self.source}/ synced"), "")
        changed = self.source / "sub/file3"
        changed.write_text("changed\n")
        self.addCleanup(changed.write_text, "text 3\n" * 3)
        self.assertIn("sub/file3", self.shell(f"rsync -a --checksum --no-times -v {self.source}/ synced"))
        self.shell(f"rsync -a --checksum --delete synced/ ../back && diff -r {self.source} ../back")
        self.assertEqual(self.shell("cat synced/sub/file3"), "changed\n")

    def test_tar_there_and_back(self):
        self.shell(f"tar -C {self.source} -cf - . | (mkdir untarred && cd untarred && tar -xpf -)")
        self.shell(f"tar -C untarred -cf ../again.tar . && diff -r {self.source} untarred")
        self.shell(f"mkdir ../again && tar -C ../again -xpf ../again.tar && diff -r {self.source} ../again")

    def test_install_and_dd_and_split(self):
        self.shell(f"install -m 644 {self.source}/sub/file9 installed && cmp {self.source}/sub/file9 installed")
        self.shell("mkdir parts && seq 10000 | split -l 1000 - parts/p && cat parts/* | cmp - <(seq 10000)")
        self.shell("dd if=/dev/urandom of=random bs=4k count=20 status=none && dd if=random of=twin bs=1k"
                   " conv=fsync status=none && cmp random twin")


class Searches(MountTestCase):
    def test_find_and_grep_and_xargs(self):
        self.shell("mkdir -p tree/a/b && echo needle > tree/a/b/f && echo hay > tree/a/g && touch tree/empty")
        self.assertEqual(self.shell("grep -r needle tree"), "tree/a/b/f:needle\n")
        self.assertEqual(self.shell("find tree -type f -empty"), "tree/empty\n")
        self.assertEqual(self.shell("find tree -name f -exec cat {} +"), "needle\n")
        self.assertEqual(self.shell("find tree -type f -size +0 -print0 | sort -z | xargs -0 cat"), "needle\nhay\n")
        self.assertEqual(self.shell("du -a --apparent-size tree | wc -l"), "6\n")
        self.assertEqual(self.shell("find tree -newermt 2020-01-01 -type f | wc -l"), "3\n")
        self.shell("find tree -delete && test ! -e tree")

    def test_sort_in_place_and_uniq_and_tee(self):
        self.shell("printf 'b\\na\\nb\\n' | tee unsorted > /dev/null && sort -o unsorted unsorted")
        self.assertEqual(self.shell("uniq -c unsorted | tr -s ' '"), " 1 a\n 2 b\n")
        self.assertEqual(self.shell("wc -c unsorted; head -1 unsorted; tail -1 unsorted; tac unsorted"),
                         "6 unsorted\na\nb\nb\nb\na\n")

    def test_jq_reads_and_is_written_back(self):
        self.shell("echo '{\"a\": [1, 2], \"b\": \"x\"}' > config.json")
        self.assertEqual(self.shell("jq -c .a config.json"), "[1,2]\n")
        self.shell("jq '.b = \"y\"' config.json > .config.json.new && mv .config.json.new config.json")
        self.assertEqual(self.shell("jq -r .b config.json; ls -A | grep -c config"), "y\n1\n")


class Editors(MountTestCase):
    def test_sed_in_place_of_many(self):
        self.shell("mkdir seds && for n in 1 2 3; do echo old > seds/$n; done && sed -i s/old/new/ seds/*")
        self.assertEqual(self.shell("cat seds/*; ls -A seds | wc -l"), "new\nnew\nnew\n3\n")

    def test_vim_writes_with_and_without_a_backup(self):
        vim = "vim -u NONE -N -i NONE -es -c 'set nomore'"
        for number, settings in enumerate(["", "set backup", "set backupcopy=yes", "set backupcopy=no",
                                           "set nowritebackup", "set undofile undodir=."]):
            self.shell(f"mkdir vim{number} && cd vim{number} && echo old line > text && "
                       f"{vim} -c '{settings}' -c '%s/old/new/' -c 'wq' text")
            self.assertEqual(self.shell(f"cat vim{number}/text"), "new line\n", settings)
            left = self.shell(f"ls -A vim{number}").split()
            self.assertEqual([name for name in left if name.endswith(".swp")], [])

    def test_ed_scripts_and_patch_and_diff(self):
        self.shell("mkdir patched && printf '1\\n2\\n3\\n' > patched/f && sed s/2/two/ patched/f > ../f.new;"
                   " diff -u patched/f ../f.new > ../f.patch; patch -s patched/f ../f.patch")
        self.assertEqual(self.shell("cat patched/f"), "1\ntwo\n3\n")


class Git(MountTestCase):
    def test_a_repository_lives_here(self):
        git = "git -c user.name=a -c user.email=a@b.c -c init.defaultBranch=main"
        self.shell("mkdir repository")
        self.shell(f"cd repository && {git} init -q && echo 1 > f && mkdir d && echo 2 > d/g && {git} add -A &&"
                   f" {git} commit -q -m one && echo 3 >> f && {git} commit -q -a -m two")
        self.assertEqual(self.shell("cd repository && git fsck --full --strict 2>&1"), "")
        self.assertEqual(self.shell("cd repository && git status --porcelain; git log --format=%s"), "two\none\n")
        self.shell(f"cd repository && {git} checkout -q -b other HEAD~1 && cat f | cmp - <(echo 1) &&"
                   f" {git} rm -q d/g && {git} commit -q -m three && {git} checkout -q main && test -e d/g")
        self.shell("cd repository && git gc -q && git fsck --full 2>&1")
        self.shell("git clone -q repository ../clone && git clone -q ../clone cloned && diff repository/f cloned/f")
        self.assertEqual(self.shell("cd cloned && git fsck --full --no-dangling 2>&1"), "")


class Python(MountTestCase):
    def test_pathlib(self):
        here = pathlib.Path(self.root) / "pathlib"
        here.mkdir()
        (here / "sub/deep").mkdir(parents=True, exist_ok=True)
        (here / "sub/deep/x.txt").write_text("text")
        (here / "bytes").write_bytes(bytes(range(256)))
        self.assertEqual((here / "bytes").read_bytes(), bytes(range(256)))
        self.assertEqual(sorted(path.name for path in here.rglob("*")), ["bytes", "deep", "sub", "x.txt"])
        self.assertEqual((here / "sub/deep/x.txt").rename(here / "y.txt").read_text(), "text")
        (here / "bytes").replace(here / "y.txt")
        self.assertEqual((here / "y.txt").stat().st_size, 256)
        self.assertTrue((here / "y.txt").samefile(here / "sub/../y.txt"))
        self.assertTrue((here / "sub").is_dir() and not (here / "none").exists())
        (here / "y.txt").unlink()
        (here / "y.txt").unlink(missing_ok=True)
        (here / "sub/deep").rmdir()
        (here / "sub").rmdir()
        self.assertEqual(list(here.iterdir()), [])

    def test_a_database_of_one_process_that_locks_nothing(self):
        script = ("import dbm.dumb\nwith dbm.dumb.open('numbers', 'c') as db:\n"
                  "  db['one'] = '1'\nwith dbm.dumb.open('numbers', 'r') as db:\n  print(db['one'].decode())")
        self.assertEqual(self.shell(f"{sys.executable} - <<'END'\n{script}\nEND"), "1\n")


class Waiting(MountTestCase):
    def test_flock_runs_one_after_the_other(self):
        self.shell("touch turn && for n in 1 2 3 4; do flock turn sh -c 'x=$(cat sum || echo 0);"
                   " echo $((x + 1)) > sum' 2> /dev/null & done; wait")
        self.assertEqual(self.shell("cat sum"), "4\n")
        self.shell("exec 9>> turn && flock 9 && ! flock -n turn true")

    def test_inotifywait_hears_this_machine(self):
        self.shell("mkdir watched")
        waiting = subprocess.Popen(["inotifywait", "-q", "-e", "create", "--format", "%f", self.root / "watched"],
                                   stdout=subprocess.PIPE, text=True, preexec_fn=dies_with_its_parent)
        self.addCleanup(waiting.stdout.close)

        def is_heard():
            name = self.root / f"watched/{os.urandom(4).hex()}"
            name.touch()
            return waiting.poll() is not None

        wait_until(is_heard, "inotifywait has heard of a file")
        self.assertTrue((self.root / "watched" / waiting.stdout.read().strip()).exists())


class Impossible(MountTestCase):
    def test_what_no_znode_can_be(self):
        (self.root / "file").write_text("x")
        here = self.root
        for call in (lambda: os.link(here / "file", here / "two"),
                     lambda: os.symlink("file", here / "two"),
                     lambda: os.mkfifo(here / "two"),
                     lambda: os.mknod(here / "two", 0o020644, os.makedev(1, 3)),
                     lambda: os.chown(here / "file", 12345, 12345),
                     lambda: os.chmod(here / "file", 0o755),
                     lambda: os.chmod(here / "file", 0o4644)):
            with self.assertRaises(OSError) as refused:
                call()
            self.assertIn(refused.exception.errno, (errno.EPERM, errno.EACCES))
        self.assertFalse((here / "two").exists())
        self.assertIn("not permitted", self.shell("cp -l file two", expect=1))
        self.assertIn("not permitted", self.shell("ln -s file two", expect=1))
        with self.assertRaises(OSError) as refused:
            with open(here / "file", "r+b") as file:
                os.posix_fallocate(file.fileno(), 0, 10)
                os.ftruncate(file.fileno(), 1 << 30)
        self.assertEqual(refused.exception.errno, errno.EFBIG)


if __name__ == "__main__":
    unittest.main()
