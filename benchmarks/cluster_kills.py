"""`python -m benchmarks.cluster_kills [--rounds N] [--clients N] [--rate R]`: kill -9 of gateways.

Two gateways with one log behind nginx have all the clients, stock ones in a process of Node.js; a
third one has the publisher.  Each round kills the gateway that has the clients and starts it
again when they are at the other.  Printed are, for each round, how many came back as who they
were, what they lost and heard twice, and how long they heard nothing.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import psutil

from benchmarks.client import Client, frame, raise_descriptor_limit
from benchmarks.cluster_site import member, redis
from benchmarks.command import command
from benchmarks.crowd import Crowd, judged
from benchmarks.server import free_port, process

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OK = 200
NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/t; proxy_temp_path {folder}/t; fastcgi_temp_path {folder}/t;
    uwsgi_temp_path {folder}/t; scgi_temp_path {folder}/t;
    upstream g1 {{ server 127.0.0.1:{g1}; }}
    upstream g2 {{ server 127.0.0.1:{g2}; }}
    upstream any {{
        server 127.0.0.1:{g1} max_fails=0;
        server 127.0.0.1:{g2} max_fails=0 backup;
    }}
    map $arg_sid $of {{ default any; "~^g1\\." g1; "~^g2\\." g2; }}
    map $http_upgrade $upgraded {{ default upgrade; "" ""; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://$of;
            proxy_http_version 1.1;
            proxy_set_header Host localhost;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $upgraded;
            proxy_buffering off;
            proxy_read_timeout 120s;
            proxy_connect_timeout 2s;
        }}
    }}
}}
"""


class Publisher(threading.Thread):
    """Sends `tick` events with growing numbers at a rate until it is ended."""

    def __init__(self, port: int, rate: float) -> None:
        super().__init__(daemon=True)
        self._client = Client(port)
        self._rate = rate
        self._is_over = threading.Event()

    def run(self) -> None:
        sent, start = 0, time.monotonic()
        while not self._is_over.wait(0.004):
            while sent < (time.monotonic() - start) * self._rate:
                self._client.socket.send(
                    frame(b'42["tick",{"code":"C%d","seq":%d}]' % (sent, sent))
                )
                sent += 1
            self._client.read()

    def end(self) -> None:
        """Send nothing any more."""
        self._is_over.set()
        self.join()


class Gateway:
    """One of the cluster, which can be killed and started again."""

    def __init__(self, number: int, store: int, folder: Path) -> None:
        self.port = free_port()
        options = (
            f"--port={self.port}",
            "--no-worker",
            *member(number, store, folder),
            "--trusted-proxies=127.0.0.1",
            "--max-connections-per-address=10000",
        )
        self._command = [sys.executable, "-m", "twisted", "sjgateway", *options]
        self._stack = ExitStack()
        self.start()

    def start(self) -> None:
        """Start it; its port is open a while before it answers."""
        self.pid = self._stack.enter_context(process(self._command, self.port))
        url = f"http://127.0.0.1:{self.port}/readyz"
        while True:
            with suppress(OSError), urlopen(url, timeout=30) as answer:
                if answer.status == OK:
                    return
            time.sleep(0.1)

    def kill(self) -> None:
        """End it as a crash does."""
        os.kill(self.pid, signal.SIGKILL)
        with suppress(psutil.NoSuchProcess):
            psutil.Process(self.pid).wait(10)

    def close(self) -> None:
        self._stack.close()


@contextmanager
def nginx(ports: Sequence[int], folder: Path) -> Iterator[int]:
    """The port of an nginx before the gateways at `ports`, of which the first is preferred."""
    port = free_port()
    text = NGINX.format(folder=folder, g1=ports[0], g2=ports[1], port=port)
    (folder / "nginx.conf").write_text(text)
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"
    command = [program, "-c", f"{folder}/nginx.conf", "-e", f"{folder}/error.log"]
    with process(command, port):
        yield port


def run(rounds: int, clients: int, rate: float) -> int:
    """Print each round; returns how many were not as promised."""
    wrong = 0
    with ExitStack() as stack:
        store = stack.enter_context(redis())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "key").write_text(secrets.token_hex(32))
        gateways = [Gateway(number, store.port, folder) for number in (1, 2, 3)]
        for each in gateways:
            stack.callback(each.close)
        port = stack.enter_context(nginx([each.port for each in gateways[:2]], folder))
        publisher = Publisher(gateways[2].port, rate)
        crowd = Crowd(f"http://127.0.0.1:{port}", clients, recovering=True)
        stack.callback(crowd.close)
        publisher.start()
        stack.callback(publisher.end)
        time.sleep(3)
        here = 0
        recovered = sum(each["recovered"] for each in crowd.settled())
        for number in range(1, rounds + 1):
            crowd.mark()
            end = time.time()
            gateways[here].kill()
            seen = judged(crowd.settled(), end)
            before, recovered = recovered, sum(each.recovered for each in seen)
            lost, doubled = sum(each.lost for each in seen), sum(each.doubled for each in seen)
            slowest = max(seen, key=lambda each: each.silence)
            wrong += bool(lost or doubled or recovered - before != clients)
            print(
                f"{number}: {recovered - before} of {clients} recovered, {lost} lost,"
                f" {doubled} twice, silence {slowest.silence:.2f} s ({slowest.course}),"
                f" load {psutil.getloadavg()[0]:.0f}",
                flush=True,
            )
            gateways[here].start()
            here = 1 - here
    return wrong


def main(arguments: Sequence[str]) -> int:
    """Run it; the exit status is 1 if something was not as promised."""
    parser = command("cluster_kills", __doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--rate", type=float, default=200)
    given = parser.parse_args(arguments)
    raise_descriptor_limit()
    return int(bool(run(given.rounds, given.clients, given.rate)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
