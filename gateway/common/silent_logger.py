"""A logger that says nothing."""

from __future__ import annotations


class SilentLogger:
    """For Autobahn's protocols: a peer could make them log without end.

    What has to be told is told by who uses the protocol.
    """

    def debug(self, *args: object, **kwargs: object) -> None:
        """Do nothing."""

    info = warn = error = failure = debug
