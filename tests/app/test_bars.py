"""Bars of a whole gateway: by HTTP, and by the question over Socket.IO."""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import treq
from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from gateway.app.assembly import GatewayAssembly
from gateway.market.hours import TAIPEI
from gateway.options import Settings
from tests.ops.metrics.test_metrics import Client
from tests.patience import PATIENCE

START = int(time.time()) // 60 * 60 - 3600


class BarsTests(TestCase):
    timeout = 2 * PATIENCE

    async def start(self, **changes: Any) -> None:
        given = {"port": 0, "state_dir": self.folder, "no_worker": True, "view_token": ""}
        assembly = GatewayAssembly(Settings(**{**given, **changes}), reactor)
        self.gateway = assembly.gateway
        self.gateway.startService()
        self.addCleanup(self.gateway.stopService)
        self.url = f"http://127.0.0.1:{assembly.listeners.port}"
        self.worker = Client(self.url)
        await self.worker.connect()

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())

    async def trade(self, second: int, price: float, total: int, **more: Any) -> None:
        at = datetime.fromtimestamp(START + second, TAIPEI).isoformat()
        tick = {"code": "TXFL6", "datetime": at, "price": price, "volume": 1, **more}
        event = json.dumps(["market_tick", {**tick, "total_volume": total}])
        await self.worker.say(f"42{event}")

    async def get(self, path: str, **headers: str) -> tuple[int, Any, str]:
        answer = await treq.get(f"{self.url}{path}", headers=headers, persistent=False)
        body = await answer.text()
        (tag,) = answer.headers.getRawHeaders("etag") or ("",)
        return answer.code, json.loads(body) if body else None, tag

    async def test_both_questions_have_the_same_answer_also_after_a_restart(self) -> None:
        await self.start()
        await self.trade(1, 100, 1)
        await self.trade(30, 103, 2)
        for number in range(2):
            status, found, tag = await self.get("/bars?code=TXFL6&interval=1m")
            self.assertEqual(status, 200, found)
            bars = {"time": [START], "open": [100], "high": [103 + number], "low": [100]}
            self.assertEqual(
                found["bars"], {**bars, "close": [103 + number], "volume": [2 + number]}
            )
            self.assertEqual((found["newest"], found["demo"]), (START + 30 + number, False))
            page = Client(self.url)
            await page.open()
            await page.say('40{"snapshot":false}', '427["sjgateway:bars",{"code":"TXFL6"}]')
            heard = ""
            while "437[" not in heard:
                heard += await page.poll()
            (answer,) = json.loads(heard[heard.index("437[") + 3 :].split("\x1e")[0])
            self.assertEqual(answer, found)
            status, _, _ = await self.get("/bars?code=TXFL6", **{"If-None-Match": tag})
            self.assertEqual(status, 304)
            if not number:
                await self.gateway.stopService()
                await self.start()
                await self.trade(31, 104, 3)
        status, found, _ = await self.get("/bars?code=TXFL6&interval=7m")
        self.assertEqual((status, list(found)), (400, ["error"]))
        _, found, _ = await self.get("/status")
        self.assertEqual((found["bars"]["codes"], found["bars"]["problem"]), (1, ""))

    async def test_nothing_is_kept_where_that_is_asked_for(self) -> None:
        await self.start(keep_bars=0)
        await self.trade(1, 100, 1)
        status, found, _ = await self.get("/bars?code=TXFL6")
        self.assertEqual(status, 404)
        self.assertIn("--keep-bars", found["error"])
        self.assertEqual(list(self.folder.glob("bars*")), [])
        self.assertNotIn("bars", (await self.get("/status"))[1])

    async def test_who_may_not_view_gets_no_bars(self) -> None:
        self.folder.mkdir()
        given = {"port": 0, "state_dir": self.folder, "no_worker": True}
        assembly = GatewayAssembly(Settings(**given, view_token="let me see"), reactor)
        assembly.gateway.startService()
        self.addCleanup(assembly.gateway.stopService)
        self.url = f"http://127.0.0.1:{assembly.listeners.port}"
        self.assertEqual((await self.get("/bars?code=A"))[0], 401)
        token = {"Authorization": "Bearer let me see"}
        self.assertEqual((await self.get("/bars?code=A", **token))[0], 200)
