"""Builds the image and runs it: `python -m tests.image`.  Says what it saw.

Ends with `SKIPPED` where this machine can't show it, and says why.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.__main__ import SKIPPED
from tests.deploy.running import until
from tests.image.building import (
    NAME,
    Buildah,
    Missing,
    base_name,
    build,
    fetch_wheels,
    get_base,
    needed,
    python_of,
)
from tests.image.container import NAMESPACES, Container
from tests.image.machine import Machine, first_hour
from tests.patience import PATIENCE
from tests.release import building as archives
from tests.release.building import ROOT
from tests.release.installed import version_before

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_ADDED = 150_000_000
"""Bytes of files that the image may have more than its base."""
WORKER = """
import time
print("worker up", flush=True)
try:
    time.sleep(600)
except KeyboardInterrupt:
    time.sleep(1)
    print("logged out", flush=True)
"""
USER = "10001"
STATE = "/var/lib/sjgateway"
READ_ONLY = ("/app", "/venv", "/")


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        try:
            check(Path(folder))
        except Missing as missing:
            print(missing)
            return SKIPPED
    return 0


def check(folder: Path) -> None:
    """Try the wheel on its base, build it in `folder`, and run two containers of it."""
    allowed = subprocess.run([needed("unshare"), *NAMESPACES, "true"], check=False)
    if os.geteuid() or allowed.returncode:
        raise Missing("root is needed, and a kernel that lets it make namespaces and mounts")
    buildah = Buildah(folder / "storage")
    worker = folder / "main.py"
    worker.write_text(WORKER)
    try:
        print(f"base: {get_base(buildah, folder)}", flush=True)
        ours, wheels = archives.build(folder / "ours"), folder / "wheels"
        fetch_wheels(python_of(buildah, base_name()), ours.wheel, wheels)
        (desk := folder / "empty").mkdir()
        machine = Machine(desk, buildah.files(base_name()), wheels)
        before, code = version_before(folder / "before")
        for saw in first_hour(machine, ours, before):
            print(f"a machine with Python only: {saw}", flush=True)
        print(f"the version before: {code}", flush=True)
        build(buildah, wheels)
        config = buildah.config(NAME)
        print(f"image: {told(config)}; {size(buildah)}", flush=True)
        for run, mounted in ((demonstration, {}), (own_worker, {"/app/main.py": worker})):
            volume = folder / run.__name__
            volume.mkdir()
            with ended(Container(buildah.files(NAME), volume, config, mounted)) as container:
                print(f"{run.__name__.replace('_', ' ')}: {run(container)}", flush=True)
    finally:
        buildah("rm", "--all")


def told(config: dict[str, Any]) -> str:
    """What the image says of itself."""
    assert config["User"] == USER, config["User"]
    assert config["StopSignal"] == "SIGTERM", config
    assert config["Healthcheck"]["Test"][0] == "CMD", config
    assert list(config["Volumes"]) == [STATE], config
    return f"user {USER}, a health check"


def size(buildah: Buildah) -> str:
    """How much it adds to its base."""
    whole = buildah.size(NAME)
    added = whole - buildah.size(base_name())
    assert added < MAX_ADDED, f"{added:,} bytes more than its base"
    return f"{whole / 1e6:.0f} MB, {added / 1e6:.0f} of them more than its base"


def demonstration(container: Container) -> str:
    """The worker that comes with it, and its page; nothing can be written but state."""
    container.start("--demo")
    container.read_to("demonstration feed")
    page = f"http://127.0.0.1:{container.port}/"
    with urllib.request.urlopen(page, timeout=PATIENCE) as answer:
        assert answer.status == 200, answer.status
    assert shutil.which("gcc", path=str(container.root / "usr/bin")) is None
    assert not (container.root / "src").exists()
    process = process_one(container)
    probe = container.config["Healthcheck"]["Test"][1:]
    until(lambda: container.inside(*probe).returncode == 0)
    for place in READ_ONLY:
        refused = container.inside("touch", f"{place}/new")
        assert "Read-only file system" in refused.stdout, f"{place}: {refused.stdout}"
    written = container.inside("touch", f"{STATE}/new")
    assert written.returncode == 0, written.stdout
    return f"{process}, healthy, root read-only; {stopped(container)}"


def own_worker(container: Container) -> str:
    """A worker that is mounted in the place of that one, and needs a second to log out."""
    container.start()
    container.read_to("worker up")
    said = stopped(container)
    container.read_to("logged out")
    return f"{said}, after its worker had logged out"


def process_one(container: Container) -> str:
    """Whom the kernel takes its first process for."""
    status = Path(f"/proc/{container.gateway}/status").read_text("utf-8")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["NSpid"].split()[-1] == "1", fields["NSpid"]
    assert set(fields["Uid"].split()) == {USER}, fields["Uid"]
    assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0, fields
    return f"process 1 of user {USER} without privileges"


def stopped(container: Container) -> str:
    """It ends by SIGTERM, within the time that compose.yaml gives it."""
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))
    grace = int(compose["services"]["sjgateway"]["stop_grace_period"].removesuffix("s"))
    status, seconds = container.stop()
    assert status == 0, f"{status}:\n{''.join(container.said)}"
    assert seconds < grace, seconds
    return f"stopped in {seconds:.1f} s"


@contextmanager
def ended(container: Container) -> Iterator[Container]:
    try:
        yield container
    finally:
        container.kill()


if __name__ == "__main__":
    sys.exit(main())
