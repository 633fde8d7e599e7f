"""What programs do to files, on a real mount: redirections, editors, archives, descriptors."""

import errno
import fcntl
import os
import unittest

from mount import MountTestCase


class Shells(MountTestCase):
    def version(self, path):
        return int(os.getxattr(self.root / path, "user.zk.version"))

    def test_a_redirection_is_one_version_however_many_lines(self):
        self.shell("echo old > lines")
        before = self.version("lines")
        self.shell("{ echo a; echo b; printf '%s\\n' c d; } > lines")
        self.assertEqual(self.shell("cat lines"), "a\nb\nc\nd\n")
        self.assertEqual(self.version("lines"), before + 1)

    def test_a_redirection_without_output_empties(self):
        self.shell("echo old > emptied && : > emptied")
        self.assertEqual(self.shell("cat emptied"), "")

    def test_appends_of_many_processes_are_all_there(self):
        self.shell("for i in 1 2 3 4; do (for j in 1 2 3 4 5; do echo $i$j >> log; done) & done; wait")
        lines = self.shell("sort log").split()
        self.assertEqual(lines, sorted(f"{i}{j}" for i in range(1, 5) for j in range(1, 6)))

    def test_noclobber_refuses_what_exists(self):
        self.shell("echo 1 > kept")
        self.assertIn("cannot overwrite", self.shell("set -o noclobber; echo 2 > kept", expect=1))
        self.assertEqual(self.shell("cat kept"), "1\n")

    def test_touch_is_a_new_version_of_the_same_data(self):
        self.shell("echo same > touched")
        before = self.version("touched")
        self.shell("touch touched")
        self.assertEqual(self.version("touched"), before + 1)
        self.assertEqual(self.shell("cat touched"), "same\n")

    def test_the_write_of_too_much_fails_for_the_shell(self):
        self.shell("echo small > limited")
        self.assertIn("File too large", self.shell("head -c 1048577 /dev/zero > limited", expect=1))
        self.shell("head -c 1048000 /dev/zero > limited")
        self.assertEqual(os.stat(self.root / "limited").st_size, 1048000)

    def test_what_no_znode_can_be_is_not_permitted(self):
        self.shell("echo 1 > one")
        for command in ["ln -s one two", "ln one two", "mkfifo two", "chmod 600 one"]:
            self.assertIn("not permitted", self.shell(command, expect=1))


    def test_no_lock_is_granted_that_only_this_machine_respects(self):
        self.shell("touch lockable")
        with open(self.root / "lockable", "w") as file, self.assertRaises(OSError) as refused:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1)
        self.assertEqual(refused.exception.errno, errno.ENOLCK)


class Editors(MountTestCase):
    def test_sed_in_place(self):
        self.shell("echo old > edited && sed -i.bak s/old/new/ edited")
        self.assertEqual(self.shell("cat edited edited.bak"), "new\nold\n")

    # What vim does: a backup by rename, a new file, its attributes, the backup removed.
    def test_backup_by_rename_then_write_anew(self):
        self.shell("echo old > text && mv text text~ && echo new > text && chmod 644 text && rm text~")
        self.assertEqual(self.shell("cat text"), "new\n")

    # And with `backupcopy`: the same file truncated by its descriptor and written again.
    def test_truncate_by_descriptor_then_write(self):
        self.shell("echo a longer text > text2")
        descriptor = os.open(self.root / "text2", os.O_WRONLY)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, b"short\n")
        os.close(descriptor)
        self.assertEqual(self.shell("cat text2"), "short\n")

    def test_parts_of_a_file(self):
        with open(self.root / "parts", "w+b") as file:
            file.write(b"0123456789")
            file.seek(3)
            file.write(b"xyz")
            file.seek(0)
            self.assertEqual(file.read(), b"012xyz6789")
            self.assertEqual(file.seek(0, os.SEEK_END), 10)
            file.truncate(4)
        self.assertEqual(self.shell("cat parts"), "012x")

    def test_an_open_file_outlives_its_name(self):
        with open(self.root / "unlinked", "w+b") as file:
            file.write(b"kept")
            file.flush()
            os.unlink(self.root / "unlinked")
            file.seek(0)
            self.assertEqual(file.read(), b"kept")
            self.assertEqual(os.fstat(file.fileno()).st_nlink, 0)
        self.assertFalse((self.root / "unlinked").exists())


class Trees(MountTestCase):
    def test_copies_and_archives_keep_the_data_of_directories(self):
        self.shell("mkdir d && echo of-the-directory > d/@data && echo of-the-file > d/f")
        self.assertEqual(self.shell("ls d"), "@data\nf\n")
        self.shell("cp -r d copy && tar -cf ../d.tar d && mkdir out && tar -xf ../d.tar -C out")
        for copy in ["copy", "out/d"]:
            self.assertEqual(self.shell(f"cat {copy}/@data {copy}/f"), "of-the-directory\nof-the-file\n")
        self.shell("rm -r d copy out && test ! -e d && test ! -e copy")

    def test_data_alone_leaves_a_directory_a_directory(self):
        self.shell("mkdir only && echo data > only/@data && test -d only && mkdir only/sub")
        self.assertIn("not empty", self.shell("rmdir only", expect=1))

    def test_a_file_gets_a_child_through_its_directory_view(self):
        self.shell("echo text > leaf && mkdir leaf@dir/child && test -d leaf && cat leaf/@data")
        self.assertEqual(self.shell("ls leaf"), "@data\nchild\n")

    def test_directories_move_whole_or_not_at_all(self):
        self.shell("mkdir from && echo 1 > from/x && mkdir full && echo 2 > full/y")
        with self.assertRaises(OSError) as refused:
            os.rename(self.root / "from", self.root / "to")
        self.assertEqual(refused.exception.errno, errno.EXDEV)
        with self.assertRaises(OSError) as refused:
            os.rename(self.root / "from", self.root / "full")
        self.assertEqual(refused.exception.errno, errno.ENOTEMPTY)
        self.assertEqual(self.shell("mv from to && cat to/x"), "1\n")
        self.shell("mkdir empty && mv empty moved && test -d moved && test ! -e empty")

    def test_a_thousand_files_are_listed(self):
        self.shell("mkdir many && cd many && touch $(seq 1000)")
        self.assertEqual(len(os.listdir(self.root / "many")), 1000)
        self.shell("rm -r many")

    def test_names_of_znodes_that_no_file_can_have(self):
        self.assertIn("Invalid argument", self.shell("touch $'tab\\there'", expect=1))
        self.assertIn("Invalid argument", self.shell("touch x@ee", expect=1))


class Views(MountTestCase):
    def test_the_stat_in_text_and_attributes(self):
        self.shell("echo 42 > shown")
        fields = dict(line.split() for line in self.shell("cat shown@stat").splitlines())
        self.assertEqual(fields["dataLength"], "3")
        for name, value in fields.items():
            self.assertEqual(os.getxattr(self.root / "shown", f"user.zk.{name}").decode(), value)
        self.assertEqual(os.getxattr(self.root / "shown", "user.zk.path"), b"/shown")
        self.assertIn("user.zk.acl", os.listxattr(self.root / "shown"))


if __name__ == "__main__":
    unittest.main()
