"""The checks of `--check`: each module has a group of them.  They start and change nothing.

- `finding`: what a check found: how bad it is, what about, and what to do.
- `worker_program`: the worker's Python, main.py, and the packages that it imports.
- `blocking_reactor`: runs short processes to their end, for what needs a reactor for them.
- `broker_keys`: where the broker's keys come from, and whether the certificate can be used.
- `ports`: whether the ports are free, and who could reach them.
- `host`: clock, file descriptors, `SJGATEWAY_` variables; who may read the gateway's files; the
  state folder, the ledger of starts, the folder of recordings, and the file of bars.
- `system`: what is promised on this system.
- `redis`: the Redis of a cluster; imported where there is one.

`gateway.app.check` runs all of them; `gateway.app.command_line` looks at the ports.
"""

from gateway.ops.doctor.broker_keys import check_keys
from gateway.ops.doctor.finding import TOPICS, Finding, Level
from gateway.ops.doctor.host import (
    check_bars,
    check_clock,
    check_descriptors,
    check_environment,
    check_files,
    check_recording,
    check_state,
)
from gateway.ops.doctor.ports import check_places, check_ports
from gateway.ops.doctor.system import check_system
from gateway.ops.doctor.worker_program import check_worker, find_target

__all__ = [
    "TOPICS",
    "Finding",
    "Level",
    "check_bars",
    "check_clock",
    "check_descriptors",
    "check_environment",
    "check_files",
    "check_keys",
    "check_places",
    "check_ports",
    "check_recording",
    "check_state",
    "check_system",
    "check_worker",
    "find_target",
]
