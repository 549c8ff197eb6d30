"""Alerts of a whole gateway whose worker dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from socket import gethostname
from typing import Any

from twisted.internet import reactor
from twisted.logger import Logger

from gateway.app.assembly import GatewayAssembly
from gateway.app.layer_settings import alert_settings, guard_settings, worker_settings
from gateway.options import Settings
from tests.ops.alerts.receiver import ReceiverTestCase
from tests.worker.real import CHILDREN, soon

SECRET = "a1B2c3D4e5F6g7H8"


class GatewayTests(ReceiverTestCase):
    def settings(self, **changes: Any) -> Settings:
        given = {
            "port": 0,
            "state_dir": Path(self.mktemp()),
            "main": CHILDREN / "ending.py",
            "python": sys.executable,
            "worker_args": ("3", "0.3"),
            "fatal_after": 1,
            "log_file": Path(self.mktemp()),
            "alert_urls": f"https://localhost:{self.port}/{SECRET}",
            "alert_ca": self.authority.write(Path(self.mktemp())),
        }
        return Settings(**{**given, **changes})

    async def test_a_worker_that_dies_for_good(self) -> None:
        self.listen()
        settings = self.settings()
        assembly = GatewayAssembly(settings, reactor)
        gateway = assembly.gateway
        self.addCleanup(gateway.stopService)
        gateway.startService()
        await soon(lambda: len(self.hook.posted) == 2)
        died, fatal = self.hook.posted
        self.assertEqual((died["kind"], fatal["kind"]), ("died", "fatal"))
        self.assertIn(f"[{gethostname()}] Worker died: exit code 3\n", died["text"])
        self.assertIn("It stays down until somebody starts it.", fatal["text"])
        self.assertIn(f"http://localhost:{assembly.listeners.port}/#/ops/log", fatal["text"])
        self.assertNotEqual(assembly.listeners.port, 0)
        self.assertEqual((died["facts"]["exitCode"], died["facts"]["class"]), (3, "other"))
        Logger(observer=assembly.log_by({}), namespace="gateway").info(f"a path: /{SECRET}")
        assert settings.log_file is not None
        self.assertIn("a path: /[redacted]", settings.log_file.read_text())

    def test_the_worker_is_not_given_the_urls(self) -> None:
        self.port = 1
        settings = self.settings()
        told = worker_settings(settings, guard_settings(settings), os.environ)
        self.assertIn("SJGATEWAY_ALERT_URLS", told.withhold)
        self.assertIn("SJGATEWAY_TOKEN", told.withhold)
        self.assertNotIn(SECRET, repr(settings))

    def test_urls_may_be_in_a_file(self) -> None:
        file = Path(self.mktemp())
        file.write_text("https://a.example/1\nslack+https://b.example/2\n")
        told = alert_settings(Settings(alert_file=file, alert_urls="https://c.example/"))
        self.assertEqual(told.urls, ("https://a.example/1", "slack+https://b.example/2"))
        file.write_text("")
        error = self.assertRaises(ValueError, alert_settings, Settings(alert_file=file))
        self.assertIn("alert file", str(error))
