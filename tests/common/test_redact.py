"""Secrets are taken out."""

from __future__ import annotations

import json
from urllib.parse import quote

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.common.redact import MASK, MAX_SECRETS, PREFIX, Redactor
from tests.untraced import untraced

KEY = "abcdefghijklmnop"


def redactor(*secrets: str) -> Redactor:
    made = Redactor()
    made.learn(*secrets)
    return made


class RedactorTests(SynchronousTestCase):
    def test_without_secrets_text_is_as_it_was(self) -> None:
        for made in (Redactor(), redactor(""), redactor("12345678")):
            self.assertEqual(made("some text"), "some text")

    def test_secrets_and_their_beginnings_are_masked(self) -> None:
        clean = redactor(KEY)
        for length in range(PREFIX, len(KEY) + 1):
            self.assertEqual(clean(f"<{KEY[:length]}>"), f"<{MASK}>")
        self.assertEqual(clean(KEY[: PREFIX - 1]), KEY[: PREFIX - 1])
        self.assertEqual(clean(f"{KEY}{KEY}x"), f"{MASK}{MASK}x")

    def test_the_longest_of_alike_secrets_is_masked_whole(self) -> None:
        clean = redactor(KEY, KEY + "QRS", KEY[:5])
        self.assertEqual(clean(f"{KEY}QRST {KEY[:6]}"), f"{MASK}T {MASK}f")

    def test_short_secrets_are_masked_whole_very_short_ones_as_words(self) -> None:
        clean = redactor("a1234", "9z")
        self.assertEqual(clean("xa1234y 9z 19z 9zz"), f"x{MASK}y {MASK} 19z 9zz")

    def test_as_programs_strip_and_split_them(self) -> None:
        self.assertEqual(redactor("\ufeffabcde \r")("<abcde>"), f"<{MASK}>")
        pem = redactor("-----BEGIN KEY-----\r\nMIIEabcdefg\r\n1/qwertyuiop==\r\nab\r\n")
        for line in ("MIIEabcdefg", "1/qwertyuiop=="):
            self.assertEqual(pem(line), MASK)
        self.assertEqual(pem("ab"), "ab")

    def test_as_programs_print_them(self) -> None:
        secret = "quo'te\"back\\slash 臺指期 \t%"
        clean = redactor(secret)
        for form in (repr(secret), json.dumps(secret), json.dumps(secret, ensure_ascii=False)):
            self.assertNotIn("slash", clean(form))
        self.assertNotIn("slash", clean(quote(secret, safe="")))

    def test_old_secrets_stay_masked_within_a_bound(self) -> None:
        made = redactor("yesterday-key")
        made.learn(*(f"{number:04}-key-key" for number in range(MAX_SECRETS - 10)))
        made.learn("today-key")
        self.assertEqual(made("yesterday-key"), MASK)
        made.learn(*(f"{number:05}-key-key" for number in range(MAX_SECRETS)))
        self.assertEqual(made("yesterday-key"), "yesterday-key")
        self.assertLessEqual(len(made._secrets), MAX_SECRETS)

    @untraced
    @hypothesis_settings(max_examples=300, deadline=None)
    @given(
        st.lists(st.text(min_size=PREFIX, max_size=30), min_size=1, max_size=3),
        st.lists(st.text(max_size=10), min_size=1, max_size=5),
        st.data(),
    )
    def test_no_eight_characters_of_a_beginning_are_ever_left(self, secrets, texts, data) -> None:
        clean = redactor(*secrets)
        text = texts[0]
        for more in texts[1:]:
            secret = data.draw(st.sampled_from(secrets))
            text += secret[: data.draw(st.integers(PREFIX, len(secret)))] + more
        cleaned = clean(text).replace(MASK, "\0\0\0\0")
        for secret in secrets:
            if "\0" not in secret:
                self.assertNotIn(secret[:PREFIX], cleaned)
