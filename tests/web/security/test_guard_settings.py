"""What the start log says about who can reach us."""

from twisted.trial.unittest import SynchronousTestCase

from gateway.web.security.guard_settings import GuardSettings, notice, warning


class NoticeTests(SynchronousTestCase):
    def test_it_names_the_option_that_changes_things(self) -> None:
        closed = notice(GuardSettings(), exposed=False)
        opened = notice(GuardSettings(), exposed=True)
        guarded = notice(GuardSettings(control_token="sesame"), exposed=True)
        self.assertIn("--host", closed)
        self.assertIn("--token-file", opened)
        self.assertIn("need the token", guarded)
        for line, needed in ((closed, True), (opened, True), (guarded, False)):
            self.assertEqual("proxy in front of it sets a token" in line, needed, line)
        for line in (closed, opened, guarded):
            self.assertNotIn("\n", line)
            self.assertNotIn("sesame", line)

    def test_an_open_door_is_worth_a_warning(self) -> None:
        for entry in ("*", "null"):
            line = warning(GuardSettings(allowed_origins=["http://a.example", entry]))
            self.assertIn(f"--allowed-origins {entry} lets any web page", line)
        self.assertEqual(
            warning(GuardSettings(allowed_origins=["http://a.example", "app://x"])), ""
        )
