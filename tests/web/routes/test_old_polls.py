"""Polls of sessions that are over: answered as the gateway answers them, or not at all."""

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.routes.old_polls import OldPolls
from tests.untraced import untraced
from tests.web.routes.test_same_answers import POLL, POST, Side, _normal, changed

GET = POLL.format("old").encode()
POSTED = POST.format("old").encode()
OWN = re.compile(rb"(?m)^(date|connection): .*\r\n", re.IGNORECASE)
"""What may differ."""


def polls(side: Side) -> OldPolls:
    return OldPolls(side.guard, {b"/socket.io/"})


class OldPollsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.side = Side(behind_proxy=False, bare=True)

    def answer(self, data: bytes) -> bytes:
        return polls(self.side).answer(data)

    def test_a_get_and_a_post_are_told_that_the_session_is_unknown(self) -> None:
        for data in (GET, POSTED):
            head, _, body = self.answer(data).partition(b"\r\n\r\n")
            self.assertTrue(head.startswith(b"HTTP/1.1 400 "), head)
            self.assertEqual(body, b'{"code":1,"message":"Session ID unknown"}')
            self.assertNotIn(b"Access-Control", head)

    def test_a_page_that_may_read_it_can(self) -> None:
        line = b"Access-Control-Allow-Origin: https://page.example\r\n"
        told = self.answer(GET.replace(b"Host", b"Origin: https://page.example\r\nHost"))
        self.assertIn(line, told)

    def test_the_rest_is_the_gateway_s(self) -> None:
        for data in (
            b"",
            GET.replace(b"sid=old", b"sid="),
            GET.replace(b"&sid=old", b""),
            GET.replace(b"polling", b"websocket"),
            GET.replace(b"Host", b"Upgrade: websocket\r\nHost"),
            GET.replace(b"Host", b"Origin: https://evil.test\r\nHost"),
            GET.replace(b"localhost", b"evil.test"),
            GET.replace(b"/socket.io/", b"/socket.io/socket.io.js"),
            GET.replace(b"/socket.io/", b"/status"),
            GET + GET,
            POSTED + b"x",
            POSTED.replace(b"Length: 6", b"Length: 6\r\nContent-Length: 6"),
            POSTED.replace(b"Content-Length: 6", b"Transfer-Encoding: chunked"),
            GET.replace(b"sid=old", b"sid=old" + 99 * b"&a=%31"),
            GET.replace(b"GET", b"DELETE"),
            GET.replace(b"HTTP/1.1", b"HTTP/1.0"),
            b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + GET,
            b"\x16\x03\x01\x02\x00\x01",
        ):
            self.assertEqual(self.answer(data), b"", data)

    def test_no_part_of_one_is_answered(self) -> None:
        for data in (GET, POSTED):
            for end in range(len(data)):
                self.assertEqual(self.answer(data[:end]), b"")

    @untraced
    def test_an_answer_is_the_gateway_s_own_whatever_the_request(self) -> None:
        answered = []

        @settings(max_examples=300, deadline=None)
        @given(st.sampled_from((POLL, POST)), changed, st.booleans())
        def check(form: str, changes: Any, is_exposed: bool) -> None:
            raw = form.format("old")
            for before, after in changes:
                raw = raw.replace(before, after, 1)
            side = Side(behind_proxy=False, bare=True)
            side.exposed(is_exposed)
            side.connect()
            data = raw.encode("latin-1")
            side.do(("say", [(raw.replace("{", "{{").replace("}", "}}"), (), 1)], []))
            told = polls(side).answer(data)
            if told:
                answered.append(data)
                self.assertEqual(
                    _normal(OWN.sub(b"", told), "old"),
                    _normal(OWN.sub(b"", side.wire.kernel.sent), "old"),
                    data,
                )

        check()
        self.assertGreater(len(answered), 10)

    @untraced
    def test_no_bytes_raise(self) -> None:
        @settings(max_examples=300, deadline=None)
        @given(st.binary(max_size=60), st.integers(0, len(GET)))
        def check(noise: bytes, place: int) -> None:
            self.answer(GET[:place] + noise + GET[place:])

        check()
