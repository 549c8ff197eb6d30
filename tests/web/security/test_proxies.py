"""For whom proxies ask, and which of them are believed."""

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from gateway.web.security.guard_settings import GuardSettings
from gateway.web.security.proxies import HOPS, Proxies


class ProxiesTests(SynchronousTestCase):
    def test_the_client_is_who_the_trusted_proxy_tells(self) -> None:
        proxies = Proxies(
            GuardSettings(
                trusted_proxies=["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"]
            ).trusted_proxies
        )

        def client(peer: str | None, *forwarded: bytes) -> str:
            return proxies.announced(Headers({b"x-forwarded-for": list(forwarded)}), peer)

        self.assertEqual(client("10.0.0.1", b"192.0.2.1"), "192.0.2.1")
        self.assertEqual(client("2001:db8::1", b"198.51.100.1, 192.0.2.1:80"), "192.0.2.1")
        self.assertEqual(
            client("10.0.0.1", b"198.51.100.1", b"[2001:db9::1]:8 ,10.9.9.9"), "2001:db9::1"
        )
        self.assertEqual(client("10.0.0.1", b"10.0.0.2, 10.0.0.3"), "10.0.0.2")
        self.assertEqual(client("127.0.0.1", b"127.0.0.1"), "127.0.0.1")
        for peer, forwarded in (
            ("192.0.2.9", b"192.0.2.1"),  # nobody we trust
            (None, b"192.0.2.1"),
            ("10.0.0.1", b"unknown"),
            ("10.0.0.1", b"192.0.2.1, unknown"),
            ("10.0.0.1", b""),
            ("10.0.0.1", b"127.0.0.1"),  # that machine's own
        ):
            self.assertEqual(client(peer, forwarded), "", (peer, forwarded))
        self.assertEqual(proxies.announced(Headers({}), "10.0.0.1"), "")

    def test_only_the_last_hops_are_looked_at(self) -> None:
        """Whoever is a trusted address himself could make us read thousands of them."""
        proxies = Proxies(GuardSettings(trusted_proxies=["10.0.0.0/8"]).trusted_proxies)
        looked: list[object] = []
        real = proxies._is_proxy
        proxies._is_proxy = lambda address: looked.append(address) or real(address)  # type: ignore[method-assign]
        entries = [f"10.1.{number >> 8}.{number & 255}" for number in range(1300)]
        chain = Headers({b"X-Forwarded-For": [",".join(["203.0.113.9", *entries]).encode()]})
        self.assertEqual(proxies.announced(chain, "10.0.0.1"), entries[-HOPS])
        self.assertEqual(len(looked), 1 + HOPS)
        few = Headers({b"X-Forwarded-For": [",".join(["203.0.113.9", *entries[:5]]).encode()]})
        self.assertEqual(proxies.announced(few, "10.0.0.1"), "203.0.113.9")

    def test_who_may_announce(self) -> None:
        proxies = Proxies(GuardSettings(trusted_proxies=["10.0.0.0/8"]).trusted_proxies)
        for peer in ("127.0.0.1", "::1", "", "10.1.2.3", "::ffff:10.1.2.3"):
            self.assertTrue(proxies.believes(peer), peer)
        for peer in ("192.0.2.1", "11.0.0.1", "2001:db8::1"):
            self.assertFalse(proxies.believes(peer), peer)
