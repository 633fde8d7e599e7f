"""Ordinary programs on a real mount, of zabd and of Apache ZooKeeper alike."""

import unittest

from kazoo.client import KazooClient

from deadline import wait_until
from mount import MountTestCase


class Programs(MountTestCase):
    def test_echo_cat_ls_mkdir_rm(self):
        self.shell("mkdir app && echo 42 > app/port && touch app/empty")
        self.assertEqual(self.shell("cat app/port"), "42\n")
        self.assertEqual(self.shell("ls app"), "empty\nport\n")
        kinds = self.shell("stat -c %F app/port app/empty app").splitlines()
        self.assertEqual(kinds, ["regular file", "regular empty file", "directory"])
        self.shell("rm app/port app/empty && rmdir app && test ! -e app")

    def test_refusals_are_the_usual_sentences(self):
        self.shell("mkdir full && touch full/x")
        self.assertIn("No such file or directory", self.shell("cat nothing", expect=1))
        self.assertIn("Directory not empty", self.shell("rmdir full", expect=1))
        self.assertIn("File exists", self.shell("mkdir full", expect=1))
        self.assertIn("Is a directory", self.shell("cat full", expect=1))

    def test_a_tree_of_files_is_copied_whole(self):
        self.shell("cp -rL /usr/share/zoneinfo copied")
        self.assertEqual(self.shell("diff -r /usr/share/zoneinfo copied"), "")
        self.shell("rm -r copied && test ! -e copied")

    def test_a_tree_survives_tar(self):
        self.shell("mkdir packed && cp -rL /usr/share/zoneinfo/Asia packed/asia")
        self.shell("tar -cf ../packed.tar packed && mkdir unpacked")
        self.shell("tar -xf ../packed.tar -C unpacked")
        self.assertEqual(self.shell("diff -r packed unpacked/packed"), "")
        self.shell("rm -r packed unpacked")

    def test_renaming_replaces_a_file_whole(self):
        self.shell("mkdir conf && echo old > conf/a && echo new > conf/.a.tmp")
        self.shell("mv conf/.a.tmp conf/a")
        self.assertEqual(self.shell("cat conf/a; ls -A conf"), "new\na\n")
        self.shell("sed -i s/new/newer/ conf/a")
        self.assertEqual(self.shell("cat conf/a"), "newer\n")


    def test_copies_keep_every_byte_and_size(self):
        self.shell("mkdir bytes && head -c 900000 /dev/urandom > ../random")
        self.shell("cp ../random bytes/large && cmp ../random bytes/large")
        self.shell("dd if=../random of=bytes/pieces bs=777 status=none")
        self.shell("cmp ../random bytes/pieces")
        self.assertEqual(self.shell("stat -c %s bytes/large"), "900000\n")
        refused = self.shell("head -c 2000000 /dev/zero > bytes/more", expect=1)
        self.assertIn("File too large", refused)

    def test_appending_adds_at_the_end(self):
        self.shell("for n in 1 2 3; do echo $n >> list; done")
        self.assertEqual(self.shell("cat list"), "1\n2\n3\n")

    def test_what_the_mount_cannot_keep_is_refused(self):
        self.shell("touch plain")
        self.shell("ln -s plain link", expect=1)
        self.shell("ln plain link", expect=1)
        self.shell("mkfifo pipe", expect=1)
        self.assertEqual(self.shell("ls -d link pipe 2>/dev/null || true"), "")

    def test_find_sees_the_whole_tree(self):
        self.shell("mkdir -p deep/a/b/c && touch deep/a/b/c/f deep/g")
        found = self.shell("find deep -printf '%y %p\\n' | sort -k2")
        self.assertEqual(
            found, "d deep\nd deep/a\nd deep/a/b\nd deep/a/b/c\nf deep/a/b/c/f\nf deep/g\n")


class Views(MountTestCase):
    def test_the_stat_of_a_znode_can_be_read(self):
        self.shell("echo 1 > n && echo 22 > n")
        stat = dict(line.split(" ", 1) for line in self.shell("cat n@stat").splitlines())
        self.assertEqual((stat["version"], stat["dataLength"]), ("2", "3"))

    def test_a_file_gets_children_and_keeps_its_data(self):
        self.shell("echo data > both && mkdir both@dir/child")
        self.assertEqual(self.shell("stat -c %F both; cat both@data"), "directory\ndata\n")
        self.assertEqual(self.shell("ls both"), "@data\nchild\n")

    def test_a_directory_can_be_given_data(self):
        self.shell("mkdir d && echo more > d@data")
        self.assertEqual(self.shell("cat d@data d/@data; ls d"), "more\nmore\n@data\n")

    def test_a_copy_of_a_directory_with_data_is_complete(self):
        self.shell("mkdir -p from/sub && echo x > from/sub@data && echo y > from/f")
        self.shell("cp -r from to")
        self.assertEqual(self.shell("cat to/sub@data to/f"), "x\ny\n")

    def test_views_are_not_listed(self):
        self.shell("mkdir quiet && touch quiet/f && cat quiet/f@stat > ../stat")
        self.assertEqual(self.shell("ls -a quiet"), ".\n..\nf\n")


class BesideClients(MountTestCase):
    def setUp(self):
        self.zk = KazooClient(hosts=self.server.hosts)
        self.zk.start()
        self.addCleanup(self.zk.close)
        self.addCleanup(self.zk.stop)

    def test_a_file_is_a_znode(self):
        self.shell("mkdir d && echo hello > d/f")
        self.assertEqual(self.zk.get("/d/f")[0], b"hello\n")
        self.assertIsNone(self.zk.get("/d")[0])
        self.assertEqual(self.zk.get("/d/f")[1].version, 1)

    def test_a_znode_is_a_file(self):
        self.zk.create("/znode", b"value")
        self.assertEqual(self.shell("cat znode"), "value")
        self.zk.create("/parent/child", b"", makepath=True)
        self.assertEqual(self.shell("ls parent"), "child\n")

    def test_a_change_elsewhere_is_seen_here(self):
        self.zk.create("/seen", b"1")
        self.assertEqual(self.shell("cat seen"), "1")
        self.zk.set("/seen", b"22")
        wait_until(lambda: self.shell("cat seen") == "22", "the file shows the new data")
        self.zk.delete("/seen")
        wait_until(lambda: not (self.root / "seen").exists(), "the file is gone")


if __name__ == "__main__":
    unittest.main()
