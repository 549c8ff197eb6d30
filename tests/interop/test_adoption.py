"""What ends of the gateway cost the broker's account: with main.py and a broker that counts.

`python -m benchmarks.restarts` does the same more often.
"""

import contextlib
import http.client
import os
import random
import signal
from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.account import Account, account, is_ready, journal
from benchmarks.successors import WAIT, Gateway, Place
from gateway.web.http.held import VARIABLE
from tests.patience import PATIENCE
from tests.untraced import untraced
from tests.warm import Warm, start

ROUNDS = 4


def forked(command: Sequence[str], **how: Any) -> Warm:
    """Python and what follows, as `subprocess.Popen` runs it."""
    return start(command[1:], **how)


class AccountCase(SynchronousTestCase):
    def place(self, **environ: str) -> Place:
        folder = Path(self.mktemp()).absolute()
        folder.mkdir(parents=True)
        place = account(folder, launch=forked, **environ)
        self.addCleanup(self.nothing_is_left, place)
        return place

    def nothing_is_left(self, place: Place) -> None:
        for each in place.gateways:
            each.close()
        for process in place.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def logins(self, place: Place) -> list[str]:
        """The keys of all logins, in their order."""
        self.assertEqual(journal(place.folder, "double"), [], "two were logged in at once")
        return [entry["api_key"] for entry in journal(place.folder, "login")]

    def succeeds(self, place: Place, gateway: Gateway, **more: Any) -> Gateway:
        """The gateway after one that is killed."""
        gateway.kill()
        return place.gateway(**more)


class RandomEndsTests(AccountCase):
    @untraced
    def ends(self, end: str) -> None:
        seed = random.randrange(10**6)
        trial = Account(self.place(), seed)
        for number in range(ROUNDS):
            trial.round(number, end)
        trial.end()
        self.assertEqual(trial.wrong, [], f"with the seed {seed}")

    def test_kills_at_random_moments_cost_no_login(self) -> None:
        self.ends("kill")

    def test_hand_overs_at_random_moments_cost_no_login(self) -> None:
        self.ends("hand-over")


class AdoptionTests(AccountCase):
    def test_a_kill_and_a_restart_keep_the_worker(self) -> None:
        place = self.place()
        first = place.gateway()
        before = is_ready(place)
        self.assertIsNone(before["adoptedAt"])
        self.succeeds(place, first)
        after = is_ready(place)
        self.assertIsNotNone(after["adoptedAt"])
        for name in ("pid", "guardianPid", "generation"):
            self.assertEqual(after[name], before[name], name)
        self.assertGreater(after["uptime"], before["uptime"])
        self.assertEqual((after["budget"]["used"], after["budget"]["saved"]), (1, 1))
        self.assertEqual(len(self.logins(place)), 1)
        self.assertEqual(place.ask("/restart-python", {})[0], 200)
        anew = is_ready(place)
        self.assertIsNone(anew["adoptedAt"])
        self.assertEqual(anew["generation"], before["generation"] + 1)

    def test_posted_keys_stay_the_posted_ones(self) -> None:
        place = self.place()
        first = place.gateway()
        is_ready(place)
        keys = {"apiKey": "POSTED-KEY-1", "secretKey": "posted-secret"}
        self.assertEqual(place.ask("/set-sj-key", keys)[0], 200)
        is_ready(place)
        second = self.succeeds(place, first)
        is_ready(place)
        self.succeeds(place, second)
        is_ready(place)
        self.assertEqual(place.ask("/restart-python", {})[0], 200)
        is_ready(place)
        self.assertEqual(self.logins(place)[1:], ["POSTED-KEY-1", "POSTED-KEY-1"])

    def test_posted_keys_survive_a_hand_over_without_a_worker(self) -> None:
        place = self.place()
        gateway = place.gateway()
        is_ready(place)
        keys = {"apiKey": "POSTED-KEY-1", "secretKey": "posted-secret"}
        self.assertEqual(place.ask("/set-sj-key", keys)[0], 200)
        is_ready(place)
        self.assertEqual(place.ask("/stop-python", {})[0], 200)
        gateway.hand_over()
        place.until("hand-over", lambda: gateway.starts == 2)
        opened = [each.readlink() for each in Path(f"/proc/{gateway.process.pid}/fd").iterdir()]
        self.assertEqual([each for each in opened if "memfd" in str(each)], [])
        place.ask("/start-python", {})
        is_ready(place)
        self.assertEqual(self.logins(place)[-1], "POSTED-KEY-1")
        self.assertEqual({VARIABLE in each.environ() for each in place.family()}, {False})

    def test_posted_keys_come_back_from_a_worker_that_is_logging_out(self) -> None:
        for wish in ("restart", "stop"):
            with self.subTest(wish=wish):
                place = self.place(STAND_IN_LOGOUT="1")
                first = place.gateway()
                is_ready(place)
                keys = {"apiKey": "POSTED-KEY-1", "secretKey": "posted-secret"}
                self.assertEqual(place.ask("/set-sj-key", keys)[0], 200)
                is_ready(place)
                asking = Thread(target=self.asks_in_vain, args=(place, f"/{wish}-python"))
                asking.start()
                place.until("end", lambda: first.log.count("stopping: SIGINT") == 2)  # noqa: B023
                second = self.succeeds(place, first)
                asking.join()
                if wish == "stop":
                    place.until("start", lambda: second.starts)  # noqa: B023
                    self.assertEqual(place.status()["state"], "stopped")
                    # refused, but planned, while the old one is still logging out
                    place.ask("/start-python", {})
                is_ready(place)
                logins = ["ENVIRONMENT-KEY-0", "POSTED-KEY-1", "POSTED-KEY-1"]
                self.assertEqual(self.logins(place), logins)
                second.close()

    def asks_in_vain(self, place: Place, path: str) -> None:
        """Ask a gateway that is killed meanwhile."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            place.ask(path, {})

    def test_nobody_comes_and_it_logs_out(self) -> None:
        place = self.place(SJGATEWAY_KEEP_WORKER="2")
        gateway = place.gateway()
        pid = is_ready(place)["pid"]
        gateway.kill()
        psutil.wait_procs(place.family(), timeout=PATIENCE)
        self.assertEqual(place.family(), [])
        self.assertEqual([entry["pid"] for entry in journal(place.folder, "logged out")], [pid])

    def test_sigterm_logs_out_also_while_the_next_gateway_still_starts(self) -> None:
        place = self.place()
        holidays = place.folder / "holidays"
        holidays.touch()
        place.options += (f"--holiday-file={holidays}",)
        first = place.gateway()
        pid = is_ready(place)["pid"]
        first.kill()
        holidays.unlink()
        os.mkfifo(holidays)
        second = place.gateway()
        with holidays.open("w"):  # from here on it reads that, and has not begun
            second.process.terminate()
        self.assertEqual(second.process.wait(WAIT), -signal.SIGTERM)
        self.assertEqual([entry["pid"] for entry in journal(place.folder, "logged out")], [pid])
        self.assertEqual(place.family(), [])

    def test_other_settings_of_the_worker_make_another_one_once_the_old_one_is_gone(self) -> None:
        place = self.place()
        first = place.gateway()
        pid = is_ready(place)["pid"]
        place.options += ("--worker-args=--codes 2330",)
        self.succeeds(place, first)
        after = is_ready(place)
        self.assertIsNone(after["adoptedAt"])
        self.assertNotEqual(after["pid"], pid)
        self.assertEqual(len(self.logins(place)), 2)

    def test_a_guardian_that_is_killed_meanwhile_leaves_no_worker(self) -> None:
        place = self.place()
        first = place.gateway()
        pid = is_ready(place)["pid"]
        first.kill()
        psutil.Process(pid).parent().kill()
        place.gateway()
        after = is_ready(place)
        self.assertNotEqual(after["pid"], pid)
        self.assertNotIn(pid, [each.pid for each in place.family()])
        self.assertEqual(len(self.logins(place)), 2)

    def test_a_guardian_that_sleeps_is_woken(self) -> None:
        place = self.place()
        first = place.gateway()
        pid = is_ready(place)["pid"]
        guardian = psutil.Process(pid).parent()
        guardian.send_signal(signal.SIGSTOP)
        self.succeeds(place, first)
        self.assertEqual(is_ready(place)["pid"], pid)
        self.assertEqual(len(self.logins(place)), 1)
