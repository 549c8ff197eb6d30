"""No two tests are given the same port."""

import itertools
import socket

from twisted.trial.unittest import SynchronousTestCase

from tests import ports


class PortTests(SynchronousTestCase):
    def again(self) -> list[int]:
        """Ten ports, for a process that begins where this one is now."""
        self.patch(ports, "_ports", itertools.count(self.start))
        return [ports.free_port() for _ in range(10)]

    def setUp(self) -> None:
        self.start = next(ports._ports)

    def test_a_number_that_was_given_is_not_given_to_another_process(self) -> None:
        first = self.again()
        self.assertEqual(len({*first, *self.again()}), 20)

    def test_who_asked_can_listen_there(self) -> None:
        for port in self.again():
            with socket.create_server(("127.0.0.1", port)):
                pass

    def test_one_that_somebody_listens_on_is_passed_over(self) -> None:
        (first, *_) = self.again()
        with socket.create_server(("127.0.0.1", first)):
            ports._given.clear()
            self.assertNotIn(first, self.again())
