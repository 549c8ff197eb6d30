"""Messages from one gateway to another: sealed, over a stream in Redis for each that gets them.

A message is sent at most once, and lost where its receiver is not there.  Who needs an answer asks
by `questions.py`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec
from twisted.logger import Logger

from gateway.cluster.resp import RedisError, pairs
from gateway.common.attempt import attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.cluster.link import Link
    from gateway.cluster.scripts import Names
    from gateway.cluster.seal import Seal
    from gateway.cluster.tail import Tail

MOST: Final = 1000
"""Messages that are kept for a gateway, about."""
READ: Final = 100
"""After so many messages those that were read are removed."""
FIELD: Final = "m"
ORIGINS: Final = 1000
"""Processes of which it is known which message was the last."""

_log = Logger(namespace="gateway.cluster")


class Letter(msgspec.Struct, array_like=True, frozen=True):
    """What is sealed."""

    origin: str
    """The gateway that sent it."""
    process: str
    """Which process of it."""
    number: int
    """Grows with each message of a process: a copy of an older one is nothing new."""
    kind: str
    body: bytes


class Mail:
    """Sends messages, and hands over what comes: `handlers[kind](origin, body)`.

    `process` names this process, unlike all others that ever were.
    """

    def __init__(self, link: Link, names: Names, seal: Seal, gateway: str, process: str) -> None:
        self._link = link
        self._names = names
        self._seal = seal
        self._gateway = gateway
        self._process = process
        self._number = self._read = 0
        self._newest: dict[str, int] = {}
        self._was_nonsense = False
        self.handlers: dict[str, Callable[[str, bytes], object]] = {}
        self._tail: Tail | None = None

    def listen(self, tail: Tail) -> None:
        """Hand over what comes from now on, as soon as there is a connection; `tail` reads it."""
        self._tail = tail
        self._link.on_up.append(self._find_end)

    def post(
        self, to: str, kind: str, body: bytes, sent: Callable[[Any], object] = lambda _: None
    ) -> None:
        """Send `body`; `sent` is called with Redis' answer, perhaps an error."""
        self._number += 1
        letter = Letter(self._gateway, self._process, self._number, kind, body)
        stream = self._names.mail(to)
        sealed = self._seal.close(msgspec.msgpack.encode(letter), stream)
        words = ("XADD", stream, "MAXLEN", "~", MOST, "*", FIELD, sealed)
        self._link.call(*words, answer=sent)

    def _find_end(self) -> None:
        """What was sent to a process before this one is none of our business."""
        stream = self._names.mail(self._gateway)
        self._link.call("XREVRANGE", stream, "+", "-", "COUNT", 1, answer=self._follow)

    def _follow(self, reply: Any) -> None:
        if self._tail is None or isinstance(reply, RedisError):
            return  # it goes on where it was, or the next connection asks again
        tail, self._tail = self._tail, None
        last = reply[0][0].decode() if reply else "0-0"
        tail.follow(self._names.mail(self._gateway), last, self._take)

    def _take(self, id: bytes, fields: Sequence[bytes]) -> None:
        self._read += 1
        if self._read % READ == 0:
            words = ("XTRIM", self._names.mail(self._gateway), "MINID", "~", id)
            self._link.call(*words, answer=lambda _: None)
        self.received(pairs(fields))

    def received(self, fields: Mapping[bytes, bytes]) -> None:
        """An entry of our own stream has come; of what is not the cluster's nothing is believed."""
        try:
            sealed = fields[FIELD.encode()]
            opened = self._seal.open(sealed, self._names.mail(self._gateway))
            letter = msgspec.msgpack.decode(opened, type=Letter)
        except (ValueError, KeyError) as error:
            if not self._was_nonsense:
                self._was_nonsense = True
                _log.warn("A message to this gateway was not understood: {why}", why=str(error))
            return
        newest = self._newest.pop(letter.process, 0)
        self._newest[letter.process] = max(newest, letter.number)
        if len(self._newest) > ORIGINS:
            del self._newest[next(iter(self._newest))]
        if letter.number <= newest:
            return
        handler = self.handlers.get(letter.kind)
        if handler is not None:  # a newer version may say more
            heed = partial(handler, letter.origin, letter.body)
            attempt(f"Heeding a message of {letter.origin}", heed)
