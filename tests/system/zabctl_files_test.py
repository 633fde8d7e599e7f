"""zabctl log, snapshot and verify: what they say of the directories of servers that run, that were
killed, and whose disks were not good to them."""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

import wire
from deadline import wait_until
from server import BIN, Server

WRITES = 300
SNAP_COUNT = 100


def zabctl(*arguments, status=0):
    ended = subprocess.run(
        [BIN / "zabctl", *map(str, arguments)], capture_output=True, text=True, timeout=120)
    if ended.returncode != status:
        raise AssertionError(
            f"zabctl {arguments}: status {ended.returncode}, not {status}\n"
            f"{ended.stdout}{ended.stderr}")
    return ended.stdout


def json_lines(*arguments, status=0):
    return [json.loads(line) for line in zabctl(*arguments, "--json", status=status).splitlines()]


def contents(directory):
    return {path.name: path.read_bytes() for path in pathlib.Path(directory).iterdir()}


class Written(unittest.TestCase):
    """One server with some history, killed; every test gets a copy of its directory."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server("zabd", [f"snapCount={SNAP_COUNT}"])
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()
        with cls.server.connect() as client:
            cls.session = client.session
            for at in range(WRITES // 2):
                client.call(wire.CREATE, wire.create(f"/n{at:03}", b"x" * at, at % 2))
                client.call(wire.SET_DATA, wire.set_data(f"/n{at:03}", b"\xff%d" % at))
            client.call(wire.CREATE, wire.create("/below"))
            client.call(wire.CREATE, wire.create("/below/it", "hä\n".encode()))
            cls.zxids = [client.call(wire.MULTI, wire.multi([
                (wire.DELETE, wire.versioned("/below/it")),
                (wire.CREATE, wire.create("/below/other", b"")),
            ])).zxid]
        data = cls.server.directory / "data"
        wait_until(lambda: len(list(data.glob("snapshot.0*"))) == 3, "three snapshots are there")
        cls.server.kill()
        cls.original = data

    def setUp(self):
        self.data = self.server.directory / self.id()
        shutil.copytree(self.original, self.data)
        self.addCleanup(shutil.rmtree, self.data)
        (self.data / "lock").unlink()

    def file(self, pattern, which=-1):
        return sorted(self.data.glob(pattern))[which]

    def flip(self, path, offset):
        with path.open("r+b") as file:
            file.seek(offset)
            (byte,) = file.read(1)
            file.seek(offset)
            file.write(bytes([byte ^ 1]))

    def log_end(self):
        """Where the records of the only segment end."""
        return len(self.file("log.*").read_bytes().rstrip(b"\0"))


class Log(Written):
    def test_transactions_are_shown_by_zxid_session_and_path(self):
        every = json_lines("log", self.data)
        self.assertEqual([each["zxid"] for each in every],
                         [hex(0x100000001 + at) for at in range(len(every))])
        mine = json_lines("log", self.data, "--session", hex(self.session), "--path", "/n007")
        self.assertEqual([(each["type"], each["path"]) for each in mine],
                         [("create", "/n007"), ("setData", "/n007")])
        part = json_lines("log", self.data, "--from", "0x100000005", "--to", "1.7")
        self.assertEqual([each["zxid"] for each in part],
                         ["0x100000005", "0x100000006", "0x100000007"])
        self.assertEqual(json_lines("log", self.data, "--from", "2199-01-01"), [])
        self.assertEqual(len(json_lines("log", self.data, "--from", "2020-01-01T00:00")), len(every))
        self.assertEqual(json_lines("log", self.file("log.*")), every)

    def test_data_is_text_or_base64(self):
        (made,) = json_lines("log", self.data, "--path", "/below/it", "--to", hex(self.zxids[0] - 1),
                             "--data")
        self.assertEqual(made["data"], "hä\n")
        changed = json_lines("log", self.data, "--path", "/n001", "--data")[1]
        self.assertEqual(changed["dataBase64"], "/zE=")
        self.assertIn(r"data=\xff1", zabctl("log", self.data, "--path", "/n001", "--data"))

    def test_a_multi_shows_its_parts(self):
        line = zabctl("log", self.data, "--from", hex(self.zxids[0]), "--to", hex(self.zxids[0]))
        self.assertRegex(line, r"multi: delete /below/it; create /below/other \(0 bytes\)")

    def test_statistics_count_everything_once(self):
        (counts,) = json_lines("log", self.data, "--statistics")
        every = json_lines("log", self.data)
        self.assertEqual(counts["transactions"], len(every))
        self.assertEqual(counts["byKind"]["create"]["transactions"], WRITES // 2 + 2)
        for rows in ("byKind", "bySession", "bySecond"):
            self.assertEqual(sum(row["transactions"] for row in counts[rows].values()), len(every))
        self.assertIn("by second", zabctl("log", self.data, "--statistics"))

    def test_a_torn_end_is_no_damage(self):
        whole = json_lines("log", self.data)
        os.truncate(self.file("log.*"), self.log_end() - 3)
        self.assertEqual(json_lines("log", self.data), whole[:-1])

    def test_damage_is_told_and_what_is_before_it_is_shown(self):
        self.flip(self.file("log.*"), self.log_end() // 2)
        shown = json_lines("log", self.data, status=1)
        self.assertGreater(len(shown), 10)

    def test_a_mistake_in_the_command_line_is_status_2(self):
        zabctl("log", self.data, "--from", "yesterday", status=2)
        zabctl("log", status=2)
        zabctl("log", self.server.directory, status=1)


class Snapshot(Written):
    def test_a_directory_is_its_newest_snapshot_and_the_log_behind_it(self):
        listed = {each["path"]: each for each in json_lines("snapshot", self.data, "--data")}
        self.assertEqual(len(listed), WRITES // 2 + 6)
        self.assertEqual(listed["/n001"]["stat"]["version"], 1)
        self.assertEqual(listed["/n001"]["owner"], hex(self.session))
        self.assertEqual(listed["/below/other"]["data"], "")
        self.assertEqual([each["path"] for each in json_lines("snapshot", self.data, "--path",
                                                              "/below")],
                         ["/below", "/below/other"])
        zabctl("snapshot", self.data, "--path", "/absent", status=1)

    def test_a_snapshot_file_is_what_it_says(self):
        file = self.file("snapshot.0*")
        zxid = int(file.name.split(".")[2], 16)
        listed = json_lines("snapshot", file)
        self.assertLessEqual(max(int(each["stat"]["mzxid"], 16) for each in listed), zxid)
        moved = self.data / "elsewhere"
        file.rename(moved)
        self.assertEqual(json_lines("snapshot", moved), listed)
        self.flip(moved, 1000)
        zabctl("snapshot", moved, status=1)

    def test_statistics_and_sessions(self):
        (counts,) = json_lines("snapshot", self.data, "--statistics", "--depth", "2")
        self.assertEqual(counts["subtrees"]["/"]["znodes"], WRITES // 2 + 6)
        self.assertEqual(counts["subtrees"]["/below"]["znodes"], 2)
        self.assertEqual(counts["subtrees"]["/below/other"]["bytes"], 0)
        self.assertEqual(counts["ephemeralsBySession"], {hex(self.session): WRITES // 4})
        (session,) = json_lines("snapshot", self.data, "--sessions")
        self.assertEqual(len(session["ephemerals"]), WRITES // 4)

    def test_differences_of_two(self):
        older, newer = self.file("snapshot.0*", 0), self.file("snapshot.0*", 1)
        self.assertEqual(zabctl("snapshot", "--diff", newer, newer), "")
        shown = zabctl("snapshot", "--diff", older, newer, status=1).splitlines()
        self.assertIn("+ /n098", shown)
        self.assertTrue([line for line in shown if line.startswith("~ /: ")], shown)
        kinds = {each["difference"] for each in json_lines("snapshot", "--diff", self.data, older,
                                                           status=1)}
        self.assertEqual(kinds, {"onlyInFirst", "changed"})


class Verify(Written):
    def verify(self, problems):
        before = contents(self.data)
        report = json_lines("verify", self.data, status=1 if problems else 0)[0]
        self.assertEqual(contents(self.data), before)
        self.assertEqual(bool(report["problems"]), problems, report)
        return report

    def test_a_killed_server_left_nothing_wrong(self):
        report = self.verify(problems=False)
        self.assertEqual(report["state"]["znodes"], WRITES // 2 + 6)
        self.assertTrue(all(each["isWhole"] for each in report["snapshots"]))

    def test_a_torn_end_is_noted(self):
        os.truncate(self.file("log.*"), self.log_end() - 3)
        report = self.verify(problems=False)
        self.assertIn("a batch that was being written", report["notes"][0])

    def test_a_lost_end_is_found_by_what_remembers_it(self):
        os.truncate(self.file("log.*"), self.log_end() // 2)
        report = self.verify(problems=True)
        self.assertFalse(report["canStart"])
        self.assertIn("A start is refused: The log ends at", report["problems"][-1]["problem"])
        self.assertIn("restore a backup", report["problems"][-1]["advice"])

    def test_the_advice_for_a_server_of_an_ensemble_names_it(self):
        (self.data / "myid").write_text("2\n")
        os.truncate(self.file("log.*"), self.log_end() // 2)
        self.assertIn("majority of the other servers serves (zabctl status): stop server 2",
                      self.verify(problems=True)["problems"][-1]["advice"])

    def test_a_flipped_bit_in_the_log(self):
        self.flip(self.file("log.*"), self.log_end() // 2)
        report = self.verify(problems=True)
        self.assertIn("is damaged at offset", report["problems"][0]["problem"])

    def test_a_flipped_bit_in_the_newest_snapshot(self):
        self.flip(self.file("snapshot.0*"), 1000)
        report = self.verify(problems=True)
        self.assertTrue(report["canStart"])
        self.assertIn("is damaged", report["problems"][0]["problem"])
        self.assertIn(self.file("snapshot.0*", 1).name, report["problems"][0]["advice"])

    def test_a_flipped_bit_in_the_epochs(self):
        self.flip(self.data / "epochs", 13)
        self.assertIn("epochs is damaged", self.verify(problems=True)["problems"][0]["problem"])

    def test_missing_files(self):
        for pattern, sentence in (("epochs", "epochs is missing"), ("log.*", "A start is refused")):
            with self.subTest(pattern):
                for path in self.data.glob(pattern):
                    path.rename(self.server.directory / path.name)
                    self.addCleanup(pathlib.Path.unlink, self.server.directory / path.name)
                report = self.verify(problems=True)
                self.assertIn(sentence, " ".join(each["problem"] for each in report["problems"]))
                for path in self.server.directory.glob(pattern):
                    shutil.copy(path, self.data)

    def test_what_is_no_data_directory(self):
        for path in self.data.iterdir():
            path.unlink()
        zabctl("verify", self.data, status=1)
        zabctl("verify", self.data / "absent", status=1)
        zabctl("verify", status=2)


class Running(unittest.TestCase):
    def test_a_server_under_load_is_never_called_damaged(self):
        server = Server("zabd", ["snapCount=2000"])
        self.addCleanup(server.remove)
        server.start()
        data = server.directory / "data"
        with server.connect() as client:
            client.call(wire.CREATE, wire.create("/busy"))
            looks = 0
            while looks < 12:
                looking = subprocess.Popen(
                    [BIN / "zabctl", ("log", "verify", "snapshot")[looks % 3], data],
                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                while looking.poll() is None:
                    client.call_all(
                        [(wire.SET_DATA, wire.set_data("/busy", b"x" * 300))] * 100, window=20)
                said = looking.stderr.read()
                looking.stderr.close()
                self.assertEqual(looking.returncode, 0, said)
                looks += 1


if __name__ == "__main__":
    unittest.main()
