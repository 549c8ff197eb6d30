"""The lines of the alert file, and what each kind of receiver is sent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from unittest.mock import ANY

from twisted.trial.unittest import SynchronousTestCase

from gateway.common.redact import Redactor
from gateway.ops.alerts.receivers import LINE, Mail, Post, receiver, secrets
from gateway.ops.alerts.wording import Words
from tests.ops.alerts.test_wording import KINDS, LINK, alert

ROOT = Path(__file__).parents[3]
SLACK = "https://hooks.slack.com/services/T01ABCDEF/B02GHIJKL/a1B2c3D4e5F6g7H8i9J0k1L2"
DISCORD = "https://discord.com/api/webhooks/123456789012345678/abcDEF_ghi-JKL012"
TELEGRAM = "https://api.telegram.org/bot123456:AAE-abcdefgh/sendMessage?chat_id=-100987654321"
TOKEN = "xY9+/abcdefghijklmnopqrstuvwxyz0123456789="
LINE_USER = f"line:U0123456789abcdef0123456789abcdef:{TOKEN}"
NTFY = "ntfy+https://ntfy.sh/very-long-topic-9x7?token=tk_abcdefgh12345"
MAIL = "smtps://me%40example.com:p4ss%2Fw0rd@mail.example.com?from=me@example.com&to=a@b.example,c@d.example"

SECRETS = ("T01ABCDE", "B02GHIJK", "a1B2c3D4", "12345678", "abcDEF_g", "bot12345", "-1009876")
"""Beginnings of what is secret in them."""

WORDS = Words("\u26a0 [x] Worker died", ("it ended", "why"), LINK, "x", 3001)
TEXT = f"\u26a0 [x] Worker died\nit ended\nwhy\n{LINK}"


class PostTests(SynchronousTestCase):
    def post(self, url: str, words: Words = WORDS, **about: Any) -> Post:
        made = receiver(url).message(alert(**about), words)
        assert isinstance(made, Post)
        return made

    def body(self, url: str, **about: Any) -> Any:
        return self.post(url, **about).body

    def test_slack(self) -> None:
        self.assertEqual(self.body(SLACK), {"text": TEXT})
        sly = Words("<!all> & 'x'", (), "l", "x", 1)
        self.assertEqual(self.body(SLACK, words=sly), {"text": "&lt;!all&gt; &amp; 'x'\nl"})

    def test_discord_calls_nobody(self) -> None:
        self.assertEqual(self.body(DISCORD), {"content": TEXT, "allowed_mentions": {"parse": []}})

    def test_telegram(self) -> None:
        self.assertEqual(self.body(TELEGRAM), {"chat_id": "-100987654321", "text": TEXT})
        self.assertEqual(self.post(TELEGRAM).url, TELEGRAM.partition("?")[0])

    def test_json_has_everything(self) -> None:
        self.assertEqual(
            self.body("https://example.com/hook?a=b", facts={"pid": 7}),
            {
                "text": TEXT,
                "kind": "died",
                "subject": "worker",
                "detail": "The worker exited with code 1",
                "timestamp": "2026-12-01T02:41:12.000Z",
                "facts": {"pid": 7},
                "held_back": 0,
                "link": LINK,
            },
        )

    def test_line_is_told_by_its_messaging_api(self) -> None:
        post = self.post(LINE_USER)
        self.assertEqual(post.url, LINE)
        self.assertEqual(
            post.body,
            {
                "to": "U0123456789abcdef0123456789abcdef",
                "messages": [{"type": "text", "text": TEXT}],
            },
        )
        self.assertEqual(post.headers["Authorization"], f"Bearer {TOKEN}")
        keys = {self.post(LINE_USER).headers["X-Line-Retry-Key"] for _ in range(2)}
        self.assertEqual(len(keys), 2, "each alert has a key of its own")
        self.assertEqual(post.arrived, {409})

    def test_ntfy_has_a_title_a_link_and_a_token(self) -> None:
        post = self.post(NTFY)
        self.assertEqual(post.url, "https://ntfy.sh/")
        self.assertEqual(
            post.body,
            {
                "topic": "very-long-topic-9x7",
                "title": "\u26a0 [x] Worker died",
                "message": "it ended\nwhy",
                "priority": 4,
                "click": LINK,
            },
        )
        self.assertEqual(post.headers, {"Authorization": "Bearer tk_abcdefgh12345"})
        here = self.post("ntfy+http://127.0.0.1:8080/ntfy/topic", kind="recovered")
        self.assertEqual((here.url, here.headers), ("http://127.0.0.1:8080/ntfy/", {}))
        self.assertEqual(here.body["priority"], 3)

    def test_alertmanager_knows_which_alert_is_over(self) -> None:
        url = "alertmanager+http://localhost:9093/"
        self.assertEqual(self.post(url).url, "http://localhost:9093/api/v2/alerts")
        (worse,) = self.body(url, kind="fatal")
        (over,) = self.body(url, kind="over")
        (begun,) = self.body(url)
        self.assertEqual(
            begun["labels"],
            {
                "alertname": "sjgateway",
                "gateway": "x",
                "instance": "desk.example.com",
                "port": "3001",
                "subject": "worker",
                "severity": "critical",
            },
        )
        self.assertEqual(begun["labels"], worse["labels"])
        self.assertEqual(begun["labels"], over["labels"])
        self.assertEqual(over["endsAt"], "2026-12-01T02:41:12+00:00")
        self.assertEqual(over, {**self.body(url, kind="recovered")[0], "annotations": ANY})
        self.assertGreater(begun["endsAt"], "2026-12-30")
        self.assertEqual(begun["startsAt"], over["endsAt"], "or it would begin when it ends")
        self.assertEqual(begun["annotations"]["description"], "it ended\nwhy")
        self.assertEqual(begun["generatorURL"], LINK)
        (disk,) = self.body(url, kind="unkept", subject="bars")
        self.assertEqual(disk["labels"]["severity"], "warning")

    def test_alertmanager_takes_several_alerts_and_the_newest_of_each(self) -> None:
        url = "alertmanager+http://localhost:9093/"
        join = receiver(url).join
        assert join is not None
        older = join(self.post(url), self.post(url, subject="bars"))
        both = join(older, self.post(url, kind="over"))
        assert isinstance(both, Post)
        self.assertEqual(both.url, "http://localhost:9093/api/v2/alerts")
        found = {each["labels"]["subject"]: each["endsAt"] > "2026-12-02" for each in both.body}
        self.assertEqual(found, {"bars": True, "worker": False})
        self.assertEqual(len(both.body), 2)

    def test_what_is_understood_can_be_said(self) -> None:
        mattermost = "slack+https://chat.example.com:8065/hooks/abc"
        self.assertEqual(self.post(mattermost).url, "https://chat.example.com:8065/hooks/abc")
        self.assertEqual(receiver(mattermost).host, "chat.example.com")
        self.assertEqual(self.body(mattermost), {"text": TEXT})
        self.assertIn("kind", self.body("json+" + SLACK))
        self.assertEqual(set(self.body("discord+https://a.example/")), set(self.body(DISCORD)))

    def test_this_machine_needs_no_encryption_and_others_do(self) -> None:
        for host in ("localhost", "127.0.0.1", "127.8.0.1", "[::1]"):
            self.assertEqual(self.post(f"http://{host}:8080/x").url, f"http://{host}:8080/x")
        for host in ("localhost.example.com", "128.0.0.1", "[::2]", "127.0.0.1.example"):
            self.assertRaises(ValueError, receiver, f"ntfy+http://{host}/x")

    def test_what_is_no_receiver_is_refused_without_repeating_it(self) -> None:
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
            "ntfy+https://example.com/?token=very-secret",
            "line:very-secret",
            "line:U123:very-secret-very-secret",
            f"line:U{'0' * 32}:",
            "smtp://me:very-secret@mail.example.com",
            "smtps://me:very-secret@?from=a@b.example&to=c@d.example",
            "smtps://me:very-secret@m.example?from=a&to=c@d.example",
            "smtps://me:very-secret@m.example?from=a@b.example&to=c@d.example,%0d%0aX",
        ):
            error = self.assertRaises(ValueError, receiver, wrong)
            self.assertIn("looks like", str(error), wrong)
            self.assertNotIn("secret", str(error))

    def test_a_receiver_does_not_show_its_line(self) -> None:
        for line in (SLACK, LINE_USER, NTFY, MAIL):
            shown = repr(receiver(line)) + repr(receiver(line).message(alert(), WORDS))
            for part in secrets(line):
                self.assertNotIn(part, shown)


class MailTests(SynchronousTestCase):
    def mail(self, line: str) -> Mail:
        made = receiver(line).message(alert(), WORDS)
        assert isinstance(made, Mail)
        return made

    def test_a_mail_has_a_subject_and_all_the_rest(self) -> None:
        mail = self.mail(MAIL)
        self.assertEqual((mail.host, mail.port, mail.secure), ("mail.example.com", 465, "tls"))
        self.assertEqual((mail.user, mail.password), ("me@example.com", "p4ss/w0rd"))
        self.assertEqual(mail.recipients, ("a@b.example", "c@d.example"))
        self.assertEqual(mail.subject, "\u26a0 [x] Worker died")
        self.assertEqual(mail.text, f"it ended\nwhy\n{LINK}\n")

    def test_only_this_machine_is_sent_mail_without_encryption(self) -> None:
        rest = "?from=a@b.example&to=c@d.example"
        for server, port, secure in (
            ("smtp://m.example", 587, "starttls"),
            ("smtp://m.example:25", 25, "starttls"),
            ("smtps://127.0.0.1:4465", 4465, "tls"),
            ("smtp://localhost", 25, "plain"),
        ):
            mail = self.mail(server + rest)
            self.assertEqual((mail.port, mail.secure), (port, secure), server)


class SecretTests(SynchronousTestCase):
    def test_what_gives_a_line_away_is_redacted_and_nothing_else(self) -> None:
        redact = Redactor()
        for line in (
            SLACK,
            DISCORD,
            TELEGRAM,
            "slack+https://a.example/h/s3cr3t-s3cr3t?k=0123456789",
            LINE_USER,
            NTFY,
            MAIL,
        ):
            redact.learn(*secrets(line))
        line = f"posting to {SLACK} and {DISCORD} and {TELEGRAM}, k=0123456789"
        clean = redact(line)
        for secret in SECRETS:
            self.assertIn(secret, line)
            self.assertNotIn(secret, clean)
        for secret in (TOKEN, "tk_abcdefgh12345", "very-long-topic-9x7", "p4ss/w0rd"):
            self.assertNotIn(secret, redact(f"it is {secret} here"))
        words = "https://hooks.slack.com/services webhooks sendMessage discord.com"
        self.assertEqual(redact(words), words)


class DocumentTests(SynchronousTestCase):
    """docs/alerts.md, in both languages."""

    def test_each_line_of_the_table_is_a_receiver(self) -> None:
        for name in ("alerts.md", "alerts.zh-TW.md"):
            text = (ROOT / "docs" / name).read_text("utf-8")
            table = text.partition("<!-- receivers -->")[2].partition("<!-- end -->")[0]
            lines = [line for line in re.findall(r"`([^`]+)`", table) if ":" in line]
            kinds = {receiver(_filled(line)).kind for line in lines}
            self.assertEqual(
                kinds,
                {"line", "ntfy", "mail", "slack", "discord", "telegram", "alertmanager", "json"},
            )
            for kind in KINDS:
                self.assertIn(f"`{kind}`", text)


def _filled(line: str) -> str:
    """A line of the table with something in its places."""
    given = {"RECIPIENT": "U" + "0" * 32, "TOKEN": "t" * 40, "HOST": "h.example", "NUMBER": "1"}
    for place, value in {**given, "ADDRESS": "a@b.example", "...": "x"}.items():
        line = line.replace(place, value)
    return line
