"""Runs a command in this process."""

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.cli.commands import main
from gateway.history.zstd_file import compress


class CommandCase(SynchronousTestCase):
    def run_main(self, *arguments: object) -> tuple[int, str, str]:
        """The exit status, stdout and stderr."""
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            try:
                status = main([str(each) for each in arguments])
            except SystemExit as ended:  # of argparse, after help and version
                status = int(ended.code or 0)
        return status, out.getvalue(), err.getvalue()


class RecordingsCase(CommandCase):
    """A command that reads recordings; `folder` is theirs."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)

    def write(self, name: str, *frames: bytes) -> Path:
        """Write a recording with these frames."""
        path = self.folder / f"{name}.jsonl.zst"
        path.write_bytes(b"".join(map(compress, frames)))
        return path
