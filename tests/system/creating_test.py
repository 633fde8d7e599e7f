"""Names that create, as shell scripts use them: on zabd and on Apache ZooKeeper alike."""

import os
import unittest

from kazoo.client import KazooClient

from deadline import wait_until
from mount import MountTestCase
from server import KIND


class Creating(MountTestCase):
    def setUp(self):
        self.zk = KazooClient(hosts=self.server.hosts)
        self.zk.start()
        self.addCleanup(self.zk.close)
        self.addCleanup(self.zk.stop)
        self.directory = self.id().rsplit(".", 1)[1]
        self.shell(f"mkdir {self.directory}")

    def in_directory(self, script, expect=0):
        return self.shell(f"cd {self.directory}\n{script}", expect)

    def children(self):
        return sorted(self.zk.get_children("/" + self.directory))

    def test_an_ephemeral_file_is_one_to_every_client(self):
        self.in_directory("echo here > worker@e && cat worker")
        data, stat = self.zk.get(f"/{self.directory}/worker")
        self.assertEqual(data, b"here\n")
        self.assertNotEqual(stat.ephemeralOwner, 0)
        refused = self.in_directory("echo again > worker@e", expect=1)
        self.assertIn("File exists", refused)

    def test_every_program_that_writes_makes_another_sequential_file(self):
        self.in_directory(
            "echo 1 > job-@s; echo 2 >> job-@s; touch job-@s; echo 4 | tee job-@s > ../../tee.out;"
            " cp /etc/hostname job-@s; mkdir job-@s; dd if=/dev/null of=job-@s status=none;"
            " (set -o noclobber; echo 8 > job-@s)"
        )
        self.assertEqual(self.children(), [f"job-{number:010}" for number in range(8)])
        self.assertEqual(self.in_directory("cat job-0000000007; ls job-@s 2>&1 || true"),
                         "8\nls: cannot access 'job-@s': No such file or directory\n")

    def test_a_shell_learns_the_name_from_the_descriptor_and_sets_the_data_through_it(self):
        for shell in ("bash", "dash"):
            name = self.in_directory(
                f"{shell} -c 'exec 3<>w-@es; read -r me <&3; echo mine >&3; cat $me; echo $me'")
            value, name = name.split()
            self.assertEqual((value, name[:2]), ("mine", "w-"))
            self.assertEqual(self.zk.get(f"/{self.directory}/{name}")[0], b"mine\n")

    def test_a_held_file_lives_as_long_as_its_descriptor(self):
        self.assertEqual(self.in_directory("exec 3<>a@h; exec 4<>b-@hs; ls; exec 3>&-; exec 4>&-"),
                         "a\nb-0000000001\n")
        wait_until(lambda: self.children() == [], "what was held is gone")

    def test_a_child_that_inherits_the_descriptor_holds_on(self):
        script = "exec 3<>a@h; { until [ -e ../go ]; do :; done; cat <&3; ls a; } & exec 3>&-; ls a; touch ../go; wait"
        self.assertEqual(self.in_directory(script), "a\na\na\n")
        wait_until(lambda: self.children() == [], "what was held is gone")

    def test_what_a_killed_process_held_is_gone(self):
        self.in_directory("(exec 3<>a@h; ls a; kill -9 $BASHPID); true")
        wait_until(lambda: self.children() == [], "what was held is gone")

    def test_a_lock_is_a_queue_of_held_files(self):
        take = ("exec 3<>w-@hs; read -r me <&3;"
                " while [ \"$(ls | sort | head -n 1)\" != $me ]; do :; done;"
                " n=$(cat ../total); echo $((n + 1)) > ../total; exec 3>&-")
        self.shell("echo 0 > total")
        self.in_directory(f"for i in 1 2 3 4; do ( {take} ) & done; wait")
        self.assertEqual(self.shell("cat total"), "4\n")

    def test_a_server_without_times_to_live_says_so(self):
        if KIND == "zabd":
            self.skipTest("zabd has them unless it is told otherwise")
        self.assertIn("not supported", self.in_directory("echo 1 > lease@ttl=1s", expect=1))
        self.assertIn("extendedTypesEnabled=true", self.mount.log_path.read_text())

    def test_reading_alone_creates_nothing(self):
        self.in_directory("cat w@e", expect=1)
        self.in_directory("flock w@h true", expect=66)
        self.assertEqual(self.children(), [])


class Ending(MountTestCase):
    """Znodes that the service removes by itself."""

    settings = ("extendedTypesEnabled=true", "znode.container.checkIntervalMs=100")

    @classmethod
    def setUpClass(cls):
        # Apache ZooKeeper takes this one from the command line alone.
        os.environ["JAVA_TOOL_OPTIONS"] = "-Dznode.container.checkIntervalMs=100"
        cls.addClassCleanup(os.environ.pop, "JAVA_TOOL_OPTIONS")
        super().setUpClass()

    def wait_until_gone(self, name):
        wait_until(lambda: not (self.root / name).exists(), f"{name} is gone")

    def test_a_container_goes_after_its_last_child(self):
        self.shell("mkdir jobs@c && echo 1 > jobs/a && echo 2 > jobs/b && rm jobs/a && cat jobs/b")
        self.shell("mkdir unused@c && rm jobs/b")
        self.wait_until_gone("jobs")
        self.assertEqual(self.shell("ls -d unused"), "unused\n")

    def test_a_file_goes_when_its_time_is_over(self):
        self.assertEqual(self.shell("echo 1 > lease@ttl=300ms && echo 2 > long@ttl=1h && cat long"),
                         "2\n")
        self.wait_until_gone("lease")
        self.assertEqual(self.shell("mkdir dir@ttl=1ms; cat long"), "2\n")
        self.wait_until_gone("dir")

    def test_the_descriptor_tells_the_name(self):
        self.assertEqual(self.shell("exec 3<>told@ttl=1h; read -r me <&3; echo x >&3; echo $me; cat $me"),
                         "told\nx\n")

    def test_a_time_that_means_nothing_is_refused(self):
        for token in ("ttl=0s", "ttl=5", "ttl=99999d", "s,ttl=1s"):
            self.assertIn("Invalid argument", self.shell(f"echo 1 > n@{token}", expect=1))


if __name__ == "__main__":
    unittest.main()
