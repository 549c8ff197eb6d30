"""What docs/replay.md and the READMEs tell to type is understood; both languages tell the same."""

import os
import re
import shlex
from pathlib import Path
from urllib.parse import parse_qsl

from twisted.trial.unittest import SynchronousTestCase

from gateway.app.command_line import Options
from gateway.replay.wishes import Wish

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def commands(*names: str) -> list[list[str]]:
    """The words of each command about a replay."""
    text = "".join((ROOT / name).read_text("utf-8") for name in names)
    lines = "".join(BLOCK.findall(text)).splitlines()
    return [shlex.split(line) for line in lines if "replay" in line]


class DocumentTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.patch(os, "environ", {})

    def test_both_languages_tell_the_same(self) -> None:
        english = commands("docs/replay.md", "README.md")
        self.assertEqual(english, commands("docs/replay.zh-TW.md", "README.zh-TW.md"))
        self.assertEqual(len(english), 5)

    def test_each_start_is_understood_and_ours_is_there(self) -> None:
        starts = [each for each in commands("docs/replay.md", "README.md") if "sjgateway" in each]
        for words in starts:
            options = Options()
            options.parseOptions(words[words.index("sjgateway") + 1 :])
            (file,) = options.settings.replay
            self.assertTrue(str(file).startswith("recordings/") or (ROOT / file).is_file(), file)

    def test_each_request_is_understood(self) -> None:
        requests = [each for each in commands("docs/replay.md") if each[0] == "curl"]
        for words in requests:
            data = [words[at + 1] for at, word in enumerate(words) if word == "-d"]
            self.assertNotEqual(Wish.validated(dict(parse_qsl("&".join(data)))), Wish())
