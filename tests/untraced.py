"""Tests that need not be traced."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any


def untraced(test: Callable[..., Any]) -> Callable[..., Any]:
    """A test that runs without the tracer of coverage, which makes it three times as dear.

    For those that do the same thousands of times: shorter tests run the same lines.
    """

    @wraps(test)
    def quickly(*args: Any, **more: Any) -> Any:
        tracer = sys.gettrace()
        sys.settrace(None)
        try:
            return test(*args, **more)
        finally:
            sys.settrace(tracer)

    return quickly
