"""A Redis and gateways of one cluster, or other servers that share it, for a measurement."""

from __future__ import annotations

import os
import secrets
import shlex
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from benchmarks.server import Server, free_port, gateway, process, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    Start = Callable[[], AbstractContextManager["Site"]]


@attrs.frozen
class Site:
    """Servers that tell their clients the same; `store` is what they share, None: nothing."""

    servers: list[Server]
    store: Server | None = None

    @property
    def ports(self) -> list[int]:
        """Of the servers for clients."""
        return [each.port for each in self.servers]

    @property
    def all(self) -> list[Server]:
        """Those for clients, and the store."""
        return self.servers if self.store is None else [*self.servers, self.store]


@contextmanager
def redis() -> Iterator[Server]:
    """A Redis that writes what it is told to the disk, as docs/cluster.md asks."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        options = f"--port {port} --bind 127.0.0.1 --save '' --appendonly yes --dir {folder}"
        command = ["redis-server", *shlex.split(options)]
        with process(command, port, dict(os.environ)) as pid:
            yield Server(port, pid, "Redis")


def member(number: int, store: int, folder: Path) -> tuple[str, ...]:
    """The options of a gateway of the cluster at the Redis `store`; its key is in `folder`."""
    return (
        f"--cluster=redis://127.0.0.1:{store}",
        f"--cluster-key-file={folder}/key",
        f"--gateway-name=g{number}",
        f"--state-dir={folder}/{number}",
    )


@contextmanager
def cluster(count: int) -> Iterator[Site]:
    """`count` gateways with one Redis."""
    with ExitStack() as stack:
        store = stack.enter_context(redis())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "key").write_text(secrets.token_hex(32))
        servers = [
            stack.enter_context(running(*member(number, store.port, folder)))
            for number in range(1, count + 1)
        ]
        yield Site(servers, store)


@contextmanager
def peers(count: int, command: str) -> Iterator[Site]:
    """`count` servers by `command`, where PORT is the port of each, and REDIS that of the store."""
    with ExitStack() as stack:
        store = stack.enter_context(redis())
        servers = []
        for _ in range(count):
            port = free_port()
            words = command.replace("PORT", str(port)).replace("REDIS", str(store.port))
            started = process(shlex.split(words), port, dict(os.environ))
            servers.append(Server(port, stack.enter_context(started)))
        yield Site(servers, store)


@contextmanager
def alone() -> Iterator[Site]:
    """One gateway that is in no cluster."""
    with gateway() as server:
        yield Site([server])
