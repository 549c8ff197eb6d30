from twisted.trial.unittest import SynchronousTestCase
from twisted.web.test.requesthelper import DummyRequest

from gateway.web.polling import PendingGet


class PendingGetTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.request = DummyRequest([b"engine.io"])
        self.get = PendingGet(self.request)
        self.vanished: list[str] = []

    def watch(self) -> None:
        self.get.watch(lambda: self.vanished.append("vanished"))

    def test_the_answer_has_type_and_length(self) -> None:
        self.get.answer(b"4hello", "text/plain; charset=UTF-8")
        header = self.request.responseHeaders.getRawHeaders
        self.assertEqual(header("content-type"), ["text/plain; charset=UTF-8"])
        self.assertEqual(header("content-length"), ["6"])
        self.assertEqual((self.request.written, self.request.finished), ([b"4hello"], 1))

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
