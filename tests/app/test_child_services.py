"""The children of the gateway's service."""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from gateway.app.child_services import ObserverService


class ObserverTests(SynchronousTestCase):
    def test_it_hears_the_log_from_the_opening_of_the_ports_to_the_end(self) -> None:
        heard: list[dict[str, Any]] = []
        service, log = ObserverService(heard.append), Logger(namespace="gateway")
        log.info("before")
        service.privilegedStartService()
        log.info("Listening")
        service.startService()
        log.info("up")
        service.stopService()
        log.info("after")
        self.assertEqual(list(map(formatEvent, heard)), ["Listening", "up"])
