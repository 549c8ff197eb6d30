"""What goes wrong in a command."""

from __future__ import annotations


class CommandError(Exception):
    """The command ends: one line for the user, and the exit status.

    1: something is not as it has to be; 2: the command line is wrong.
    """

    def __init__(self, message: str, *, status: int = 1) -> None:
        super().__init__(message)
        self.status = status
