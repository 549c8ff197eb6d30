"""The Redis of a cluster: whether it can be reached, keeps what it is told, and who is there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from gateway.cluster.blocking import ask, connected, info
from gateway.cluster.scripts import Names
from gateway.cluster.told import differing, explained, read
from gateway.cluster.version import Version
from gateway.common.attempt import reason
from gateway.ops.doctor.finding import Finding, fail, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from io import BufferedRWPair

    from gateway.cluster.address import Address
    from gateway.cluster.settings import ClusterSettings

APART: Final = 2.0
"""Seconds by which its clock may differ from ours."""
FAR: Final = 0.005
"""Seconds for a question and its answer from which on it counts as far away."""


def check_redis(settings: ClusterSettings) -> Iterator[Finding]:
    """Version, persistence, what it does when memory is short, replicas, clock, round trip.

    And whether the gateways of the cluster have the same key, and the same options.
    """
    address, names = settings.address, Names(settings.name)
    try:
        with connected(address) as stream:
            yield from _look(address, stream)
            yield from _keys(
                ask(stream, "HGET", names.meta(settings.namespaces[0]), "key"), settings
            )
            yield from _others(ask(stream, "HGETALL", names.members), settings)
    except (OSError, ValueError) as error:
        cure = "start it, or correct --cluster, the user in it, and the password"
        yield fail("cluster", f"{address} can't be asked: {reason(error)}", cure)


def _look(address: Address, stream: BufferedRWPair) -> Iterator[Finding]:
    yield _version(address, info(stream, "server"))
    yield _persistence(info(stream, "persistence"))
    policy = info(stream, "memory").get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        what = f"when memory is short it drops keys ({policy})"
        yield warn("cluster", what, "set maxmemory-policy noeviction")
    yield from _replicas(info(stream, "replication"))
    seconds, microseconds = (int(part) for part in ask(stream, "TIME"))
    apart = abs(seconds + microseconds / 1e6 - time.time())
    if apart > APART:
        cure = "timedatectl set-ntp true, on both machines"
        yield warn("clock", f"that of {address} differs by {apart:.0f} s", cure)
    yield _distance(address, stream)


def _version(address: Address, told: Mapping[str, str]) -> Finding:
    version = Version.of(told)
    if version.problem:
        return fail("cluster", version.problem, version.cure)
    return ok("cluster", f"{version.name} at {address}")


def _persistence(told: Mapping[str, str]) -> Finding:
    if told.get("aof_enabled") != "1":
        what = "it keeps nothing on the disk as it goes: when it is killed, events are gone"
        return warn("cluster", what, "set appendonly yes")
    if told.get("aof_last_write_status", "ok") != "ok":
        return fail("cluster", "it can't write to its disk", "look at its log, and at its disk")
    return ok("cluster", "it keeps what it is told on the disk")


def _replicas(told: Mapping[str, str]) -> Iterator[Finding]:
    if told["role"] != "master":
        yield fail("cluster", "it is a replica, which can't be written to", "name its master")
    elif int(told.get("connected_slaves", "0")) and "min_slaves_good_slaves" not in told:
        what = "it has replicas, and goes on without them when it is cut off"
        cure = "set min-replicas-to-write 1, or an event may be lost when a replica takes over"
        yield warn("cluster", what, cure)


def _keys(mark: bytes | None, settings: ClusterSettings) -> Iterator[Finding]:
    """Whether the gateways that were there before had the same key; None: there were none."""
    if mark not in (None, settings.key_mark.encode()):
        cure = "give it the --cluster-key-file of the others, or another --cluster-name"
        yield fail("cluster", f"the cluster {settings.name} there has another key", cure)


def _others(flat: Sequence[bytes], settings: ClusterSettings) -> Iterator[Finding]:
    """The gateways that are there, or were within the last hour."""
    told = dict(zip(flat[::2], flat[1::2], strict=True))
    found = {name.decode("utf-8", "replace"): read(text) for name, text in sorted(told.items())}
    yield ok("cluster", f"gateways: {', '.join(found) or 'none yet'}")
    found.pop(settings.gateway, None)
    here = settings.alike
    for name, each in found.items():
        names = differing(here, each.options) if each is not None else []
        if each is not None and names:
            what = f"gateway {name} has other options: {explained(names, here, each.options)}"
            yield warn("cluster", what, "start all gateways of a cluster with the same ones")


def _distance(address: Address, stream: BufferedRWPair) -> Finding:
    times = []
    for _ in range(5):
        began = time.monotonic()
        ask(stream, "PING")
        times.append(time.monotonic() - began)
    told = f"a question to {address} takes {min(times) * 1000:.1f} ms"
    if min(times) > FAR:
        return warn("cluster", f"{told}, which each event takes longer", "put it nearer")
    return ok("cluster", told)
