"""A gateway that only supervises: `host.py STATE_DIR PATIENCE WORKER ARGUMENTS...`.

With PREPARED in its environment it begins when its input ends, all imports done.  With KEEP it
keeps the worker for so many seconds, and tells what browsers are told as JSON.
"""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from twisted.internet import reactor

from gateway.worker.settings import WorkerSettings
from gateway.worker.supervisor import Supervisor

for name in [name for name in os.environ if "COVERAGE" in name]:
    del os.environ[name]  # the worker is not measured: its tracer may swallow an interrupt

if os.environ.pop("PREPARED", ""):
    sys.stdin.read()
keep = os.environ.pop("KEEP", "")


def tell(name, value):
    words = (value["status"], value["pid"], value["message"])
    print(*([json.dumps(value)] if keep else words), flush=True)


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
)
reactor.callWhenRunning(supervisor.start)
reactor.addSystemEventTrigger("before", "shutdown", supervisor.stop)
reactor.run()
