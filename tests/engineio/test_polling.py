from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.errors import EngineError
from tests.engineio.world import PEER, Echo, FakePoll, World, binary, text


class GetTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World(Echo)
        self.sid = self.world.polling()

    def test_a_get_waits_until_there_is_something_to_say(self) -> None:
        poll = self.world.get(sid=self.sid)
        self.assertEqual(poll.payload, None)
        self.world.session.send(text("4x"), binary(b"\x01\x02"))
        self.assertEqual(poll.payload, b"4x\x1ebAQI=")
        self.assertEqual(poll.content_type, "text/plain; charset=UTF-8")

    def test_what_was_said_between_two_gets_waits_for_the_next(self) -> None:
        self.world.post(self.sid, "4one\x1e4two")
        self.assertEqual(self.world.get(sid=self.sid).payload, b"4one\x1e4two")
        self.assertEqual(self.world.get(sid=self.sid).payload, None)

    def test_at_most_sixteen_packets_come_at_once(self) -> None:
        for number in range(40):
            self.world.session.send(text(f"4{number}"))
        answers = [self.world.get(sid=self.sid).payload or b"" for _ in range(3)]
        self.assertEqual([answer.count(b"\x1e") + 1 for answer in answers], [16, 16, 8])

    def answers_to(self, agent: str, packets: int, size: int = 10, **more: str) -> list[int]:
        """How many packets each answer to a client of this User-Agent holds."""
        world = World(eio3=True)
        query = world.query(**more)
        world.server.poll(query, PEER, FakePoll(), agent=agent)
        for _ in range(packets):
            world.session.send(text("4" + "x" * size))
        counts = []
        while sum(counts) < packets:
            poll = FakePoll()
            world.server.poll(query | {"sid": world.session.sid}, PEER, poll)
            assert poll.payload is not None
            counts.append(poll.payload.count(b"x" * size))
        return counts

    def test_a_client_that_takes_any_number_gets_as_many_as_fit(self) -> None:
        for agent in (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
            "node-XMLHttpRequest",
            "node",
        ):
            for more in ({}, {"EIO": "3"}, {"EIO": "3", "b64": "1"}):
                self.assertEqual(self.answers_to(agent, 1000, **more), [1000], agent)
        self.assertEqual(self.answers_to("node", 7, 100_000), [2, 2, 2, 1])

    def test_any_other_client_may_be_one_of_python_engineio(self) -> None:
        for agent in ("", "python-requests/2.34", "Python/3.11 aiohttp/3.14", "nodejs", "okhttp/5"):
            self.assertEqual(self.answers_to(agent, 40), [16, 16, 8], agent)


class PostTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.sid = self.world.polling()

    def test_every_packet_of_a_body_is_heard(self) -> None:
        self.world.post(self.sid, "4hello\x1ebAQIDBA==\x1e6\x1e4é")
        self.assertEqual(
            self.world.connection.heard,
            [text("4hello"), binary(bytes((1, 2, 3, 4))), text("4é")],
        )

    def test_a_body_of_exactly_the_limit_is_taken(self) -> None:
        self.world.post(self.sid, "4" + "x" * 999_999)
        self.assertEqual(len(self.world.connection.heard[0].data), 1_000_000)


class AnyBodyTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=200)
    @given(
        st.sampled_from(["3", "4"]),
        st.booleans(),
        st.one_of(st.binary(max_size=40), st.text("0123456:bA=é\x1e\x00\x01").map(str.encode)),
    )
    def test_a_body_is_taken_or_refused_and_then_the_session_is_over(
        self, eio: str, is_binary: bool, body: bytes
    ) -> None:
        world = World(Echo, eio3=True)
        sid = world.polling(EIO=eio)
        try:
            world.post(sid, body, binary=is_binary, eio=eio)
        except EngineError as error:
            self.assertEqual((error.status, error.code), (400, 3))
            self.assertFalse(world.session.is_open)
        else:
            self.assertTrue(
                world.session.is_open or world.connection.reasons == ["transport close"]
            )


class Version3Tests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World(Echo, eio3=True)

    def post(self, sid: str, body: bytes, *, binary: bool = False) -> None:
        self.world.post(sid, body, binary=binary, eio="3")

    def test_text_payloads(self) -> None:
        sid = self.world.polling(EIO="3", b64="1")
        self.post(sid, "2:4€10:b4AQIDBA==".encode())
        self.assertEqual(self.world.connection.heard, [text("4€"), binary(bytes((1, 2, 3, 4)))])
        poll = self.world.get(EIO="3", sid=sid)
        self.assertEqual(poll.payload, "2:4€10:b4AQIDBA==".encode())

    def test_binary_payloads(self) -> None:
        sid = self.world.polling(EIO="3")
        body = bytes.fromhex("00 04 ff 34 e2 82 ac 01 05 ff 04 01 02 03 04")
        self.post(sid, body, binary=True)
        self.assertEqual(self.world.connection.heard, [text("4€"), binary(bytes((1, 2, 3, 4)))])
        poll = self.world.get(EIO="3", sid=sid)
        self.assertEqual((poll.payload, poll.content_type), (body, "application/octet-stream"))

    def test_malformed_payloads_close(self) -> None:
        for body, is_binary in ((b"abc", False), (b"\x00", True)):
            sid = self.world.polling(EIO="3")
            with self.assertRaises(EngineError):
                self.post(sid, body, binary=is_binary)
            self.assertEqual(self.world.connection.reasons, ["parse error"])

    def test_a_client_closes(self) -> None:
        sid = self.world.polling(EIO="3")
        poll = self.world.get(EIO="3", sid=sid)
        self.post(sid, b"1:1")
        self.assertEqual(poll.payload, b"1:6")
