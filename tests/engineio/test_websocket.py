from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.engineio.world import Echo, World, binary, text
from tests.untraced import untraced


class FormTests(SynchronousTestCase):
    def test_a_client_may_ask_for_base64(self) -> None:
        world = World(Echo)
        socket = world.websocket(b64="1")
        socket.channel.text(b"bAQI=")
        self.assertEqual(world.connection.heard, [binary(b"\x01\x02")])
        self.assertEqual(socket.said, [text("bAQI=")])

    def test_engineio_3_types_its_binary_messages(self) -> None:
        world = World(Echo, eio3=True)
        socket = world.websocket(EIO="3")
        socket.channel.binary(b"\x04\x01\x02")
        socket.channel.text(b"b4AQI=")
        self.assertEqual(world.connection.heard, [binary(b"\x01\x02")] * 2)
        self.assertEqual(socket.said, [binary(b"\x04\x01\x02")] * 2)

    def test_engineio_3_with_base64(self) -> None:
        world = World(Echo, eio3=True)
        socket = world.websocket(EIO="3", b64="1")
        socket.channel.text(b"b4AQI=")
        self.assertEqual(socket.said, [text("b4AQI=")])

    def test_sessions_that_speak_alike_share_a_form(self) -> None:
        world = World()
        self.assertIs(world.websocket().form, world.websocket().form)

    def test_engineio_3_is_opened_a_moment_after_the_websocket(self) -> None:
        world = World(eio3=True)
        query = world.query("websocket", EIO="3")
        socket = type(world.websocket())()
        world.server.websocket(query, world.session.peer, socket)
        self.assertEqual(socket.writes, [])
        world.session.send(text("4x"))
        world.wait(0.02)
        self.assertEqual([packet.type for packet in socket.packets], [b"0", b"4"])


class MalformedTests(SynchronousTestCase):
    def refused(self, data: bytes, reason: str = "parse error", **query: str) -> None:
        world = World(eio3=True)
        socket = world.websocket(**query)
        socket.channel.text(data)
        self.assertEqual((socket.closed, world.connection.reasons), (1000, [reason]), data)
        for say in (socket.channel.text, socket.channel.binary):
            say(b"4after the end")
        socket.channel.room()
        self.assertEqual((world.connection.heard, socket.said), ([], []))

    def test_what_is_no_packet_closes(self) -> None:
        for data in (b"", b"abc", b"7", b"\x04", b" 4", b"b===", "４".encode()):
            self.refused(data)
            self.refused(data, EIO="3")

    def test_what_is_not_the_clients_to_send_closes(self) -> None:
        for data in (b"0{}", b"5"):
            self.refused(data)
            self.refused(data, EIO="3")

    def test_heartbeats_in_the_wrong_direction_close(self) -> None:
        self.refused(b"2", "transport error")
        self.refused(b"2probe", "transport error")
        self.refused(b"3", "transport error", EIO="3")

    def test_engineio_3_binary_without_a_message_type_closes(self) -> None:
        for data in (b"", b"\x02", b"4x"):
            world = World(eio3=True)
            socket = world.websocket(EIO="3")
            socket.channel.binary(data)
            self.assertEqual(world.connection.reasons, ["parse error"])

    def test_a_noop_is_harmless(self) -> None:
        world = World()
        world.websocket().channel.text(b"6")
        self.assertTrue(world.session.is_open)

    @untraced
    @settings(deadline=None, max_examples=200)
    @given(st.booleans(), st.lists(st.tuples(st.booleans(), st.binary(max_size=6))))
    def test_nothing_a_client_says_raises(
        self, old: bool, messages: list[tuple[bool, bytes]]
    ) -> None:
        world = World(Echo, eio3=True)
        socket = world.websocket(EIO="3" if old else "4")
        for is_text, data in messages:
            if is_text:
                socket.channel.text(data)
            else:
                socket.channel.binary(data)
        self.assertEqual(world.session.is_open, socket.closed is None)
