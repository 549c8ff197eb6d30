"""Tokens and their files."""

import os
import re
from datetime import datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from gateway.app.service import periodic
from gateway.web.security import token_files
from gateway.web.security.guard import Guard
from gateway.web.security.guard_settings import GuardSettings
from gateway.web.security.token_files import (
    LOOK_INTERVAL,
    Source,
    TokenFiles,
    first_tokens,
    tokens_of,
)
from gateway.web.security.tokens import Role, Token, parse, read

NAMED = """\
# who    token             role
desk     wq0Kc7mVt1hR9xZ2  control

screen   Zr5bN8yLp3sD6fGh  view     2026-12-31
feed     Hx2vB9nMq4wE7rTy  publish  2026-06-30T18:00:00+08:00
"""


class ParseTests(SynchronousTestCase):
    def wrong(self, text: str, role: Role = Role.CONTROL) -> str:
        """Why it is refused; no token is in the reason."""
        error = self.assertRaises(ValueError, parse, text, role, "the file")
        for word in text.split():
            if len(word) >= 8:
                self.assertNotIn(word, str(error))
        return str(error)

    def test_named_ones(self) -> None:
        tokens = parse(NAMED, Role.CONTROL, "the file")
        self.assertEqual(
            [(each.name, each.secret, each.role) for each in tokens],
            [
                ("desk", "wq0Kc7mVt1hR9xZ2", Role.CONTROL),
                ("screen", "Zr5bN8yLp3sD6fGh", Role.VIEW),
                ("feed", "Hx2vB9nMq4wE7rTy", Role.PUBLISH),
            ],
        )
        self.assertEqual(
            [each.expires for each in tokens],
            [
                None,
                datetime(2027, 1, 1).timestamp(),
                datetime.fromisoformat("2026-06-30T10:00:00+00:00").timestamp(),
            ],
        )

    def test_one_that_stands_alone(self) -> None:
        for text, secret in {
            "sesame-open\n": "sesame-open",
            "\r\n  sesame-open \r\n": "sesame-open",
            "open the door\n": "open the door",
            "#sesame-open": "#sesame-open",
            "one sesame-open viewer": "one sesame-open viewer",
        }.items():
            (token,) = parse(text, Role.VIEW, "the file")
            self.assertEqual((token.name, token.secret), ("view", secret))
            self.assertEqual((token.role, token.expires), (Role.VIEW, None))

    def test_one_that_is_named(self) -> None:
        (token,) = parse("desk sesame-open control", Role.CONTROL, "the file")
        self.assertEqual((token.name, token.secret), ("desk", "sesame-open"))

    def test_what_is_refused_and_why(self) -> None:
        good = "desk sesame-open control"
        for text, word in {
            "": "empty",
            " \n\n": "empty",
            "sesame\n": "fewer than 8",
            "desk sesame control": "fewer than 8",
            "sesame-open\nsesame-open\n": "no other line",
            "sesame-open\n# a remark\n": "no other line",
            f"{good}\ndesk2 sesame-open-2": "line 2",
            f"{good}\n\n# x\ndesk2 sesame-open-2 owner": "line 4",
            f"{good}\nd/k sesame-open-2 view": "name",
            f"{good}\nscreen sesame-open view": "another line",
            f"{good} tomorrow": "2026-12-31",
            f"{good} 2026-13-01": "2026-12-31",
            f"{good} 2026-12-31 18:00": "EXPIRES",
            "sesame\x07-open": "control character",
            401 * "x": "more than 400",
        }.items():
            self.assertIn(word, self.wrong(text), text)

    def test_a_file_gives_no_more_than_its_role(self) -> None:
        self.assertIn("view", self.wrong("desk sesame-open control", Role.VIEW))
        (token,) = parse("desk sesame-open view", Role.VIEW, "the file")
        self.assertEqual(token.role, Role.VIEW)

    @settings(deadline=None)
    @given(st.text())
    def test_any_text_is_tokens_or_refused(self, text: str) -> None:
        try:
            tokens = parse(text, Role.CONTROL, "the file")
        except ValueError:
            return
        self.assertTrue(all(len(token.secret) >= 8 for token in tokens))

    def test_the_example_of_the_documents(self) -> None:
        text = (Path(__file__).parents[3] / "SECURITY.md").read_text()
        (example,) = re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        tokens = parse(example, Role.CONTROL, "SECURITY.md")
        self.assertEqual([token.role for token in tokens], [Role.CONTROL, Role.VIEW])

    def test_no_token_is_shown(self) -> None:
        self.assertNotIn("sesame", repr(parse("desk sesame-open view", Role.CONTROL, "x")))


class ReadTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.file = Path(self.mktemp())

    def refused(self, data: bytes, mode: int = 0o600) -> str:
        self.file.write_bytes(data)
        self.file.chmod(mode)
        return str(self.assertRaises(ValueError, read, self.file, Role.CONTROL))

    def test_what_is_no_plain_text(self) -> None:
        for data in (b"\xef\xbb\xbfsesame-open", b"sesame\0-open", b"sesame-open\xff"):
            self.assertIn("UTF-8", self.refused(data))

    def test_who_else_may_write(self) -> None:
        self.assertIn("chmod 600", self.refused(b"sesame-open", 0o602))
        for mode in (0o600, 0o640, 0o644, 0o660, 0o400):
            self.file.chmod(mode)
            self.assertEqual(len(read(self.file, Role.VIEW)), 1)

    def test_no_file(self) -> None:
        error = self.assertRaises(ValueError, read, self.file, Role.CONTROL)
        self.assertIn("can't be read", str(error))


class TokenFilesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.events: list[dict] = []
        globalLogPublisher.addObserver(self.events.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.events.append)
        self.file = Path(self.mktemp())
        self.file.write_text("desk sesame-open control\n")
        self.file.chmod(0o600)
        self.clock = Clock()
        self.heard: list[list[str]] = []
        self.files = self.watch()

    def watch(self) -> TokenFiles:
        sources = (Source(Role.CONTROL, self.file), Source(Role.VIEW, "look-at-it", "A_VARIABLE"))
        files = TokenFiles(sources, tokens_of(sources), self.hear, wall=self.clock.seconds)
        looking = periodic(self.clock, "Looking at the tokens", LOOK_INTERVAL, files.look)
        looking.startService()
        self.addCleanup(looking.stopService)
        return files

    def hear(self, tokens: tuple[Token, ...]) -> None:
        self.heard.append([token.name for token in tokens])

    def lines(self) -> list[str]:
        return [formatEvent(event) for event in self.events]

    def test_what_does_not_change_is_not_read(self) -> None:
        self.clock.pump([LOOK_INTERVAL] * 5)
        self.assertEqual(self.heard, [])

    def test_a_change_is_heard(self) -> None:
        self.file.write_text("desk sesame-open control\nscreen look-on-ok view\n")
        self.clock.pump([LOOK_INTERVAL] * 2)
        self.assertEqual(self.heard, [["desk", "screen", "view"]])
        self.assertIn("3 are valid", self.lines()[-1])

    def test_a_file_that_is_being_written_is_not_taken(self) -> None:
        """In place, line by line, and slowly: no half of it revokes anybody."""
        lines = ["# people\n", "screen look-on-ok view\n", "desk sesame-open control\n"]
        with self.file.open("w") as file:
            for line in lines:
                file.write(line)
                file.flush()
                self.clock.advance(LOOK_INTERVAL)
        self.assertEqual(self.heard, [])
        self.clock.advance(LOOK_INTERVAL)
        self.assertEqual(self.heard, [["screen", "desk", "view"]])

    def test_nor_one_that_changes_while_it_is_read(self) -> None:
        half, whole = "screen look-on-ok view\n", "desk sesame-open control\n"
        stamp, changed = self.files._stamp, []

        def write_more() -> list[object]:
            if changed:
                changed.clear()
                with self.file.open("a") as file:
                    file.write(whole)
            return stamp()

        self.files._stamp = write_more
        self.file.write_text(half)
        parse = self.patch(token_files, "read", lambda *args: changed.append(1) or read(*args))
        self.files.reload()
        self.assertEqual(self.heard, [])
        parse.restore()
        self.clock.pump([LOOK_INTERVAL] * 2)
        self.assertEqual(self.heard, [["screen", "desk", "view"]])

    def test_all_can_be_revoked_but_a_start_needs_one(self) -> None:
        for text in ("# nobody for now\n", "# desk sesame-open control\n", "#a\n\n# b\n"):
            self.file.write_text(text)
            self.heard.clear()
            self.files.reload()
            self.assertEqual(self.heard, [["view"]], text)
            error = self.assertRaises(ValueError, first_tokens, [Source(Role.CONTROL, self.file)])
            self.assertIn(f"the token file {self.file} has no token", str(error))

    def test_a_start_reads_each_once(self) -> None:
        """A pipe, as a shell makes it of `<(...)`, can't be read twice."""
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        os.write(writer, b"desk sesame-open control\n")
        os.close(writer)
        (token,) = first_tokens([Source(Role.CONTROL, Path(f"/dev/fd/{reader}"))])
        self.assertEqual(token.name, "desk")

    def test_a_role_that_is_none_is_told(self) -> None:
        self.file.write_text("desk sesame-open contrl")
        self.files.reload()
        (line,) = self.files.doubts()
        self.assertIn("view, publish, control", line)
        self.assertNotIn("sesame", line)

    def test_it_is_read_again_when_asked(self) -> None:
        self.files.reload()
        self.assertEqual(self.heard, [["desk", "view"]])

    def test_what_can_not_be_read_changes_nothing(self) -> None:
        for spoil in (lambda: self.file.write_text("short"), self.file.unlink):
            spoil()
            self.clock.pump([LOOK_INTERVAL] * 3)
        self.assertEqual(self.heard, [])
        self.assertEqual(len(self.lines()), 2)  # each fault is told once
        self.assertIn("the old ones stay", self.lines()[0])
        self.file.write_text("desk sesame-open control\n")
        self.clock.pump([LOOK_INTERVAL] * 2)
        self.assertEqual(self.heard, [["desk", "view"]])

    def test_who_expires_is_heard(self) -> None:
        end = datetime.fromtimestamp(3 * LOOK_INTERVAL).isoformat()
        self.file.write_text(f"desk sesame-open control {end}\n")
        self.files.reload()
        self.heard.clear()
        self.clock.pump([LOOK_INTERVAL] * 2)
        self.assertEqual(self.heard, [])
        self.clock.pump([LOOK_INTERVAL] * 5)
        self.assertEqual(self.heard, [["desk", "view"]])

    def test_one_error_does_not_end_it(self) -> None:
        def fail(tokens: object) -> None:
            raise RuntimeError("as the test wants it")

        self.files._changed, hear = fail, self.files._changed
        self.file.write_text("desk sesame-open-2 control\n")
        self.clock.pump([LOOK_INTERVAL] * 2)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.files._changed = hear
        self.file.write_text("desk sesame-open-33 control\n")
        self.clock.pump([LOOK_INTERVAL] * 2)
        self.assertEqual(len(self.heard), 1)

    def test_a_pipe_is_not_waited_for(self) -> None:
        self.file.unlink()
        os.mkfifo(self.file)
        self.files.reload()
        self.assertEqual(self.heard, [])
        self.assertIn("no regular file", self.lines()[-1])

    def test_who_has_expired_is_told(self) -> None:
        self.file.write_text("desk sesame-open control 1970-01-01\n")
        self.files.reload()
        self.clock.advance(3 * 86_400)
        self.assertEqual(self.files.doubts(), ["The token desk has expired"])

    def test_files_that_others_can_read_are_told(self) -> None:
        self.assertEqual(self.files.doubts(), [])
        self.file.chmod(0o644)
        (line,) = self.files.doubts()
        self.assertIn(f"chmod 600 {self.file}", line)


class GuardTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.now = 1000.0
        self.guard = Guard(
            GuardSettings(tokens=parse(NAMED, Role.CONTROL, "the file")), lambda: self.now
        )

    def test_each_token_has_its_role(self) -> None:
        roles = [
            self.guard.token_role(secret)
            for secret in ("wq0Kc7mVt1hR9xZ2", "Zr5bN8yLp3sD6fGh", "Hx2vB9nMq4wE7rTy", "", "other")
        ]
        self.assertEqual(roles, [Role.CONTROL, Role.VIEW, Role.PUBLISH, Role.NONE, Role.NONE])

    def test_of_two_roles_of_one_token_that_which_allows_more(self) -> None:
        for roles in ((Role.VIEW, Role.CONTROL), (Role.CONTROL, Role.VIEW)):
            guard = Guard(
                GuardSettings(tokens=tuple(Token("x", "sesame-open", role) for role in roles))
            )
            self.assertEqual(guard.token_role("sesame-open"), Role.CONTROL)

    def test_who_has_expired_is_nobody(self) -> None:
        self.now = datetime(2027, 1, 1).timestamp()
        self.assertEqual(self.guard.token_role("Zr5bN8yLp3sD6fGh"), Role.NONE)
        self.assertEqual(self.guard.token_role("wq0Kc7mVt1hR9xZ2"), Role.CONTROL)

    def test_to_revoke_the_last_one_opens_nothing(self) -> None:
        self.guard.set_tokens(())
        self.assertEqual(self.guard.token_role(""), Role.NONE)
        self.assertEqual(self.guard.role("", local=True), Role.NONE)

    def test_tokens_for_publishing_alone_leave_the_rest_as_it_is(self) -> None:
        guard = Guard(GuardSettings(tokens=parse("feed sesame-open publish", Role.CONTROL, "x")))
        self.assertEqual(guard.token_role(""), Role.VIEW)
        self.assertEqual(guard.role("", local=True), Role.CONTROL)
        self.assertEqual(guard.role("sesame-open", local=False), Role.PUBLISH)
