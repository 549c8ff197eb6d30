"""A container as an engine would run it: process 1, its user, a read-only root, no privileges.

The network is the machine's, so that nothing has to be published.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from tests.image.building import needed
from tests.patience import PATIENCE
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMESPACES = ("--pid", "--mount", "--ipc", "--fork", "--kill-child")
"""Its own, so that all that is mounted goes with it."""
NOTHING = ("--no-new-privs", "--bounding-set=-all", "--inh-caps=-all")
"""The privileges that compose.yaml leaves it."""


@dataclass
class Container:
    """One container of an image whose files are at `root`, with a folder for its volume."""

    root: Path
    volume: Path
    config: dict[str, Any]
    mounted: dict[str, Path] = field(default_factory=dict)
    """Files of this machine that it sees, by the place where it sees them."""
    port: int = field(default_factory=free_port)
    said: list[str] = field(default_factory=list)
    """What its log has so far, in lines."""

    def start(self, *options: str) -> None:
        os.chown(self.volume, int(self.user), int(self.user))
        (self.root / "etc/hosts").touch()  # every engine has one there, for `localhost`
        command = [*self.config["Entrypoint"], *options]
        started = ["chroot", str(self.root), "env", f"--chdir={self.config['WorkingDir']}"]
        last = shlex.join([*started, *self.unprivileged(), *command])
        script = "\n".join(["set -e", *self.mounts(), f"exec {last}"])
        self._process = subprocess.Popen(
            [needed("unshare"), *NAMESPACES, "sh", "-c", script],
            env=self.variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def mounts(self) -> Iterator[str]:
        """Commands of a shell: the root can't be written, the volume and /tmp can."""
        root = shlex.quote(str(self.root))
        (volume,) = self.config["Volumes"]
        yield f"mount --bind {root} {root} && mount -o remount,bind,ro {root}"
        yield f"mount --bind {shlex.quote(str(self.volume))} {root}{volume}"
        for place, path in {"/etc/hosts": Path("/etc/hosts"), **self.mounted}.items():
            yield f"mount --bind -o ro {shlex.quote(str(path))} {root}{place}"
        yield f"mount -t tmpfs tmpfs {root}/tmp"
        yield f"mount -t proc proc {root}/proc"
        yield f"mount --bind /dev {root}/dev"

    @property
    def user(self) -> str:
        return str(self.config["User"])

    def unprivileged(self) -> list[str]:
        """What a command that root starts there begins with."""
        return [
            "setpriv",
            f"--reuid={self.user}",
            f"--regid={self.user}",
            "--clear-groups",
            *NOTHING,
        ]

    def variables(self) -> dict[str, str]:
        given: dict[str, str] = dict(each.split("=", 1) for each in self.config["Env"])
        return given | {"PORT": str(self.port)}

    @property
    def gateway(self) -> int:
        """Its process 1, by the number that it has on this machine."""
        (gateway,) = psutil.Process(self._process.pid).children()
        return gateway.pid

    def inside(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as `docker exec` does."""
        enter = [needed("nsenter"), f"--target={self.gateway}", "--pid", "--mount"]
        return subprocess.run(
            [*enter, "chroot", str(self.root), *self.unprivileged(), *command],
            env=self.variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def read_to(self, words: str) -> None:
        """Read its log until a line has `words`."""
        assert self._process.stdout is not None
        late = threading.Timer(PATIENCE, self._process.kill)
        late.start()
        try:
            for line in self._process.stdout:
                self.said.append(line)
                if words in line:
                    return
        finally:
            late.cancel()
        raise AssertionError(f"{words!r} was not said:\n{''.join(self.said)}")

    def stop(self) -> tuple[int, float]:
        """As `docker stop`: its status, and the seconds that it took."""
        began = time.monotonic()
        os.kill(self.gateway, signal.SIGTERM)
        status = self._process.wait(PATIENCE)
        return status, time.monotonic() - began

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
