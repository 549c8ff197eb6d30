"""What `--check` looks at; each module is a group of checks that start nothing.

- `broker_keys`: the broker's keys: where they come from, and whether the certificate can be
  used.
- `child`: children that a check asks, without a reactor: each ends before the next line runs.
- `files`: the gateway's own files: who may read them, and what the ledger of starts says.
- `finding`: what a check found: how bad it is, what it is about, and what to do.
- `host`: the machine: its clock and time zones, its limits, and the variables we were given.
- `packages`: calls of `login` with arguments that shioaji dropped.
- `ports`: where the gateway would listen: whether the ports are free, and who could reach them.
"""

from gateway.ops.doctor.broker_keys import check_keys
from gateway.ops.doctor.files import check_files, check_state
from gateway.ops.doctor.finding import TOPICS, Finding, Level
from gateway.ops.doctor.host import check_clock, check_descriptors, check_environment
from gateway.ops.doctor.packages import check_worker, find_target
from gateway.ops.doctor.ports import check_places, check_ports

__all__ = [
    "TOPICS",
    "Finding",
    "Level",
    "check_clock",
    "check_descriptors",
    "check_environment",
    "check_files",
    "check_keys",
    "check_places",
    "check_ports",
    "check_state",
    "check_worker",
    "find_target",
]
