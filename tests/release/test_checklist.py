"""CONTRIBUTING.md says how a release is made, and lists what is looked at."""

import re

from twisted.trial.unittest import SynchronousTestCase

from gateway import __version__
from tests.release.__main__ import CHECKS
from tests.release.building import ROOT


class ChecklistTests(SynchronousTestCase):
    def test_each_check_is_in_the_list(self) -> None:
        text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
        (part,) = re.findall(r"^## A release\n(.*?)^## ", text, re.DOTALL | re.MULTILINE)
        self.assertEqual(re.findall(r"^ *\| `(.+?)` \|", part, re.MULTILINE), list(CHECKS))

    def test_the_readmes_name_the_wheel_of_this_version(self) -> None:
        for name in ("README.md", "README.zh-TW.md"):
            named = re.findall(r"sjgateway-([\d.]+)-py3", (ROOT / name).read_text("utf-8"))
            self.assertEqual(set(named), {__version__}, name)
