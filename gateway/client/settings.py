"""What the worker's options and its environment say."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_CODES = 100
"""The broker allows 200 subscriptions, and a code takes two: ticks and bid/ask."""


@dataclass(frozen=True)
class Credentials:
    """What the broker wants to see; the certificate is for orders, and optional."""

    api_key: str
    secret_key: str
    ca_path: str = ""
    ca_password: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.api_key, self.secret_key, self.ca_password)


def first_of(environ: Mapping[str, str], *names: str) -> str:
    return next((environ[name] for name in names if environ.get(name)), "")


def credentials_from(environ: Mapping[str, str]) -> Credentials:
    """The credentials under any of the names that workers of this family know."""

    def value(*names: str, branded: Sequence[str]) -> str:
        brands = (f"{brand}_{name}" for brand in ("SHIOAJI", "SINOPAC") for name in branded)
        return first_of(environ, *names, *brands)

    return Credentials(
        value("API_KEY", "SJ_KEY", "SJ_API_KEY", branded=("API_KEY", "KEY")),
        value(
            *("SECRET_KEY", "SJ_SEC", "SJ_SEC_KEY", "SJ_SECRET_KEY"),
            branded=("SECRET_KEY", "SECRET", "API_SECRET", "SEC_KEY"),
        ),
        value(
            *("CA_CERT_PATH", "SJ_CA_PATH", "CA_PATH"),
            branded=("CA_PATH", "CA_CERT_PATH", "CERT_PATH"),
        ),
        value(
            *("CA_PASSWORD", "SJ_CA_PASSWD", "CA_PASSWD"),
            branded=("CA_PASSWORD", "CA_PASSWD", "CERT_PASSWORD"),
        ),
    )


def truthy(text: str) -> bool:
    return text.strip().lower() in {"1", "true", "yes", "on"}


def url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise argparse.ArgumentTypeError("an http:// or https:// URL is needed")
    return text


def rate(text: str) -> float:
    value = float(text)
    if not 0 < value <= 100_000:
        raise argparse.ArgumentTypeError("events a second: more than 0, at most 100000")
    return value


def codes(text: str) -> list[str]:
    found = list(dict.fromkeys(text.replace(",", " ").split()))
    if len(found) > MAX_CODES:
        raise argparse.ArgumentTypeError(f"at most {MAX_CODES} contracts, not {len(found)}")
    return found


def options(argv: Sequence[str], environ: Mapping[str, str]) -> argparse.Namespace:
    """Options of the command line, else of the environment, else the defaults."""
    parser = argparse.ArgumentParser(
        prog="main.py", description="Market data from Shioaji, told to the gateway."
    )
    parser.add_argument(
        "--url",
        type=url,
        default=first_of(environ, "GATEWAY_URL", "SOCKET_HUB") or "http://localhost:3001",
        help="the gateway (GATEWAY_URL, SOCKET_HUB; http://localhost:3001)",
    )
    parser.add_argument(
        "--codes",
        type=codes,
        default=environ.get("SJ_CODES", ""),
        help="contracts to subscribe to, with commas between them (SJ_CODES)",
    )
    parser.add_argument(
        "--demo",
        action="store_true",
        default=truthy(first_of(environ, "SJ_DEMO", "DEMO")),
        help="a random walk instead of the broker's data (SJ_DEMO, DEMO)",
    )
    parser.add_argument(
        "--rate",
        type=rate,
        default=environ.get("SJ_RATE") or "20",
        help="market events a second of the demonstration (SJ_RATE; %(default)s)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=environ.get("SJ_SEED") or "1",
        help="of the demonstration (SJ_SEED; %(default)s)",
    )
    return parser.parse_args(argv)
