"""What the gateways of a cluster know of each other, and ask of each other."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from gateway.app.build import version
from gateway.app.history_taps import NAMESPACE
from gateway.app.service import Part, periodic
from gateway.app.shared_bars import SharedBars
from gateway.cluster.control import ClusterControl, Place
from gateway.cluster.mail import Mail
from gateway.cluster.members import INTERVAL, Members, as_status
from gateway.cluster.questions import Questions
from gateway.cluster.seal import Seal
from gateway.cluster.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from twisted.application.service import Service

    from gateway.app.elected_worker import ElectedWorker
    from gateway.app.history_taps import HistoryTaps
    from gateway.cluster.cluster import Cluster
    from gateway.contract import Control

RELEASED: Final = "released"
"""The message that the worker's place is free."""


class Neighbours:
    """Who is there, and one control of the worker for all of them, wherever it is.

    `own` is the control of this gateway, `worker` its part in the election; None with
    `--no-worker`.  `clients()` is how many clients it has.
    """

    def __init__(
        self,
        reactor: Any,
        cluster: Cluster,
        own: Control,
        worker: ElectedWorker | None,
        clients: Callable[[], int],
    ) -> None:
        self._reactor = reactor
        self._cluster = cluster
        self._worker = worker
        link, names, settings = cluster.talk, cluster.names, cluster.settings
        gateway, process = cluster.gateway, cluster.incarnation
        self.mail = Mail(link, names, Seal(settings.secret("mail")), gateway, process)
        questions = Questions(reactor, self.mail)
        self.members = Members(
            link,
            names,
            gateway,
            process,
            version=version(),
            options=settings.alike,
            clients=clients,
            clock=reactor.seconds,
        )
        self.members.on_gone.append(questions.gone)
        self._shown = Shown(
            link,
            names,
            Seal(settings.secret("shown")),
            own,
            gateway=gateway,
            leads=self._leads,
            why=self._why,
            clock=reactor.seconds,
        )
        place = Place(self._is_here, self._holder, self._why)
        self.control = ClusterControl(own, place, self._shown, questions)
        if worker is not None:
            worker.on_release = self._tell_release
            self.mail.handlers[RELEASED] = lambda _, __: worker.look()
        self.mail.listen(cluster.tail)
        cluster.mail, cluster.members = self.mail, self.members
        self._questions = questions
        self._bars: SharedBars | None = None

    def share(self, history: HistoryTaps) -> None:
        """Have the bars here be those of the others, and recordings say what they lack."""
        journal = self._cluster.journals.get(NAMESPACE)
        if journal is None:
            return
        journal.on_attached.append(history.missed)
        if history.bars is not None:
            clock, exchange = self._reactor.seconds, history.bars.exchange
            self._bars = SharedBars(
                exchange, self._questions, self._fellow, clock=clock, wall=time.time
            )
            journal.on_attached.append(self._bars.attached)

    def services(self) -> Iterator[Service]:
        """They look at the others once a second, and take leave of them in the end."""
        yield Part("the other gateways", stop=self.members.leave)
        yield periodic(self._reactor, "Looking at the other gateways", INTERVAL, self._look)

    def status(self) -> dict[str, Any]:
        """For `/status`: this gateway's part of the cluster, the others, and who has the worker."""
        return {
            **self._cluster.status(),
            "worker": self._holder() or None,
            "lease": None if self._worker is None else self._worker.status(),
            "namesake": self.members.has_namesake,
            "members": as_status(self.members),
        }

    # -- inside -----------------------------------------------------------------------------

    def _look(self) -> None:
        self.members.look()
        self._shown.look()
        if self._bars is not None:
            self._bars.look()

    def _tell_release(self) -> None:
        """The lease is free: on the same connection, so that it is when they look."""
        for name in self.members.present() - {self._cluster.gateway}:
            self.mail.post(name, RELEASED, b"")

    def _leads(self) -> bool:
        return self._worker is not None and self._worker.leads()

    def _is_here(self) -> bool:
        """Whether this gateway's own control tells how the worker is.

        With `--no-worker` it says that none is expected, unless another gateway has one.
        """
        return self._leads() if self._worker is not None else not self._shown.worker.gateway

    def _holder(self) -> str:
        """The gateway that has the worker; one that runs none hears it from that one."""
        return self._shown.worker.gateway if self._worker is None else self._worker.holder

    def _fellow(self) -> str:
        """Another gateway that is there: that with the worker, if there is one; "": none is."""
        others = self.members.present() - {self._cluster.gateway}
        holder = self._holder()
        return holder if holder in others else min(others, default="")

    def _why(self) -> str:
        if self._worker is not None:
            return self._worker.why
        return "no gateway says that it has the worker"
