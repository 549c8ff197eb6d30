"""Packaging; tool settings are in pyproject.toml."""

from pathlib import Path
from runpy import run_path

from setuptools import find_namespace_packages, setup

HERE = Path(__file__).parent

WORKER = ["python-socketio[client]>=5.16.2", "python-engineio>=4.13.2"]
"""What main.py imports."""

TEST = [
    *WORKER,
    "coverage>=7.10",
    "duckdb>=1.4",
    "hypothesis>=6.100",
    "jsonschema>=4.20",
    "mypy>=1.15",
    "openapi-spec-validator>=0.7",
    "pandas>=2.2",
    "playwright>=1.49",
    "polars>=1.30",
    "ruff>=0.12",
    "setuptools>=77",
    "types-psutil",
]

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
    packages=find_namespace_packages(include=["gateway", "gateway.*", "twisted.plugins"]),
    package_data={"gateway": ["py.typed"], "gateway.web": ["static/*"]},
    install_requires=[
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
    ],
    extras_require={
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
        "Typing :: Typed",
    ],
)
