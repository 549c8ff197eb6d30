"""What a program leaves for the next one in memory."""

import os
from tempfile import TemporaryFile
from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from gateway.system import memory_file
from gateway.system.memory_file import taken, written
from gateway.system.system import NO_MEMO

SECRET = b'{"apiKey":"K"}' * 1000


class MemoTests(SynchronousTestCase):
    def test_it_is_read_once(self) -> None:
        with written(SECRET) as descriptor:
            next_one = os.dup(descriptor)
        self.assertEqual(taken(next_one), SECRET)
        self.assertRaises(OSError, os.fstat, next_one)
        self.assertRaises(OSError, os.fstat, descriptor)

    def test_nobody_can_change_it_and_no_child_has_it(self) -> None:
        with written(SECRET) as descriptor:
            self.assertFalse(os.get_inheritable(descriptor))
            self.assertRaises(PermissionError, os.pwrite, descriptor, b"x", 0)
            self.assertRaises(PermissionError, os.ftruncate, descriptor, 0)

    def test_it_is_closed_when_the_program_stays(self) -> None:
        found = []

        def fails() -> None:
            with written(SECRET) as descriptor:
                found.append(descriptor)
                raise OSError(2, "No such file or directory")

        self.assertRaises(OSError, fails)
        self.assertRaises(OSError, os.fstat, found[0])

    def test_a_python_of_an_old_libc_says_what_it_lacks_where_something_is_to_be_kept(self) -> None:
        self.patch(memory_file, "os", SimpleNamespace())
        with written(b"") as descriptor:
            self.assertEqual(descriptor, NO_MEMO)
        error = self.assertRaises(OSError, written(SECRET).__enter__)
        self.assertIn("memfd_create", str(error))

    def test_something_else_is_left_alone(self) -> None:
        with TemporaryFile() as file:
            self.assertEqual(taken(file.fileno()), b"")
            os.fstat(file.fileno())
        self.assertEqual(taken(NO_MEMO), b"")
