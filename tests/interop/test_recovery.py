"""Stock clients that are cut off: in the middle of a replay, and over a restart."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase

from tests.interop.agents import Agent, node_client
from tests.interop.proxy import Proxy
from tests.interop.raw import RawClient
from tests.interop.service import Service
from tests.patience import PATIENCE
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

MISSED = 200
"""More than one answer holds."""


class RecoveryCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.port = free_port()
        self.folder = Path(self.mktemp())
        self.folder.mkdir(parents=True)
        self.service = self.start()

    def start(self, port: int = 0) -> Service:
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        state = f"--state-dir={self.folder.absolute() / 'state'}"
        service = Service(folder, port or self.port, "--no-worker", state)
        self.addCleanup(service.close)
        service.until("answer", service.answers)
        return service

    def agent(self, agent: Agent) -> Agent:
        self.addCleanup(agent.close)
        self.assertFalse(agent.hear("connected")["recovered"])
        return agent

    def ticks_until(self, client: Agent, last: int) -> list[int]:
        """The numbers of the ticks that `client` hears, up to `last`."""
        heard: list[int] = []
        while not heard or heard[-1] != last:
            name, value = client.hear("event")["event"][:2]
            if name != "feed_status":  # on a busy machine a feed may be silent for a minute
                heard.append(value["seq"])
        return heard


class CutReplayTests(RecoveryCase):
    """A client that is cut off a second time, in its replay, hears everything once."""

    def setUp(self) -> None:
        super().setUp()
        self.proxy = Proxy(self.port)
        self.addCleanup(self.proxy.close)
        self.speaker = self.agent(node_client(self.service.url, "websocket"))

    def cut_off(self, transport: str, cut: Callable[[], None]) -> None:
        client = self.agent(node_client(self.proxy.url, transport, recover=True))
        self.speaker.tell("emit", "begin", {"seq": -1})
        self.ticks_until(client, -1)
        self.proxy.pause()
        client.hear("disconnected")
        self.speaker.tell("stream", MISSED, 100_000, MISSED)
        self.service.until(
            "events", lambda: self.service.request("/status")[1]["relay"]["events"] > MISSED
        )
        cut()
        self.proxy.refused.clear()
        self.proxy.go_on()
        self.assertTrue(self.proxy.refused.wait(PATIENCE), "the client did not come back")
        self.proxy.go_on()
        self.speaker.tell("emit", "end", {"seq": MISSED})
        self.assertEqual(self.ticks_until(client, MISSED), list(range(MISSED + 1)))

    def test_over_polling_after_the_first_answer(self) -> None:
        self.cut_off("polling", lambda: self.proxy.pause_after(b"market_tick"))

    def test_over_a_websocket_within_the_first_write(self) -> None:
        self.cut_off("websocket", lambda: self.proxy.pause_within(b'"seq":50}'))


class RestartTests(RecoveryCase):
    def test_after_a_power_cut_nobody_is_told_that_he_missed_nothing(self) -> None:
        client = self.agent(node_client(self.service.url, "websocket", recover=True))
        speaker = self.agent(node_client(self.service.url, "websocket"))
        speaker.tell("stream", 50, 10_000, 50)
        self.assertEqual(self.ticks_until(client, 49), list(range(50)))
        state = self.folder / "state"
        key = (state / "recovery.key").read_bytes()
        self.service.stop(signal.SIGKILL)
        (memory,) = state.glob("*.ring")
        with memory.open("r+b") as file:  # its last pages did not get to the disk
            written = file.read()
            file.seek(written.rindex(b'"seq"') - 1000)
            file.write(bytes(len(written) - file.tell()))
        self.service = self.start()
        self.assertFalse(client.hear("connected")["recovered"])
        self.assertEqual((state / "recovery.key").read_bytes(), key)
        speaker.hear("connected")
        speaker.tell("stream", 60, 10_000, 60)
        self.assertEqual(self.ticks_until(client, 59), list(range(60)))
        client.tell("drop")
        self.assertTrue(client.hear("connected")["recovered"])

    def test_another_gateway_with_the_same_key_does_not_know_him(self) -> None:
        other = self.start(free_port())
        proxy = Proxy(self.port)
        self.addCleanup(proxy.close)
        client = self.agent(node_client(proxy.url, "websocket", recover=True))
        for service in (self.service, other):
            speaker = self.agent(node_client(service.url, "websocket"))
            speaker.tell("stream", 20, 10_000, 20)
        self.assertEqual(self.ticks_until(client, 19), list(range(20)))
        proxy.lead_to(int(other.url.rpartition(":")[2]))
        self.assertFalse(client.hear("connected")["recovered"])

    def test_an_answer_to_a_question_from_before_is_not_taken_for_another_one(self) -> None:
        questions: dict[str, str] = {}
        for name in ("position", "order"):
            asker, receiver = RawClient(self.port), RawClient(self.port)
            asker.say(f'421["{name}"]')
            text = next(receiver.texts())
            questions[name] = text.removeprefix("42").partition("[")[0]
            receiver.say(*[f'43{id}["{of}"]' for of, id in questions.items()])  # the old one first
            self.assertEqual(next(asker.texts()), f'431["{name}"]')
            for client in (asker, receiver):
                client.close()
            if name == "position":
                self.service.stop(signal.SIGKILL)
                self.service = self.start()
