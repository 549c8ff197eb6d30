"""What may be said: the log, without secrets."""

import logging
import sys

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.client.console import RedactingFormatter, Redactor
from tests.untraced import untraced

LETTERS = st.characters(codec="utf-8", exclude_characters="[]redact\n\r")


class RedactionTests(SynchronousTestCase):
    @untraced
    @settings(deadline=None, max_examples=150)
    @given(
        secrets=st.lists(st.text(LETTERS, min_size=8, max_size=40), min_size=1, max_size=3),
        around=st.tuples(st.text(LETTERS, max_size=9), st.text(LETTERS, max_size=9)),
        length=st.integers(min_value=8, max_value=40),
    )
    def test_no_secret_and_no_eight_characters_of_one_get_through(
        self, secrets: list[str], around: tuple[str, str], length: int
    ) -> None:
        redact = Redactor(secrets)
        for secret in secrets:
            text = around[0] + secret[:length] + around[1] + secret + around[1]
            self.assertNotIn(secret[:8], redact(text))

    def test_other_text_stays(self) -> None:
        self.assertEqual(Redactor(["", "abc", "ABCDEFGHIJ"])("abc ABCDEFG"), "abc ABCDEFG")

    def test_a_traceback_is_redacted_too(self) -> None:
        formatter = RedactingFormatter(Redactor(["PKEY-0123456789"]))
        try:
            raise ValueError("Client: PYAPI/PKEY-01234/1123")
        except ValueError:
            record = logging.LogRecord("x", 40, "p", 1, "login failed", (), sys.exc_info())
        text = formatter.format(record)
        self.assertIn("ValueError: Client: PYAPI/[redacted]/1123", text)
