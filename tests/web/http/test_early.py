"""Ports that are open before the gateway is there."""

import os
import socket

from twisted.trial.unittest import SynchronousTestCase

from gateway.web.http.early import listen
from gateway.web.http.inherited import Inherited
from gateway.web.http.listen_plan import ListenAddress, plan


class EarlyTests(SynchronousTestCase):
    def setUp(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def listen(self, *places: ListenAddress) -> list[str]:
        opened = listen(places, self.port)
        for _, number in opened:
            self.addCleanup(os.close, number)
        return [place for place, _ in opened]

    def connects(self, host: str) -> bool:
        try:
            socket.create_connection((host, self.port)).close()
        except OSError:
            return False
        return True

    def test_who_connects_waits_for_whoever_takes_the_socket(self) -> None:
        opened = listen(plan("127.0.0.1", [], supervised=True), self.port)
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            taken = Inherited.taken_from({}, opened).take("127.0.0.1")
            assert taken is not None
            with socket.socket(fileno=taken) as listening, listening.accept()[0] as server:
                server.sendall(b"late")
                self.assertEqual(client.recv(10), b"late")
                self.assertFalse(
                    os.get_blocking(taken), "whoever takes it accepts until none is left"
                )

    def test_endpoints_and_the_worker_s_own_ways_in_are_left_for_later(self) -> None:
        places = plan(None, ["tcp:1"], supervised=True)
        self.assertEqual(self.listen(*places), [])
        self.assertFalse(self.connects("127.0.0.1"))
        self.assertEqual(listen([ListenAddress("127.0.0.1")], 0), [], "any port is nobody's")

    def test_a_place_that_is_taken_is_left_to_who_opens_it_for_good(self) -> None:
        with socket.create_server(("127.0.0.1", self.port)):
            places = ListenAddress("127.0.0.1"), ListenAddress("192.0.2.1")
            self.assertEqual(self.listen(*places), [])

    def test_all_addresses_of_version_6_take_those_of_version_4_too(self) -> None:
        if not socket.has_dualstack_ipv6():
            self.skipTest("no IPv6 here")
        self.assertEqual(self.listen(*plan("::", [], supervised=True)), ["::"])
        self.assertTrue(self.connects("127.0.0.1"))
