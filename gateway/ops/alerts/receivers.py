"""Receivers of alerts: what a line of the alert file says, and the message that each kind takes.

Sources: Slack, "Sending messages using incoming webhooks" and "Formatting message text"; Discord,
"Execute Webhook"; Telegram Bot API, `sendMessage`; LINE Messaging API, "Send push message" and
"Retrying an API request"; ntfy, "Publish as JSON"; Prometheus, "Alerts API" of Alertmanager.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, parse_qs, parse_qsl, unquote, urlsplit
from uuid import uuid4

import attrs

from gateway.ops.alerts.rules import BARS, OVER, RECORDING, RECOVERED, TEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gateway.ops.alerts.rules import Alert
    from gateway.ops.alerts.wording import Words

SECRET_LENGTH: Final = 8
WORD_LENGTH: Final = 20
LOOPBACK: Final = re.compile(r"localhost|127(?:\.[0-9]{1,3}){3}|::1")
"""Hosts for which no encryption is needed."""
LASTS: Final = timedelta(days=30)
"""For so long Alertmanager takes an alert for true, unless it is told that it is over."""
ALERTMANAGER: Final = "alertmanager"
LINE: Final = "https://api.line.me/v2/bot/message/push"
CONFLICT: Final = 409

_KINDS: Final = {
    "hooks.slack.com": "slack",
    "discord.com": "discord",
    "discordapp.com": "discord",
    "api.telegram.org": "telegram",
}
"""The kind of receivers that are known by their host; all others get JSON."""


@attrs.frozen
class Post:
    """JSON to post to a URL."""

    url: str = attrs.field(repr=False)
    body: Any = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    arrived: frozenset[int] = frozenset()
    """Statuses, besides those from 200 to 299, that say that it arrived."""


@attrs.frozen
class Mail:
    """A mail to hand to a server; `secure`: `tls` from the first byte, `starttls`, or `plain`."""

    host: str
    port: int
    secure: str
    user: str = attrs.field(repr=False)
    password: str = attrs.field(repr=False)
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str


Message = Post | Mail
if TYPE_CHECKING:
    Make = Callable[[Alert, Words], Post]
    """Makes what is posted of an alert and its words."""


@attrs.frozen
class Receiver:
    """One receiver of alerts."""

    kind: str
    host: str
    """Named in the log instead of the line, which is a secret."""
    message: Callable[[Alert, Words], Message] = attrs.field(repr=False)
    """Makes what is sent of an alert and its words."""
    join: Callable[[Message, Message], Message] | None = attrs.field(default=None, repr=False)
    """Makes one message of an older and a newer one, where only the newest state counts."""

    @property
    def keeps(self) -> bool:
        """Whether it takes an alert for true until it hears of the end, and limits by itself."""
        return self.join is not None


def receiver(written: str) -> Receiver:
    """The receiver that a line of the alert file names; `FORMS` has the forms.

    Raises ValueError, which does not repeat the line.
    """
    kind, _, rest = written.partition(":")
    if kind == "line":
        return _line(rest)
    if kind in ("smtp", "smtps"):
        return _smtp(written)
    kind, _, rest = written.partition("+")
    if kind not in _CHANNELS:
        kind, rest = "", written
    parts = _split(rest)
    host = parts.hostname or ""
    may_be_plain = parts.scheme == "http" and LOOPBACK.fullmatch(host)
    if not host or not (parts.scheme == "https" or may_be_plain) or "@" in parts.netloc:
        raise ValueError(FORMS)
    kind = kind or _KINDS.get(host, "json")
    join = _all_alerts if kind == ALERTMANAGER else None
    return Receiver(kind, host, _CHANNELS[kind](parts), join)


FORMS: Final = (
    "a receiver of alerts looks like https://example.com/path, with slack+, discord+, telegram+,"
    " ntfy+, alertmanager+ or json+ before it where the host does not tell; http:// is for this"
    " machine alone; or line:RECIPIENT:TOKEN, or"
    " smtps://USER:PASSWORD@HOST?from=ADDRESS&to=ADDRESS"
)


def secrets(written: str) -> Iterator[str]:
    """The secret parts of a line: those that are long and no word."""
    if written.startswith("line:"):
        yield from filter(None, written.split(":")[1:])
        return
    parts = _split(written)
    if parts.scheme in ("smtp", "smtps"):
        yield from filter(None, (unquote(parts.password or ""),))
        return
    values = (value for _, value in parse_qsl(parts.query))
    for part in (*map(unquote, parts.path.split("/")), *values):
        if len(part) >= (WORD_LENGTH if part.isalpha() else SECRET_LENGTH):
            yield part


def _split(written: str) -> SplitResult:
    """The parts of a URL; empty ones of what is none, or holds other letters than ASCII."""
    try:
        parts = urlsplit(written)
        _ = parts.port
    except ValueError:
        return urlsplit("")
    return parts if written.isascii() else urlsplit("")


# -- Webhooks.


def _json(parts: SplitResult) -> Make:
    def make(alert: Alert, words: Words) -> Post:
        body = {"text": str(words), **attrs.asdict(alert), "link": words.link}
        return Post(parts.geturl(), body)

    return make


def _slack(parts: SplitResult) -> Make:
    return lambda _, words: Post(parts.geturl(), {"text": escape(str(words), quote=False)})


def _discord(parts: SplitResult) -> Make:
    nobody: dict[str, list[str]] = {"parse": []}  # a name in a message calls nobody
    return lambda _, words: Post(
        parts.geturl(), {"content": str(words), "allowed_mentions": nobody}
    )


def _telegram(parts: SplitResult) -> Make:
    chat = parse_qs(parts.query).get("chat_id", [""])[0]
    if not chat:
        raise ValueError(
            "an alert's URL for Telegram looks like"
            " https://api.telegram.org/botTOKEN/sendMessage?chat_id=NUMBER"
        )
    url = parts._replace(query="").geturl()
    return lambda _, words: Post(url, {"chat_id": chat, "text": str(words)})


def _ntfy(parts: SplitResult) -> Make:
    """The topic is the end of the path; `?token=` is for servers that ask for one."""
    before, _, topic = parts.path.rpartition("/")
    if not topic:
        raise ValueError("an alert's URL for ntfy looks like ntfy+https://ntfy.sh/TOPIC")
    url = parts._replace(path=before + "/", query="").geturl()
    token = parse_qs(parts.query).get("token", [""])[0]
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    def make(alert: Alert, words: Words) -> Post:
        body = {
            "topic": topic,
            "title": words.title,
            "message": "\n".join(words.body) or words.title,
            "priority": 3 if alert.is_good else 4,
            "click": words.link,
        }
        return Post(url, body, headers)

    return make


_LASTING: Final = {RECOVERED: timedelta(), OVER: timedelta(), TEST: timedelta(minutes=5)}


def _alertmanager(parts: SplitResult) -> Make:
    """Labels tell which alert it is: what ends one has the same as what began it."""
    url = parts._replace(path=parts.path.rstrip("/") + "/api/v2/alerts").geturl()

    def make(alert: Alert, words: Words) -> Post:
        at = datetime.fromisoformat(alert.timestamp)
        told = {
            "labels": {
                "alertname": "sjgateway",
                "gateway": words.gateway,
                "instance": urlsplit(words.link).netloc,
                "port": str(words.port),  # several gateways of a machine may have the same link
                "subject": alert.subject,
                "severity": "warning" if alert.subject in (RECORDING, BARS) else "critical",
            },
            "annotations": {"summary": words.title, "description": "\n".join(words.body)},
            "generatorURL": words.link,
            "startsAt": at.isoformat(),  # without it Alertmanager takes the end
            "endsAt": (at + _LASTING.get(alert.kind, LASTS)).isoformat(),
        }
        return Post(url, [told])

    return make


def _all_alerts(older: Message, newer: Message) -> Message:
    """One post with the alerts of both; of those in both, what `newer` says."""
    assert isinstance(older, Post) and isinstance(newer, Post)
    known = [each["labels"] for each in newer.body]
    rest = [each for each in older.body if each["labels"] not in known]
    return attrs.evolve(newer, body=[*rest, *newer.body])


_CHANNELS: Final[Mapping[str, Callable[[SplitResult], Make]]] = {
    "json": _json,
    "slack": _slack,
    "discord": _discord,
    "telegram": _telegram,
    "ntfy": _ntfy,
    ALERTMANAGER: _alertmanager,
}


# -- LINE, and mail.


def _line(rest: str) -> Receiver:
    """`RECIPIENT:TOKEN`: the id of a user, a group or a room, and the channel's access token."""
    recipient, _, token = rest.partition(":")
    if not re.fullmatch(r"[UCR][0-9a-f]{32}", recipient) or not re.fullmatch(r"\S{20,}", token):
        raise ValueError(
            "an alert for LINE looks like line:RECIPIENT:TOKEN: the id of a user, group or room,"
            " which is U, C or R and 32 hexadecimal digits, and the channel access token"
        )

    def make(_: Alert, words: Words) -> Post:
        body = {"to": recipient, "messages": [{"type": "text", "text": str(words)}]}
        # With the same key a message that arrived is not sent again; 409 says that it had arrived.
        headers = {"Authorization": f"Bearer {token}", "X-Line-Retry-Key": str(uuid4())}
        return Post(LINE, body, headers, frozenset((CONFLICT,)))

    return Receiver("line", "api.line.me", make)


_PORTS: Final = {"smtps": 465, "smtp": 587}
_ADDRESS: Final = re.compile(r"[!-;=?A-~]+@[A-Za-z0-9.-]+")


def _smtp(written: str) -> Receiver:
    """Without encryption only to this machine, whose own server may be at port 25."""
    parts = _split(written)
    fields = parse_qs(parts.query)
    sender = fields.get("from", [""])[0]
    recipients = tuple(each for value in fields.get("to", []) for each in value.split(","))
    host = parts.hostname or ""
    if not host or not recipients or not all(map(_ADDRESS.fullmatch, (sender, *recipients))):
        raise ValueError(
            "an alert by mail looks like smtps://USER:PASSWORD@HOST?from=ADDRESS&to=ADDRESS; smtp://"
            " begins without encryption and asks for it (STARTTLS), but on this machine"
        )
    is_here = LOOPBACK.fullmatch(host) is not None
    secure = "tls" if parts.scheme == "smtps" else "plain" if is_here else "starttls"
    port = parts.port or (25 if secure == "plain" else _PORTS[parts.scheme])
    user, password = unquote(parts.username or ""), unquote(parts.password or "")

    def make(_: Alert, words: Words) -> Mail:
        text = "\n".join((*words.body, words.link, ""))
        return Mail(host, port, secure, user, password, sender, recipients, words.title, text)

    return Receiver("mail", host, make)
