"""A Redis (or Valkey) that a test starts, kills and starts again, and a proxy before it."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory, Protocol

from gateway.cluster.address import Address
from gateway.cluster.blocking import ask, connected, info
from gateway.cluster.scripts import Names
from tests.deploy.programs import require
from tests.patience import PATIENCE
from tests.ports import free_port

STORE = "SJGATEWAY_TEST_STORE"
"""The variable that names another program than redis-server."""
PASSWORD = "a password of the test"


class RedisServer:
    """Debian's redis-server on a port of its own, with what it was told on the disk."""

    def __init__(self, *options: str, folder: Path | None = None) -> None:
        program = os.environ.get(STORE) or require("redis-server", "redis-server")
        self.folder = folder or Path(tempfile.mkdtemp(prefix="redis-"))
        self.port = free_port()
        self.socket = self.folder / "redis.sock"
        self._command = [
            program,
            *("--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", str(self.socket)),
            *("--dir", str(self.folder), "--save", "", "--appendonly", "yes", *options),
        ]
        self._password = PASSWORD if "--requirepass" in options else ""
        self.url = f"redis://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                if self.ask("PING") == b"+PONG":
                    return
            except OSError:
                pass
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.01)

    def ask(self, *command: str) -> bytes:
        """The first line of the answer to a command."""
        given = [("AUTH", self._password)] if self._password else []
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            for each in (*given, command):
                text = b"".join(b"$%d\r\n%b\r\n" % (len(word), word.encode()) for word in each)
                connection.sendall(b"*%d\r\n%b" % (len(each), text))
            with connection.makefile("rb") as answers:
                for _ in given:
                    answers.readline()
                return answers.readline().rstrip()

    def vacate(self, cluster: str = "default") -> None:
        """As if the last gateway of the cluster had ended: nobody waits for a whole lease."""
        address = Address(host="127.0.0.1", port=self.port, password=self._password)
        with connected(address) as stream:
            fields = ("holder", "", "token", "6", "beat", "1", "lasts", "0")
            run = info(stream, "server")["run_id"]
            ask(stream, "HSET", Names(cluster).lease, *fields, "run", run)

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it as a crash does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        self.kill()
        self.start()

    def ended(self) -> str | None:
        """How it ended; None: it runs."""
        assert self.process is not None
        return None if self.process.poll() is None else (self.folder / "log").read_text()

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.folder)


class _Passing(Protocol):
    """One side of a connection through the proxy."""

    def __init__(self, proxy: "Proxy", other: "_Passing | None" = None) -> None:
        self.proxy = proxy
        self.other = other
        self.early: list[bytes] = []

    def connectionMade(self):
        self.proxy.ends.append(self)
        if self.other is None:
            factory = Factory.forProtocol(lambda: _Passing(self.proxy, self))
            factory.noisy = False
            connecting = self.proxy.connect(factory)
            connecting.addErrback(lambda _: self.transport.abortConnection())
        else:
            self.other.other = self
            for data in self.other.early:
                self.dataReceivedFrom(data)

    def dataReceived(self, data):
        if self.other is None:
            self.early.append(data)
        else:
            self.other.dataReceivedFrom(data)

    def dataReceivedFrom(self, data):
        if self.proxy.holds:
            return
        if self.proxy.left is not None:
            data = data[: self.proxy.left]
            self.proxy.left -= len(data)
        self.transport.write(data)
        if self.proxy.left == 0:
            self.transport.loseConnection()

    def connectionLost(self, reason):
        if self in self.proxy.ends:
            self.proxy.ends.remove(self)
        if self.other is not None and self.other.transport is not None:
            self.other.transport.loseConnection()


class Proxy:
    """Passes on what clients and the server at `port` say.

    `holds`: it is swallowed.  `left`: after so many bytes, of both together, everything is cut.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self.ends: list[_Passing] = []
        self.holds = False
        self.left: int | None = None
        factory = Factory.forProtocol(lambda: _Passing(self))
        factory.noisy = False
        self._listening = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.port = self._listening.getHost().port
        self.url = f"redis://127.0.0.1:{self.port}"

    def connect(self, factory):
        return TCP4ClientEndpoint(reactor, "127.0.0.1", self._to).connect(factory)

    def cut(self) -> None:
        """End all connections."""
        for end in list(self.ends):
            end.transport.abortConnection()

    def close(self):
        self.cut()
        return self._listening.stopListening()
