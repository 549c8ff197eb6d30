"""Packages that only some tests need."""

import os
from importlib import import_module
from types import ModuleType
from unittest import SkipTest


def package(name: str) -> ModuleType:
    """The imported package.

    Where it is missing the test is skipped, or fails under `CI=true`.
    """
    try:
        return import_module(name)
    except ImportError as error:
        reason = f"{name} is needed: pip install -e '.[test]' ({error})"
        if os.environ.get("CI") == "true":
            raise AssertionError(reason) from None
        raise SkipTest(reason) from None
