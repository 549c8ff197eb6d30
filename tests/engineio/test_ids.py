"""Names that nobody can guess."""

import re
from base64 import urlsafe_b64decode

from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio import ids
from gateway.engineio.ids import random_id


class RandomIdTests(SynchronousTestCase):
    def test_it_is_the_random_bytes_as_text_for_urls(self) -> None:
        drawn = bytes(range(240, 255))  # with the two characters that no URL may have
        self.patch(ids, "token_bytes", lambda size: drawn[:size])
        self.assertEqual(random_id(15), "8PHy8_T19vf4-fr7_P3-")
        self.assertEqual(urlsafe_b64decode(random_id(15)), drawn)

    def test_no_two_are_equal(self) -> None:
        made = {random_id(15) for _ in range(1000)}
        self.assertEqual(len(made), 1000)
        for each in made:
            self.assertTrue(re.fullmatch("[A-Za-z0-9_-]{20}", each))
