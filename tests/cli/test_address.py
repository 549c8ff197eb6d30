from twisted.trial.unittest import SynchronousTestCase

from gateway.cli.address import Address


class AddressTests(SynchronousTestCase):
    def test_the_websocket_of_a_url(self) -> None:
        for url, expected in {
            "http://127.0.0.1:3001": "ws://127.0.0.1:3001/socket.io/",
            "ws://localhost:3001/": "ws://localhost:3001/socket.io/",
            "http://sj.example": "ws://sj.example:80/socket.io/",
            "HTTPS://sj.example": "wss://sj.example:443/socket.io/",
            "wss://sj.example:3443/feed": "wss://sj.example:3443/feed/",
            "http://[::1]:3001/a/b/": "ws://[::1]:3001/a/b/",
        }.items():
            address = Address.parse(url)
            self.assertEqual(address.websocket, f"{expected}?EIO=4&transport=websocket", url)

    def test_it_is_shown_as_it_can_be_given(self) -> None:
        for url in ("http://127.0.0.1:3001", "https://sj.example:443/feed/", "http://[::1]:3001"):
            self.assertEqual(str(Address.parse(url)), url)

    def test_what_is_no_url_is_refused(self) -> None:
        for url in (
            "", "localhost:3001", "127.0.0.1", "ftp://a", "http://", "http://a:x", "http://a:99999",
            "http://[::1", "http://a b", "http://a/?EIO=3", "http://a/#b", "http://台灣",
        ):  # fmt: skip
            self.assertRaises(ValueError, Address.parse, url)

    def test_a_secret_in_the_url_is_refused_and_not_shown(self) -> None:
        for url in (
            "http://me:secret@localhost:3001",
            "htp://me:secret@localhost",
            "http://me:secret@localhost:99999",
            "http://localhost:3001/?token=secret",
            "localhost#secret",
        ):
            with self.assertRaisesRegex(ValueError, "--token-file") as caught:
                Address.parse(url)
            self.assertNotIn("secret", str(caught.exception))
