"""A gateway that only supervises: `host.py STATE_DIR PATIENCE WORKER ARGUMENTS...`.

With PREPARED in its environment it begins when its input ends, all imports done.  With KEEP it
keeps the worker for so many seconds, tells what browsers are told as JSON, and does what its
input says, one command a line: `restart`, `start`, `stop`, or two keys to be posted.  With PORT
it ends at once when another one has that port, as gateways do.  With SESSION it has a session of
its own.
"""

import json
import os
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from twisted.internet import reactor
from twisted.internet.stdio import StandardIO
from twisted.protocols.basic import LineOnlyReceiver

from gateway.common.credentials import Credentials
from gateway.worker.process import guarded
from gateway.worker.settings import WorkerSettings
from gateway.worker.supervisor import Supervisor
from tests.system.this import SYSTEM

for name in [name for name in os.environ if "COVERAGE" in name]:
    del os.environ[name]  # the worker is not measured: its tracer may swallow an interrupt

if os.environ.pop("SESSION", ""):
    os.setsid()
if os.environ.pop("PREPARED", ""):
    sys.stdin.read()
port = socket.socket()
if number := os.environ.pop("PORT", ""):
    port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    port.bind(("127.0.0.1", int(number)))
    port.listen()
keep = os.environ.pop("KEEP", "")
if other := os.environ.pop("GUARDIAN", ""):
    guarded.GUARDIAN = Path(other)


def tell(name, value):
    if keep:
        print(json.dumps(value), flush=True)
    else:
        print(value["status"], value["pid"], value["message"], flush=True)


state_dir, patience, worker, *arguments = sys.argv[1:]
supervisor = Supervisor(
    reactor,
    WorkerSettings(
        state_dir=Path(state_dir),
        main=Path(worker),
        python=sys.executable,
        arguments=tuple(arguments),
        patience_login=float(patience),
        patience_terminate=0.2,
        patience_strays=0.1,
        settle=0.1,
        keep=float(keep or 0),
    ),
    tell,
    system=SYSTEM,
)


class Commands(LineOnlyReceiver):
    delimiter = b"\n"

    def lineReceived(self, line):
        match line.decode().split():
            case ["restart"]:
                answer = supervisor.restart()
            case ["start"]:
                answer = supervisor.start_worker()
            case ["stop"]:
                answer = supervisor.stop_worker()
            case [api_key, secret_key]:
                keys = Credentials(api_key, secret_key)
                answer = supervisor.set_credentials(keys)
        answer.addCallbacks(
            lambda facts: tell("answer", {"status": "answered", **facts}),
            lambda failure: tell("answer", {"status": "refused", "why": str(failure.value)}),
        )

    def connectionLost(self, reason):
        pass


if keep:
    StandardIO(Commands())
reactor.callWhenRunning(supervisor.start)
reactor.addSystemEventTrigger("before", "shutdown", supervisor.stop)
reactor.run()
