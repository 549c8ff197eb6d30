"""What `--check` looks at; each module is a group of checks that start nothing."""

from gateway.doctor.files import check_files, check_state
from gateway.doctor.finding import TOPICS, Finding, Level
from gateway.doctor.keys import check_keys
from gateway.doctor.machine import check_clock, check_descriptors, check_environment
from gateway.doctor.ports import check_places, check_ports
from gateway.doctor.worker import check_worker, find_target

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
