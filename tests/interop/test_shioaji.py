"""The reference worker with the real shioaji 1.7: its names, its types, `--check`; no login.

It needs a Python that has it, which `.ci/run` makes beside the tests' own:

    python3 -m venv .venv-shioaji
    .venv-shioaji/bin/pip install 'shioaji==1.7.*' 'python-socketio[client]'
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from tests.interop.service import ROOT, TWISTD
from tests.patience import PATIENCE

PYTHON = ROOT / ".venv-shioaji" / "bin" / "python"

SCRIPT = """
import json, struct, sys
import inspect, shioaji
from gateway.client import convert

def packed(value):  # MessagePack, as the broker's server sends quotes; all is short here
    if isinstance(value, list):
        count = len(value)
        head = struct.pack(">BH", 0xDC, count) if count > 15 else bytes([0x90 + count])
        return head + b"".join(map(packed, value))
    return bytes([0xA0 + len(value)]) + value.encode() if isinstance(value, str) else bytes([value])

head = ["TXFL6", "2026/11/30", "08:45:00.123000"]
tick = head + ["23000", "22990.5", 10, 20, "23001.5", "23002", "23010", "22990", "46004",
               "920000", 2, 40, 1, 2, "12", "0.05", 1]
five, sizes = [str(price) for price in range(1, 6)], list(range(1, 6))
bidask = head + [10, 20, five, sizes, sizes, five, sizes, sizes, "0", "0", 0, 0, "22990.5", 0]
json.dump({
    "future": convert.contract_event(shioaji.Future(
        "TXFR1", target_code="TXFL6", name="TXF", reference=23000.0, delivery_date="2026/12/16",
    )),
    "option": convert.contract_event(shioaji.Option(
        "TXO23000L6", option_right=shioaji.OptionRight.Call, strike_price=23000.0,
    )),
    "tick": convert.tick_event(shioaji.TickFOPv1.from_msgpack(packed(tick))),
    "bidask": convert.bidask_event(shioaji.BidAskFOPv1.from_msgpack(packed(bidask))),
    "missing": [name for name in (
        "set_session_down_callback on_tick_fop_v1 on_tick_stk_v1 on_bidask_fop_v1"
        " on_bidask_stk_v1 subscribe snapshots kbars login logout activate_ca Contracts"
    ).split() if not hasattr(shioaji.Shioaji, name)],
    "kbars": [name for name in "ts Open High Low Close Volume".split()
              if not hasattr(shioaji.KBars, name)],
    "asks": str(inspect.signature(shioaji.Shioaji.kbars)),
    "snapshot": [name for name in inspect.getsource(convert.snapshot_event).split('"')[1::2]
                 if name.isidentifier() and name not in ("name", "reference")
                 and not hasattr(shioaji.Snapshot, name)],
}, sys.stdout)
"""


class RealShioajiTests(SynchronousTestCase):
    def setUp(self) -> None:
        if not PYTHON.exists():
            raise SkipTest(f"{PYTHON} is needed; see .ci/run")
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)
        # Where it is imported it begins a log, if nothing says where else.
        log = {"SJ_LOG_PATH": str(self.folder / "shioaji.log")}
        self.environ = {**os.environ, "PYTHONPATH": str(ROOT), **log}

    def test_what_it_gives_becomes_events(self) -> None:
        command = [PYTHON, "-c", SCRIPT]
        told = json.loads(
            subprocess.check_output(command, cwd=self.folder, env=self.environ, timeout=PATIENCE)
        )
        future = {"target_code": "TXFL6", "reference": 23000, "delivery_date": "2026-12-16"}
        self.assertLessEqual(future.items(), told["future"].items())
        self.assertNotIn("limit_up", told["future"], "0 is no limit")
        option = {"option_right": "C", "strike_price": 23000, "exchange": "TAIFEX"}
        self.assertLessEqual(option.items(), told["option"].items())
        tick = {
            "code": "TXFL6",
            "datetime": "2026-11-30T08:45:00.123000+08:00",
            "price": 23002,
            "total_volume": 40,
            "simtrade": True,
            "tick_type": 1,
            "chg_type": 2,
            "price_chg": 12,
            "underlying_price": 22990.5,
        }
        self.assertLessEqual(tick.items(), told["tick"].items())
        self.assertEqual(told["bidask"]["ask_price"], [1, 2, 3, 4, 5])
        self.assertEqual((told["missing"], told["snapshot"], told["kbars"]), ([], [], []))
        self.assertIn("contract, start=None, end=None, timeout=", told["asks"])

    def test_check_finds_nothing_wrong_with_it(self) -> None:
        state = f"--state-dir={self.folder}"
        options = (f"--main={ROOT / 'main.py'}", f"--python={PYTHON}", state)
        done = subprocess.run(
            [sys.executable, "-c", TWISTD, "-n", "--pidfile=", "sjgateway", *options, "--check"],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        self.assertRegex(done.stdout, r"ok +packages: .*shioaji 1\.7")
        self.assertRegex(done.stdout, r"ok +login: ")
