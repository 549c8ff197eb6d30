"""`python -m gateway.replay FILE...`: what the gateway runs for `--replay`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from gateway.replay.player import Player, ReplaySettings
from gateway.replay.tape import Tape
from gateway.replay.wishes import Place, read_speed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

HERE: Final = "http://localhost:3001"


class Stopped(Exception):  # noqa: N818  # no error: somebody asked for the end
    """SIGINT or SIGTERM arrived."""


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Play until a signal comes; returns the exit status."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    options = _options(arguments)
    settings = ReplaySettings(
        speed=options.speed, begin=options.begin, loop=options.loop, moved=options.moved
    )
    try:
        try:
            tape = Tape(options.files, _warn)
        except ValueError as error:
            _warn(str(error))
            return 1
        _say(f"REPLAY of {', '.join(map(str, options.files))}: these are no present prices")
        Player(tape, settings, environ.get("GATEWAY_URL", HERE), _say).run()
    except Stopped:
        _say("stopped")
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m gateway.replay", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--speed", type=_value(read_speed), default=1.0)
    parser.add_argument("--from", dest="begin", type=_value(Place.read))
    parser.add_argument("--loop", action="store_true")
    parser.add_argument("--moved", action="store_true", help="times become those of now")
    return parser.parse_args(arguments)


def _value(read: Callable[[str], object]) -> Callable[[str], object]:
    def convert(text: str) -> object:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


def _stop(*_: object) -> NoReturn:
    raise Stopped


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _warn(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
