"""What another system has and Linux has not."""

import signal
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.deploy.running import environment, healthy, until
from tests.interop.raw import RawClient
from tests.patience import PATIENCE
from tests.ports import free_port
from tests.warm import start

AS_ON_A_MAC = """
from tests.system import kqueue
kqueue.install(lambda: print("waits by kqueue", flush=True))
from twisted.scripts.twistd import run
run()
"""


class KqueueTests(SynchronousTestCase):
    """Twisted's reactor for kqueue, over a kqueue that is made of poll."""

    def test_where_it_is_a_gateway_runs_its_worker_and_its_clients_by_it(self) -> None:
        folder, port = Path(self.mktemp()).absolute(), free_port()
        folder.mkdir(parents=True)
        own = ("--portable", "--demo", f"--port={port}", f"--state-dir={folder}")
        command = ["-c", AS_ON_A_MAC, "-n", "--pidfile=", "sjgateway", *own]
        with (folder / "log").open("w+") as log:
            gateway = start(command, cwd=folder, env=environment(), stdout=log, stderr=log)
            self.addCleanup(gateway.kill)
            until(lambda: healthy(f"http://127.0.0.1:{port}"))
            client = RawClient(port)
            self.addCleanup(client.close)
            next(event for event in client.events() if event[0] == "market_tick")
            gateway.send_signal(signal.SIGTERM)
            status = gateway.wait(PATIENCE)
            log.seek(0)
            said = log.read()
        self.assertIn(status, (0, -signal.SIGTERM), said)
        self.assertEqual(said.count("waits by kqueue"), 1, said)
        self.assertNotIn("Traceback", said)
