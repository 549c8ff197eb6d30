"""URLs of Redis."""

from twisted.trial.unittest import SynchronousTestCase

from gateway.cluster.address import Address, parse


class AddressTests(SynchronousTestCase):
    def test_what_each_part_is(self):
        self.assertEqual(
            parse("redis://reader@redis.example:6380/3", password="p"),
            Address(host="redis.example", port=6380, db=3, user="reader", password="p"),
        )
        self.assertEqual(parse("redis://[::1]"), Address(host="::1", port=6379))
        self.assertEqual(
            parse("rediss://r", ca="/ca.pem"), Address(host="r", port=6379, tls=True, ca="/ca.pem")
        )
        self.assertEqual(parse("unix:///run/r.sock?db=2"), Address(path="/run/r.sock", db=2))

    def test_its_text_can_be_read_again_and_has_no_secret(self):
        for url in ("redis://h:1/2", "rediss://[::1]:6379/0", "unix:///run/r.sock?db=2"):
            self.assertEqual(str(parse(url)), url)
            self.assertEqual(parse(str(parse(url))), parse(url))
        address = parse("redis://somebody@h", password="secret")
        for text in (str(address), repr(address)):
            self.assertNotIn("secret", text)
        self.assertNotIn("somebody", str(address))

    def test_others_are_refused_with_a_reason(self):
        for url, why in (
            ("redis://:secret@h", "--cluster-password-file"),
            ("http://h", "is not of the form"),
            ("redis://", "is not of the form"),
            ("h:6379", "is not of the form"),
            ("redis://h:99999", "no port"),
            ("redis://h/x", "no number of a database"),
            ("unix://host/run", "is not of the form"),
            ("redis://h?db=1", "is not of the form"),
        ):
            with self.assertRaises(ValueError) as caught:
                parse(url)
            self.assertIn(why, str(caught.exception), url)
            self.assertNotIn("secret", str(caught.exception))
