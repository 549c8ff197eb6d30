"""Who is there: each gateway tells so once a second, and is gone when it has not for a while.

Times of different machines are never compared: a gateway is there while what it tells changes, by
the clock of whoever looks.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec
from attrs import frozen
from twisted.logger import Logger

from gateway.cluster.resp import RedisError, pairs
from gateway.cluster.scripts import Script
from gateway.cluster.told import Told, differing, explained, read
from gateway.common.attempt import attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.cluster.link import Link
    from gateway.cluster.scripts import Names

INTERVAL: Final = 1.0
"""Seconds between two words of a gateway."""
PATIENCE: Final = 5.0
"""Seconds without a word after which it is gone."""
FORGET: Final = 3600.0
"""Seconds without a word after which it is taken off the list."""

PRESENT: Final = Script("""
local before = redis.call('HGET', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
for i = 3, #ARGV, 2 do
  local name, word = ARGV[i], ARGV[i + 1]
  if redis.call('HGET', KEYS[1], name) == word then
    redis.call('HDEL', KEYS[1], name)
    redis.call('DEL', KEYS[(i + 1) / 2])
  end
end
return {before, redis.call('HGETALL', KEYS[1])}
""")
"""Say that we are there.  KEYS: the members; the mail of those that are to be forgotten, if they
have not changed.  ARGV: our name, what we tell; their names and words.  Returns what was told under
our name before, and all.
"""

_log = Logger(namespace="gateway.cluster")


@frozen
class Seen:
    """The newest word of a gateway, and when it came."""

    text: bytes
    told: Told
    at: float


class Members:
    """Tells of this gateway, and knows the others; `look` is called once an `INTERVAL`.

    `process` names this process, unlike all others; `clients()` is how many clients it has;
    `options` are those that have to be the same on all gateways.
    """

    def __init__(
        self,
        link: Link,
        names: Names,
        gateway: str,
        process: str,
        *,
        version: str,
        options: Mapping[str, str],
        clients: Callable[[], int],
        clock: Callable[[], float],
    ) -> None:
        self._link = link
        self._names = names
        self._gateway = gateway
        self._process = process
        self._version = version
        self._options = dict(options)
        self._clients = clients
        self._clock = clock
        self._beat = 0
        self._looked = clock()
        self._seen: dict[str, Seen] = {}
        self._present: set[str] = set()
        self._heard_first: float | None = None
        self.on_gone: list[Callable[[str], object]] = []
        """Called with the name of a gateway that is gone, also one that has started anew."""
        self.has_namesake = False
        """Whether another gateway has our name."""
        link.scripts.append(PRESENT)

    @property
    def is_settled(self) -> bool:
        """Whether all that are there are known; not so soon after the start."""
        first = self._heard_first
        return first is not None and self._clock() - first >= PATIENCE

    def present(self) -> set[str]:
        """The gateways that are there, this one too."""
        return {self._gateway, *self._present}

    def listed(self) -> dict[str, Told]:
        """What the gateways that are there tell of themselves, by name."""
        return {name: self._seen[name].told for name in sorted(self.present() & self._seen.keys())}

    def differing(self) -> dict[str, list[str]]:
        """The options of each gateway that is there whose values are not ours."""
        listed = self.listed().items()
        return {name: differing(self._options, told.options) for name, told in listed}

    def look(self) -> None:
        """Say that we are there, and hear who else is."""
        self._beat += 1
        told = Told(self._process, self._beat, self._version, self._clients(), self._options)
        text = msgspec.json.encode(told)
        old = {
            name: seen.text for name, seen in self._seen.items() if self._clock() - seen.at > FORGET
        }
        keys = (self._names.members, *map(self._names.mail, old))
        arguments = (self._gateway, text, *(word for each in old.items() for word in each))
        self._link.run_script(PRESENT, keys, arguments, self._heard)
        before, self._looked = self._looked, self._clock()
        if self._looked - before < PATIENCE:  # else it was us who said nothing, nor listened
            self._miss()

    def leave(self) -> None:
        """This gateway ends: the others need not wait until it is missed."""
        self._link.call("HDEL", self._names.members, self._gateway, answer=lambda _: None)
        self._link.call("DEL", self._names.mail(self._gateway), answer=lambda _: None)

    # -- inside -----------------------------------------------------------------------------

    def _heard(self, reply: Any) -> None:
        if isinstance(reply, RedisError):
            return
        before, found = reply
        if self._heard_first is None:
            self._heard_first = self._clock()
        self._mind_namesake(before)
        words = {name.decode("utf-8", "replace"): text for name, text in pairs(found).items()}
        for name in self._seen.keys() - words.keys():
            del self._seen[name]
        for name, text in words.items():
            seen = self._seen.get(name)
            if seen is None or seen.text != text:
                self._hear(name, text, is_new=seen is None)
        self._miss()

    def _hear(self, name: str, text: bytes, *, is_new: bool) -> None:
        """A gateway tells something new; of one that we meet, we see first whether it goes on."""
        told = read(text)
        if told is None:
            return
        seen = self._seen.get(name)
        self._seen[name] = Seen(text, told, self._clock())
        if seen is None or seen.told.process != told.process:
            self._compare(name, told)
            if name in self._present:
                self._tell_gone(name)  # its process before this one is
        if not is_new and name not in self.present():
            self._present.add(name)
            _log.info("Gateway {name} is there", name=name)

    def _compare(self, name: str, told: Told) -> None:
        """Tell people of a gateway that does some things in another way."""
        names = differing(self._options, told.options)
        if names:
            _log.error(
                "Gateway {name} of the cluster was started with other options, which have to be the"
                " same: {what}",
                name=name,
                what=explained(names, self._options, told.options),
            )

    def _miss(self) -> None:
        """Notice who is gone."""
        now = self._clock()
        for name in sorted(self._present):
            seen = self._seen.get(name)
            if seen is None or now - seen.at > PATIENCE:
                self._present.discard(name)
                _log.info("Gateway {name} is gone", name=name)
                self._tell_gone(name)

    def _tell_gone(self, name: str) -> None:
        for heed in self.on_gone:
            attempt("Telling that a gateway is gone", partial(heed, name))

    def _mind_namesake(self, before: bytes | None) -> None:
        """Somebody else writes what only we should; the first time it may be from before us."""
        told = read(before)
        has_one = self._beat > 1 and told is not None and told.process != self._process
        if has_one and not self.has_namesake:
            _log.error(
                "Another gateway of the cluster is called {name}, too: give each its own with"
                " --gateway-name",
                name=self._gateway,
            )
        self.has_namesake = has_one


def as_status(members: Members) -> list[dict[str, Any]]:
    """For `/status`; `differs` are the options of a gateway that are not as ours."""
    others = members.differing()
    return [
        {"name": name, "version": told.version, "clients": told.clients, "differs": others[name]}
        for name, told in members.listed().items()
    ]
