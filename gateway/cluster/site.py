"""What the journals of one gateway share; `Cluster` is it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.cluster.link import Link
    from gateway.cluster.scripts import Names
    from gateway.cluster.tail import Tail
    from gateway.engineio.deadlines import Deadlines
    from gateway.relay.event import Event


class Keys(NamedTuple):
    """The keys of one namespace in Redis: see `scripts`."""

    log: str
    meta: str
    checkpoint: str

    @classmethod
    def of(cls, names: Names, namespace: str) -> Keys:
        """Those of `namespace`."""
        return cls(names.log(namespace), names.meta(namespace), names.checkpoint(namespace))


class Mail(Protocol):
    """Brings short messages from gateway to gateway; one may be lost."""

    handlers: dict[str, Callable[[str, bytes], object]]
    """By the kind of a message, what is called with its sender and its body."""

    def post(self, to: str, kind: str, body: bytes) -> object:
        """Send a message to the gateway `to`."""
        ...


class Members(Protocol):
    """Who is in the cluster."""

    on_gone: list[Callable[[str], object]]
    """Called with the name of a gateway that is gone."""

    @property
    def is_settled(self) -> bool:
        """Whether all that are there are known; not so soon after the start."""
        ...

    def present(self) -> set[str]:
        """The gateways that are there, with this one."""
        ...


class Site(Protocol):
    """What the journals of one gateway share."""

    talk: Link
    tail: Tail
    names: Names
    gateway: str
    incarnation: str
    deadlines: Deadlines
    hold: float
    key_mark: str
    mail: Mail | None
    members: Members | None
    history: int
    """Bytes of events that the log is to hold."""
    records: int
    """Events that it is to hold."""

    @property
    def token(self) -> Callable[[], int]:
        """The token of the lease, if this gateway has the worker; else 0."""
        ...

    @property
    def overheard(self) -> Callable[[Sequence[Event]], object]:
        """Called with trusted events of other gateways."""
        ...

    def sign(self, namespace: str, said: str) -> str:
        """The pid that says `said`."""
        ...

    @property
    def call_soon(self) -> Callable[[Callable[[], None]], object]:
        """Calls what it is given at the end of this turn."""
        ...
