"""A connection to Redis that is made again and again.

    connect (TCP, TLS or UNIX socket) -> AUTH, SELECT, INFO, SCRIPT LOAD -> up -> lost -> connect

It is up when the server has answered all of that, and is new enough.  Whatever goes wrong before
or after, also an answer that does not come in time, is one thing: the connection is lost, and the
next one is tried.  So there is no state in which half of it works.
"""

from __future__ import annotations

from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.ssl import (
    Certificate,
    optionsForClientTLS,
    platformTrust,
    trustRootFromCertificates,
)
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol

from gateway.cluster.resp import LostError, Redis, RedisError
from gateway.cluster.version import Version
from gateway.common.attempt import Attempts, Countdown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twisted.internet.defer import Deferred

    from gateway.cluster.address import Address
    from gateway.cluster.resp import Answer, Argument
    from gateway.cluster.scripts import Script

PATIENCE: Final = 1.5
"""Seconds in which something has to be heard while an answer is due."""
LOOK: Final = 0.25
"""Seconds between two looks at whether one is overdue."""
SECOND_LOOK: Final = 0.01
"""Seconds until the look that decides: it may have been this process that hung."""
AGAIN: Final = 0.1
"""Seconds between the end of a connection and the next try; after several tries `LATER`."""
LATER: Final = 0.5
HASTY: Final = 5
"""Tries until it is `LATER`."""

_log = Logger(namespace="gateway.cluster")


class Link:
    """One connection to the server at `address`; `name` is told to it, for people who look."""

    def __init__(self, reactor: Any, address: Address, name: str) -> None:
        self._reactor = reactor
        self._address = address
        self._name = name
        self._attempt = Attempts()
        self._connection: Redis | None = None
        self._trying: Any = None
        self._again = Countdown(reactor, "Connecting to Redis", self._connect)
        self._watch = Countdown(reactor, "Looking after a connection to Redis", self._look)
        self._is_wanted = False
        self._is_suspect = False
        self._since = 0.0
        self._tries = 0
        self._refused = ""
        """Why the connection before this one was of no use; "": it was."""
        self._said = ""
        """Why it is down, as people were told."""
        self.is_up = False
        self.run = ""
        """The run id of the server; "" while the link is down."""
        self.scripts: list[Script] = []
        """What each connection loads before it is up."""
        self.on_up: list[Callable[[], object]] = []
        self.on_down: list[Callable[[], object]] = []
        self.trouble = ""
        """Why it is down."""
        self.down_since: float | None = reactor.seconds()
        """Since when the server does not answer; None: it does."""

    def start(self) -> None:
        """Connect, now and whenever the connection is lost."""
        self._is_wanted = True
        self._connect()

    def stop(self) -> None:
        """Connect no more, and end the connection."""
        self._is_wanted = False
        self._again.cancel()
        self._watch.cancel()
        if self._trying is not None:
            self._trying.cancel()
        self.drop("the gateway ends")

    def drop(self, why: str) -> None:
        """End the connection, so that another one is made."""
        if self._connection is not None:
            self._connection.drop(why)

    def refuse(self, why: str) -> None:
        """End a connection that is of no use, since the server refuses what it is asked.

        The next one is made `LATER`, and people are told when it is refused for another reason.
        """
        if self._connection is not None:
            self._refused = why
            self._connection.drop(why)

    def call(self, *command: Argument, answer: Answer) -> None:
        """Send a command; the answer is LostError at once while the link is down."""
        if self._connection is None or not self.is_up:
            answer(LostError(f"LOST {self.trouble or 'there is no connection yet'}"))
        else:
            self._connection.send(command, answer)

    def run_script(
        self, script: Script, keys: Sequence[str], arguments: Sequence[Argument], answer: Answer
    ) -> None:
        """Have one of `scripts` run; `answer` as for `call`."""
        heed = partial(self._ran, answer)
        self.call("EVALSHA", script.sha, len(keys), *keys, *arguments, answer=heed)

    def _ran(self, answer: Answer, reply: Any) -> None:
        """Hand over the answer; scripts that the server was told to forget are loaded again."""
        if isinstance(reply, RedisError) and reply.code == "NOSCRIPT":
            why = "the server has forgotten the gateway's scripts"
            self.refuse(why)
            reply = LostError(f"LOST {why}")
        answer(reply)

    # -- how it comes up ------------------------------------------------------------------

    def _connect(self) -> None:
        self._since, self._is_suspect = self._reactor.seconds(), False
        self._watch.begin(LOOK)
        factory = Factory.forProtocol(partial(Redis, self._lost, self._reactor.seconds))
        factory.noisy = False
        try:
            trying = _dial(self._reactor, self._address, factory)
        except Exception as error:
            self._lost(str(error) or type(error).__name__)
            return
        self._trying = trying
        trying.addCallbacks(self._connected, self._failed)

    def _failed(self, failure: Any) -> None:
        self._trying = None
        self._lost(failure.getErrorMessage())

    def _connected(self, connection: Redis) -> None:
        self._trying = None
        self._connection = connection
        for command in self._address.greeting:
            connection.send(command, self._expect)
        connection.send(("CLIENT", "SETNAME", self._name), bool)  # who may not, has no name
        for script in self.scripts:
            connection.send(("SCRIPT", "LOAD", script.text), self._expect)
        connection.send(("INFO", "server"), self._greeted)

    def _expect(self, reply: Any) -> None:
        """Anything but an error will do."""
        if isinstance(reply, RedisError) and not isinstance(reply, LostError):
            self.drop(str(reply))

    def _greeted(self, reply: Any) -> None:
        self._expect(reply)
        if isinstance(reply, RedisError):
            return
        told = dict(line.split(":", 1) for line in reply.decode().splitlines() if ":" in line)
        version = Version.of(told)
        if version.problem:
            self.drop(f"{version.problem}: {version.cure}")
            return
        self.run = told.get("run_id", "")
        if not self.run:  # who has the worker is known only for one run of the server
            self.drop("the server does not tell its run_id")
            return
        self.is_up, self.trouble, self._tries, self.down_since = True, "", 0, None
        if not self._refused:
            self._said = ""
            _log.info(
                "Connected to {address} ({name})", address=str(self._address), name=self._name
            )
        self._tell(self.on_up)

    def _lost(self, why: str) -> None:
        """The connection is over, whatever it had come to."""
        self._connection = None
        was_up, self.is_up, self.run = self.is_up, False, ""
        if self.down_since is None:
            self.down_since = self._reactor.seconds()
        if why != self._refused:
            self._refused = ""
        if self._is_wanted:
            if why != self._said:
                self._said = why
                _log.warn(
                    "No connection to {address} ({name}): {why}",
                    address=str(self._address),
                    name=self._name,
                    why=why,
                )
            self.trouble = why
            self._tries += 1
            self._watch.cancel()
            self._again.begin(LATER if self._refused or self._tries > HASTY else AGAIN)
        if was_up:
            self._tell(self.on_down)

    def _tell(self, listeners: Sequence[Callable[[], object]]) -> None:
        for listener in listeners:
            self._attempt("Telling of a connection to Redis", listener)

    def _look(self) -> None:
        """End a connection whose server hangs.

        An answer that came while this process hung is read before the second look.
        """
        connection = self._connection
        since = self._since if connection is None else connection.waits_since
        is_late = since is not None and self._reactor.seconds() - since >= PATIENCE
        was_suspect, self._is_suspect = self._is_suspect, is_late
        self._watch.begin(SECOND_LOOK if is_late and not was_suspect else LOOK)
        if not (is_late and was_suspect):
            return
        if self._trying is not None:
            self._trying.cancel()
        else:
            if self.is_up:
                self.down_since = since
            self.drop("the server does not answer")


class _AtOnce(TLSMemoryBIOFactory):
    """Makes connections with TLS that encrypt and write at once, as a bare socket does.

    Twisted's own keep small writes for the next turn of the reactor, which may never come.
    """

    protocol = TLSMemoryBIOProtocol


def _dial(reactor: Any, address: Address, factory: Any) -> Deferred[Any]:
    """Connect a protocol of `factory` to `address`; fires with it.

    Raises OSError and others where the CA file is none.
    """
    endpoint: Any = HostnameEndpoint(reactor, address.host, address.port, timeout=PATIENCE)
    if address.path:
        endpoint = UNIXClientEndpoint(reactor, address.path, timeout=PATIENCE)
    if not address.tls:
        plain: Deferred[Any] = endpoint.connect(factory)
        return plain
    trust = platformTrust()
    if address.ca:
        trust = trustRootFromCertificates(_certificates(Path(address.ca)))
    options: Any = optionsForClientTLS(address.host, trustRoot=trust)
    safe: Deferred[Any] = endpoint.connect(_AtOnce(options, True, factory))
    return safe.addCallback(attrgetter("wrappedProtocol"))


def _certificates(path: Path) -> list[Certificate]:
    """Those in a PEM file.  Raises OSError and others."""
    end = b"-----END CERTIFICATE-----"
    pems = [each + end for each in path.read_bytes().split(end)[:-1]]
    return [Certificate.loadPEM(pem) for pem in pems]
