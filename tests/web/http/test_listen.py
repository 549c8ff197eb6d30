"""Listening: default addresses, endpoints, the worker's way in, and caps."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from OpenSSL.SSL import (
    MODE_RELEASE_BUFFERS,
    TLS1_1_VERSION,
    TLS1_2_VERSION,
    TLS1_3_VERSION,
    TLS_METHOD,
    Connection,
    Context,
)
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.endpoints import (
    HostnameEndpoint,
    TCP4ClientEndpoint,
    UNIXClientEndpoint,
    connectProtocol,
    wrapClientTLS,
)
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer

from gateway.web.http.counting import Caps
from gateway.web.http.endpoints import with_unix_mode
from gateway.web.http.limits import Limits
from gateway.web.http.listen import KeptPort, Listeners
from gateway.web.http.listen_plan import ListenAddress, ListenError, plan
from gateway.web.http.tls_connection import TlsConnection
from tests.patience import PATIENCE
from tests.web.certificates import write_certificate
from tests.web.site import Recorder, build_site

GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class ListenTestCase(TestCase):
    timeout = 2 * PATIENCE

    def setUp(self) -> None:
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.caps = Caps(total=100, per_address=100)
        self.site = build_site(reactor)
        self.listeners = self.make_listeners()

    def make_listeners(self) -> Listeners:
        listeners = Listeners(self.reactor, self.site, self.caps)
        self.addCleanup(lambda: ensureDeferred(listeners.close()))
        return listeners

    def make_folder(self) -> Path:
        folder = Path(self.mktemp())
        folder.mkdir()
        return folder

    async def exchange(self, endpoint: Any, data: bytes = GET) -> bytes:
        recorder = Recorder()
        await connectProtocol(endpoint, recorder)
        recorder.transport.write(data)
        await recorder.closed
        return recorder.received

    def tcp(self, port: int) -> TCP4ClientEndpoint:
        return TCP4ClientEndpoint(self.reactor, "127.0.0.1", port)

    async def assert_serves(self, endpoint: Any, data: bytes = GET) -> None:
        answer = await self.exchange(endpoint, data)
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)

    def fails(self, places: list[ListenAddress], port: int) -> Deferred[ListenError]:
        return self.assertFailure(
            ensureDeferred(self.make_listeners().open(places, port)), ListenError
        )


class PlaceTests(ListenTestCase):
    async def test_default_listeners_share_a_port_and_are_not_exposed(self) -> None:
        await self.listeners.open(plan(None, [], supervised=True), 0)
        port = self.listeners.port
        self.assertEqual(self.listeners.addresses[0], f"127.0.0.1:{port}")
        self.assertIn(self.listeners.addresses[1:], ([], [f"[::1]:{port}"]))
        self.assertFalse(self.listeners.exposed)
        await self.assert_serves(self.tcp(port))

    async def test_all_addresses_serve_the_worker_too(self) -> None:
        await self.listeners.open(plan("0.0.0.0", [], supervised=True), 0)
        self.assertEqual(self.listeners.addresses[0], f"0.0.0.0:{self.listeners.port}")
        self.assertNotIn(f"127.0.0.1:{self.listeners.port}", self.listeners.addresses)
        self.assertTrue(self.listeners.exposed)
        await self.assert_serves(self.tcp(self.listeners.port))

    async def test_a_port_in_use(self) -> None:
        await self.listeners.open([ListenAddress("127.0.0.1")], 0)
        taken = self.listeners.port
        error = await self.fails(plan(None, [], supervised=True), taken)
        self.assertIn(f"port {taken} on 127.0.0.1 is in use", str(error))
        self.assertNotIn("\n", str(error))

    async def test_a_port_is_free_again_at_once(self) -> None:
        await self.listeners.open([ListenAddress("127.0.0.1")], 0)
        port = self.listeners.port
        await self.assert_serves(self.tcp(port))
        await self.listeners.close()
        await self.make_listeners().open([ListenAddress("127.0.0.1")], port)

    async def test_nothing_stays_open_when_one_place_fails(self) -> None:
        await self.listeners.open([ListenAddress("127.0.0.1")], 0)
        taken = self.listeners.port
        other = self.make_listeners()
        opened = ensureDeferred(
            other.open(
                [ListenAddress(endpoint="tcp:0:interface=127.0.0.1"), ListenAddress("127.0.0.1")],
                taken,
            )
        )
        await self.assertFailure(opened, ListenError)
        self.assertEqual(other.addresses, [])

    async def test_another_server_on_the_workers_port_is_not_ours(self) -> None:
        await self.listeners.open([ListenAddress("127.0.0.1")], 0)
        taken = self.listeners.port
        error = await self.fails(plan("127.0.0.2", [], supervised=True), taken)
        self.assertIn(f"port {taken} on 127.0.0.1 is in use", str(error))

    async def test_a_failure_is_known_before_the_reactor_runs(self) -> None:
        other = self.make_listeners()
        places = [
            ListenAddress("127.0.0.1"),
            ListenAddress("127.0.0.2"),
            ListenAddress(endpoint="nonsense:1"),
        ]
        self.failureResultOf(ensureDeferred(other.open(places, 0)), ListenError)
        self.assertEqual(other.addresses, [])

    async def test_an_optional_place_may_be_missing(self) -> None:
        await self.listeners.open([ListenAddress("192.0.2.77", optional=True)], 0)
        self.assertEqual(self.listeners.addresses, [])

    async def test_but_not_taken_by_another_whom_clients_of_localhost_would_reach(self) -> None:
        await self.listeners.open([ListenAddress("127.0.0.1")], 0)
        taken = self.listeners.port
        error = await self.fails([ListenAddress("127.0.0.1", optional=True)], taken)
        self.assertIn(f"port {taken} on 127.0.0.1 is in use", str(error))

    async def test_endpoints_that_are_none(self) -> None:
        for endpoint in ("nonsense:1", "tcp:port", "tcp", "ssl:1:privateKey=/nowhere.pem", ""):
            error = await self.fails([ListenAddress(endpoint=endpoint)], 0)
            self.assertNotIn("\n", str(error))
        error = await self.fails([ListenAddress(endpoint="tcp:0:interface=192.0.2.1")], 0)
        self.assertIn("192.0.2.1", str(error))

    async def test_a_unix_socket_in_a_missing_folder_is_told_by_its_option(self) -> None:
        with self.assertRaises(ListenError) as caught:
            await self.listeners.open(plan(None, ["unix:/nowhere/x"], supervised=True), 0)
        said = str(caught.exception)
        self.assertIn("can't listen on unix:/nowhere/x", said)
        self.assertTrue(said.endswith(": No such file or directory"), said)

    async def test_a_unix_socket_and_the_workers_way_in(self) -> None:
        path = str(Path(self.mktemp()).parent.parent / "socket")
        await self.listeners.open(plan(None, [f"unix:{path}"], supervised=True), 0)
        self.assertFalse(self.listeners.exposed)
        self.assertEqual(self.listeners.addresses[0], path)
        await self.assert_serves(UNIXClientEndpoint(self.reactor, path))
        await self.assert_serves(self.tcp(self.listeners.port))
        # A socket in the file system is on this machine.
        restart = b"POST /restart-python HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        await self.assert_serves(UNIXClientEndpoint(self.reactor, path), restart)

    async def test_behind_haproxy_peers_are_who_they_are(self) -> None:
        request = b"POST /restart-python HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        for kind in ("haproxy", "HAProxy"):
            endpoint = ListenAddress(endpoint=f"{kind}:tcp:0:interface=127.0.0.1")
            listeners = self.make_listeners()
            await listeners.open([endpoint], 0)
            for peer, status in ((b"127.0.0.1", b"200"), (b"203.0.113.9", b"403")):
                header = b"PROXY TCP4 %s 127.0.0.1 40000 3001\r\n" % peer
                answer = await self.exchange(self.tcp(listeners.port), header + request)
                self.assertTrue(answer.startswith(b"HTTP/1.1 " + status), answer)

    async def test_who_is_believed_does_not_depend_on_how_the_endpoint_is_written(self) -> None:
        believed: list[str] = []
        for kind in ("haproxy", "HAProxy", "HAPROXY"):
            listeners = Listeners(self.reactor, self.site, self.caps, believed.append)
            self.addCleanup(lambda each=listeners: ensureDeferred(each.close()))
            await listeners.open([ListenAddress(endpoint=f"{kind}:tcp:0:interface=127.0.0.1")], 0)
            await self.exchange(
                self.tcp(listeners.port), b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n" + GET
            )
        self.assertEqual(believed, ["127.0.0.1"] * 3)

    async def test_a_proxy_is_announced_once(self) -> None:
        for endpoint in ("haproxy:haproxy:tcp:0", "haproxy:HAProxy:tcp:0"):
            self.assertIn("once", str(await self.fails([ListenAddress(endpoint=endpoint)], 0)))

    async def test_a_socket_that_systemd_has_not_handed_over(self) -> None:
        self.assertIn(
            "no such socket",
            str(await self.fails([ListenAddress(endpoint="systemd:domain=INET:index=0")], 0)),
        )

    def test_only_what_is_known_to_be_plain_is(self) -> None:
        for plain in ("tcp:1", "tcp6:1", "unix:/x", "systemd:domain=INET:index=0"):
            self.assertTrue(ListenAddress(endpoint=plain).is_plain, plain)
        for other in ("ssl:1", "tls:/x", "TLS:/x", "haproxy:tcp:1", "autobahn:tcp\\:1", "stdio:"):
            self.assertFalse(ListenAddress(endpoint=other).is_plain, other)

    async def free_port(self) -> int:
        await self.listeners.open([ListenAddress("127.0.0.1")], 0)
        port = self.listeners.port
        await self.listeners.close()
        return port

    async def test_the_worker_has_its_own_port_beside_an_endpoint(self) -> None:
        port = await self.free_port()
        places = plan(None, ["tcp:0:interface=127.0.0.1"], supervised=True)
        await self.listeners.open(places, port)
        self.assertEqual(self.listeners.worker_port, port)
        self.assertNotEqual(self.listeners.port, port)
        await self.assert_serves(self.tcp(port))

    async def test_where_its_port_holds_something_else_the_worker_has_another(self) -> None:
        folder, file = self.make_folder(), Path(self.mktemp()) / "state" / "worker-port"
        pem = folder / "both.pem"
        write_certificate(pem, "localhost")
        events: list[Any] = []
        globalLogPublisher.addObserver(events.append)
        self.addCleanup(globalLogPublisher.removeObserver, events.append)
        ports = []
        kinds = (("ssl:", f":privateKey={pem}"), (f"tls:{folder}:", ""), ("HAProxy:tcp:", ""))
        for begin, end in kinds * 2:
            port = await self.free_port()
            endpoint = f"{begin}{port}{end}:interface=127.0.0.1"
            listeners = self.make_listeners()
            events.clear()
            await listeners.open(plan(None, [endpoint], supervised=True), port, KeptPort(file))
            ports.append(listeners.worker_port)
            self.assertNotIn(listeners.worker_port, (0, port))
            await self.assert_serves(self.tcp(listeners.worker_port))
            (line,) = [formatEvent(event) for event in events if "holds" in formatEvent(event)]
            for text in (endpoint, f"http://localhost:{ports[-1]}", f"port {port}", "--port"):
                self.assertIn(text, line)
            await listeners.close()
        self.assertEqual(len(set(ports)), 1, "it is kept")
        self.assertEqual(KeptPort(file).read(), ports[0])

    async def test_a_kept_port_that_is_taken_is_given_up(self) -> None:
        file = Path(self.mktemp())
        other = self.make_listeners()
        await other.open([ListenAddress("127.0.0.1")], 0)
        KeptPort(file).keep(other.port)
        port = await self.free_port()
        places = plan(None, [f"haproxy:tcp:{port}:interface=127.0.0.1"], supervised=True)
        await self.listeners.open(places, port, KeptPort(file))
        await self.assert_serves(self.tcp(self.listeners.worker_port))
        self.assertNotEqual(self.listeners.worker_port, other.port)
        self.assertEqual(KeptPort(file).read(), self.listeners.worker_port)

    async def test_an_endpoint_on_the_workers_port_serves_it(self) -> None:
        await self.listeners.open([ListenAddress("127.0.0.1")], 0)
        port = self.listeners.port
        await self.listeners.close()
        await self.listeners.open(plan(None, [f"tcp:{port}"], supervised=True), port)
        await self.assert_serves(self.tcp(port))


class CapsTests(ListenTestCase):
    async def test_one_connection_too_many_is_closed_and_the_others_live(self) -> None:
        self.caps = Caps(total=2, per_address=100)
        listeners = self.make_listeners()
        await listeners.open([ListenAddress("127.0.0.1")], 0)
        held = [Recorder() for _ in range(2)]
        for recorder in held:
            await connectProtocol(self.tcp(listeners.port), recorder)
        refused = Recorder()
        await connectProtocol(self.tcp(listeners.port), refused)
        await refused.closed
        self.assertEqual((refused.received, self.caps.refused), (b"", 1))
        held[0].transport.write(GET)
        await held[0].closed
        self.assertTrue(held[0].received.startswith(b"HTTP/1.1 200 "))
        await self.assert_serves(self.tcp(listeners.port))
        held[1].transport.abortConnection()
        await held[1].closed

    async def test_connections_are_counted_until_they_are_gone(self) -> None:
        await self.listeners.open([ListenAddress("127.0.0.1")], 0)
        for _ in range(3):
            await self.assert_serves(self.tcp(self.listeners.port))
        self.assertEqual(self.caps.count, 0)


class PrivateTests(ListenTestCase):
    """Who can open a UNIX socket counts as this machine."""

    def test_a_mode_is_added_where_none_is_said(self) -> None:
        for description, expected in {
            "unix:/x": "unix:/x:mode=660",
            "unix:address=/x:backlog=5": "unix:address=/x:backlog=5:mode=660",
            r"unix:/a\:b": r"unix:/a\:b:mode=660",
            "unix:/x:mode=666": "unix:/x:mode=666",
            "unix:/x:600": "unix:/x:600",
            "tcp:3001": "tcp:3001",
            "systemd:domain=UNIX:index=0": "systemd:domain=UNIX:index=0",
        }.items():
            self.assertEqual(with_unix_mode(description), expected)

    async def test_the_file_has_it(self) -> None:
        folder = TemporaryDirectory()  # a socket's path must be short
        self.addCleanup(folder.cleanup)
        for name, prefix in (("a", "unix"), ("b", "haproxy:unix")):
            path = f"{folder.name}/{name}"
            await self.listeners.open([ListenAddress(endpoint=f"{prefix}:{path}")], 0)
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o660)  # noqa: PTH116 - it is local
        await self.listeners.close()


class TlsTests(ListenTestCase):
    """Certificates that are read again."""

    endpoint = "ssl:0:privateKey={pem}:interface=127.0.0.1"

    async def open(self, name: str) -> None:
        self.folder = self.make_folder()
        self.pem = self.folder / "a.pem"
        write_certificate(self.pem, name)
        endpoint = self.endpoint.format(pem=self.pem, folder=self.folder)
        await self.listeners.open([ListenAddress(endpoint=endpoint)], 0)

    async def served_name(self, asked: str | None = None) -> str:
        """Whose certificate a new connection gets; a request is answered besides."""
        recorder = Recorder()
        tcp = HostnameEndpoint(self.reactor, "127.0.0.1", self.listeners.port)
        await connectProtocol(wrapClientTLS(Anybody(asked=asked), tcp), recorder)
        recorder.transport.write(GET)
        await recorder.until(b"\r\n\r\n{")
        name = recorder.transport.getPeerCertificate().get_subject().commonName
        recorder.transport.abortConnection()
        await recorder.closed
        return str(name)

    async def test_requests_over_tls(self) -> None:
        await self.open("first")
        self.assertEqual(await self.served_name(), "first")
        self.assertFalse(self.listeners.exposed)

    async def test_connections_are_read_whole_and_keep_no_buffers(self) -> None:
        await self.open("first")
        ((_, port),) = self.listeners._open
        self.assertIs(port.factory.protocol, TlsConnection)  # type: ignore[attr-defined]
        (certificate,) = self.listeners._certificates
        self.assertTrue(certificate._context.set_mode(0) & MODE_RELEASE_BUFFERS)

    async def test_what_is_spoken(self) -> None:
        await self.open("first")
        await self.assert_speaks(None)

    async def assert_speaks(self, asked: str | None) -> None:
        for version, ciphers, spoken in (
            (TLS1_2_VERSION, b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256", True),
            (TLS1_2_VERSION, b"ECDHE+CHACHA20", True),
            (TLS1_3_VERSION, b"ALL", True),
            (TLS1_2_VERSION, b"ECDHE+AES+SHA256:ECDHE+AES+SHA1:@SECLEVEL=0", False),  # CBC
            (TLS1_2_VERSION, b"kRSA:@SECLEVEL=0", False),
            (TLS1_1_VERSION, b"ALL:@SECLEVEL=0", False),
        ):
            recorder = Recorder()
            tcp = HostnameEndpoint(self.reactor, "127.0.0.1", self.listeners.port)
            await connectProtocol(wrapClientTLS(Anybody(version, ciphers, asked), tcp), recorder)
            recorder.transport.write(GET)
            await recorder.closed
            answered = recorder.received.startswith(b"HTTP/1.1 200 ")
            self.assertEqual(answered, spoken, (version, ciphers))

    async def test_behind_a_proxy_its_line_comes_before_tls(self) -> None:
        """So HAProxy (`send-proxy` beside `ssl`) and the PROXY protocol have it."""
        folder = self.make_folder()
        pem = folder / "first.pem"
        write_certificate(pem, "first")
        request = b"POST /restart-python HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        for kind in (f"ssl:0:privateKey={pem}", f"tls:{folder}:0"):
            listeners = self.make_listeners()
            await listeners.open([ListenAddress(endpoint=f"haproxy:{kind}:interface=127.0.0.1")], 0)
            for peer, status in ((b"127.0.0.1", b"200"), (b"203.0.113.9", b"403")):
                line = b"PROXY TCP4 %s 127.0.0.1 40000 3001\r\n" % peer
                recorder = await self.speak(listeners.port, request, before=line)
                self.assertTrue(recorder.received.startswith(b"HTTP/1.1 " + status), kind)
                self.assertIn("GCM", recorder.transport.getHandle().get_cipher_name())
            for early in (b"", b"PROXY nonsense\r\n"):
                recorder = await self.speak(listeners.port, request, before=early)
                self.assertEqual(recorder.received, b"")

    async def speak(self, port: int, data: bytes, *, before: bytes) -> Recorder:
        """Send `before` as it is and `data` over TLS; returns when the gateway has hung up."""
        recorder = Recorder()
        await connectProtocol(self.tcp(port), recorder)
        recorder.transport.write(before)
        recorder.transport.startTLS(Anybody(TLS1_2_VERSION))
        recorder.transport.write(data)
        await recorder.closed
        return recorder

    async def test_reading_again_on_request(self) -> None:
        await self.open("first")
        write_certificate(self.pem, "second")
        self.assertEqual(await self.served_name(), "first")
        self.listeners.reload_certificates()
        self.assertEqual(await self.served_name(), "second")

    async def test_reading_again_when_the_file_changed(self) -> None:
        await self.open("first")
        self.listeners.look_at_certificates()
        self.assertEqual(await self.served_name(), "first")
        write_certificate(self.pem, "second")
        self.listeners.look_at_certificates()
        self.assertEqual(await self.served_name(), "second")

    async def test_what_can_not_be_read_changes_nothing(self) -> None:
        await self.open("first")
        for spoil in (lambda: self.pem.write_text("no certificate"), self.pem.unlink):
            spoil()
            self.listeners.look_at_certificates()
            self.listeners.reload_certificates()
            self.assertEqual(await self.served_name(), "first")
        write_certificate(self.pem, "second")
        self.listeners.look_at_certificates()
        self.assertEqual(await self.served_name(), "second")

    async def test_a_handshake_that_never_comes_is_not_waited_for(self) -> None:
        limits = Limits(head_seconds=0.3, flush_seconds=0.3)
        self.site = build_site(self.reactor, limits=limits)
        self.listeners = self.make_listeners()
        await self.open("first")
        self.assertEqual(await self.exchange(self.tcp(self.listeners.port), b""), b"")
        self.assertEqual(await self.exchange(self.tcp(self.listeners.port), b"\x16\x03\x01"), b"")

    async def test_bytes_that_are_no_tls(self) -> None:
        await self.open("first")
        answer = await self.exchange(self.tcp(self.listeners.port))
        self.assertNotIn(b"HTTP/1.1 200", answer)
        self.assertEqual(await self.served_name(), "first")


class FolderTests(TlsTests):
    """The same with a folder of certificates, and more than one."""

    endpoint = "tls:{folder}:0:interface=127.0.0.1"

    async def test_each_name_has_its_own(self) -> None:
        await self.open("first")
        write_certificate(self.folder / "b.pem", "second")
        write_certificate(self.folder / "c.pem", "*.third")
        self.listeners.look_at_certificates()
        for asked, served in (
            (None, "first"),
            ("first", "first"),
            ("second", "second"),
            ("SECOND", "second"),
            ("any.third", "*.third"),
            ("too.many.third", "first"),
            ("nobody", "first"),
        ):
            self.assertEqual(await self.served_name(asked), served, asked)
        await self.assert_speaks("second")

    async def test_names_that_somebody_invents_cost_nothing(self) -> None:
        await self.open("first")
        events: list[Any] = []
        globalLogPublisher.addObserver(events.append)
        self.addCleanup(globalLogPublisher.removeObserver, events.append)
        self.pem.unlink()  # who reads it again fails
        for name in ("one", "two"):
            self.assertEqual(await self.served_name(name), "first")
        self.assertEqual([formatEvent(each) for each in events if "domain" in str(each)], [])

    async def test_a_folder_without_any(self) -> None:
        folder = self.make_folder()
        place = ListenAddress(endpoint=f"tls:{folder}:0")
        self.assertIn(f"no .pem file in {folder}", str(await self.fails([place], 0)))


@implementer(IOpenSSLClientConnectionCreator)
class Anybody:
    """Takes any certificate: whose it is, is what the test asks."""

    def __init__(self, version: int = 0, ciphers: bytes = b"ALL", asked: str | None = None) -> None:
        self._asked = asked
        self._context = Context(TLS_METHOD)
        self._context.set_cipher_list(ciphers)
        if version:
            self._context.set_min_proto_version(version)
            self._context.set_max_proto_version(version)

    def clientConnectionForTLS(self, tlsProtocol: Any) -> Connection:
        connection = Connection(self._context, None)
        if self._asked is not None:
            connection.set_tlsext_host_name(self._asked.encode())
        return connection


class KeptPortTests(SynchronousTestCase):
    def test_whatever_is_no_port_is_none(self) -> None:
        path = Path(self.mktemp())
        self.assertEqual(KeptPort(path).read(), 0)
        for content in (b"", b"x", b"-1", b"70000", b"99999999999", b"\xff\n", b"3.5", b"12 34"):
            path.write_bytes(content)
            self.assertEqual(KeptPort(path).read(), 0, content)
        KeptPort(path).keep(3001)
        self.assertEqual((path.read_bytes(), KeptPort(path).read()), (b"3001\n", 3001))

    def test_where_no_file_can_be_kept_the_log_says_so(self) -> None:
        events: list[Any] = []
        globalLogPublisher.addObserver(events.append)
        self.addCleanup(globalLogPublisher.removeObserver, events.append)
        file = Path(self.mktemp())
        file.touch()
        KeptPort(file / "worker-port").keep(3001)
        self.assertIn("another port at each start", formatEvent(events[-1]))
