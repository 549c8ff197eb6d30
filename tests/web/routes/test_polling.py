from gzip import decompress
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.test.requesthelper import DummyRequest

from gateway.web.http.gzip import SMALLEST, Compressor, accepts
from gateway.web.routes.polls import PendingGet


class PendingGetTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.request = DummyRequest([b"engine.io"])
        self.later: list[Any] = []
        self.compress = Compressor(self.later.append)
        self.get = PendingGet(self.request, self.compress)
        self.vanished: list[str] = []

    def watch(self) -> None:
        self.get.watch(lambda: self.vanished.append("vanished"))

    def test_the_answer_has_type_and_length(self) -> None:
        self.get.answer(b"4hello", "text/plain; charset=UTF-8")
        header = self.request.responseHeaders.getRawHeaders
        self.assertEqual(header("content-type"), ["text/plain; charset=UTF-8"])
        self.assertEqual(header("content-length"), ["6"])
        self.assertEqual((self.request.written, self.request.finished), ([b"4hello"], 1))

    def answered(self, payload: bytes, encodings: str) -> DummyRequest:
        request = DummyRequest([b"engine.io"])
        request.requestHeaders.addRawHeader("accept-encoding", encodings)
        PendingGet(request, self.compress).answer(payload, "text/plain")
        return request

    def test_a_long_answer_is_compressed_for_who_takes_it(self) -> None:
        payload = b"4" + b"x" * SMALLEST
        request = self.answered(payload, "deflate, gzip;q=0.5")
        header = request.responseHeaders.getRawHeaders
        [body] = request.written
        self.assertEqual(decompress(body), payload)
        self.assertEqual(header("content-encoding"), ["gzip"])
        self.assertEqual(header("content-length"), [str(len(body))])
        for data, encodings in ((payload, "br"), (payload[:SMALLEST], "gzip")):
            request = self.answered(data, encodings)
            self.assertEqual(request.written, [data])
            self.assertFalse(request.responseHeaders.hasHeader("content-encoding"))

    def test_all_who_are_given_the_same_bytes_in_a_turn_share_what_is_made_of_them(self) -> None:
        payload = b"4" + b"x" * SMALLEST
        first, second = [self.answered(payload, "gzip").written[0] for _ in range(2)]
        self.assertIs(first, second)
        self.assertEqual(len(self.later), 1)
        self.later.pop()()
        self.assertIsNot(self.answered(payload, "gzip").written[0], first)

    def test_who_takes_gzip(self) -> None:
        for header in ("gzip", "GZIP", "x-gzip", "*", "br, *;q=0.1", "identity, gzip; q=1.0"):
            self.assertTrue(accepts(header), header)
        for header in ("", "br", "gzip;q=0", "gzip; q=0.000", "*, gzip;q=0", "gzipped"):
            self.assertFalse(accepts(header), header)

    def test_a_client_that_goes_away_is_noticed(self) -> None:
        self.watch()
        self.request.processingFailed(ValueError())
        self.assertEqual(self.vanished, ["vanished"])

    def test_after_the_answer_nobody_is_missed(self) -> None:
        self.watch()
        self.get.answer(b"6", "text/plain")
        self.get.watch(self.fail)
        self.assertEqual(self.vanished, [])

    def test_there_is_one_answer(self) -> None:
        self.get.answer(b"6", "text/plain")
        self.assertRaises(AssertionError, self.get.answer, b"6", "text/plain")
