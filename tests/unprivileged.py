"""What happens to a user whom permissions bind, asked by root, whom they do not."""

import os
import pickle
import shutil
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import SkipTest

NOBODY = 65534


def folder(case: Any) -> Path:
    """A new folder of root's, which every user may enter; it is gone after the test."""
    if os.geteuid():
        raise SkipTest("only root can be another user")
    made = Path(tempfile.mkdtemp())  # trial's own may be below one that they may not
    made.chmod(0o755)
    case.addCleanup(shutil.rmtree, made)
    return made


def as_other_user(act: Callable[[], Any]) -> Any:
    """What `act` returns in a child process that is nobody's.

    Raises AssertionError, with the traceback, for what it raises.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            answer = act(), ""
        except BaseException:
            answer = None, traceback.format_exc()
        os.write(writing, pickle.dumps(answer))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        data = stream.read()
    os.waitpid(child, 0)
    result, failed = pickle.loads(data)
    if failed:
        raise AssertionError(failed)
    return result
