"""Compare-and-set in a shell: `@v=`, `@cas`, `@sync` and `@acl` on zabd and on Apache ZooKeeper."""

import unittest

from mount import MountTestCase

INCREMENT = """
increment() {
  exec 3<>counter@cas
  while read -r value <&3; do echo $((value + 1)) >&3 && break; done 2> /dev/null
  exec 3>&-
}
"""


class Conditions(MountTestCase):
    def test_a_write_on_condition_succeeds_once(self):
        self.shell("echo 41 > once")
        self.assertEqual(self.shell("cat once@v=1"), "41\n")
        self.shell("echo 42 > once@v=1")
        refused = self.shell("echo 43 > once@v=1", expect=1)
        self.assertIn("Stale file handle", refused)
        self.assertEqual(self.shell("cat once@sync"), "42\n")

    def test_an_empty_version_is_a_mistake_and_no_new_file(self):
        self.shell("unset v; echo 43 > never@v=$v", expect=1)
        self.assertEqual(self.shell("ls -A | grep never || true"), "")

    def test_processes_count_together_and_lose_nothing(self):
        self.shell("echo 0 > counter")
        self.shell(INCREMENT + "for i in 1 2 3 4; do (for j in $(seq 10); do increment; done) & done;"
                   " wait")
        self.assertEqual(self.shell("cat counter"), "40\n")

    def test_dash_can_do_it_too(self):
        self.shell("echo 1 > dashed")
        script = "exec 3<>dashed@cas; read v <&3; echo $((v + 1)) >&3; cat dashed"
        self.assertEqual(self.shell(f"dash -c '{script}'"), "2\n")

    def test_the_acl_can_be_read_and_copied(self):
        self.shell("echo 1 > open && cp open@acl ../acl && tar -cf ../acl.tar open@acl")
        self.assertEqual(self.shell("cat ../acl; tar -xOf ../acl.tar"),
                         "world:anyone:cdrwa\nworld:anyone:cdrwa\n")


if __name__ == "__main__":
    unittest.main()
