"""A network that is bad at keeping together what belongs together."""

import select
import socket
import threading

PAUSE_SECONDS = 0.003
KEPT_BACK_BYTES = 3


class Relay:
    """Passes on what clients and a server on a port say to each other; the end of all that the server
    has said at once comes some time after the rest."""

    def __init__(self, port):
        self.server_port = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.begin(self.accept)

    def begin(self, work, *arguments):
        threading.Thread(target=work, args=arguments, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return  # It is closed.
            server = socket.create_connection(("127.0.0.1", self.server_port))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.begin(self.copy, client, server, 0)
            self.begin(self.copy, server, client, KEPT_BACK_BYTES)

    @staticmethod
    def copy(source, sink, kept_back):
        try:
            while said := source.recv(1 << 16):
                begin = max(0, len(said) - kept_back)
                sink.sendall(said[:begin])
                if kept_back:
                    select.select([], [], [], PAUSE_SECONDS)
                sink.sendall(said[begin:])
        except OSError:
            pass  # Either has ended.
        for end in (source, sink):
            end.close()

    def close(self):
        self.listener.close()
