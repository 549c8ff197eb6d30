"""The command line: `python -m gateway COMMAND`.

An error is one line on stderr, which says what to do, and the exit status: 2 for a wrong command
line, 1 for anything else.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from gateway import __version__
from gateway.cli.address import Address
from gateway.cli.errors import CommandError
from gateway.common.escape import escape_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PROGRAM = "python -m gateway"
INTERVALS = ("1m", "5m", "15m", "30m", "60m", "1h", "1d")
"""Of bars that are made of a recording."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and that guesses no option: `--token` is none."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{message}; {self.prog} --help tells more", status=2)


def main(arguments: Sequence[str]) -> int:
    """Run the command in `arguments`; returns the exit status."""
    try:
        return _run(arguments)
    except CommandError as error:
        _say(str(error))
        return error.status
    except BrokenPipeError:  # who reads has what it wanted, as `head`
        _drop_output()
        return 0
    except OSError as error:
        _drop_output()
        _say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


def _say(text: str) -> None:
    """Say it in one line, whatever a gateway or the name of a file has put into it."""
    if sys.stderr is not None:
        sys.stderr.write(f"sjgateway: {escape_line(text)}\n")


def _drop_output() -> None:
    """What Python still has of it would be written when it ends, and it would complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _run(arguments: Sequence[str]) -> int:
    if sys.stdout is None:  # and a socket would get its descriptor
        raise CommandError("there is no stdout to write to")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # codes may be Chinese, whatever the locale is
    options, unknown = _parser().parse_known_args(arguments)
    if options.command is None:
        raise CommandError(f"a command is needed; {PROGRAM} --help tells which", status=2)
    if unknown:
        told = f"{PROGRAM} {options.command} --help tells which there are"
        raise CommandError(f"there is no {_names(unknown)}; {told}", status=2)
    status: int = import_module(f"gateway.cli.{options.command}").run(options)
    sys.stdout.flush()
    return status


def _names(unknown: Sequence[str]) -> str:
    """The names of options without what may be a token: values are not shown."""
    names = [re.sub(r"=.*|(?<=^-[^-]).*", "", each) for each in unknown if each.startswith("-")]
    return " ".join(names) or "further argument"


def _parser() -> Parser:
    parser = Parser(
        prog=PROGRAM,
        usage=f"{PROGRAM} COMMAND [option ...]",
        description="Looks at what a gateway relays.  The gateway itself is started by"
        " 'twistd -n sjgateway'.",
    )
    parser.add_argument("--version", action="version", version=f"sjgateway {__version__}")
    commands = parser.add_subparsers(
        prog=PROGRAM, dest="command", metavar="COMMAND [option ...]", title="commands"
    )
    _add_tail(commands)
    _add_recordings(commands)
    _add_export(commands)
    return parser


def _add_tail(commands: Any) -> None:
    tail = commands.add_parser(
        "tail",
        help="show events as they come",
        description="Shows the events of a gateway as they come, one a line, until Ctrl-C. A"
        " connection that is lost is made again. What is said about it is on stderr, and so is"
        " how many events were left out because the output is read too slowly.",
    )
    tail.add_argument(
        "--url",
        type=_checked(Address.parse),
        default="http://127.0.0.1:3001",
        help="the gateway: http:// or https://; a path in it, as that of --path, is used instead"
        " of /socket.io/ (default: %(default)s)",
    )
    tail.add_argument(
        "--token-file",
        type=_path,
        metavar="FILE",
        help="file with a token for viewing, where the gateway needs one: the token alone, or lines"
        " NAME TOKEN ROLE, of which the one that may do least is used",
    )
    _add_names(
        tail, "codes", "TXFR1,2330", "show only events of these codes, and those without any"
    )
    _add_names(tail, "events", "market_tick", "show only events with these names")
    tail.add_argument(
        "--trusted", action="store_true", help="show only events of the worker and of the gateway"
    )
    tail.add_argument(
        "--snapshot", action="store_true", help="begin with the newest quote of each code"
    )
    tail.add_argument(
        "--json",
        action="store_true",
        help='print JSON lines as in a recording: {"t": seconds since 1970, "e": [name, ...]}',
    )


def _add_recordings(commands: Any) -> None:
    command = commands.add_parser(
        "recordings",
        help="list what is recorded in a folder",
        description="Lists the recordings in a folder: from when to when (on the clock of Taipei),"
        " how many events of how many codes, their size, which events are missing, and whether"
        " a file is damaged or its end was cut off. Files are read from beginning to end. The exit"
        " status is 1 if one is damaged.",
    )
    command.add_argument("folder", type=_path, metavar="FOLDER", help="the folder of --record")
    command.add_argument(
        "--json",
        action="store_true",
        help="print one JSON object a recording, with all codes and gaps; times in seconds since"
        " 1970",
    )


def _add_export(commands: Any) -> None:
    command = commands.add_parser(
        "export",
        help="write the bars of recordings",
        description="Makes bars of recordings as a running gateway makes them of the same events:"
        " by the exchange's time, without trial matches, late and doubled ticks, and with the"
        " broker's bars where ticks were missed. They are sorted by code and time. The exit status"
        " is 1 if a recording is damaged; what is before that place counts.",
    )
    command.add_argument(
        "files", type=_path, nargs="+", metavar="FILE", help="recordings, or folders of them"
    )
    command.add_argument(
        "--bars",
        choices=INTERVALS,
        default="1m",
        metavar="INTERVAL",
        help=f"how long a bar is: {', '.join(INTERVALS)} (default: %(default)s)",
    )
    _add_names(
        command, "codes", "TXFR1,2330", "only these codes; TXFR1 is found in the bars of its months"
    )
    form = command.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="write CSV with a head line (the default)")
    form.add_argument("--json", action="store_true", help="write one JSON object a bar")
    command.add_argument(
        "--output", type=_path, metavar="FILE", help="file to write to (default: stdout)"
    )
    command.add_argument(
        "--holiday-file",
        type=_path,
        metavar="FILE",
        help="as the gateway's --holiday-file: the holidays decide to which day a night belongs",
    )


def _add_names(parser: argparse.ArgumentParser, name: str, example: str, text: str) -> None:
    parser.add_argument(
        f"--{name}",
        type=lambda given: given.replace(",", " ").split(),
        action="extend",
        metavar=example,
        help=f"{text} (names with commas between them)",
    )


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _checked(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """`parse` for argparse, which shows the text of no error but its own."""

    def checked(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked
