"""The files of what outlives the process: whose they are, and when there is no room for them."""

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.app.memory_files import MemoryFiles
from gateway.relay.ring import UnusableError
from tests import unprivileged

SIZE = 8192


class FilesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.files = MemoryFiles(self.folder, 3001, "boot")
        self.assertTrue(self.files.lock())
        self.addCleanup(self.files.close)
        self.path = self.folder / "memory-3001.ring"

    def made(self, files: MemoryFiles | None = None, namespace: str = "/") -> None:
        files = files or self.files
        ring, _, number = files.make(namespace, SIZE)
        self.assertFalse(files.is_there(namespace))
        files.publish(namespace)
        self.assertTrue(files.is_there(namespace))
        self.assertEqual(number, self.path.stat().st_ino if namespace == "/" else number)
        ring.release()

    def test_only_the_owner_reads_them(self) -> None:
        self.made()
        for each in self.folder.iterdir():
            self.assertEqual(each.stat().st_mode & 0o777, 0o600, each)
        data, number = self.files.read("/")
        self.assertEqual(len(data), self.path.stat().st_size)
        self.assertEqual(number, self.path.stat().st_ino)

    def test_every_block_is_there_before_it_is_mapped(self) -> None:
        self.made()
        found = self.path.stat()
        self.assertGreaterEqual(found.st_blocks * 512, found.st_size)

    def test_what_is_left_of_a_kill_while_one_was_made_is_no_obstacle(self) -> None:
        self.files.make("/", SIZE)[0].release()
        self.made()
        self.assertEqual(sorted(each.suffix for each in self.folder.iterdir()), [".lock", ".ring"])

    def test_each_namespace_has_one(self) -> None:
        self.made()
        self.made(namespace="/../x")
        self.assertEqual(len(list(self.folder.glob("*.ring"))), 2)

    def test_two_gateways_of_one_port_do_not_share_them(self) -> None:
        other = MemoryFiles(self.folder, 3001, "boot")
        self.assertFalse(other.lock())
        self.assertTrue(MemoryFiles(self.folder, 3002, "boot").lock())
        self.files.close()
        self.assertTrue(other.lock())
        other.close()

    def test_one_that_was_removed_or_replaced_is_noticed(self) -> None:
        self.made()
        self.path.unlink()
        self.assertFalse(self.files.is_there("/"))
        self.path.write_bytes(b"")
        self.assertFalse(self.files.is_there("/"))

    def test_what_is_in_its_place_is_not_followed_nor_waited_for(self) -> None:
        self.path.symlink_to("/etc/passwd")
        self.assertRaises(OSError, self.files.read, "/")
        self.path.unlink()
        os.mkfifo(self.path)
        self.assertRaises(UnusableError, self.files.read, "/")
        self.path.unlink()
        self.path.mkdir()
        self.assertRaises(OSError, self.files.read, "/")

    def test_one_that_others_can_write_is_not_believed(self) -> None:
        self.made()
        self.path.chmod(0o660)
        self.assertRaises(UnusableError, self.files.read, "/")

    def test_a_link_in_the_place_of_a_new_one_is_replaced_and_not_written_through(self) -> None:
        victim = self.folder / "victim"
        victim.write_text("mine")
        for name in ("memory-3001.ring", "memory-3001.draft"):
            (self.folder / name).symlink_to(victim)
        self.made()
        self.assertEqual(victim.read_text(), "mine")


class OtherUserTests(SynchronousTestCase):
    def test_a_file_of_another_user_is_not_believed(self) -> None:
        folder = unprivileged.folder(self)
        folder.chmod(0o777)
        path = folder / "memory-3001.ring"
        path.write_bytes(b"x" * SIZE)
        path.chmod(0o644)

        def read() -> str:
            try:
                MemoryFiles(folder, 3001, "boot").read("/")
            except UnusableError as error:
                return str(error)
            return ""

        self.assertIn("own it", unprivileged.as_other_user(read))

    def test_a_folder_of_another_user(self) -> None:
        folder = unprivileged.folder(self)

        def lock() -> bool:
            try:
                return MemoryFiles(folder, 3001, "boot").lock()
            except OSError:
                return False

        self.assertFalse(unprivileged.as_other_user(lock))
