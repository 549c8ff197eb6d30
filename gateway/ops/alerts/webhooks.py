"""Receivers of alerts: what a webhook's URL says, and the body that each kind takes.

Sources: Slack, "Sending messages using incoming webhooks" and "Formatting message text";
Discord, "Execute Webhook"; Telegram Bot API, `sendMessage`.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, parse_qs, parse_qsl, unquote, urlsplit

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.ops.alerts.rules import Alert

SECRET_LENGTH: Final = 8
WORD_LENGTH: Final = 20

_KINDS: Final = {
    "hooks.slack.com": "slack",
    "discord.com": "discord",
    "discordapp.com": "discord",
    "api.telegram.org": "telegram",
}
"""The kind of receivers that are known by their host; all others get JSON."""

Body = dict[str, Any]


@attrs.frozen
class Webhook:
    """One receiver of alerts."""

    url: str = attrs.field(repr=False)
    """A secret: whoever knows it can send."""
    host: str
    """Named in the log instead of the URL."""
    body: Callable[[Alert, str], Body] = attrs.field(repr=False)
    """Makes the JSON object to post from an alert and its text."""


def webhook(written: str) -> Webhook:
    """The webhook at `[json+|slack+|discord+|telegram+]https://...`.

    Raises ValueError, which does not repeat the URL.
    """
    kind, _, rest = written.partition("+")
    if kind not in _CHANNELS:
        kind, rest = "", written
    try:
        parts = urlsplit(rest)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if not host or parts.scheme != "https" or "@" in parts.netloc or not rest.isascii():
        raise ValueError(
            "an alert's URL looks like https://example.com/path; slack+, discord+, telegram+ or"
            " json+ before it says what is understood there"
        )
    return _CHANNELS[kind or _KINDS.get(host, "json")](parts, host)


def secrets(url: str) -> Iterator[str]:
    """The secret parts of `url`: those that are long and no word."""
    parts = urlsplit(url)
    values = (value for _, value in parse_qsl(parts.query))
    for part in (*map(unquote, parts.path.split("/")), *values):
        if len(part) >= (WORD_LENGTH if part.isalpha() else SECRET_LENGTH):
            yield part


def _json(parts: SplitResult, host: str) -> Webhook:
    return Webhook(parts.geturl(), host, lambda alert, text: {"text": text, **attrs.asdict(alert)})


def _slack(parts: SplitResult, host: str) -> Webhook:
    return Webhook(parts.geturl(), host, lambda _, text: {"text": escape(text, quote=False)})


def _discord(parts: SplitResult, host: str) -> Webhook:
    nobody: dict[str, list[str]] = {"parse": []}  # a name in a message calls nobody
    return Webhook(
        parts.geturl(), host, lambda _, text: {"content": text, "allowed_mentions": nobody}
    )


def _telegram(parts: SplitResult, host: str) -> Webhook:
    chat = parse_qs(parts.query).get("chat_id", [""])[0]
    if not chat:
        raise ValueError(
            "an alert's URL for Telegram looks like"
            " https://api.telegram.org/botTOKEN/sendMessage?chat_id=NUMBER"
        )
    url = parts._replace(query="").geturl()
    return Webhook(url, host, lambda _, text: {"chat_id": chat, "text": text})


_CHANNELS: Final = {"json": _json, "slack": _slack, "discord": _discord, "telegram": _telegram}
