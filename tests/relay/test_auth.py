"""Keys of `auth` that look like one of ours."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.relay.auth import KEYS, misspelt
from tests.relay.world import RelayWorld, WebSocketClient


class MisspeltTests(SynchronousTestCase):
    def test_what_looks_like_a_key_of_ours_is_one_misspelt(self) -> None:
        for wrong, right in (
            ("event", "events"), ("Events", "events"), ("evnets", "events"), ("code", "codes"),
            ("CODES", "codes"), ("tokens", "token"), ("snapshots", "snapshot"), ("PID", "pid"),
            ("snaphot", "snapshot"), ("recovery", "recover"), ("trustd", "trusted"),
            ("offsets", "offset"),
        ):  # fmt: skip
            for beside in set(KEYS) - {right}:
                self.assertEqual(misspelt({beside: None, wrong: 1}), (wrong, right), wrong)

    def test_alone_it_is_somebodys_own(self) -> None:
        for auth in ({"event": 1}, {"code": 1, "user": "x"}, {}):
            self.assertIsNone(misspelt(auth))

    def test_what_does_not_look_like_one_is_somebodys_own(self) -> None:
        own = ("id", "uid", "user", "username", "password", "nodes", "modes", "key", "symbols", "")
        self.assertIsNone(misspelt(dict.fromkeys((*KEYS, *own, "x" * 1000))))

    def test_beside_the_right_key_it_is_somebodys_own(self) -> None:
        self.assertIsNone(misspelt({"codes": ["A"], "code": "A"}))

    def test_no_key_of_ours_is_another_one_misspelt(self) -> None:
        for key in KEYS:
            for beside in KEYS:
                self.assertIsNone(misspelt({key: 1, beside: 1}))

    def test_its_client_is_told_the_right_word(self) -> None:
        client = WebSocketClient(RelayWorld())
        client.say('40{"codes":["2330"],"event":["market_tick"]}')
        client.world.flush()
        self.assertEqual(
            client.heard[1:], ["44{\"message\":\"auth has no key 'event': write 'events'\"}"]
        )
        self.assertTrue(client.is_open)
        client.say('40{"codes":["2330"],"events":["market_tick"]}')
        client.world.flush()
        self.assertIn('40{"sid"', str(client.heard))
