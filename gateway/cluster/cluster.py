"""One gateway's part in a cluster: its two connections, and a journal for each namespace."""

from __future__ import annotations

from functools import partial
from math import inf
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from gateway.cluster import scripts
from gateway.cluster.link import Link
from gateway.cluster.shared import SharedJournal
from gateway.cluster.tail import Tail
from gateway.common.attempt import Attempts, Periodic
from gateway.relay.pids import Pids

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.cluster.settings import ClusterSettings
    from gateway.cluster.site import Mail, Members
    from gateway.engineio.deadlines import Deadlines
    from gateway.relay.event import Event
    from gateway.relay.hub import Hub

LOOK: Final = 0.25
"""Seconds between two looks at whether the log answers."""
GRACE: Final = 1.0
"""Seconds without the log after which clients are told; one short outage is nothing to tell."""
ALARM: Final = 5.0
"""Seconds without the log after which people are told."""
FAREWELL: Final = 2.0
"""Seconds in which the last events have to reach the log at the end."""

_log = Logger(namespace="gateway.cluster")


class Cluster(Service):
    """This gateway in its cluster; the relay makes its journals by `journal`.

    `talk` is the connection for writing, which others may use, too.  `call_soon(call)` calls at the
    end of this turn of the reactor.
    """

    name = "the cluster"

    def __init__(
        self,
        reactor: Any,
        deadlines: Deadlines,
        settings: ClusterSettings,
        call_soon: Callable[[Callable[[], None]], object],
    ) -> None:
        self.settings = settings
        self.deadlines = deadlines
        self.call_soon = call_soon
        self.names = scripts.Names(settings.name)
        self.gateway = settings.gateway
        self.incarnation = token_hex(8)
        """Tells this process from others of the same name."""
        self.hold = settings.hold
        self.history, self.records = settings.history, settings.records
        self.key_mark = settings.key_mark
        self.pid_key = partial(bytes, settings.secret("pids"))
        self.token: Callable[[], int] = int
        """The token of the lease, while this gateway holds it; else 0."""
        self.overheard: Callable[[Sequence[Event]], object] = bool
        """Called with trusted events of other gateways."""
        self.on_cut_off: list[Callable[[str], object]] = []
        """Called with why this gateway hears nothing of the others, and with "" when it does."""
        self.on_alarm: list[Callable[[str], object]] = []
        """The same, when it has lasted; people are told."""
        self.cut_off = ""
        """Why this gateway is cut off from the log; "": it is not."""
        self.mail: Mail | None = None
        """Set before the start, and so is `members`; acknowledgments over gateways need both."""
        self.members: Members | None = None
        self.journals: dict[str, SharedJournal] = {}
        self._alarmed = False
        self._was_well = False
        self._ill_since = inf
        self._trouble = ""
        self._reactor = reactor
        self._attempt = Attempts()
        self._pids = {each: Pids(self.pid_key, each) for each in settings.namespaces}
        label = f"sjgateway-{settings.gateway}"
        self.talk = Link(reactor, settings.address, f"{label}-talk")
        self.talk.scripts += [scripts.HELLO, scripts.APPEND, scripts.CHECKPOINT]
        self.talk.on_up.append(self._up)
        self.talk.on_down.append(self._down)
        self._listening = Link(reactor, settings.address, f"{label}-tail")
        self.tail = Tail(self._listening)

    def journal(self, hub: Hub) -> SharedJournal:
        """The journal of `hub`."""
        made = self.journals[hub.name] = SharedJournal(hub, self)
        return made

    @property
    def sid_prefix(self) -> str:
        """What the ids of Engine.IO's sessions begin with: a proxy finds the gateway by it."""
        return f"{self.gateway}."

    def sign(self, namespace: str, said: str) -> str:
        """The pid that says `said`."""
        return self._pids[namespace].sign_again(said)

    def after_answer(self, do: Callable[[], None]) -> None:
        """Call `do` after the answer of the log that is read now; else at the end of this turn."""
        if not self.tail.at_end(do):
            self.call_soon(do)

    def startService(self) -> None:
        super().startService()
        _log.info(
            "This is {gateway} of the cluster {name} at {address}",
            gateway=self.gateway,
            name=self.settings.name,
            address=str(self.settings.address),
        )
        for journal in self.journals.values():
            journal.start()
        self.talk.start()
        self._listening.start()
        Periodic(self.deadlines, LOOK, "The look at the cluster", self._look)

    def stopService(self) -> Deferred[None]:
        """Fires when the last events are in the log, or it has not taken them in time."""
        super().stopService()
        done: Deferred[None] = Deferred()
        self._finish(done, self._reactor.seconds() + FAREWELL)
        return done

    def reads(self) -> bool:
        """Whether all that the log has was read, and what comes is."""
        return all(journal.reading.is_attached for journal in self.journals.values())

    def flush(self) -> None:
        """Write what was said in this turn, since this process may not have another one."""
        for journal in self.journals.values():
            journal.flush()

    def excuse(self) -> str:
        """Why clients had better go to another gateway; "": they need not."""
        return f"cut off from the log: {self.cut_off}" if self.cut_off else ""

    def tell_here(self, name: str, value: dict[str, Any]) -> None:
        """Tell the event `name` to the clients of this gateway alone."""
        for journal in self.journals.values():
            journal.tell_here(name, value)

    def status(self) -> dict[str, Any]:
        """How it stands with the log."""
        return {
            "gateway": self.gateway,
            "cluster": self.settings.name,
            "cutOff": self.cut_off or None,
            "island": any(journal.is_island for journal in self.journals.values()),
            "waiting": sum(journal.own.waiting_bytes for journal in self.journals.values()),
            "dropped": sum(journal.own.dropped for journal in self.journals.values()),
            "passedOver": sum(journal.reading.passed_over for journal in self.journals.values()),
        }

    def _finish(self, done: Deferred[None], until: float) -> None:
        idle = all(journal.own.is_idle for journal in self.journals.values())
        if not idle and self._reactor.seconds() < until:
            self._reactor.callLater(0.05, self._finish, done, until)
            return
        self.talk.stop()
        self._listening.stop()
        done.callback(None)

    def _up(self) -> None:
        for journal in self.journals.values():
            self._attempt("Greeting the log", journal.up)

    def _down(self) -> None:
        for journal in self.journals.values():
            journal.down()

    def _look(self) -> None:
        """Find out whether the log answers, and tell when that has changed."""
        if not self.running:
            return
        now = self._reactor.seconds()
        down = [each for each in (self.talk, self._listening) if each.down_since is not None]
        well = not down and all(each.is_well for each in self.journals.values())
        was_well, self._was_well = self._was_well, well
        if well and was_well:  # a log that refuses everything seems well for a moment at times
            self._ill_since, self._trouble, why = inf, "", ""
        else:
            self._ill_since = min([self._ill_since, now, *[each.down_since for each in down]])
            self._trouble = next((each.trouble for each in down if each.trouble), self._trouble)
            seen = "the log is being read"
            if self.reads():
                seen = "the log does not take what is said here"
            why = self._trouble or seen
        lasting = now - self._ill_since
        if why and not self.cut_off and (well or lasting < GRACE):
            return
        before, self.cut_off = self.cut_off, why
        if bool(why) is not bool(before):
            self._tell(self.on_cut_off, why)
            _log.info("{what}", what=f"Cut off from the log: {why}" if why else "The log is back")
        if (not why or lasting >= ALARM) and bool(why) is not self._alarmed:
            self._alarmed = bool(why)
            self._tell(self.on_alarm, why)

    def _tell(self, listeners: Sequence[Callable[[str], object]], why: str) -> None:
        for listener in listeners:
            self._attempt("Telling of the log", listener, why)
