"""examples/recipes that work with real programs: cron jobs by flock, nginx that follows its sites."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

from deadline import wait_until
from mount import Mount, MountTestCase
from server import SOURCE_ROOT, dies_with_its_parent, free_port

RECIPES = SOURCE_ROOT / "examples/recipes"


def own_group():
    os.setpgid(0, 0)
    dies_with_its_parent()


class Services(MountTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = Mount(cls.server.hosts)
        cls.addClassCleanup(cls.other.remove)

    def setUp(self):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="zabfs-test."))
        self.addCleanup(shutil.rmtree, self.scratch)

    def begin(self, *command):
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                   preexec_fn=own_group)

        def end():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

        self.addCleanup(end)
        return process

    def cron(self, mount, period, *command):
        return self.begin(RECIPES / "cluster_cron.sh", mount.path / self.id().rsplit(".", 1)[1], period, *command)

    def test_a_cron_job_runs_once_for_all_machines(self):
        log = self.scratch / "log"
        job = ["sh", "-c", f"echo ran >> {log}"]
        for mount in (self.mount, self.other, self.mount):
            self.assertEqual(self.cron(mount, 3600, *job).wait(timeout=60), 0)
        self.assertEqual(log.read_text(), "ran\n")
        self.assertEqual(self.cron(self.other, 0, *job).wait(timeout=60), 0)
        self.assertEqual(log.read_text(), "ran\n" * 2)

    def test_while_one_machine_is_at_it_no_other_is_and_its_death_frees_the_job(self):
        log = self.scratch / "log"
        first = self.cron(self.mount, 0, "sh", "-c", f"echo first >> {log}; exec tail -f /dev/null")
        wait_until(log.exists, "the job runs")
        second = ["sh", "-c", f"echo second >> {log}"]
        self.assertEqual(self.cron(self.other, 0, *second).wait(timeout=60), 0)
        self.assertEqual(log.read_text(), "first\n")
        os.killpg(first.pid, signal.SIGKILL)

        def takes_over():
            self.assertEqual(self.cron(self.other, 0, *second).wait(timeout=60), 0)
            return "second" in log.read_text()

        wait_until(takes_over, "the other machine runs the job")

    def test_a_job_that_fails_is_tried_again(self):
        self.assertEqual(self.cron(self.mount, 3600, "false").wait(timeout=60), 1)
        log = self.scratch / "log"
        self.assertEqual(self.cron(self.other, 3600, "touch", log).wait(timeout=60), 0)
        self.assertTrue(log.exists())

    def answer(self, port):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as reply:
                return reply.read().decode()
        except (urllib.error.URLError, ConnectionError):
            return ""

    def site(self, port, text):
        return f'server {{ listen 127.0.0.1:{port}; return 200 "{text}"; }}\n'

    def test_nginx_follows_its_sites_across_machines(self):
        port = free_port()
        sites = self.mount.path / "sites"
        sites.mkdir()
        there = self.other.path / "sites"
        (there / "site.conf").write_text(self.site(port, "one"))
        wait_until((sites / "site.conf").exists, "the site is there")
        main = self.scratch / "nginx.conf"
        main.write_text(f"daemon off; pid {self.scratch}/pid; error_log {self.scratch}/error.log;\n"
                        f"events {{}} http {{ access_log off; include {sites}/*.conf; }}\n")
        nginx = ["nginx", "-e", f"{self.scratch}/error.log", "-c", str(main)]
        self.begin(*nginx)
        wait_until(lambda: self.answer(port) == "one", "nginx answers")
        reload_it = f"{' '.join(nginx)} -t && {' '.join(nginx)} -s reload"
        self.begin(RECIPES / "reload_on_change.sh", sites, "sh", "-c", reload_it)

        def follows(text):
            (there / "site.conf").write_text(self.site(port, text))
            return self.answer(port) == text

        wait_until(lambda: follows("two"), "nginx follows", seconds=60)
        (there / "site.conf").write_text("no configuration\n")
        (there / "site.conf").write_text(self.site(port, "three"))
        wait_until(lambda: self.answer(port) == "three", "a mistake does not end the watch", seconds=60)


if __name__ == "__main__":
    unittest.main()
