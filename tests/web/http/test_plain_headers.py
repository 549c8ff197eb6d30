from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from gateway.web.http.plain_headers import PlainHeaders

NAMES = [b"Host", b"host", b"ORIGIN", b"X-Forwarded-For", b"x", b"Sec-WebSocket-Key"]


class PlainHeadersTests(SynchronousTestCase):
    @given(st.lists(st.tuples(st.sampled_from(NAMES), st.binary(max_size=8))))
    def test_they_tell_the_same_as_twisteds_own(self, pairs: list[tuple[bytes, bytes]]) -> None:
        lines = [b"%b: %b" % (name, value.hex().encode()) for name, value in pairs]
        theirs = Headers()
        for name, value in pairs:
            theirs.addRawHeader(name, value.hex().encode())
        ours = PlainHeaders(lines)
        for name in (*NAMES, b"Absent"):
            for asked in (name, name.lower(), name.decode()):
                self.assertEqual(ours.getRawHeaders(asked), theirs.getRawHeaders(asked))
                self.assertEqual(ours.getRawHeaders(asked, ()), theirs.getRawHeaders(asked, ()))
                self.assertEqual(ours.hasHeader(asked), theirs.hasHeader(asked))
        found = [(name.lower(), values) for name, values in theirs.getAllRawHeaders()]
        self.assertEqual(list(ours.getAllRawHeaders()), found)

    def test_blanks_around_a_value_are_none_of_it(self) -> None:
        headers = PlainHeaders([b"a:\t b c \t", b"d:"])
        self.assertEqual(headers.getRawHeaders(b"A"), [b"b c"])
        self.assertEqual(headers.getRawHeaders("D"), [""])
