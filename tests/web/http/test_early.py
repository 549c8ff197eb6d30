"""Ports that are open before the gateway is there."""

import os
import socket

from twisted.python.systemd import ListenFDs
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.http.early import Early, kept_open, listen
from gateway.web.http.held import VARIABLE, Held
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
            taken = Inherited.taken_from({}, Early(opened)).take("127.0.0.1")
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


class KeptOpenTests(SynchronousTestCase):
    """`LISTEN_FDS` counts from descriptor 3, which is another's here: we tell where it begins."""

    def setUp(self) -> None:
        self.sockets = [
            socket.create_server(("127.0.0.1", 0)),
            socket.socket(socket.AF_UNIX),
            socket.socket(type=socket.SOCK_DGRAM),
            socket.socket(),  # does not listen
        ]
        self.numbers = [each.fileno() for each in self.sockets]
        self.numbers.append(os.open(os.devnull, os.O_RDONLY))
        self.addCleanup(os.close, self.numbers[-1])
        for each in self.sockets:
            self.addCleanup(each.close)

    def found(self, *texts: str, environ: dict[str, str]) -> dict[str, int]:
        before = dict(environ)
        places = [
            ListenAddress(endpoint=text) if ":" in text else ListenAddress(text) for text in texts
        ]
        with kept_open(places, environ) as sockets:
            found = {text: each.fileno() for text, each in sockets.items()}
        self.assertEqual(environ, before)
        for number in self.numbers:
            os.fstat(number)  # it is open as before
        return found

    def held(self, *texts: str, pid: int | None = None) -> dict[str, int]:
        """Of a hand-over that left all sockets, at these places."""
        held = Held(pid or os.getpid(), tuple(zip(texts, self.numbers, strict=False)))
        return self.found(*texts, environ={VARIABLE: held.text})

    def test_of_a_hand_over(self) -> None:
        first = self.numbers[0]
        for place in ("127.0.0.1", "tcp:1", "systemd:domain=INET:index=0"):
            self.assertEqual(self.held(place), {place: first})
        for place in ("ssl:1", "haproxy:tcp:1", "haproxy:systemd:domain=INET:index=0"):
            self.assertEqual(self.held(place), {}, "what comes there is no plain HTTP")
        self.assertEqual(self.held("127.0.0.1", pid=os.getppid()), {})
        self.assertEqual(self.found("127.0.0.1", environ={}), {})

    def test_what_does_not_listen_by_tcp_is_left_alone(self) -> None:
        self.sockets[1].bind(f"\0{self.id()}")
        self.sockets[1].listen()
        texts = [f"tcp:{number}" for number in range(len(self.numbers))]
        self.assertEqual(self.held(*texts), {"tcp:0": self.numbers[0]})

    def test_by_systemd(self) -> None:
        self.patch(ListenFDs, "_START", self.numbers[0])
        environ = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "web"}
        for place in ("systemd:domain=INET:index=0", "systemd:domain=INET:name=web"):
            self.assertEqual(self.found(place, environ=environ), {place: self.numbers[0]})
            other = {**environ, "LISTEN_PID": str(os.getppid())}
            self.assertEqual(self.found(place, environ=other), {})
        for place in (
            "systemd:domain=INET:index=1",
            "systemd:domain=INET:index=x",
            "systemd:domain=INET:name=other",
            "systemd:domain=INET",
            "haproxy:systemd:domain=INET:index=0",
            "127.0.0.1",
        ):
            self.assertEqual(self.found(place, environ=environ), {})
