"""The connection to the gateway, which holds over its absences."""

from __future__ import annotations

import json
import queue
import random
import re
import threading
import time
from collections import deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import socketio

from gateway.client.bounded import bounded
from gateway.client.console import log
from gateway.client.events import QUOTES, time_stamp

if TYPE_CHECKING:
    from gateway.client.console import Redactor
    from gateway.client.events import Event

FLUSH_PATIENCE, DISCONNECT_PATIENCE = 1.0, 1.0
"""Seconds in which what was sent has to be on the wire, and the connection closed."""
QUEUE_LIMIT = 2_000
"""Packets that may wait for the gateway; a POST of so many stays under 1 MB."""
MISSED_LIMIT, QUOTES_LIMIT = 200, 1_000
"""Events and quotes that are kept for a gateway that is away."""
FIRST_TRY, LAST_TRY = 0.5, 5.0
"""Seconds between two tries to connect."""
KNOWS_GATEWAY = {"snapshot": False}
"""A key of `auth` that is the gateway's own: it then answers `sjgateway:bars`."""
ASK_PATIENCE = 5.0
"""Seconds for an answer of the gateway."""


class Gateway:
    """The connection to the gateway, kept up on a thread of its own.

    A gateway that was away is told, when it comes back, what it needs to go on: what was
    `tell`-ed last, then what happened meanwhile in its order, then the newest quote of each code.
    All of it is bounded; of what does not fit the oldest is left out.

    All methods may be called on any thread.  The lock keeps the order: without it an event of
    now could overtake those that wait.
    """

    def __init__(self, address: str, marks: Event, redact: Redactor) -> None:
        self._address = address
        self._marks = marks
        self._redact = redact
        self._lock = threading.Lock()
        self._facts: dict[tuple[str, object], Event] = {}
        self._missed: deque[tuple[str, Event, str]] = deque(maxlen=MISSED_LIMIT)
        self._quotes: dict[tuple[str, object], tuple[Event, str]] = {}
        self._closing = threading.Event()
        self._client: Any = None

    @property
    def connected(self) -> bool:
        client = self._client
        return client is not None and "/" in client.namespaces and client.eio.state == "connected"

    def start(self) -> None:
        threading.Thread(target=self._keep_connected, name="gateway", daemon=True).start()

    def emit(self, name: str, data: Event) -> None:
        """Send one event now or never; nobody to send it to is no error."""
        with self._lock:
            self._send(name, {**data, **self._marks}, time_stamp())

    def tell(self, name: str, data: Event) -> None:
        """Send one event, now and whenever a gateway connects; the newest of each code."""
        with self._lock:
            self._facts[name, data.get("code")] = {**data, **self._marks}
            self._send_or_keep(name, {**data, **self._marks})

    def ask(self, name: str, data: Event) -> Event:
        """What the gateway answers; empty: nothing, as one of an older version."""
        try:
            answer = self._client.call(name, data, timeout=ASK_PATIENCE)
        except (socketio.exceptions.SocketIOError, AttributeError):
            return {}
        return answer if isinstance(answer, dict) else {}

    def complain(self, error: BaseException, service: str) -> None:
        """Send `python_error`, with the broker's status code where the error has one."""
        text = self._redact(f"{type(error).__name__}: {error}")
        event: Event = {"error": text[:500], "service": service, **self._marks}
        if code := re.search(r"[Ss]tatus_?[Cc]ode\W{1,4}(\d{3})\b", text):
            event["code"] = int(code[1])
        with self._lock:
            self._send_or_keep("python_error", event)

    def publish(self, name: str, data: Event) -> None:
        """Send market data.  A gateway that is away or does not keep up gets the newest later."""
        if self._closing.is_set():
            return
        with self._lock:
            self._keep_quote(name, {**data, **self._marks}, time_stamp())
            if self.connected and self._client.eio.queue.qsize() <= QUEUE_LIMIT:
                self._send_quotes()

    def close(self) -> None:
        """Disconnect after everything that was sent is on the wire.

        `disconnect()` closes the socket under python-engineio's own writer, which then
        loses what is queued; so wait until the writer has called every task done.
        """
        self._closing.set()
        client, deadline = self._client, time.monotonic() + FLUSH_PATIENCE
        if not self.connected:
            return
        while client.eio.queue.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.002)
        bounded("disconnecting", client.disconnect, DISCONNECT_PATIENCE)

    def _send(self, name: str, data: Event, at: str) -> bool:
        if not self.connected:
            return False
        try:
            self._client.emit(name, {**data, "timestamp": at})
        except socketio.exceptions.BadNamespaceError:  # lost since the line above
            return False
        return True

    def _send_or_keep(self, name: str, data: Event) -> None:
        now = time_stamp()
        if not self._send(name, data, now):
            self._missed.append((name, data, now))

    def _keep_quote(self, name: str, data: Event, at: str) -> None:
        key = name, data.get("code")
        self._quotes.pop(key, None)  # the newest quote is the last one to be sent
        self._quotes[key] = data, at
        if len(self._quotes) > QUOTES_LIMIT:
            del self._quotes[next(iter(self._quotes))]

    def _send_quotes(self) -> None:
        for (name, _), (data, at) in self._quotes.items():
            self._send(name, data, at)
        self._quotes.clear()

    def _keep_connected(self) -> None:
        # A new client each time: python-socketio's own reconnection gives up when the
        # server takes its leave (a DISCONNECT or CLOSE packet), as a restarting one does.
        lost, where = time.monotonic(), urlsplit(self._address).netloc.rpartition("@")[2]
        told = False
        while not self._closing.is_set():
            client = socketio.Client(reconnection=False, handle_sigint=False)
            client.on("connect", partial(self._catch_up, client))
            try:
                client.connect(self._address, auth=KNOWS_GATEWAY, wait_timeout=5)
            except Exception as error:  # whatever it is, the next attempt may succeed
                if not told:
                    log.warning("no gateway at %s yet: %s", where, error)
                    told = True
            else:
                log.info("connected to the gateway at %s", where)
                client.wait()
                lost, told = time.monotonic(), False
                if not self._closing.is_set():
                    log.warning("lost the gateway at %s", where)
            self._take_back(client)
            self._closing.wait(next_try(time.monotonic() - lost))

    def _catch_up(self, client: Any) -> None:
        """A gateway is there: tell it what it missed, before anything else."""
        with self._lock:
            self._client = client
            missed = [(name, data) for name, data, _ in self._missed]
            for (name, _), data in self._facts.items():
                if (name, data) not in missed:  # those come in their place
                    self._send(name, data, time_stamp())
            while self._missed and self._send(*self._missed[0]):
                self._missed.popleft()
            self._send_quotes()

    def _take_back(self, client: Any) -> None:
        """Keep what a lost connection did not write: it is older than what was kept since."""
        with self._lock:
            unsent: list[tuple[str, Event, str]] = []
            with suppress(queue.Empty):
                while True:
                    packet = client.eio.queue.get_nowait()
                    text = packet and packet.data
                    if isinstance(text, str) and text.startswith("2["):  # else no event
                        name, data = json.loads(text[1:])
                        unsent.append((name, data, data.pop("timestamp", "")))
            since, self._quotes = self._quotes, {}
            for name, data, at in unsent:
                if name in QUOTES:
                    self._keep_quote(name, data, at)
            for (name, _), (data, at) in since.items():
                self._keep_quote(name, data, at)
            states = (each for each in unsent if each[0] not in (*QUOTES, "heartbeat"))
            self._missed = deque([*states, *self._missed], MISSED_LIMIT)


def next_try(away: float) -> float:
    """Seconds to the next try to connect, when the gateway has been away for so many.

    The first one is early enough to miss little; the longer it takes, the rarer they get.
    """
    return min(max(FIRST_TRY, away / 4), LAST_TRY) * random.uniform(0.8, 1.2)  # noqa: S311
