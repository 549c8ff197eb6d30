"""A client of our own against the relay itself, in memory."""

from twisted.trial.unittest import SynchronousTestCase

from gateway.cli.conversation import LONGEST, Conversation, LostError, Place, RefusedError
from tests.relay.world import RelayWorld, WebSocketClient, market

EPOCH = "0123456789abcdef"


class Ears:
    def __init__(self) -> None:
        self.joins: list[bool] = []
        self.events: list[tuple] = []

    def joined(self, *, recovered: bool) -> None:
        self.joins.append(recovered)

    def heard(self, payload: bytes, attachments: list[bytes]) -> None:
        self.events.append((payload, *attachments))


class ConversationTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = RelayWorld(**market())
        self.world.log.epoch = EPOCH
        self.sender = self.world.client()
        self.ears, self.place = Ears(), Place()

    def connect(self, **auth: object) -> WebSocketClient:
        """A connection of the conversation; the newest one is `self.conversation`."""
        client = WebSocketClient(self.world)
        self.conversation = Conversation(auth, self.place, self.ears, client.say)
        self.hear(client)
        return client

    def hear(self, client: WebSocketClient) -> None:
        self.world.flush()
        while heard := client.heard:
            for each in heard:
                binary = isinstance(each, bytes)
                self.conversation.receive(each if binary else each.encode(), binary=binary)
            self.world.flush()

    def test_events_come_byte_for_byte(self) -> None:
        client = self.connect()
        payload = '["market_tick", {"code":"TXFR1","price":1.50,"note":"\\ud800"}]'
        self.sender.say(f"42{payload}", '42["bare"]', '42["text","2330-1"]')
        self.hear(client)
        expected = [(payload.encode(),), (b'["bare"]',), (b'["text","2330-1"]',)]
        self.assertEqual(self.ears.events, expected)

    def test_attachments_come_with_their_event(self) -> None:
        client = self.connect()
        marks = [{"_placeholder": True, "num": number} for number in (0, 1)]
        text = f'452-["file",{marks[0]},{marks[1]}]'.replace("'", '"').replace("True", "true")
        self.sender.say(text, b"\0\1", b"\2")
        self.hear(client)
        ((payload, *attachments),) = self.ears.events
        self.assertEqual(attachments, [b"\0\1", b"\2"])
        self.assertTrue(payload.startswith(b'["file",{"_placeholder"'), payload)

    def test_filters_are_asked_for(self) -> None:
        client = self.connect(codes=["TXFR1"], events=["market_tick"])
        for code in ("TXFR1", "2330"):
            self.sender.emit("market_tick", {"code": code})
        self.hear(client)
        self.assertEqual(self.ears.events, [(b'["market_tick",{"code":"TXFR1"}]',)])

    def test_who_asks_everybody_does_not_wait_for_us(self) -> None:
        client = self.connect()
        self.sender.emit("who", id=7)
        self.hear(client)
        self.assertEqual(self.ears.events, [(b'["who"]',)])
        self.assertEqual(self.sender.heard, ["437[]"])

    def test_who_comes_back_has_missed_nothing(self) -> None:
        client = self.connect()
        self.sender.emit("a")
        self.hear(client)
        client.lose()
        self.sender.emit("b")
        self.world.flush()
        client = self.connect()
        self.sender.emit("c")
        self.hear(client)
        self.assertEqual(self.ears.joins, [False, True])
        self.assertEqual(self.ears.events, [(b'["a"]',), (b'["b"]',), (b'["c"]',)])

    def test_a_gateway_that_was_restarted_begins_anew(self) -> None:
        client = self.connect()
        self.sender.emit("a")
        self.hear(client)
        self.setUpAnew()
        client = self.connect()
        self.sender.emit("b")
        self.hear(client)
        self.assertEqual(self.ears.joins, [False, False])
        self.assertEqual(self.ears.events, [(b'["a"]',), (b'["b"]',)])

    def setUpAnew(self) -> None:
        self.world = RelayWorld(**market())
        self.world.log.epoch = EPOCH[::-1]
        self.sender = self.world.client()

    def test_a_ping_is_answered_and_tells_how_long_to_wait(self) -> None:
        said: list[str] = []
        conversation = Conversation({}, self.place, self.ears, said.append)
        opened = b'0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000}'
        conversation.receive(opened, binary=False)
        conversation.receive(b"2", binary=False)
        self.assertEqual(conversation.patience, 45)
        self.assertEqual(said[-1], "3")
        conversation.receive(opened.replace(b"25000", b"25e300"), binary=False)
        self.assertEqual(conversation.patience, LONGEST, "no reactor waits for ever")

    def test_a_refusal_has_the_gateways_own_words(self) -> None:
        with self.assertRaisesRegex(RefusedError, "'codes' must be a list of at most 1000"):
            self.connect(codes=["x" * 101])

    def test_whatever_else_comes_ends_the_session(self) -> None:
        for packet in (
            b"",
            b"hello",
            b"1",
            b"41",
            b"0[]",
            b"0{",
            b"4",
            b"42",
            b"42{}",
            b"44{}",
            b"44[",
            b"40[]",
        ):
            conversation = Conversation({}, self.place, self.ears, lambda _: None)
            self.assertRaises(LostError, conversation.receive, packet, binary=False)
        conversation = Conversation({}, self.place, self.ears, lambda _: None)
        self.assertRaises(LostError, conversation.receive, b"\0", binary=True)
