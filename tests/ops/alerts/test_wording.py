"""Alerts in words, in both languages."""

from __future__ import annotations

from datetime import timedelta, timezone
from string import Formatter
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.ops.alerts import rules
from gateway.ops.alerts.rules import Alert
from gateway.ops.alerts.wording import CAUSES, MARKETS, TEXTS, Wording
from gateway.worker.lifecycle.classification import ADVICE

KINDS = {
    *(rules.DIED, rules.PAUSED, rules.FATAL, rules.UNREADY, rules.STALE),
    *(rules.UNRECORDED, rules.UNKEPT, rules.SEVERED, rules.RECOVERED, rules.TEST),
}
TAIPEI = timezone(timedelta(hours=8))
PAGE = "https://desk.example.com/"
LINK = f"{PAGE}#/ops/log"
PAUSE = {
    "class": "too-many-connections",
    "exitCode": 1,
    "signal": None,
    "nextStartAt": "2026-12-01T02:44:00.000Z",
    "budget": {"used": 9, "limit": 200},
    "lastLine": "ConnectionError: StatusCode: 451, Detail: Too Many Connections.",
}


def alert(kind: str = "died", subject: str = "worker", **changes: Any) -> Alert:
    given = {"detail": "The worker exited with code 1", "timestamp": "2026-12-01T02:41:12.000Z"}
    return Alert(kind=kind, subject=subject, **{**given, **changes})


class WordingTests(SynchronousTestCase):
    def said(self, language: str, *args: Any, **changes: Any) -> list[str]:
        """The lines of an alert, without the link, which ends each."""
        wording = Wording(language, TAIPEI, gateway="office", page=PAGE, port=lambda: 3001)
        *lines, link = str(wording(alert(*args, **changes))).split("\n")
        self.assertEqual(link, LINK)
        return lines

    def test_a_pause_has_its_cause_what_comes_next_and_the_last_line(self) -> None:
        self.assertEqual(
            self.said("en", "paused", facts=PAUSE),
            [
                "⚠ [office] Worker paused: too many connections (451)",
                "Tries again at 10:44:00, 9 of 200 starts used today",
                PAUSE["lastLine"],
            ],
        )
        self.assertEqual(
            self.said("zh-TW", "paused", facts=PAUSE),
            [
                "⚠ [office] 行情程式暫停：連線數過多（451）",
                "10:44:00 自動再試，今日啟動 9／200",
                PAUSE["lastLine"],
            ],
        )

    def test_a_budget_without_a_limit_is_only_counted(self) -> None:
        facts = {**PAUSE, "budget": {"used": 3, "limit": 0}}
        self.assertIn("3 starts today", self.said("en", "paused", facts=facts)[1])

    def test_who_gave_up_says_that_somebody_has_to_come(self) -> None:
        facts = {"class": "other", "signal": "SIGSEGV", "exitCode": None, "lastLine": None}
        self.assertEqual(
            self.said("en", "fatal", facts=facts),
            ["⚠ [office] Worker gave up: SIGSEGV", "It stays down until somebody starts it."],
        )

    def test_an_unknown_cause_is_the_exit_code_and_none_is_nothing(self) -> None:
        self.assertIn("：結束碼 3", self.said("zh-TW", facts={"class": "other", "exitCode": 3})[0])
        self.assertEqual(self.said("en", facts={}), ["⚠ [office] Worker died"])

    def test_a_feed_names_its_market(self) -> None:
        title = self.said("en", "stale", "futures")[0]
        self.assertEqual(title, "⚠ [office] Quotes stopped: futures and options")
        self.assertIn("報價中斷：股票", self.said("zh-TW", "stale", "stocks")[0])
        self.assertIn("報價恢復：股票", self.said("zh-TW", "recovered", "stocks")[0])

    def test_an_all_clear_says_how_long_it_took(self) -> None:
        for seconds, english, chinese in (
            (5.9, "5 s", "5 秒"),
            (200, "3 min 20 s", "3 分 20 秒"),
            (7265, "2 h 1 min", "2 小時 1 分"),
        ):
            facts = {"lasted": seconds}
            self.assertEqual(
                self.said("en", "recovered", facts=facts),
                [f"✓ [office] Worker runs again, after {english}"],
            )
            self.assertEqual(
                self.said("zh-TW", "recovered", facts=facts),
                [f"✓ [office] 行情程式恢復正常，歷時 {chinese}"],
            )

    def test_recording_and_bars_say_what_the_disk_said(self) -> None:
        facts = {"lost": 12}
        self.assertEqual(
            self.said("zh-TW", "unrecorded", "recording", detail="disk full", facts=facts)[1:],
            ["目前缺少的事件：12", "disk full"],
        )
        self.assertEqual(self.said("en", "unkept", "bars", detail="bars: gone")[1:], ["bars: gone"])

    def test_what_was_held_back_is_told(self) -> None:
        self.assertEqual(self.said("en", held_back=2)[-1], "2 earlier alerts were held back.")

    def test_both_languages_have_the_same_texts(self) -> None:
        for tables in (TEXTS, MARKETS, CAUSES):
            self.assertEqual(*({*tables[language]} for language in ("en", "zh-TW")))
        for name, english in TEXTS["en"].items():
            fields = [
                {field for _, field, *_ in Formatter().parse(each) if field}
                for each in (english, TEXTS["zh-TW"][name])
            ]
            self.assertEqual(*fields, name)

    def test_every_kind_and_every_cause_has_words(self) -> None:
        self.assertLessEqual(KINDS, {*TEXTS["en"]})
        self.assertEqual({*CAUSES["en"]}, {*ADVICE})
