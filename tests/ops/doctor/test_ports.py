"""Faults of ports, and hints about who can connect."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil

from tests.ops.doctor.world import DoctorTestCase
from tests.web.certificates import write_certificate

LISTENER = "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); \
print(s.getsockname()[1], flush=True); sys.stdin.read()"


class PortTests(DoctorTestCase):
    def test_a_free_port_stays_free(self) -> None:
        line = self.found("port")
        self.assertEqual((line.level, line.what.split(" on ")[0]), ("ok", f"port {self.port}"))
        socket.create_server(("127.0.0.1", self.port)).close()

    def test_a_port_in_use_and_by_whom(self) -> None:
        with subprocess.Popen(
            [sys.executable, "-c", LISTENER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            line = self.found("port", port=port)
            process.communicate()
        what = f"port {port} on 127.0.0.1 is in use by "
        self.assert_found(line, "fail", what, "stop it, or choose another with --port")
        self.assertIn(f"(process {process.pid})", line.what)

    def test_a_port_in_use_by_nobody_knows_whom(self) -> None:
        def refuse(*_: object) -> None:
            raise psutil.AccessDenied

        self.patch(psutil, "net_connections", refuse)
        with socket.create_server(("127.0.0.1", self.port)):
            line = self.found("port")
        self.assert_found(line, "fail", "is in use", "ss -ltnp")

    def test_an_address_that_is_none_or_not_of_this_machine(self) -> None:
        self.assert_found(self.found("port", host="a.example"), "fail", "not an address", "--host")
        line = self.found("port", host="192.0.2.77")
        self.assert_found(line, "fail", "no such address here", "--host")

    def test_a_reserved_port(self) -> None:
        def refuse(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        self.patch(socket.socket, "bind", refuse)
        self.assert_found(self.found("port", port=80), "fail", "reserved for root", "--port")

    def test_a_machine_without_ipv6(self) -> None:
        bind = socket.socket.bind

        def refuse(probe: socket.socket, address: tuple[str, int]) -> None:
            if probe.family == socket.AF_INET6:
                raise OSError(99, "Cannot assign requested address")
            bind(probe, address)

        self.patch(socket.socket, "bind", refuse)
        self.assertEqual(self.found("port").level, "ok")

    def test_an_endpoint_behind_a_proxy_that_announces_clients(self) -> None:
        for listen in ("haproxy:tcp:0:interface=127.0.0.1", "haproxy:tcp:0"):
            self.assertEqual(self.found("port", listen=(listen,), no_worker=True).level, "ok")
            line = self.found("reach", listen=(listen,), no_worker=True)
            self.assertEqual(line.level, "ok" if "127.0.0.1" in listen else "warn")
            self.assertIn("Whoever puts a proxy in front of it sets a token", line.what)

    def test_endpoints(self) -> None:
        pem = Path(self.mktemp()).absolute()
        write_certificate(pem, "localhost")
        tls = f"ssl:{self.port}:interface=127.0.0.1:privateKey={pem}"
        with socket.create_server(("127.0.0.1", self.port)):
            for endpoint in (f"tcp:port={self.port}:interface=127.0.0.1", tls):
                line = self.found("port", listen=(endpoint,), no_worker=True)
                self.assert_found(line, "fail", "is in use", "--port")
        self.assertEqual(self.found("port", listen=(tls,), no_worker=True).level, "ok")
        line = self.found("port", listen=(f"unix:{self.folder}/socket",), no_worker=True)
        self.assertEqual(line.level, "ok")
        self.assertFalse((self.folder / "socket").exists())

    def test_the_workers_way_in_when_another_server_has_it(self) -> None:
        with socket.create_server(("127.0.0.1", self.port)):
            line = self.found("port", host="127.0.0.2")
        self.assert_found(line, "fail", f"port {self.port} on 127.0.0.1 is in use", "--port")

    def test_an_endpoint_that_holds_the_workers_port(self) -> None:
        pem = Path(self.mktemp()).absolute()
        write_certificate(pem, "localhost")
        for endpoint in (f"ssl:{self.port}:privateKey={pem}", f"haproxy:tcp:{self.port}"):
            lines = [line for line in self.check(listen=(endpoint,))[1] if line.topic == "port"]
            (line,) = [line for line in lines if line.level != "ok"]
            self.assert_found(line, "warn", f"{endpoint} holds port {self.port}", "--port")
        lines = [line for line in self.check(listen=("tcp:0",))[1] if line.topic == "port"]
        self.assertEqual({line.level for line in lines}, {"ok"})

    def test_endpoints_that_make_no_sense(self) -> None:
        for endpoint in ("nonsense:1", "ssl:1:privateKey=/nowhere", "systemd:domain=INET:index=0"):
            line = self.found("port", listen=(endpoint,))
            self.assert_found(line, "fail", endpoint, "--listen")


class ExposureTests(DoctorTestCase):
    def test_only_this_machine(self) -> None:
        line = self.found("reach")
        self.assertEqual(line.level, "ok")
        self.assertIn("--host 0.0.0.0", line.what)

    def test_other_machines(self) -> None:
        open_to_all = {"host": "0.0.0.0"}
        for settings in (open_to_all, {"listen": (f"tcp:{self.port}",)}):
            line = self.found("reach", **settings)
            self.assert_found(line, "warn", "Other machines can", "firewall")
            self.assertIn("--token-file", line.cure)
            self.assertIn("--allowed-hosts", line.cure)
        line = self.found("reach", **open_to_all, token="the-secret", allowed_hosts=("a.example",))
        self.assertEqual(line.level, "ok")
        self.assertNotIn("--allowed-hosts", line.cure)
        line = self.found("reach", listen=(r"tcp6:0:interface=\:\:1",))
        self.assertEqual(line.level, "ok")

    def test_a_unix_socket_is_this_machine(self) -> None:
        line = self.found("reach", listen=(f"unix:{os.devnull}",), no_worker=True)
        self.assertIn("Only this machine", line.what)

    def test_origins(self) -> None:
        self.assertIn("--allowed-origins", self.found("origins").cure)
        for anybody in ("*", "null"):
            line = self.found("origins", allowed_origins=("https://a.example", anybody))
            self.assert_found(line, "warn", "any web page", "--allowed-origins")
        line = self.found("origins", allowed_origins=("https://a.example", "app://x"))
        self.assertIn("2 listed", line.what)
