from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.common.redact import Redactor
from gateway.ops.alerts.webhooks import secrets, webhook
from tests.ops.alerts.test_alert import alert

SLACK = "https://hooks.slack.com/services/T01ABCDEF/B02GHIJKL/a1B2c3D4e5F6g7H8i9J0k1L2"
DISCORD = "https://discord.com/api/webhooks/123456789012345678/abcDEF_ghi-JKL012"
TELEGRAM = "https://api.telegram.org/bot123456:AAE-abcdefgh/sendMessage?chat_id=-100987654321"

SECRETS = ("T01ABCDE", "B02GHIJK", "a1B2c3D4", "12345678", "abcDEF_g", "bot12345", "-1009876")
"""Beginnings of what is secret in them."""


class ChannelTests(SynchronousTestCase):
    def body(self, url: str, text: str = "[x] Worker died: it ended") -> Any:
        return webhook(url).body(alert(facts={"pid": 7}), text)

    def test_slack(self) -> None:
        self.assertEqual(self.body(SLACK), {"text": "[x] Worker died: it ended"})
        self.assertEqual(self.body(SLACK, "<!all> & 'x'"), {"text": "&lt;!all&gt; &amp; 'x'"})

    def test_discord_calls_nobody(self) -> None:
        self.assertEqual(
            self.body(DISCORD, "@everyone"),
            {"content": "@everyone", "allowed_mentions": {"parse": []}},
        )

    def test_telegram(self) -> None:
        self.assertEqual(self.body(TELEGRAM, "x"), {"chat_id": "-100987654321", "text": "x"})
        self.assertEqual(webhook(TELEGRAM).url, TELEGRAM.partition("?")[0])

    def test_json_has_everything(self) -> None:
        self.assertEqual(
            self.body("https://example.com/hook?a=b", "x"),
            {
                "text": "x",
                "kind": "died",
                "subject": "worker",
                "detail": "The worker exited with code 1",
                "timestamp": "",
                "facts": {"pid": 7},
                "held_back": 0,
            },
        )

    def test_what_is_understood_can_be_said(self) -> None:
        mattermost = webhook("slack+https://chat.example.com:8065/hooks/abc")
        self.assertEqual(mattermost.url, "https://chat.example.com:8065/hooks/abc")
        self.assertEqual(mattermost.host, "chat.example.com")
        self.assertEqual(mattermost.body(alert(), "x"), {"text": "x"})
        self.assertIn("kind", self.body("json+" + SLACK))
        self.assertEqual(set(self.body("discord+https://a.example/")), set(self.body(DISCORD)))

    def test_what_is_no_url_of_ours_is_refused_without_repeating_it(self) -> None:
        for wrong in (
            "http://example.com/very-secret",
            "telegram+http://example.com/very-secret?chat_id=1",
            "example.com/very-secret",
            "https:///very-secret",
            "https://user:very-secret@example.com/",
            "https://example.com:port/very-secret",
            "https://[::1/very-secret",
            "pager+https://example.com/very-secret",
            "https://例.example/very-secret",
            "https://api.telegram.org/botvery-secret/sendMessage",
            "very-secret",
        ):
            error = self.assertRaises(ValueError, webhook, wrong)
            self.assertIn("https://", str(error))
            self.assertNotIn("secret", str(error))

    def test_a_channel_does_not_show_its_url(self) -> None:
        self.assertNotIn("services", repr(webhook(SLACK)))


class SecretTests(SynchronousTestCase):
    def test_what_gives_a_url_away_is_redacted_and_nothing_else(self) -> None:
        redact = Redactor()
        for url in (
            SLACK,
            DISCORD,
            TELEGRAM,
            "slack+https://a.example/h/s3cr3t-s3cr3t?k=0123456789",
        ):
            redact.learn(*secrets(url))
        line = f"posting to {SLACK} and {DISCORD} and {TELEGRAM}, k=0123456789"
        clean = redact(line)
        for secret in SECRETS:
            self.assertIn(secret, line)
            self.assertNotIn(secret, clean)
        words = "https://hooks.slack.com/services webhooks sendMessage discord.com"
        self.assertEqual(redact(words), words)
