"""Makes this gateway's part in a cluster, and joins it with relay, worker, routes and status."""

from __future__ import annotations

from importlib.util import find_spec
from socket import gethostname
from typing import TYPE_CHECKING, Any, Final

from gateway.app.layer_settings import RECORDED, mark_of, secret_of
from gateway.app.memory_parts import OWN
from gateway.app.process import Step
from gateway.cluster.address import parse
from gateway.cluster.settings import KEY_SIZE, NAME, ClusterSettings
from gateway.cluster.terms import Terms
from gateway.market.events import FEED_STATUS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from gateway.app.elected_worker import ElectedWorker
    from gateway.app.neighbours import Neighbours
    from gateway.app.worker_events import WorkerEvents
    from gateway.cluster.cluster import Cluster
    from gateway.contract import Control
    from gateway.engineio.deadlines import Deadlines
    from gateway.market.freshness import Freshness
    from gateway.options import Settings
    from gateway.relay.event import Event

CUT_OFF: Final = "cut off from the log"
"""The reason in `feed_status`."""
ALIKE: Final = (
    "namespaces",
    "state_events",
    "quote_events",
    "no_snapshot_states",
    "snapshot_quotes",
    "key_field",
    "recovery_time",
    "history_size",
    "history_events",
    "keep_bars",
    "cluster_lease",
)
"""Options that say how events are handled, which clients must find the same on every gateway."""


def cluster_settings(settings: Settings) -> ClusterSettings | None:
    """For the cluster; None: there is none.  Raises ValueError, with one line for the user."""
    if not settings.cluster:
        return None
    if mark_of(settings) in RECORDED:
        raise ValueError("--cluster shares the market's events: leave out --replay and --rehearse")
    gateway = settings.gateway_name or gethostname().partition(".")[0]
    for option, name in (("--cluster-name", settings.cluster_name), ("--gateway-name", gateway)):
        if not NAME.fullmatch(name):
            raise ValueError(f"{option}: {name!r} may have letters, digits, '_', '.' and '-' only")
    if find_spec("hiredis") is None:
        raise ValueError("--cluster needs hiredis: pip install 'sjgateway[cluster]'")
    password = secret_of(
        "Redis password", settings.cluster_password_file, settings.cluster_password
    )
    return ClusterSettings(
        address=parse(
            settings.cluster,
            password=password,
            ca=str(settings.cluster_ca.absolute()) if settings.cluster_ca else "",
        ),
        name=settings.cluster_name,
        gateway=gateway,
        key=_key(settings.cluster_key_file),
        hold=settings.cluster_hold,
        namespaces=settings.namespaces,
        history=settings.history_size,
        records=settings.history_events,
        alike={f"--{name.replace('_', '-')}": _told(getattr(settings, name)) for name in ALIKE},
    )


def _told(value: object) -> str:
    """The value of an option; the order of names says nothing."""
    return " ".join(sorted(value)) if isinstance(value, tuple) else str(value)


def _key(file: Path | None) -> bytes:
    """The secret of the cluster."""
    if file is None:
        raise ValueError("--cluster needs --cluster-key-file, the same for all gateways")
    try:
        key = file.read_bytes().strip()
    except OSError as error:
        raise ValueError(f"the cluster key file can't be read: {error}") from None
    if len(key) < KEY_SIZE:
        raise ValueError(
            f"the cluster key file {file} has less than {KEY_SIZE} bytes:"
            f" openssl rand -hex 32 > {file}"
        )
    return key


def make_cluster(
    settings: ClusterSettings | None,
    reactor: Any,
    deadlines: Deadlines,
    call_soon: Callable[[Callable[[], None]], object],
) -> Cluster | None:
    """This gateway's part; None: it is alone, and nothing of a cluster is imported.

    `call_soon(call)` calls at the end of this turn of the reactor.
    """
    if settings is None:
        return None
    from gateway.cluster.cluster import Cluster  # noqa: PLC0415 - needs hiredis

    return Cluster(reactor, deadlines, settings, call_soon)


def make_elected(settings: Settings, reactor: Any, cluster: Cluster | None) -> ElectedWorker | None:
    """This gateway's part in the election; None where it runs no worker, or is alone."""
    if cluster is None or settings.no_worker:
        return None
    from gateway.app.elected_worker import ElectedWorker  # noqa: PLC0415 - as above

    return ElectedWorker(reactor, cluster, Terms(settings.cluster_lease))


def make_neighbours(
    reactor: Any,
    cluster: Cluster | None,
    own: Control,
    worker: ElectedWorker | None,
    clients: Callable[[], int],
) -> Neighbours | None:
    """What this gateway has to do with the others; None: it is alone."""
    if cluster is None:
        return None
    from gateway.app.neighbours import Neighbours  # noqa: PLC0415 - as above

    return Neighbours(reactor, cluster, own, worker, clients)


def flushes(cluster: Cluster | None) -> Iterator[Step]:
    """What has to be written before the program of this process is replaced."""
    if cluster is not None:
        yield Step("Writing to the log", cluster.flush)


def join(cluster: Cluster, events: WorkerEvents) -> None:
    """Let `events` hear what other gateways relay, and speak only for its own worker."""
    hearing = Hearing(cluster, events)
    cluster.overheard = hearing.overheard
    cluster.on_cut_off.append(hearing.cut_off)
    if events.worker is not None:
        events.restored()  # the snapshot may have its readiness
    else:
        events.leads = bool


class Hearing:
    """Hears the worker of another gateway; tells clients here when nothing is heard any more."""

    def __init__(self, cluster: Cluster, events: WorkerEvents) -> None:
        self._cluster = cluster
        self._events = events
        self._told: list[str] = []

    def overheard(self, events: Sequence[Event]) -> None:
        """Count trusted `events` of another gateway for the freshness of the feeds."""
        hear = self._freshness.hear
        for event in events:
            if event.current and event.name not in OWN:
                hear(str(event.name), event.code)

    def cut_off(self, why: str) -> None:
        """Tell clients here that nothing comes from the worker, or that it comes again."""
        if self._events.leads():
            return  # they are told all that the worker here says
        markets = sorted(self._freshness.trading) if why else self._told
        self._told = markets if why else []
        for market in markets:
            reason = CUT_OFF if why else self._freshness.reasons.get(market, "")
            status, stale = "stale" if reason else "live", markets if why else self._freshness.stale
            value = self._events.feed_status(status, market, reason, stale)
            self._cluster.tell_here(FEED_STATUS, value)

    @property
    def _freshness(self) -> Freshness:
        return self._events.freshness
