"""Stock clients at their default settings, and what each of them receives."""

import tempfile
from base64 import b64encode
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.interop.agents import Agent, node_client, node_relay, python_client
from tests.interop.service import Service
from tests.ports import free_port


def binary(data: bytes) -> dict:
    return {"$bytes": b64encode(data).decode()}


ARGUMENTS = (
    [],
    [None],
    [True, False, 0, -1, 1.5, 1e-7, 9007199254740991],
    ["", "a", '期貨 \U0001f4c8 \u2028 \\ " \x7f'],
    [{"code": "TXFL6", "price": 23000.5, "nested": {"list": [1, [2, [3]]], "": {}}}],
    [[], {}, [[]], {"a": None}],
    [{"_placeholder": True}],
    [{"__proto__x": 1, "constructor": {"prototype": 1}}],
    [binary(b"\x00\x01\xff")],
    [binary(b"")],
    [binary(b"first"), {"then": "text"}],
    ["text", 5, binary(b"last")],
    [{"deep": [{"er": binary(b"nested" * 100)}]}, binary(bytes(range(256)))],
    [binary(bytes([number])) for number in range(10)],
    ["x" * 900_000],
    [binary(b"y" * 700_000)],
)
NAMES = ("tick", "message", "error", "期貨", "constructor", "with space", "42", "data")


class ClientsTestCase(SynchronousTestCase):
    def gateway(self, *options: str) -> str:
        folder = Path(tempfile.mkdtemp(dir=self.mktemp_folder()))
        service = Service(folder, free_port(), "--no-worker", *options)
        self.addCleanup(service.close)
        service.until("answer", service.answers)
        return service.url

    def mktemp_folder(self) -> Path:
        folder = Path(self.mktemp())
        folder.mkdir(parents=True)
        return folder

    def agent(self, agent: Agent) -> Agent:
        (connected,) = self.agents(agent)
        return connected

    def agents(self, *agents: Agent) -> tuple[Agent, ...]:
        """All of them, started at once, when each is connected."""
        for agent in agents:
            self.addCleanup(agent.close)
        for agent in agents:
            self.connected = agent.hear("connected")
        return agents

    def everybody(self, url: str) -> dict[str, Agent]:
        clients = {}
        for transports in ("polling", "websocket", "default"):
            clients[f"node {transports}"] = node_client(url, transports)
            clients[f"python {transports}"] = python_client(url, transports)
        self.agents(*clients.values())
        return clients

    def exchange(self, url: str, *senders: str) -> dict[tuple[str, str], list]:
        """What everybody else hears of what each sender says in turn, by sender and hearer."""
        clients = self.everybody(url)
        return {
            (sender, name): events
            for sender in senders
            for name, events in self.heard_of(sender, clients).items()
        }

    def heard_of(self, sender: str, clients: dict[str, Agent]) -> dict[str, list]:
        speaker = clients[sender]
        others = {name: client for name, client in clients.items() if name != sender}
        heard: dict[str, list] = {name: [] for name in others}
        for number, arguments in enumerate(ARGUMENTS):
            speaker.tell("emit", NAMES[number % len(NAMES)], *arguments)
            # One by one: Socket.IO's own server sends a polling client of Python more
            # packets at once than it takes.
            for name, client in others.items():
                try:
                    heard[name].append(client.hear("event")["event"])
                except AssertionError as error:
                    gone = speaker.passed_over("disconnected")
                    told = f"{name} of what {sender} said, number {number}: {error}; {gone}"
                    raise AssertionError(told) from None
        # What others say arrives after whatever of its own the speaker could have got.
        last, *rest = others.values()
        last.tell("emit", "end for you", {})
        self.assertEqual(speaker.events_until("end for you"), [])
        for client in rest:
            self.assertEqual(client.events_until("end for you"), [])
        return heard


class RelayTests(ClientsTestCase):
    def test_everybody_hears_whoever_speaks_on_whatever_transport(self) -> None:
        sent = [[NAMES[number % len(NAMES)], *each] for number, each in enumerate(ARGUMENTS)]
        senders = ("node polling", "node default", "python polling", "python websocket")
        for who, events in self.exchange(self.gateway(), *senders).items():
            self.assertEqual(len(events), len(sent), who)
            for event, expected in zip(events, sent, strict=True):
                self.assertEqual(event, expected, who)


class DifferentialTests(ClientsTestCase):
    def test_a_relay_on_socket_ios_own_server_delivers_the_same(self) -> None:
        relay, url = node_relay()
        self.addCleanup(relay.close)
        senders = ("node websocket", "python default")
        theirs = self.exchange(url, *senders)
        ours = self.exchange(self.gateway(), *senders)
        self.assertEqual(ours.keys(), theirs.keys())
        for who, events in theirs.items():
            self.assertEqual(ours[who], events, who)


class AckTests(ClientsTestCase):
    def test_the_first_answer_of_a_receiver_returns_to_who_asked(self) -> None:
        url = self.gateway()
        asker, answerer, silent = self.agents(
            node_client(url),
            node_client(url, "polling"),
            python_client(url),  # answers [], as python-socketio does
        )
        answerer.tell("answer", "yes", {"price": 1.5}, binary(b"\x00proof"))
        asker.tell("ask", {"what": 1})
        self.assertEqual(
            asker.hear("answer")["answer"], ["yes", {"price": 1.5}, binary(b"\x00proof")]
        )
        answerer.tell("answer", "again")
        silent.tell("ask", binary(b"?"))
        self.assertEqual(silent.hear("answer")["answer"], ["again"])

    def test_an_empty_answer_returns_when_everybody_was_empty(self) -> None:
        url = self.gateway()
        asker, *_ = self.agents(*[python_client(url) for _ in range(3)])
        asker.tell("ask", 1)
        self.assertEqual(asker.hear("answer")["answer"], [])


class RecoveryTests(ClientsTestCase):
    def test_a_client_that_asked_for_it_hears_what_it_missed(self) -> None:
        url = self.gateway()
        listener = self.agent(node_client(url, "websocket", recover=True))
        before = self.connected
        speaker = self.agent(node_client(url, "websocket"))
        speaker.tell("emit", "tick", {"seq": 0})
        self.assertEqual(listener.hear("event")["event"][:2], ["tick", {"seq": 0}])
        listener.tell("drop")
        for seq in range(1, 20):
            speaker.tell("emit", "tick", {"seq": seq})
        after = listener.hear("connected")
        self.assertEqual((after["connected"], after["recovered"]), (before["connected"], True))
        heard = [listener.hear("event")["event"][1]["seq"] for _ in range(19)]
        self.assertEqual(heard, list(range(1, 20)))

    def test_a_client_that_did_not_is_somebody_else_when_it_comes_back(self) -> None:
        url = self.gateway()
        client = self.agent(node_client(url, "websocket"))
        before = self.connected
        client.tell("drop")
        after = client.hear("connected")
        self.assertNotEqual(after["connected"], before["connected"])
        self.assertFalse(after["recovered"])


class OldClientTests(ClientsTestCase):
    def test_socket_io_2_clients_are_refused_as_node_does(self) -> None:
        agent = node_client(self.gateway(), version="2")
        self.addCleanup(agent.close)
        self.assertIn("refused", agent.hear("refused"))

    def test_socket_io_2_and_4_clients_hear_each_other_where_both_are_let_in(self) -> None:
        url = self.gateway("--eio3")
        for transports in ("polling", "websocket", "default"):
            old, new = self.agents(
                node_client(url, transports, version="2"), node_client(url, transports)
            )
            for speaker, listener in ((old, new), (new, old)):
                for arguments in ARGUMENTS:  # one by one: 2.x does not heed maxPayload
                    speaker.tell("emit", "tick", *arguments)
                    event = listener.hear("event")["event"]
                    self.assertEqual(event, ["tick", *arguments], transports)
            old.tell("close")
            new.tell("close")
