from twisted.trial.unittest import SynchronousTestCase

from gateway.ops.alerts import alert as kinds
from gateway.ops.alerts.alert import TITLES, Alert, text


def alert(**changes: object) -> Alert:
    given = {"kind": "died", "subject": "worker", "detail": "The worker exited with code 1"}
    return Alert(**{**given, "timestamp": "", **changes})


class TextTests(SynchronousTestCase):
    def test_in_english(self) -> None:
        self.assertEqual(
            text(alert(), "en", "office"), "[office] Worker died: The worker exited with code 1"
        )

    def test_in_chinese(self) -> None:
        self.assertEqual(
            text(alert(held_back=2), "zh-TW", "office"),
            "[office] worker 異常結束: The worker exited with code 1 (另有 2 則未發送)",
        )

    def test_every_kind_has_a_title_in_every_language(self) -> None:
        changes = {kinds.DIED, kinds.PAUSED, kinds.FATAL, kinds.UNREADY, kinds.STALE}
        known = {*changes, kinds.RECOVERED}
        for language, titles in TITLES.items():
            self.assertEqual(set(titles), known, language)
            for kind in known:
                self.assertIn(titles[kind], text(alert(kind=kind, held_back=1), language, "x"))
