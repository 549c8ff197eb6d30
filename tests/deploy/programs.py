"""Programs of the system that a test of deployment needs."""

import os
import shutil
from unittest import SkipTest


def require(program: str, package: str) -> str:
    """Where `program` is.

    Where it is missing the test is skipped, or fails under `CI=true`.
    """
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        reason = f"{program} is needed: apt install {package}"
        if os.environ.get("CI") == "true":
            raise AssertionError(reason)
        raise SkipTest(reason)
    return found
