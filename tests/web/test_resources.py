"""A gateway that runs out of file descriptors."""

import resource
import socket
from pathlib import Path
from typing import Any

from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from tests.interop.service import Service
from tests.patience import PATIENCE
from tests.ports import free_port

LIMIT = 64
RESERVE = "Could not reserve EMFILE recovery file descriptor"
"""What Twisted says, with a traceback, where a thread of ours took the descriptor that it keeps for
such a moment and frees for an instant; it tries again with the next client."""
REQUEST = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


class DescriptorTests(TestCase):
    timeout = 2 * PATIENCE

    def test_it_serves_whom_it_can_and_recovers(self) -> Any:
        return deferToThread(self.exhaust)

    def exhaust(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        port = free_port()
        service = Service(folder.resolve(), port, "--no-worker")
        try:
            service.until("answer", service.answers)
            resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
            crowd = [
                socket.create_connection(("127.0.0.1", port), PATIENCE) for _ in range(2 * LIMIT)
            ]
            crowd[0].sendall(REQUEST)
            self.assertTrue(crowd[0].recv(100).startswith(b"HTTP/1.1 200 "))
            for each in crowd:
                each.close()
            service.until("answer", service.answers)
        finally:
            service.close()
        self.assertEqual(service.log.count("Traceback"), service.log.count(RESERVE), service.log)
        self.assertLess(len(service.log), 10_000)
