"""From one version to another: whoever may not take a worker over waits until it has logged out."""

import contextlib
import shutil
from pathlib import Path
from unittest import SkipTest

import psutil

from benchmarks.account import is_ready, journal
from benchmarks.successors import ROOT, Gateway, Place
from tests.interop.test_adoption import AccountCase
from tests.release.building import unpack

BEFORE = "a3169b7"
"""The last commit whose guardian keeps no worker."""
SOURCES = ("gateway", "twisted")


def sources_of(commit: str, folder: Path) -> Path:
    """The sources of a commit, in `folder`.  Skips the test where git does not have it."""
    if not unpack(commit, folder, *SOURCES):
        raise SkipTest(f"the history of git is needed, with {commit}")
    return folder


def of_another_guardian(folder: Path) -> Path:
    """Our sources, in `folder`, with a guardian of another version."""
    for name in SOURCES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    words = folder / "gateway" / "worker" / "process" / "guarding" / "words.py"
    text = words.read_text()
    assert "VERSION = 1\n" in text
    words.write_text(text.replace("VERSION = 1\n", "VERSION = 1000\n"))
    return folder


class UpgradeTests(AccountCase):
    def setUp(self) -> None:
        self.other = Path(self.mktemp()).absolute()
        self.other.mkdir(parents=True)

    def logs_in_anew(self, place: Place, first: Gateway, root: Path | None) -> None:
        """After a kill of `first` the other version starts a worker of its own, after the old."""
        pid = is_ready(place)["pid"]
        second = place.gateway(prepared=True, root=root)
        guardian = psutil.Process(pid).parent()
        assert guardian is not None
        guardian.suspend()  # so that the next gateway finds it, however long its start takes
        first.kill()
        second.begin()
        place.until("word of the worker before", lambda: "previous worker" in second.log)
        with contextlib.suppress(psutil.NoSuchProcess):  # woken by the next one, and over
            guardian.resume()
        self.assertNotEqual(is_ready(place)["pid"], pid)
        self.assertEqual(len(self.logins(place)), 2)
        (out,) = journal(place.folder, "logged out")
        self.assertEqual(out["pid"], pid)
        self.assertLess(out["time"], journal(place.folder, "login")[1]["time"])

    def test_from_a_version_that_keeps_no_worker(self) -> None:
        old = sources_of(BEFORE, self.other)
        place = self.place(STAND_IN_LOGOUT="1")
        self.logs_in_anew(place, place.gateway(root=old), None)

    def test_back_to_it(self) -> None:
        old = sources_of(BEFORE, self.other)
        place = self.place(STAND_IN_LOGOUT="1")
        self.logs_in_anew(place, place.gateway(), old)

    def test_to_a_version_with_another_guardian(self) -> None:
        other = of_another_guardian(self.other)
        place = self.place(STAND_IN_LOGOUT="1")
        first = place.gateway()
        self.logs_in_anew(place, first, other)
        self.assertIn("another version", place.log)

    def test_a_hand_over_to_a_version_with_another_guardian(self) -> None:
        other = Path(self.mktemp()).absolute()
        shutil.copytree(ROOT / "gateway", other / "gateway")
        shutil.copytree(ROOT / "twisted", other / "twisted")
        place = self.place()
        first = place.gateway(root=other)
        pid = is_ready(place)["pid"]
        shutil.rmtree(other)
        of_another_guardian(other)
        first.hand_over()
        place.until("other worker", lambda: place.status().get("pid") not in (None, pid))
        is_ready(place)
        self.assertEqual(len(self.logins(place)), 2)
        self.assertIn("another version", place.log)
