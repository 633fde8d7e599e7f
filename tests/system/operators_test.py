"""What operators probe: four-letter words, commands over HTTP, metrics. zabd runs beside Apache
ZooKeeper, and whatever ZooKeeper answers must be in zabd's answer in the same form; numbers differ.
What is left out on purpose stands in ABSENT, each with its reason."""

import json
import re
import socket
import unittest
import urllib.error
import urllib.request

from deadline import wait_until
from kazoo.client import KazooClient
from server import JAVA_CLASS_PATH, Server, free_port

PROVIDER = "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider"

JAVA_STAGES = "a stage of ZooKeeper's chain of processors, or a queue between two; zabd has one loop"
NO_SUCH_THING = "zabd has no such thing"
ABSENT = {
    r"(.*_)?(om|learner_request_processor|commit_process?or|commitproc|commit_proc|session_queue)"
    r"(_.*)?": JAVA_STAGES,
    r".*(_commit_proc|_session_queues?|_commitproc|_final_proc|_in_commit_processor)(_.*)?": JAVA_STAGES,
    r"(\w+_)?(prep_processor|sync_processor_queue|pending_session_queue|session_queues)_.*": JAVA_STAGES,
    r"sync_processor_request_queued|request_commit_queued|outstanding_changes_\w+": JAVA_STAGES,
    r"(requests_not_forwarded|skip_learner_request)_to_\w+": JAVA_STAGES,
    r"(\w+_)?(local|server)_write_committed_time_ms": JAVA_STAGES,
    r"(\w+_)?(request_throttle_queue_time_ms|proposal_process_time)": JAVA_STAGES,
    r"(\w+_)?proposal_ack_creation_latency": JAVA_STAGES,
    r"(\w+_)?close_session_prep_time": JAVA_STAGES,
    r"response_packet_\w*cache_\w+": "replies are not cached",
    r"(\w+_)?(dead_watcher\w*|add_dead_watcher_stall_time)": "dead watches are not left lying",
    r"(\w+_)?jvm_pause_time_ms|(\w+_)?netty_\w+|java\..*": NO_SUCH_THING + ": Java",
    r"(\w+_)?socket_closing_time": "closing a socket does not block",
    r"(\w+_)?inflight_(snap|diff)_count|watch_bytes": NO_SUCH_THING,
    r"ensemble_auth_\w+|quit_leading_due_to_disloyal_voter|stale_replies": NO_SUCH_THING,
    r"non_mtls_?\w+|insecure_admin_count|outstanding_tls_handshake|tls_handshake_exceeded"
    r"|unsuccessful_handshake": "not measured yet: TLS",
    r"connection_drop_probability|(\w+_)?connection_token_deficit": "not measured yet: throttles",
    r"(\w+_)?(startup_txns_load_time|startup_snap_load_time)": "dbinittime is both",
    r"(avg|min|max|cnt|sum)_unavailable_time": "leader_unavailable_time is the same in zabd",
    r"\w+_(read|write)_per_namespace": "a name per top-level znode has no bound",
}

WORDS = "ruok isro srvr stat cons conf envi dirs dump wchs wchc wchp hash gtmk crst srst".split()
COMMANDS = (
    "configuration connection_stat_reset connections dirs dump environment get_trace_mask hash "
    "initial_configuration is_read_only last_snapshot leader monitor observers "
    "observer_connection_stat_reset ruok server_stats set_trace_mask stat_reset stats "
    "voting_view watch_summary watches watches_by_path zabstate nonsense"
).split()


def is_absent(key):
    return any(re.fullmatch(pattern, key) for pattern in ABSENT)


class WithAdminServer(Server):
    """zabd, or ZooKeeper with the servlet library that Debian's start script leaves out."""

    def __init__(self, kind):
        self.http_port = free_port()
        self.metrics_port = free_port()
        super().__init__(kind=kind)
        lines = [
            line
            for line in self.config.read_text().splitlines()
            if not line.startswith(("admin.", "4lw."))
        ]
        lines += [
            "4lw.commands.whitelist=*",
            "admin.enableServer=true",
            "admin.serverAddress=127.0.0.1",
            f"admin.serverPort={self.http_port}",
        ]
        if kind == "zabd":
            lines += [
                f"metricsProvider.className={PROVIDER}",
                "metricsProvider.httpHost=127.0.0.1",
                f"metricsProvider.httpPort={self.metrics_port}",
            ]
        self.config.write_text("\n".join(lines) + "\n")

    def command(self):
        command = super().command()
        if self.kind == "zookeeper":
            with_servlets = JAVA_CLASS_PATH + ":/usr/share/java/servlet-api.jar"
            command[command.index(JAVA_CLASS_PATH)] = with_servlets
        return command

    def word(self, word):
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(word)
            answer = b""
            while piece := connection.recv(1 << 16):
                answer += piece
            return answer.decode()

    def get(self, path, port=None, method="GET"):
        url = f"http://127.0.0.1:{port or self.http_port}{path}"
        request = urllib.request.Request(url, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, reply.headers, reply.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.headers, refused.read().decode()

    def ask(self, command):
        return json.loads(self.get(f"/commands/{command}")[2])


def shape_of(line):
    """The line with every number, address, path and date replaced by what it is."""
    line = re.sub(r"\w{3} \w{3} +\d+ \d+:\d+:\d+ \w+ \d{4}", "DATE", line)
    line = re.sub(r"^(Zookeeper version: |zookeeper\.version=).*", r"\1VERSION", line)
    line = re.sub(r"0x[0-9a-f]+", "HEX", line)
    line = re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", line)
    line = re.sub(r"lop=\w+", "lop=OP", line)
    line = re.sub(r"((?:dataDir|dataLogDir|user\.\w+|host\.name|os\.\w+)=).*", r"\1TEXT", line)
    line = re.sub(r"-?\d+\.\d+", "FRACTION", line)
    return re.sub(r"-?\d+(MB)?", "NUMBER", line)


class Operators(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.servers = {}
        for kind in ("zookeeper", "zabd"):
            server = WithAdminServer(kind)
            cls.addClassCleanup(server.remove)
            server.start()
            client = KazooClient(server.hosts, timeout=30)
            client.start()
            cls.addClassCleanup(client.stop)
            client.create("/a", b"data", ephemeral=True)
            client.get("/a", watch=print)
            client.exists("/absent", watch=print)
            cls.servers[kind] = server
        cls.zookeeper, cls.zabd = cls.servers["zookeeper"], cls.servers["zabd"]

    def test_every_line_of_every_word(self):
        for word in WORDS:
            with self.subTest(word):
                theirs, ours = (
                    {
                        shape_of(line)
                        for line in server.word(word.encode()).split("\n")
                        if not is_absent(line.split("=")[0])
                    }
                    for server in (self.zookeeper, self.zabd)
                )
                self.assertEqual(theirs - ours, set())

    def test_words_that_answer_one_thing_answer_the_same(self):
        for word in (b"ruok", b"isro", b"gtmk", b"crst", b"srst", b"wchs"):
            self.assertEqual(self.zabd.word(word), self.zookeeper.word(word), word)
        for mask in (b"stmk\0\0\0\0\0\0\0\x02", b"stmk\0\0\0\0\0\0\x01\x32"):
            self.assertEqual(self.zabd.word(mask), self.zookeeper.word(mask))

    def test_every_key_of_mntr(self):
        def keys(server):
            lines = server.word(b"mntr").splitlines()
            return {key[3:]: shape_of(value) for key, value in (x.split("\t") for x in lines)}

        theirs, ours = keys(self.zookeeper), keys(self.zabd)
        missing = {key for key in theirs if key not in ours and not is_absent(key)}
        self.assertEqual(missing, set())
        useless = {key for key in ours if is_absent(key)}
        self.assertEqual(useless, set(), "listed as absent, and there")
        different = {key for key in theirs.keys() & ours.keys() if theirs[key] != ours[key]}
        self.assertEqual(different - {"version"}, set())

    def test_latencies_are_measured(self):
        client = KazooClient(self.zabd.hosts)
        client.start()
        client.create("/b")
        for _ in range(50):
            client.set("/b", b"")
        self.zabd.word(b"srst")
        for _ in range(50):
            client.set("/b", b"")
        client.get("/")
        client.stop()
        lines = dict(x.split("\t") for x in self.zabd.word(b"mntr").splitlines())
        self.assertGreaterEqual(int(lines["zk_cnt_updatelatency"]), 50)
        self.assertGreaterEqual(int(lines["zk_cnt_readlatency"]), 1)
        self.assertGreater(float(lines["zk_avg_updatelatency"]), 0)
        self.assertGreaterEqual(int(lines["zk_cnt_quorum_ack_latency"]), 50)
        self.assertRegex(self.zabd.word(b"srvr"), r"Latency min/avg/max: \d+/0\.\d*[1-9]\d*/\d+|/[1-9]")

    def check_keys(self, theirs, ours, where):
        if isinstance(theirs, dict) and isinstance(ours, dict):
            for key, value in theirs.items():
                if re.fullmatch(r"-?\d+|/.*", key) or is_absent(key):
                    continue
                self.assertIn(key, ours, where)
                self.check_keys(value, ours[key], f"{where}.{key}")
        elif isinstance(theirs, list) and theirs:
            self.assertTrue(ours, where)
            self.check_keys(theirs[0], ours[0], where)
        else:
            self.assertEqual(type(theirs), type(ours), where)

    def test_every_key_of_every_command(self):
        for command in COMMANDS:
            with self.subTest(command):
                self.check_keys(self.zookeeper.ask(command), self.zabd.ask(command), command)

    def test_the_index_has_the_same_commands(self):
        theirs, ours = (
            set(re.findall(r'href="([^"]+)"', server.get("/commands")[2]))
            for server in (self.zookeeper, self.zabd)
        )
        self.assertEqual(theirs - ours, set())

    def test_what_is_no_command_is_refused(self):
        self.assertEqual(self.zabd.get("/")[0], 404)
        self.assertEqual(self.zabd.get("/commands/ruok", method="DELETE")[0], 405)
        self.assertEqual(self.zabd.get("/commands/ruok", method="POST")[0], 200)
        self.assertEqual(self.zabd.get("/commands/ruok?" + "x" * 20_000)[0], 413)
        with socket.create_connection(("127.0.0.1", self.zabd.http_port), timeout=60) as stranger:
            stranger.sendall(b"\0\xff nonsense\r\n\r\n")
            self.assertEqual(stranger.recv(100), b"")
        self.assertEqual(self.zabd.ask("ruok")["error"], None)

    def test_the_initial_configuration_is_the_file(self):
        self.assertEqual(
            self.zabd.ask("icfg")["initial_configuration"], self.zabd.config.read_text()
        )


SAMPLE = re.compile(r'([a-z_][a-z0-9_]*)(\{quantile="([0-9.]+)"\})? (-?[0-9.e+-]+|NaN)')


def parse_exposition(text, test):
    """The metrics by name, after checking all that the format demands (version 0.0.4)."""
    types, samples, current = {}, {}, None
    test.assertTrue(text.endswith("\n"))
    for line in text.splitlines():
        if line.startswith("# HELP "):
            current = line.split(" ", 3)[2]
            test.assertNotIn(current, types, "each metric comes once")
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            test.assertEqual(name, current)
            test.assertIn(kind, ("counter", "gauge", "summary"))
            types[name] = kind
        else:
            match = SAMPLE.fullmatch(line)
            test.assertIsNotNone(match, line)
            name, _, quantile, value = match.groups()
            is_sum = types[current] == "summary" and quantile is None
            family = re.sub("_(sum|count)$", "", name) if is_sum else name
            test.assertEqual(family, current, line)
            test.assertEqual(quantile is not None, types[current] == "summary" and name == family)
            key = (name, quantile)
            test.assertNotIn(key, samples)
            samples[key] = float(value)
    return types, samples


class Prometheus(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.zabd = WithAdminServer("zabd")
        cls.addClassCleanup(cls.zabd.remove)
        cls.zabd.start()

    def test_the_metrics_are_in_its_format(self):
        status, headers, text = self.zabd.get("/metrics", port=self.zabd.metrics_port)
        self.assertEqual(status, 200)
        self.assertEqual(headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        types, samples = parse_exposition(text, self)
        self.assertEqual(samples["znode_count", None], 4)
        self.assertEqual(types["packets_received"], "gauge")
        self.assertEqual(types["connection_request_count"], "counter")
        self.assertEqual(types["updatelatency"], "summary")
        self.assertGreater(samples["updatelatency_count", None], 0)
        self.assertIn(("readlatency", "0.99"), samples)

    def test_only_the_metrics_are_there(self):
        self.assertEqual(self.zabd.get("/", port=self.zabd.metrics_port)[0], 404)


class WordsOfZabd(unittest.TestCase):
    def test_without_a_majority_few_words_are_answered(self):
        members = [f"server.{n}=127.0.0.1:{free_port()}" for n in (1, 2, 3)]
        server = Server("zabd", settings=[*members, "4lw.commands.whitelist=*"])
        self.addCleanup(server.remove)
        (server.directory / "data/myid").write_text("1\n")
        server.launch()
        word = WithAdminServer.word

        def is_up():
            try:
                return word(server, b"ruok") == "imok"
            except OSError:
                self.assertIsNone(server.process.poll(), "it has ended")
                return False

        wait_until(is_up, "the server answers", seconds=60)
        self.assertEqual(word(server, b"isro"), "null")
        self.assertEqual(
            word(server, b"mntr"), "This ZooKeeper instance is not currently serving requests\n"
        )
        self.assertEqual(word(server, b"gtmk"), "306")


if __name__ == "__main__":
    unittest.main()
