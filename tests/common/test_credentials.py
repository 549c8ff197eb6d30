"""The broker's keys: what may be posted."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.common.credentials import FIELDS, MISSING, Credentials, CredentialsError

GOOD = dict.fromkeys(FIELDS, "value")


def validated(**changes: object) -> Credentials:
    return Credentials.validated({**GOOD, **changes})


class ValidationTests(SynchronousTestCase):
    def refused(self, name: str, value: object) -> str:
        error = self.assertRaises(CredentialsError, validated, **{name: value})
        self.assertEqual(error.field, name)
        return error.message

    def test_each_key_is_required_and_half_a_certificate_is_none(self) -> None:
        for name in FIELDS:
            for value in (None, ""):
                self.assertEqual(self.refused(name, value), MISSING)

    def test_keys_without_a_certificate_will_do(self) -> None:
        for nothing in (None, ""):
            made = validated(caCertPath=nothing, caPassword=nothing)
            self.assertEqual((made.ca_cert_path, made.ca_password), ("", ""))

    def test_the_message_of_a_missing_field_is_the_one_clients_know(self) -> None:
        self.assertEqual(
            MISSING, "Missing required fields: apiKey, secretKey, caCertPath, caPassword"
        )

    def test_what_is_wrong_is_named_and_never_shown(self) -> None:
        for value in (
            *("secret\nX=1", "secret\n", "secret\r", "secret\0", "secret\ud800"),
            *("secret" * 1000, 1234567890, ["secret"], {"secret": 1}, True),
        ):
            for name in FIELDS:
                message = self.refused(name, value)
                self.assertIn(name, message)
                self.assertNotIn("secret", message.replace("secretKey", ""))
                self.assertNotIn("1234567890", message)

    def test_the_longest_values(self) -> None:
        for name, longest in zip(FIELDS, (1024, 1024, 4096, 1024), strict=True):
            validated(**{name: "x" * longest})
            self.assertIn(f"{longest} characters", self.refused(name, "x" * (longest + 1)))

    def test_repr_shows_nothing(self) -> None:
        self.assertNotIn("value", repr(validated()))

    def test_the_path_of_the_certificate_is_no_secret(self) -> None:
        made = validated(caCertPath="/path/to/cert.pfx")
        self.assertEqual(made.secrets, ("value",) * 3)
