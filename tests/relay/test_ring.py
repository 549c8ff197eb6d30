"""What is believed of a memory: nothing that is false, and everything that was committed."""

import random
import struct
import zlib

from twisted.trial.unittest import SynchronousTestCase

from gateway.relay.ring import (
    CLOSED,
    EVENTS,
    FRAME,
    HEAD,
    MAGIC,
    PAGE,
    READY,
    VERSION,
    Names,
    Ring,
    UnusableError,
    names_block,
    read,
)
from tests.untraced import untraced

SIZE = 256
BOOT = "boot"


def believed(data, boot=BOOT, namespace="/", file=7):
    return read(bytes(data), namespace=namespace, boot=boot, file=file)


def bodies(segment):
    return segment.blocks


class Written:
    """A ring, and what was written to it."""

    def __init__(self, size=SIZE):
        self.data = bytearray(PAGE + 2 * size)
        self.ring = Ring(self.data, size)
        self.segments: list[list[bytes]] = []

    def begin(self, *checkpoint):
        number = self.ring.begin()
        self.ring.add(names_block(Names(number, "/", "E", BOOT, 7, 10 * number)))
        self.segments.append([])
        for body in (*checkpoint, bytes((READY,))):
            self.add(body)

    def add(self, body):
        self.ring.add(body)
        self.segments[-1].append(body)

    def say(self, text):
        self.add(bytes((EVENTS,)) + text)
        self.ring.commit()


def two_segments():
    written = Written()
    written.begin()
    for text in (b"one", b"two", b"three"):
        written.say(text)
    written.begin(b"Nnote")
    for text in (b"four", b"five"):
        written.say(text)
    return written


class ReadTests(SynchronousTestCase):
    def test_the_newest_segment_and_the_one_before_it(self):
        written = two_segments()
        found = believed(written.data)
        self.assertEqual(bodies(found.newest), written.segments[1])
        self.assertEqual(bodies(found.before), written.segments[0])
        self.assertFalse(found.closed)

    def test_a_third_segment_takes_the_place_of_the_first(self):
        written = two_segments()
        written.begin()
        written.say(b"six")
        found = believed(written.data)
        self.assertEqual(bodies(found.newest), written.segments[2])
        self.assertEqual(bodies(found.before), written.segments[1])

    def test_another_boot_is_believed_only_if_it_was_closed(self):
        written = two_segments()
        for boot in ("other", ""):
            with self.assertRaisesRegex(UnusableError, "started anew"):
                believed(written.data, boot=boot)
        written.add(bytes((CLOSED,)))
        written.ring.commit()
        self.assertTrue(believed(written.data, boot="other").closed)

    def test_a_copy_and_another_namespace_are_not_believed(self):
        for changed in ({"file": 8}, {"namespace": "/x"}):
            with self.assertRaisesRegex(UnusableError, "copy"):
                believed(two_segments().data, **changed)

    def test_another_version_is_named(self):
        data = two_segments().data
        header = struct.pack("<8sIIQ", MAGIC, VERSION + 1, 0, SIZE)
        sum = zlib.adler32(header)
        data[: len(header)] = struct.pack("<8sIIQ", MAGIC, VERSION + 1, sum, SIZE)
        with self.assertRaisesRegex(UnusableError, f"version {VERSION + 1}"):
            believed(data)

    def test_nothing_is_believed_after_it_was_spoilt(self):
        written = two_segments()
        written.ring.spoil()
        with self.assertRaises(UnusableError):
            believed(written.data)

    def test_an_empty_ring_is_not_believed(self):
        with self.assertRaises(UnusableError):
            believed(Written().data)


class DamageTests(SynchronousTestCase):
    """Whatever happens to one place of it: the newest segment is whole, or nothing is believed."""

    def assert_true(self, data, written, what):
        try:
            found = believed(data)
        except UnusableError:
            return False
        self.assertEqual(bodies(found.newest), written.segments[-1], what)
        if found.before is not None:
            earlier = bodies(found.before)
            self.assertEqual(earlier, written.segments[-2][: len(earlier)], what)
        return True

    def test_cut_off_at_every_byte(self):
        written = two_segments()
        for size in range(len(written.data)):
            with self.assertRaises(UnusableError):
                believed(written.data[:size])

    @untraced
    def test_each_byte_damaged(self):
        written = two_segments()
        believed_after = 0
        for at in range(len(written.data)):
            for changed in (0x01, 0x80, 0xFF):
                data = bytearray(written.data)
                data[at] ^= changed
                believed_after += self.assert_true(data, written, (at, changed))
        self.assertGreater(believed_after, 0)  # most of the pages is unused

    def test_each_byte_of_the_newest_segment_counts(self):
        written = two_segments()
        used = written.ring.used
        for at in range(PAGE, PAGE + used):
            data = bytearray(written.data)
            data[at] ^= 1
            with self.assertRaises(UnusableError):
                believed(data)

    def test_pages_that_were_never_written(self):
        written = Written(size=3 * PAGE)
        for _ in range(2):
            written.begin()
            for _ in range(10):
                written.say(random.randbytes(900))
        for at in range(0, len(written.data), PAGE):
            data = bytearray(written.data)
            data[at : at + PAGE] = bytes(PAGE)
            self.assert_true(data, written, at)

    def test_an_older_word_is_no_way_back(self):
        """Positions that were told already would be given to other events."""
        written = two_segments()
        words = memoryview(written.data)[:PAGE].cast("Q")
        last = words[HEAD]
        for older in range(last):
            words[HEAD] = older
            self.assertTrue(self.assert_true(written.data, written, older))


class KillTests(SynchronousTestCase):
    """A process is killed at any byte of what it writes: what it had committed is there."""

    def test_at_every_byte(self):
        rng = random.Random(1)
        written = Written()
        written.begin()
        written.ring.commit()
        committed = [list(each) for each in written.segments]
        for number in range(30):
            before = bytes(written.data)
            size = rng.randrange(40)
            if written.ring.room < size + FRAME + 2:
                written.begin(b"Nnote %d" % number)
            else:
                written.add(bytes((EVENTS,)) + bytes([number]) * size)
            now = bytes(written.data)
            changed = [at for at in range(PAGE, len(now)) if now[at] != before[at]]
            for end in range(changed[0], changed[-1] + 2):
                found = believed(before[:PAGE] + now[PAGE:end] + before[end:])
                told = bodies(found.newest)
                self.assertIn(told, (committed[-1], written.segments[-1]), (number, end))
            written.ring.commit()
            committed = [list(each) for each in written.segments]
            self.assertEqual(bodies(believed(written.data).newest), committed[-1])
