from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.forms import POLLING4, WEBSOCKETS
from gateway.engineio.outbox import BOUND, WRITE_BYTES, Queue
from gateway.engineio.packet import OVERHEAD, Record
from tests.engineio.world import FakeSocket, binary, text


def records(*names: str) -> list[Record]:
    return [Record(text("4" + name)) for name in names]


class QueueTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.queue = Queue()
        self.sink = FakeSocket()
        self.sink.form = WEBSOCKETS[4, False]

    def said(self) -> list[str]:
        return [packet.data.decode()[1:] for packet in self.sink.packets]

    def test_a_ready_sink_gets_each_record_at_once(self) -> None:
        self.queue.attach(self.sink)
        for record in records("a", "b"):
            self.queue.send(record)
        self.assertEqual(len(self.sink.writes), 2)

    def test_what_waited_is_joined(self) -> None:
        for record in records("a", "b", "c"):
            self.queue.send(record)
        self.queue.attach(self.sink)
        self.assertEqual((self.said(), len(self.sink.writes)), (["a", "b", "c"], 1))

    def test_a_full_sink_gets_nothing_until_it_resumes(self) -> None:
        self.sink.full = True
        self.queue.attach(self.sink)
        for record in records("a", "b", "c"):
            self.queue.send(record)
        self.assertEqual(self.said(), ["a"])
        self.queue.resume()
        self.assertEqual(self.said(), ["a", "b", "c"])

    def test_a_sink_may_resume_while_it_is_written_to(self) -> None:
        class Eager(FakeSocket):
            def write(sink, data: bytes) -> bool:
                super().write(data)
                self.queue.resume()
                return False

        self.sink = Eager()
        self.sink.form = POLLING4
        for record in records(*"abcdefghijklmnopqrstuvwxyz"):
            self.queue.send(record)
        self.queue.attach(self.sink)
        self.assertEqual(len(self.sink.writes), 2)

    def test_who_leaves_too_much_unread_is_given_up(self) -> None:
        overruns: list[str] = []
        self.queue.owner = SimpleNamespace(abort=overruns.append)
        self.sink.full = True
        self.queue.attach(self.sink)
        for _ in range(BOUND // (1000 + OVERHEAD)):
            self.queue.send(*records("x" * 1000))
        self.assertEqual(overruns, [])
        for _ in range(3):
            self.queue.send(*records("x" * 1000))
        self.assertNotEqual(overruns, [])
        self.sink.full = False
        self.queue.resume()
        overruns.clear()
        self.queue.send(*records("x"))
        self.assertEqual(overruns, [], "it was read")

    def test_two_large_records_may_wait(self) -> None:
        overruns: list[str] = []
        self.queue.owner = SimpleNamespace(abort=overruns.append)
        for count in (0, 0, 1):
            self.queue.send(*records("x" * BOUND))
            self.assertEqual(len(overruns), count)

    def test_urgent_records_jump(self) -> None:
        for record in records("a", "b"):
            self.queue.send(record)
        self.queue.send(records("ping")[0], urgent=True)
        self.queue.attach(self.sink)
        self.assertEqual(self.said(), ["ping", "a", "b"])

    def test_detached_it_keeps_what_is_said(self) -> None:
        self.queue.attach(self.sink)
        self.queue.detach()
        self.queue.send(records("a")[0])
        self.queue.resume()
        self.assertEqual(self.said(), [])
        self.queue.attach(self.sink)
        self.assertEqual(self.said(), ["a"])

    def test_closed_it_forgets(self) -> None:
        self.queue.send(records("a")[0])
        self.queue.close()
        self.queue.attach(self.sink)
        self.assertEqual(self.said(), [])

    def test_a_write_is_bounded_but_a_record_is_never_cut(self) -> None:
        big = Record(text("4"), binary(b"x" * WRITE_BYTES))
        for record in (*records("a"), big, *records("b", "c")):
            self.queue.send(record)
        self.queue.attach(self.sink)
        self.assertEqual([len(write) for write in self.sink.writes], [4, WRITE_BYTES + 13, 8])


class BatchTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.integers(1, 20)), st.booleans())
    def test_polls_get_everything_in_order_sixteen_packets_at_a_time(
        self, sizes: list[int], full: bool
    ) -> None:
        queue, sink = Queue(), FakeSocket()
        sink.form, sink.full = POLLING4, full
        sent = []
        for number, size in enumerate(sizes):
            packets = [text(f"4{number}.{index}") for index in range(size)]
            sent += [packet.data for packet in packets]
            queue.send(Record(*packets))
        queue.attach(sink)
        for _ in sizes:
            queue.resume()
        answers = [write.split(b"\x1e") for write in sink.writes]
        self.assertEqual([data for answer in answers for data in answer], sent)
        for answer in answers:
            of_one_record = len({data.split(b".")[0] for data in answer}) == 1
            self.assertTrue(len(answer) <= 16 or of_one_record)
