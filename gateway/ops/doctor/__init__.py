"""What `--check` looks at; each module is a group of checks that start nothing."""

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
