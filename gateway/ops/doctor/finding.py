"""What a check found: how bad it is, what it is about, and what to do about it."""

from __future__ import annotations

from enum import Enum

from attrs import frozen


class Level(Enum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    """The gateway starts, but perhaps not as it was meant to."""
    FAIL = "fail"
    """The gateway, or its worker, does not start."""


@frozen
class Finding:
    """One line of `--check`.  Holds no secret."""

    level: Level
    topic: str
    """One of `TOPICS`; docs/troubleshooting.md is sorted by them."""
    what: str
    cure: str = ""
    """What to do; a finding that is not OK always has one."""

    def __str__(self) -> str:
        line = f"{self.level.value:<4}  {self.topic}: {self.what}"
        return f"{line}\n      -> {self.cure}" if self.cure else line


TOPICS = (
    "python",
    "main.py",
    "packages",
    "login",
    "keys",
    "certificate",
    "port",
    "reach",
    "origins",
    "files",
    "state",
    "recording",
    "bars",
    "restart",
    "cluster",
    "environment",
    "clock",
    "descriptors",
    "system",
)
"""What is checked, in the order of the output."""


def ok(topic: str, what: str, cure: str = "") -> Finding:
    """A finding that is in order; `cure`: what to do if it is not what was meant."""
    return Finding(Level.OK, topic, what, cure)


def warn(topic: str, what: str, cure: str) -> Finding:
    """A finding with which the gateway starts."""
    return Finding(Level.WARN, topic, what, cure)


def fail(topic: str, what: str, cure: str) -> Finding:
    """A finding with which the gateway or its worker does not start."""
    return Finding(Level.FAIL, topic, what, cure)
