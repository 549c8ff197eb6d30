"""What a start makes of what the process before it left, and what it does when it can't."""

import shutil
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.app.memory_files import MemoryFiles
from gateway.app.memory_parts import ExitMemory, FeedMemory, make_memory
from gateway.app.memory_service import RelayMemory
from gateway.engineio.deadlines import Deadlines
from gateway.market.freshness import GONE, Freshness
from gateway.options import Settings
from gateway.relay.settings import RelaySettings
from gateway.system.linux import Linux
from gateway.worker.lifecycle.exits import EXITS_KEPT, Exit, LastExits
from tests.relay.world import RelayWorld, market

PORT = 3001


class Process:
    """One gateway's life: a relay with its memory.  `kill` leaves the files as they are."""

    def __init__(self, folder: Path, now: float = 1.7e9, boot: str = "boot", **given: Any):
        self.now = now
        settings = {"pid_key": lambda: b"k" * 32, **market(quotes=True), **given}
        self.world = RelayWorld(**settings)
        self.world.watcher.trusts = lambda _: True  # type: ignore[method-assign]
        for hub in self.world.relay.hubs.values():
            hub.log.epoch = hub._journal.epoch
        self.files = MemoryFiles(folder, PORT, boot)
        self.memory = RelayMemory(
            self.files,
            self.world.relay,
            RelaySettings(**settings),
            marks=("demo",),
            supervised=False,
            wall=lambda: self.now,
        )
        self.status = self.memory.status
        self.changes: list[tuple[str, str]] = []
        self.freshness = Freshness(
            Deadlines(lambda: 0.0), lambda: self.now, lambda *change: self.changes.append(change)
        )
        self.exits = LastExits()
        self.memory.kept["freshness"] = FeedMemory(self.freshness, self.world.log)
        self.memory.kept["exits"] = ExitMemory(self.exits)
        self.exits.on_change = lambda: self.memory.note("exits")

    def start(self) -> "Process":
        self.memory.startService()
        return self

    def kill(self) -> None:
        """The kernel takes its locks, and leaves what was written."""
        self.files.close()

    def say(self, name: str = "market_tick", code: str = "TXFL6") -> None:
        sender = self.world.client()
        sender.emit(name, {"code": code})
        self.freshness.hear(name, code)
        self.world.flush()


class MemoryCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())

    def process(self, **given: Any) -> Process:
        process = Process(self.folder, **given)
        self.addCleanup(process.files.close)
        return process.start()


class StartTests(MemoryCase):
    def test_the_first_one(self) -> None:
        process = self.process()
        self.assertTrue(process.status.kept)
        self.assertFalse(process.status.continued)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_after_a_kill(self) -> None:
        before = self.process()
        before.say()
        before.kill()
        after = self.process(now=1.7e9 + 5)
        self.assertEqual(after.world.log.epoch, before.world.log.epoch)
        self.assertEqual((after.status.continued, after.status.events), (True, 1))

    def test_after_a_kill_at_the_moment_when_its_file_is_there(self) -> None:
        for removed in (False, True):
            with self.subTest(removed=removed):
                self.folder = Path(self.mktemp())
                before = self.process()
                before.say()
                if removed:
                    shutil.rmtree(self.folder)
                else:
                    before.kill()
                    before = Process(self.folder)
                publish = before.files.publish

                def killed(name: str, publish: Any = publish) -> None:
                    publish(name)
                    raise KeyboardInterrupt

                before.files.publish = killed  # type: ignore[method-assign]
                what = before.memory.look if removed else before.start
                self.assertRaises(KeyboardInterrupt, what)
                before.kill()
                self.assertTrue(self.process().status.continued)

    def test_after_an_end_in_good_order_and_another_boot(self) -> None:
        before = self.process()
        before.say()
        before.memory.stopService()
        self.assertTrue(self.process(boot="another").status.continued)

    def test_after_a_power_cut(self) -> None:
        before = self.process()
        before.say()
        before.kill()
        after = self.process(boot="another")
        self.assertNotEqual(after.world.log.epoch, before.world.log.epoch)
        self.assertEqual(after.world.client().after, [])
        self.assertIn("started anew", after.status.reason)

    def test_too_late_for_anybody_the_log_is_new_and_the_values_are_kept(self) -> None:
        before = self.process()
        before.say()
        before.kill()
        after = self.process(now=1.7e9 + 1000)
        self.assertNotEqual(after.world.log.epoch, before.world.log.epoch)
        self.assertEqual(len(after.world.client().after), 1)

    def test_the_clock_went_back(self) -> None:
        before = self.process()
        before.say()
        before.kill()
        self.assertTrue(self.process(now=1.6e9).status.continued)

    def test_a_damaged_file(self) -> None:
        before = self.process()
        before.say()
        before.kill()
        path = self.folder / f"memory-{PORT}.ring"
        data = bytearray(path.read_bytes())
        data[data.index(b"TXFL6")] ^= 1
        path.write_bytes(data)
        after = self.process()
        self.assertFalse(after.status.continued)
        self.assertTrue(after.status.kept)

    def test_of_a_demonstration_nothing_is_kept_or_read(self) -> None:
        self.assertIsNone(
            make_memory(Settings(demo=True), RelaySettings(), None, None, None, system=Linux())  # type: ignore[arg-type]
        )
        before = self.process()
        client = before.world.client()
        client.emit("market_tick", {"code": "A", "demo": True})
        before.world.flush()
        before.kill()
        self.assertEqual(self.process().world.client().after, [])


class MeanwhileTests(MemoryCase):
    def test_files_that_were_removed_are_made_anew(self) -> None:
        before = self.process()
        before.say()
        shutil.rmtree(self.folder)
        before.say()
        before.memory.look()
        before.say()
        before.kill()
        after = self.process()
        self.assertTrue(after.status.continued)
        self.assertEqual(after.world.log.head, 3)

    def test_another_gateway_of_the_port_takes_over_when_the_first_has_gone(self) -> None:
        first = self.process()
        second = self.process()
        second.say()
        self.assertFalse(second.status.kept)
        self.assertIn("another gateway", second.status.reason)
        first.kill()
        second.memory.look()
        self.assertTrue(second.status.kept)
        second.kill()
        self.assertEqual(self.process().world.log.epoch, second.world.log.epoch)

    def test_what_was_read_is_not_read_again_where_nothing_can_be_written(self) -> None:
        """Between the two reads events were sent: their positions must not be given to others."""
        before = self.process()
        before.say()
        before.kill()
        after = Process(self.folder)

        def make(namespace: str, size: int) -> Any:
            raise OSError(28, "No space left on device")

        after.files.make = make  # type: ignore[method-assign]
        after.start()
        self.assertEqual(after.world.log.epoch, before.world.log.epoch)
        self.assertFalse(after.status.kept)
        after.say()
        after.kill()
        self.assertFalse(self.process().status.continued)

    def test_where_it_can_not_even_be_removed_the_log_begins_anew(self) -> None:
        before = self.process()
        before.say()
        before.kill()
        after = Process(self.folder)

        def fail(*_: object) -> Any:
            raise OSError(30, "Read-only file system")

        after.files.make = after.files.discard = fail  # type: ignore[method-assign]
        after.start()
        self.assertNotEqual(after.world.log.epoch, before.world.log.epoch)
        self.assertEqual(after.world.log._events, [])
        after.kill()

    def test_no_folder_can_be_made(self) -> None:
        self.folder.write_text("a file")
        process = self.process()
        process.say()
        self.assertFalse(process.status.kept)
        self.folder.unlink()
        process.memory.look()
        self.assertTrue(process.status.kept)


class KeptTests(MemoryCase):
    def test_the_age_and_number_of_events(self) -> None:
        before = self.process()
        for _ in range(3):
            before.say()
        before.memory.note("freshness")
        before.say(code="2330")
        expected = before.freshness.status()
        before.kill()
        found = self.process().freshness.status()
        self.assertEqual(found["events"]["market_tick"]["count"], 4)
        for part in ("events", "codes"):
            for name, each in expected[part].items():
                for field in ("last", "count"):
                    self.assertEqual(found[part][name][field], each[field], (name, field))

    def test_a_feed_that_was_stale_is_not_told_again(self) -> None:
        before = self.process()
        before.say()
        before.freshness.worker_gone()
        before.memory.note("freshness")
        before.kill()
        after = self.process()
        self.assertEqual(after.freshness.stale, {"futures"})
        after.freshness.worker_gone()
        self.assertEqual(after.changes, [])
        self.assertEqual(before.changes, [("futures", GONE)])

    def test_last_exits(self) -> None:
        before = self.process()
        for number in range(EXITS_KEPT + 2):
            before.exits.add(number, Exit(pid=number, code=1), "crash")
        before.kill()
        self.assertEqual(list(self.process().exits), list(before.exits))

    def test_notes_that_make_no_sense(self) -> None:
        before = self.process()
        before.exits.state = lambda: [[1, {"unknown": 1}, None]]  # type: ignore
        before.memory.note("exits")
        before.say()
        before.kill()
        after = self.process()
        self.assertTrue(after.status.continued)
        self.assertEqual(list(after.exits), [])
        self.flushLoggedErrors()
