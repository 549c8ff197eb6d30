"""What must be true of the archive of the sources and of the wheel.

Each check returns what it saw, and raises `Wrong`.
"""

from __future__ import annotations

import re
import sys
import tarfile
import zipfile

from gateway import __version__
from tests.release.building import ROOT, Built, build, expect, run, tracked

NOT_PACKED = (".gitignore", ".github/")
ADDED = re.compile(r"PKG-INFO|setup\.cfg|sjgateway\.egg-info/.*")
"""What setuptools adds to the sources."""
NEEDED = ("gateway/py.typed", "gateway/web/static/index.html")
SHARED = ("main.py", "docs/options.md", "docs/deployment.zh-TW.md", "deploy/sjgateway.service")
"""What is found in `share/sjgateway` of an installation, among others."""


def version(built: Built, tag: str | None) -> str:
    """One version everywhere, and a changelog that knows it."""
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    parts = re.findall(r"^## \[(.*?)\]", changes, re.MULTILINE)
    expect(parts[0] == "Unreleased", "CHANGELOG.md does not begin with [Unreleased]")
    expect("### Upgrading" in changes, "CHANGELOG.md has no part `Upgrading`")
    for archive in (built.sdist, built.wheel):
        expect(archive.name.startswith(f"sjgateway-{__version__}"), f"{archive.name}: the version")
    if tag is not None:
        expect(tag == f"v{__version__}", f"the tag {tag} is not v{__version__}")
        expect(__version__ in parts, f"CHANGELOG.md has no part [{__version__}]")
    return __version__


def contents(built: Built, _: str | None) -> str:
    """All that Git knows is in the sources, all of the gateway is in the wheel, and no more."""
    wanted = {name for name in tracked() if not name.startswith(NOT_PACKED)}
    with tarfile.open(built.sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    _compare("the sources", {name for name in packed if not ADDED.fullmatch(name)}, wanted)
    with zipfile.ZipFile(built.wheel) as wheel:
        installed = set(wheel.namelist())
    data, about = (f"sjgateway-{__version__}.{kind}/" for kind in ("data", "dist-info"))
    code = {name for name in installed if not name.startswith((data, about))}
    _compare("the wheel", code, {n for n in wanted if n.startswith(("gateway/", "twisted/"))})
    shared = [f"{data}data/share/sjgateway/{name}" for name in SHARED]
    for name in (*NEEDED, f"{about}licenses/LICENSE", *shared):
        expect(name in installed, f"the wheel has no {name}")
    return f"{len(packed)} files in the sources, {len(installed)} in the wheel"


def _compare(what: str, found: set[str], wanted: set[str]) -> None:
    expect(found == wanted, f"{what}: lack {wanted - found}, have also {found - wanted}")


def same_bytes(built: Built, _: str | None) -> str:
    """Built again, in another folder and later, they are the same."""
    again = build(built.folder / "again")
    for one, other in ((built.sdist, again.sdist), (built.wheel, again.wheel)):
        expect(one.read_bytes() == other.read_bytes(), f"{one.name} differs from build to build")
    return f"{built.sdist.stat().st_size:,} and {built.wheel.stat().st_size:,} bytes"


def metadata(built: Built, _: str | None) -> str:
    """The registry of packages takes their texts."""
    checked = [str(built.sdist), str(built.wheel)]
    run([sys.executable, "-m", "twine", "check", "--strict", *checked], built.folder)
    return "twine check --strict found nothing"
