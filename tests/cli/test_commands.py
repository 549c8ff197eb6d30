"""`python -m gateway`: what it says when it is used wrongly, and its help."""

import io
import subprocess
import sys
from pathlib import Path

from gateway.cli.commands import main
from gateway.history.recorded_lines import line
from gateway.history.zstd_file import compress
from tests.cli.command_case import CommandCase
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]


class CommandTests(CommandCase):
    def assert_error(self, status: int, text: str, *arguments: str) -> None:
        found, out, err = self.run_main(*arguments)
        self.assertEqual((found, out), (status, ""), err)
        self.assertRegex(err, f"^sjgateway: .*{text}")
        self.assertEqual(err.count("\n"), 1, err)

    def test_help_names_each_command_and_says_what_it_does(self) -> None:
        status, out, _ = self.run_main("--help")
        self.assertEqual(status, 0)
        self.assertRegex(out, "tail +show events as they come")
        self.assertRegex(out, "recordings +list what is recorded")
        self.assertRegex(out, "export +write the bars")

    def test_each_command_has_help_in_which_each_option_is_explained(self) -> None:
        for command in ("tail", "recordings", "export"):
            status, out, _ = self.run_main(command, "--help")
            self.assertEqual(status, 0)
            self.assertIn(f"usage: python -m gateway {command}", out)

    def test_the_version(self) -> None:
        self.assertRegex(self.run_main("--version")[1], r"^sjgateway \d")

    def test_a_wrong_command_line_is_one_line_and_status_2(self) -> None:
        self.assert_error(2, "--help")
        self.assert_error(2, "invalid choice: 'tial'", "tial")
        self.assert_error(2, "'nonsense' is not a URL such as http", "tail", "--url", "nonsense")
        self.assert_error(2, "--cods.*tail --help", "tail", "--cods", "TXFR1")
        self.assert_error(2, "can't be read", "tail", "--token-file", "/nonexistent")

    def test_no_token_is_shown(self) -> None:
        for arguments in (["--token", "secret"], ["--token=secret"], ["secret"], ["-tsecret"]):
            _, _, err = self.run_main("tail", *arguments)
            self.assertEqual(err.count("\n"), 1)
            self.assertRegex(err, "^sjgateway: there is no (--token|-t|further argument); ")
            self.assertNotIn("secret", err)

    def test_an_output_that_takes_nothing_is_one_line(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "2026-11-30-day.jsonl.zst").write_bytes(b"")
        for target, expected in ((">/dev/full", "No space left"), (">&-", "there is no stdout")):
            for command in ("recordings", "export"):
                text = f'"$0" -m gateway {command} "$1" {target}'
                done = subprocess.run(
                    ["bash", "-c", text, sys.executable, folder.absolute()], cwd=ROOT,
                    stderr=subprocess.PIPE, text=True, check=False, timeout=PATIENCE,
                )  # fmt: skip
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertRegex(done.stderr, f"\\Asjgateway: .*{expected}.*\n\\Z")

    def test_the_output_is_utf_8_whatever_the_locale_is(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        text = '["market_tick",{"code":"\u81fa"}]'
        (folder / "2026-11-30-day.jsonl.zst").write_bytes(compress(line(1.5, text.encode())))
        written = io.BytesIO()
        self.patch(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
        self.assertEqual(main(["recordings", "--json", str(folder)]), 0)
        self.assertIn('"codes":["\u81fa"]', written.getvalue().decode())

    def test_an_error_is_one_line_whatever_is_in_it(self) -> None:
        self.assert_error(1, r"\\u001b\[2J\\nb can't be read", "export", "a\x1b[2J\nb")

    def test_a_token_file_that_has_none_for_us(self) -> None:
        file = Path(self.mktemp())
        file.write_text("desk wq0Kc7mVt1hR9xZ2 control 2001-01-01\n")
        file.chmod(0o600)
        self.assert_error(2, "no token that is valid now", "tail", f"--token-file={file}")
