"""Releases the lease of a gateway that was killed; its guardian runs this when the worker is gone.

`python -m gateway.cluster.release` reads a JSON object: `address` (the fields of `Address`),
`lease` (the key in Redis), `holder` and `token`.  Nothing else of the gateway is needed, nor an
event loop.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from gateway.cluster.address import Address
from gateway.cluster.blocking import ask, connected, info
from gateway.cluster.election import Record, Request
from gateway.cluster.lease_script import WRITE, read, written

if TYPE_CHECKING:
    from collections.abc import Mapping
    from io import BufferedRWPair


def release(told: Mapping[str, Any]) -> bool:
    """Release the lease, if it is still held as `told`; whether it was.

    Raises OSError or ValueError where Redis can't be asked or refuses.
    """
    address = Address(**told["address"])
    with connected(address) as stream:
        run = info(stream, "server")["run_id"]
        found = write(stream, told["lease"], Request(0.0, run))
        if found is None or (found.holder, found.token) != (told["holder"], told["token"]):
            return False
        new = Record("", found.token, found.beat + 1, run)
        return write(stream, told["lease"], Request(0.0, run, new, found, renews=True)) == new


def write(stream: BufferedRWPair, key: str, request: Request) -> Record | None:
    """What `WRITE` answers."""
    return read(ask(stream, "EVAL", WRITE.text, "1", key, *written(request)))


if __name__ == "__main__":
    release(json.load(sys.stdin))
