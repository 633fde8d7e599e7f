"""Who the mount is and what it may do: credentials that no list of processes, mounts or log tells, modes
that follow from ACLs, chmod, owners, and lines of fstab; on zabd and on Apache ZooKeeper."""

import errno
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile
import unittest

from kazoo.client import KazooClient
from kazoo.security import make_acl, make_digest_acl

from deadline import wait_until
from mount import Mount
from server import BIN, KIND, Server

SECRET = "TellNobody"
CREDENTIAL = f"digest:bob:{SECRET}"
# Apache ZooKeeper before 3.8.4 tells everybody that a znode is there, but then not its ACL.
HIDES = KIND == "zabd"
MINE = make_digest_acl("bob", SECRET, all=True)


@unittest.skipUnless(os.access("/dev/fuse", os.R_OK | os.W_OK), "this machine has no /dev/fuse")
class AccessTestCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="zabfs-test."))
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        cls.bob = KazooClient(hosts=cls.server.hosts, auth_data=[("digest", f"bob:{SECRET}")])
        cls.bob.start(timeout=30)
        cls.addClassCleanup(cls.bob.close)
        cls.addClassCleanup(cls.bob.stop)

    @classmethod
    def mounted(cls, *options):
        mount = Mount(*options, cls.server.hosts)
        cls.addClassCleanup(mount.remove)
        return mount

    @classmethod
    def credentials(cls, text=CREDENTIAL + "\n", mode=0o600):
        handle, name = tempfile.mkstemp(dir=cls.directory)
        with os.fdopen(handle, "w") as file:
            file.write(text)
        os.chmod(name, mode)
        return name

    def refused(self, number, call, *arguments):
        with self.assertRaises(OSError) as refusal:
            call(*arguments)
        self.assertEqual(errno.errorcode[refusal.exception.errno], errno.errorcode[number])


class Credentials(AccessTestCase):
    def open_secret(self, name):
        self.bob.create(name, b"treasure", acl=[MINE])
        return name[1:]

    def test_each_way_of_giving_one_is_used_on_every_connection(self):
        name = self.open_secret("/each")
        stranger = self.mounted()
        self.refused(errno.EACCES, (stranger.path / name).read_text)
        for options in [("--auth", CREDENTIAL), (f"--auth={CREDENTIAL}",), ("-o", f"auth={CREDENTIAL}"),
                        (f"-oumask=077,auth={CREDENTIAL}",),
                        ("-o", f"authfile={self.credentials()}"),
                        ("-o", f"authfile={self.credentials(f'# us{chr(10)}digest:eve:x{chr(10)}{CREDENTIAL}')}")]:
            with self.subTest(options=options):
                mount = self.mounted(*options)
                self.assertEqual((mount.path / name).read_text(), "treasure")
        os.environ["ZABFS_CREDENTIALS"] = CREDENTIAL
        self.addCleanup(os.environ.pop, "ZABFS_CREDENTIALS", None)
        mount = self.mounted()
        del os.environ["ZABFS_CREDENTIALS"]
        self.assertEqual((mount.path / name).read_text(), "treasure")
        session = (mount.path / "@mount/session").read_text()
        self.server.stop()
        self.server.start()
        wait_until(lambda: (mount.path / "@mount/state").read_text() == "connected\n", "it is back")
        self.assertEqual((mount.path / "@mount/session").read_text(), session)
        wait_until(lambda: self.reads(mount.path / name), "the data are read again")

    @staticmethod
    def reads(path):
        try:
            return path.read_text() == "treasure"
        except OSError:
            return False

    def test_nothing_that_others_can_see_tells_the_secret(self):
        for options in [("--auth", CREDENTIAL), (f"--auth={CREDENTIAL}",),
                        (f"-onoinotify,auth={CREDENTIAL}",)]:
            mount = self.mounted(*options)
            shown = pathlib.Path(f"/proc/{mount.process.pid}/cmdline").read_bytes().decode()
            shown += subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(mount.process.pid)],
                                    check=True, stdout=subprocess.PIPE, text=True).stdout
            shown += pathlib.Path("/proc/mounts").read_text() + mount.log_path.read_text()
            shown += "".join(file.read_text() for file in (mount.path / "@mount").iterdir())
            self.assertNotIn(SECRET, shown)

    def test_what_is_no_credential_is_said_without_telling_it(self):
        wrong = [
            (2, "has no scheme", ["--auth", SECRET]),
            (2, "no user or no password", ["-o", f"auth=digest:{SECRET}"]),
            (1, "Line 2", ["-o", f"authfile={self.credentials(f'digest:a:b{chr(10)}{SECRET}')}"]),
            (1, "chmod 600", ["-o", f"authfile={self.credentials(mode=0o640)}"]),
            (1, "cannot be read: No such file", ["-o", "authfile=/nowhere/at/all"]),
            (1, "no file", ["-o", "authfile=/tmp"]),
            (1, "do not accept the credentials. Check the scheme of each: nonsense",
             ["--auth", f"nonsense:{SECRET}"]),
        ]
        for status, sentence, options in wrong:
            with self.subTest(options=options):
                point = self.directory / "never"
                point.mkdir(exist_ok=True)
                ended = subprocess.run([BIN / "zabfs", *options, self.server.hosts, point], check=False,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                       timeout=60)
                self.assertEqual(ended.returncode, status, ended.stdout)
                self.assertIn(sentence, ended.stdout)
                self.assertNotIn(SECRET, ended.stdout)
                self.assertFalse(os.path.ismount(point))


class Modes(AccessTestCase):
    """Permissions follow from ACLs, and chmod sets them, by a mount that is somebody and by one that is not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.known = cls.mounted("--auth", CREDENTIAL).path
        cls.stranger = cls.mounted().path

    def mode(self, path):
        try:
            return oct(stat.S_IMODE(os.stat(path).st_mode))
        except OSError as refused:
            return errno.errorcode[refused.errno]

    def test_what_an_acl_allows_is_what_stat_shows(self):
        world = lambda **permissions: make_acl("world", "anyone", **permissions)
        rows = [
            ("open", [world(all=True)], b"x", "0o644", "0o644"),
            ("mine", [MINE], b"x", "0o600", "EACCES" if HIDES else "0o200"),
            ("read", [MINE, world(read=True)], b"x", "0o644", "0o444"),
            ("readonly", [world(read=True)], b"x", "0o444", "0o444"),
            ("directory", [MINE, world(read=True)], None, "0o755", "0o555"),
            ("closed", [MINE], None, "0o700", "EACCES"),
            ("children", [world(read=True, create=True)], None, "0o755", "0o755"),
        ]
        for name, acl, data, known, stranger in rows:
            with self.subTest(name):
                self.bob.create(f"/mode-{name}", data, acl=acl)
                self.assertEqual(self.mode(self.known / f"mode-{name}"), known)
                self.assertEqual(self.mode(self.stranger / f"mode-{name}"), stranger)

    def test_views_have_the_permissions_of_what_they_show(self):
        self.bob.create("/viewed", b"x", acl=[MINE, make_acl("world", "anyone", read=True)])
        modes = {view: (self.mode(self.known / f"viewed{view}"), self.mode(self.stranger / f"viewed{view}"))
                 for view in ("@data", "@acl", "@stat", "@sync", "@dir", "@v=0", "@next")}
        self.assertEqual(modes, {
            "@data": ("0o644", "0o444"), "@acl": ("0o644", "0o444"), "@stat": ("0o444", "0o444"),
            "@sync": ("0o444", "0o444"), "@dir": ("0o755", "0o555"), "@v=0": ("0o644", "0o444"),
            "@next": ("0o444", "0o444")})

    def test_a_change_of_the_acl_is_seen(self):
        self.bob.create("/changing", b"x", acl=[make_acl("world", "anyone", read=True, admin=True)])
        path = self.known / "changing"
        self.assertEqual(self.mode(path), "0o444")
        self.bob.set_acls("/changing", [make_acl("world", "anyone", all=True)])
        self.assertEqual(self.mode(path), "0o644")

    def test_the_opening_is_refused_and_not_the_closing(self):
        self.bob.create("/refused", b"x", acl=[MINE, make_acl("world", "anyone", read=True)])
        self.bob.create("/hidden", b"x", acl=[MINE])
        self.bob.create("/writeonly", b"x", acl=[make_acl("world", "anyone", write=True), MINE])
        for name in ("refused", "hidden", "refused@data", "refused@v=0", "refused@acl"):
            for flags in (os.O_WRONLY, os.O_WRONLY | os.O_TRUNC, os.O_RDWR, os.O_WRONLY | os.O_APPEND):
                with self.subTest(name, flags=flags):
                    self.refused(errno.EACCES, os.open, self.stranger / name, flags)
        self.assertEqual(self.bob.get("/refused")[0], b"x")
        if not HIDES:
            (self.stranger / "writeonly").write_text("y")
            self.assertEqual(self.bob.get("/writeonly")[0], b"y")
        for name in ("refused", "hidden", "writeonly"):
            (self.known / name).write_text("z")
            self.assertEqual(self.bob.get(f"/{name}")[0], b"z")

    def test_a_directory_that_allows_no_children(self):
        self.bob.create("/full", None, acl=[MINE, make_acl("world", "anyone", read=True)])
        self.bob.create("/full/f", b"x")
        full = self.stranger / "full"
        self.refused(errno.EACCES, (full / "new").touch)
        self.refused(errno.EACCES, (full / "new").mkdir)
        self.refused(errno.EACCES, (full / "f").unlink)
        self.refused(errno.EACCES, (full / "f").rename, self.stranger / "taken")
        self.refused(errno.EACCES, open, full / "e@e", "w")
        self.assertEqual(os.listdir(full), ["f"])
        self.assertEqual((full / "f").read_text(), "x")

    def test_chmod_of_a_mount_that_is_somebody(self):
        path = self.known / "private"
        path.write_text("secret")
        path.chmod(0o600)
        acl, _ = self.bob.get_acls("/private")
        self.assertEqual([(entry.perms, entry.id.scheme, entry.id.id.split(":")[0]) for entry in acl],
                         [(31, "digest", "bob")])
        self.assertEqual(self.mode(path), "0o600")
        self.refused(errno.EACCES, (self.stranger / "private").read_text)
        path.write_text("changed")
        for mode, shown, everybody in ((0o644, "0o644", 1), (0o444, "0o444", 1), (0o400, "0o400", 0),
                                       (0o600, "0o600", 0), (0o644, "0o644", 1)):
            path.chmod(mode)
            self.assertEqual(self.mode(path), shown)
            acl, _ = self.bob.get_acls("/private")
            self.assertEqual(sum(e.perms for e in acl if e.id.scheme == "world"), everybody)
        self.assertEqual((self.stranger / "private").read_text(), "changed")
        self.refused(errno.EACCES, (self.stranger / "private").write_text, "no")
        for mode in (0o640, 0o755, 0o4644, 0o666, 0o604):
            with self.subTest(oct(mode)):
                self.refused(errno.EPERM, path.chmod, mode)
        directory = self.known / "private-directory"
        directory.mkdir()
        directory.chmod(0o700)
        self.assertEqual(self.mode(directory), "0o700")
        (directory / "mine").touch()
        self.refused(errno.EACCES, (self.stranger / "private-directory/theirs").touch)
        self.refused(errno.EACCES, os.listdir, self.stranger / "private-directory")
        self.refused(errno.EPERM, directory.chmod, 0o711)
        directory.chmod(0o755)
        self.assertEqual(os.listdir(self.stranger / "private-directory"), ["mine"])

    def test_chmod_of_a_mount_that_is_anybody(self):
        path = self.stranger / "anybodys"
        path.write_text("text")
        version = os.getxattr(path, "user.zk.aversion")
        path.chmod(0o644)
        self.assertEqual(os.getxattr(path, "user.zk.aversion"), version)
        path.chmod(0o444)
        self.assertEqual(self.bob.get_acls("/anybodys")[0], [make_acl("world", "anyone", read=True, admin=True)])
        self.refused(errno.EACCES, path.write_text, "no")
        self.refused(errno.EPERM, path.chmod, 0o600)
        path.chmod(0o644)
        path.write_text("again")
        self.bob.create("/bobs", b"x", acl=[MINE, make_acl("world", "anyone", read=True)])
        self.refused(errno.EACCES, (self.stranger / "bobs").chmod, 0o644)
        self.refused(errno.EPERM, os.chown, path, 12345, -1)
        self.refused(errno.EPERM, os.chown, path, -1, 12345)
        os.chown(path, os.getuid(), os.getgid())

    def test_entries_of_others_stay(self):
        theirs = make_digest_acl("eve", "x", read=True)
        self.bob.create("/shared", b"x", acl=[MINE, theirs, make_acl("world", "anyone", all=True)])
        (self.known / "shared").chmod(0o600)
        acl, _ = self.bob.get_acls("/shared")
        self.assertEqual(sorted(acl), sorted([theirs, MINE]))

    def test_what_is_written_when_writing_is_taken_away_is_kept(self):
        for mode in (0o444, 0o600):
            source = self.directory / f"source-{mode}"
            source.write_text("kept")
            source.chmod(mode)
            subprocess.run(["cp", "-p", source, self.known / source.name], check=True, timeout=60)
            self.assertEqual(self.bob.get(f"/{source.name}")[0], b"kept")
            self.assertEqual(self.mode(self.known / source.name), oct(mode))

    def test_sed_keeps_what_is_private_private(self):
        path = self.known / "edited"
        path.write_text("old")
        path.chmod(0o600)
        subprocess.run(["sed", "-i", "s/old/new/", path], check=True, timeout=60)
        self.assertEqual(path.read_text(), "new")
        self.assertEqual(self.mode(path), "0o600")

    @unittest.skipUnless(os.getuid() == 0, "for root")
    def test_other_users_of_this_machine_are_everybody(self):
        mount = self.mounted("-o", f"allow_other,authfile={self.credentials()}")
        mount.directory.chmod(0o755)
        (mount.path / "local").write_text("x")
        as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        read = lambda: subprocess.run([*as_nobody, "cat", mount.path / "local"], check=False, timeout=60,
                                      capture_output=True, text=True)
        self.assertEqual(read().stdout, "x")
        (mount.path / "local").chmod(0o600)
        self.assertIn("Permission denied", read().stderr)
        self.assertEqual((mount.path / "local").read_text(), "x")


class Fstab(AccessTestCase):
    """Lines of fstab as mount(8) takes them, in a namespace of mounts of its own, where zabfs is installed."""

    def setUp(self):
        if os.getuid() != 0 or shutil.which("mount.fuse3") is None:
            self.skipTest("for root with mount.fuse3")
        self.bob.ensure_path("/fstab/sub")
        if not self.bob.exists("/fstab/sub/secret"):
            self.bob.create("/fstab/sub/secret", b"treasure", acl=[MINE])
        installed = self.directory / "bin"
        if not installed.exists():
            installed.mkdir()
            shutil.copy(BIN / "zabfs", installed)
        self.point = self.directory / "point"
        self.point.mkdir(exist_ok=True)
        self.prepare = f"set -e; mount --bind {installed} /usr/local/bin; cd /\n"

    def inside(self, script, expect=0):
        ended = subprocess.run(["unshare", "--mount", "--propagation", "private", "bash", "-c", self.prepare + script],
                               check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        self.assertEqual(ended.returncode, expect, ended.stdout)
        self.assertFalse(os.path.ismount(self.point), "the namespace was not private")
        return ended.stdout

    def test_a_line_with_credentials_and_a_subtree(self):
        fstab = self.directory / "fstab"
        options = f"_netdev,nofail,allow_other,uid=1234,gid=2345,umask=027,timeout=20,authfile={self.credentials()}"
        fstab.write_text(f"{self.server.hosts}/fstab {self.point} fuse.zabfs {options} 0 0\n")
        said = self.inside(f"""
            mount --fstab {fstab} {self.point}
            cat {self.point}/sub/secret; echo
            stat -c '%u %g %a' {self.point}/sub {self.point}/sub/secret
            cat /proc/mounts | grep {self.point}
            umount {self.point}
            ! grep {self.point} /proc/mounts
        """)
        lines = said.splitlines()
        self.assertEqual(lines[:3], ["treasure", "1234 2345 750", "1234 2345 600"])
        self.assertTrue(lines[3].startswith(f"{self.server.hosts}/fstab {self.point} fuse.zabfs rw,"), lines[3])
        self.assertIn("allow_other", lines[3])
        self.assertNotIn("auth", lines[3])

    def test_the_options_that_mount_itself_gives(self):
        said = self.inside(f"""
            mount -t fuse.zabfs -o ro {self.server.hosts}/fstab {self.point}
            ls {self.point}
            touch {self.point}/new 2>&1 || true
            echo x 2>&1 > {self.point}/sub@data || true
            mount | grep -o 'type fuse.zabfs (ro'
            umount {self.point}
        """)
        self.assertEqual(said.count("Read-only file system"), 2, said)
        self.assertIn("type fuse.zabfs (ro", said)
        self.assertTrue(said.startswith("sub\n"), said)

    def test_what_is_wrong_is_said_to_whoever_mounts(self):
        said = self.inside(f"mount -t fuse.zabfs -o authfile=/nowhere {self.server.hosts} {self.point} || exit 7", 7)
        self.assertIn("cannot be read", said)
        said = self.inside(f"mount -t fuse.zabfs -o frobnicate {self.server.hosts} {self.point} || exit 7", 7)
        self.assertIn("frobnicate", said)


if __name__ == "__main__":
    unittest.main()
