"""The reference worker through a rehearsal in which everything goes wrong, and who answers it."""

import sys
from functools import partial
from pathlib import Path
from typing import Any

import attrs
from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from gateway.app import assembly
from gateway.contract import PausedError
from gateway.options import Settings
from gateway.rehearsal.script import parse
from tests.interop.service import ROOT
from tests.patience import PATIENCE
from tests.rehearsal.recorded import day
from tests.worker.real import soon

SCRIPT = (
    "09:00:01 session-down; 09:00:02 segfault; 09:00:03 silence 1; 09:00:04 token-expired;"
    " 09:00:05 hang 4000; 09:00:06 login 451; 09:00:07 login 503"
)
"""Where the time of a fault is over, it happens 2 s after the next login, or the fault before."""
SHORT = {
    "heartbeat": 3.0,
    "watchdog": 3,
    "watchdog_grace": 12.0,
    "patience_interrupt": 1.0,
    "patience_terminate": 1.0,
    "backoff_max": 0.5,
}


class WholeScriptTests(TestCase):
    timeout = 3 * PATIENCE

    def start(self) -> Any:
        """The supervisor of a gateway that rehearses the script with main.py."""
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        made = assembly.worker_settings
        short = lambda *given: attrs.evolve(made(*given), **SHORT)  # noqa: E731
        self.patch(assembly, "worker_settings", short)
        settings = Settings(
            port=0,
            main=ROOT / "main.py",
            python=sys.executable,
            state_dir=folder / "state",
            rehearse=day(folder / "day.jsonl.zst", 3600, each=1),
            rehearse_faults=parse(SCRIPT),
            fatal_after=0,
        )
        gateway = assembly.GatewayAssembly(settings, reactor)
        gateway.gateway.startService()
        self.addCleanup(gateway.gateway.stopService)
        return gateway.supervisor

    async def test_the_supervisors_answer_to_each_fault(self) -> None:
        supervisor = self.start()

        def waits(name: str) -> bool:
            """Whether no worker is started now, since the last one ended so."""
            found = supervisor.status()
            return found["state"] == "backoff" and found["exits"][0]["class"] == name

        # It is started again when the session is lost, when it crashes, and by the watchdog when it
        # hangs.  It waits for what a worker can live with: silence, and a token that has expired.
        # After 451 and 503 it waits as the broker wants it.
        for code, name in (("451", "too-many-connections"), ("503", "ban")):
            await soon(partial(waits, name), f"the pause for {code}")
            refused = await self.assertFailure(supervisor.restart(), PausedError)
            self.assertIn(code, refused.details)
            supervisor.restart(force=True).addErrback(lambda _: None)
        await soon(lambda: supervisor.ready, "a worker that is ready")
        found = supervisor.status()
        ends = [(each["class"], each["signal"]) for each in reversed(found["exits"])]
        lost, crash, hung, *refusals = ends
        self.assertEqual((lost, crash), (("network", None), ("native-crash", "SIGSEGV")))
        self.assertEqual(hung[1], "SIGKILL")
        self.assertEqual(refusals, [("too-many-connections", None), ("ban", None)])
        self.assertEqual((found["budget"]["used"], found["rehearsal"]), (0, True))
        said = "\n".join(supervisor.log_tail(500))
        for fault in parse(SCRIPT)[:-2]:  # those of logins are refusals
            self.assertIn(f"REHEARSAL: {fault}", said)
