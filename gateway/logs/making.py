"""From the settings to the log: where it goes, in which form, from which level on."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.logger import LogLevel

from gateway.logs.destination import destination
from gateway.logs.lines import json_line, text_line
from gateway.logs.observer import Observer
from gateway.logs.output import Output

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from constantly import NamedConstant

    from gateway.config import Settings


def make_log(
    settings: Settings,
    runner: MutableMapping[str, Any],
    reactor: Any,
    *,
    redact: Callable[[str], str],
    level: NamedConstant,
) -> tuple[Observer, Output]:
    """The observer that logs to where `runner`, twistd's or twist's options, says.

    Raises as `destination` does.
    """
    form = json_line if settings.log_format == "json" else text_line
    line = partial(form, redact=redact)

    def note(lost: int) -> str:
        said = {"log_format": "{lost} log lines could not be written", "lost": lost}
        return line({**said, "log_time": time.time(), "log_level": LogLevel.warn})

    output = Output(destination(settings, runner, reactor), note)
    reactor.addSystemEventTrigger("after", "shutdown", output.finish)
    observer = Observer(output.write, line, level)
    if "fileLogObserverFactory" in runner:  # twist asks for none otherwise
        runner["fileLogObserverFactory"] = lambda _: observer
        runner["logLevel"] = LogLevel.debug  # ours decides
    return observer, output
