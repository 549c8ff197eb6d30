"""The ways to a real Redis: TLS, a UNIX socket, a user who may do no more than is documented."""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path

import attrs
from OpenSSL.crypto import FILETYPE_PEM

from gateway.cluster.address import Address, parse
from gateway.cluster.settings import ClusterSettings
from gateway.cluster.site import Keys
from gateway.ops.doctor.finding import Level
from gateway.ops.doctor.redis import check_redis
from tests.cluster.servers import PASSWORD, RedisServer
from tests.cluster.world import KEY, ClusterCase, until
from tests.interop.kept import Kept
from tests.ops.alerts.receiver import Authority
from tests.patience import PATIENCE
from tests.ports import free_port

USER = "gateway"
DOCUMENT = (Path(__file__).parents[2] / "docs/cluster.md").read_text(encoding="utf-8")


class SafeServer(RedisServer):
    """It also listens with TLS, by a certificate for `name`, and knows a user with a password."""

    def __init__(self, name: str) -> None:
        self.tls_port = free_port()
        authority = Authority()
        certificate = authority.issue(name)
        self.folder = Path(tempfile.mkdtemp(prefix="redis-"))
        self.ca = authority.write(self.folder / "ca.pem")
        pem = self.folder / "server.pem"
        pem.write_bytes(certificate.privateKey.dump(FILETYPE_PEM) + certificate.dumpPEM())
        super().__init__(
            *("--tls-port", str(self.tls_port), "--tls-auth-clients", "no"),
            *("--tls-cert-file", str(pem), "--tls-key-file", str(pem)),
            *("--tls-ca-cert-file", str(self.ca)),
            folder=self.folder,
        )

    def restrict(self, cluster: str) -> None:
        """Let the user do what the document asks for in this cluster, and nothing else."""
        (rights,) = re.findall(r"a user of their own needs `(.+?)`", DOCUMENT)
        rules = rights.replace("NAME", cluster).split()
        self.ask("ACL", "SETUSER", USER, "reset", "on", f">{PASSWORD}", *rules)


_here, _elsewhere = Kept(SafeServer), Kept(SafeServer)


class WaysTests(ClusterCase):
    def setUp(self) -> None:
        super().setUp()
        self.safe = _here(self, "127.0.0.1")

    def tls(self, server: SafeServer | None = None) -> Address:
        server = server or self.safe
        url = f"rediss://{USER}@127.0.0.1:{server.tls_port}/0"
        return parse(url, password=PASSWORD, ca=str(self.safe.ca))

    def unix(self) -> Address:
        return Address(path=str(self.safe.socket), user=USER, password=PASSWORD)

    async def test_gateways_with_different_ways_have_one_log(self) -> None:
        self.safe.restrict(self.name)
        one, two = self.node("g1", self.tls()), self.node("g2", self.unix())
        ears = [await node.ear(recover=True) for node in (one, two)]
        speaker = await one.ear()
        for number in range(50):
            speaker.emit("market_tick", {"code": "A", "n": number, "pad": "x" * 5000})
        await until(lambda: all(len(ear.events) == 50 for ear in ears), "all events")
        self.assertEqual(ears[0].events, ears[1].events)

    async def test_what_is_flushed_is_written_though_the_reactor_has_no_further_turn(self) -> None:
        self.safe.restrict(self.name)
        for number, address in enumerate((self.tls(), self.unix()), 1):
            node = self.node(f"g{number}", address)
            speaker = await node.ear()
            log = Keys.of(node.cluster.names, "/").log
            before = self.safe.ask("XLEN", log)
            speaker.emit("order", {"n": 1})
            node.cluster.flush()
            self.until_changed(before, "XLEN", log)

    def until_changed(self, before: bytes, *command: str) -> None:
        """Wait until the server answers otherwise than `before`; the reactor stands still."""
        end = time.monotonic() + PATIENCE
        while self.safe.ask(*command) == before:
            self.assertLess(time.monotonic(), end, f"{command}: {before!r}")
            time.sleep(0.01)

    async def refused(self, address: Address, why: str) -> None:
        """The way `address` leads nowhere, and both that connect and that check say why."""
        node = self.node("g9", address)
        await until(lambda: node.cluster.talk.trouble, "why there is no connection")
        self.assertIn(why, node.cluster.talk.trouble)
        (finding,) = check_redis(node.cluster.settings)
        self.assertIs(finding.level, Level.FAIL)
        self.assertIn(why, finding.what)
        for text in (node.cluster.talk.trouble, str(finding)):
            self.assertNotIn(PASSWORD, text)

    async def test_a_certificate_that_nobody_vouches_for_is_refused(self) -> None:
        await self.refused(attrs.evolve(self.tls(), ca=""), "certificate verify failed")

    async def test_a_certificate_for_another_host_is_refused(self) -> None:
        other = _elsewhere(self, "redis.example")
        await self.refused(attrs.evolve(self.tls(other), ca=str(other.ca)), "127.0.0.1")

    async def test_a_wrong_password_is_refused(self) -> None:
        self.safe.restrict(self.name)
        await self.refused(attrs.evolve(self.unix(), password="wrong"), "WRONGPASS")

    async def test_the_check_finds_the_same_by_each_way(self) -> None:
        self.safe.restrict(self.name)
        for address in (self.tls(), self.unix()):
            given = ClusterSettings(address=address, name=self.name, gateway="g1", key=KEY)
            found = list(check_redis(given))
            self.assertEqual({each.level for each in found}, {Level.OK}, found)
            self.assertIn(str(address), str(found[0]))
