from datetime import datetime

from twisted.trial.unittest import SynchronousTestCase

from gateway.cli.event_text import event_text

WALL = datetime(2026, 11, 30, 9, 0, 0, 123456).timestamp()
"""On this machine's clock."""


class EventTextTests(SynchronousTestCase):
    def assert_text(self, payload: str, expected: str, attachments: int = 0) -> None:
        text = event_text(WALL, payload.encode(), attachments)
        self.assertEqual(text, f"09:00:00.123 {expected}")

    def test_time_name_code_and_fields(self) -> None:
        self.assert_text(
            '["market_tick",{"close":23000.0,"code":"TXFR1","simtrade":false,"bid":[1,2]}]',
            "market_tick     TXFR1    close=23000.0 simtrade=false bid=[1,2]",
        )

    def test_events_of_other_forms(self) -> None:
        self.assert_text('["bare"]', "bare")
        self.assert_text('[7,"a b",null,["x"]]', '7                        "a b" null ["x"]')
        self.assert_text('["odd",{"code":5}]', "odd                      code=5")
        self.assert_text('["file",{"n":1}]', "file                     n=1 (2 attachments)", 2)

    def test_texts_that_could_be_taken_for_something_else_are_quoted(self) -> None:
        self.assert_text(
            '["e",{"a":"plain","b":"two words","c":"x=1","d":"","e":"臺股"}]',
            'e                        a=plain b="two words" c="x=1" d="" e=臺股',
        )

    def test_nothing_reaches_the_terminal_but_text(self) -> None:
        for odd in (r"\u001b[31m", r"\u009b", r"\u202e", r"\ud800", r"\n"):
            text = event_text(WALL, f'["{odd}",{{"code":"{odd}","{odd}":"{odd}"}}]'.encode(), 0)
            self.assertTrue(text.isprintable(), text)

    def test_numbers_of_any_size(self) -> None:
        self.assert_text(f'["n",{10**30}]', f"n                        {float(10**30)}")
        self.assert_text(
            f'["n",[{10**30},"\\ud800"]]', f'n                        [{10**30},"\\ud800"]'
        )
