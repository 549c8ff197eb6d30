"""Hands one mail to a server (RFC 5321), with Twisted's client.  Every wait has an end.

Imported only where mails are sent: Twisted's mail is much code.
"""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.ssl import optionsForClientTLS
from twisted.mail.smtp import ESMTPSender, ESMTPSenderFactory, SMTPClientError

from gateway.ops.alerts.delivery import PostError
from gateway.ops.alerts.posting import authorities, explain, late

if TYPE_CHECKING:
    from pathlib import Path

    from twisted.python.failure import Failure

    from gateway.ops.alerts.receivers import Mail

TIMEOUT: Final = 30.0
"""Seconds from the look-up of the name until the server has taken the mail."""
PERMANENT: Final = range(500, 600)
"""Replies after which another try makes no sense."""


class _Sender(ESMTPSender):
    """Keeps no record of what was said: it would be in its errors, with the password."""

    debug = False


class Mailer:
    """Sends mails; trusts only the authorities in `ca_file`, or the system's without one.

    Raises ValueError when the file has none.
    """

    def __init__(self, reactor: Any, ca_file: Path | None) -> None:
        self._reactor = reactor
        self._trust = {} if ca_file is None else {"trustRoot": authorities(ca_file)}

    def send(self, mail: Mail) -> Deferred[None]:
        """Fires when the server took `mail`; fails with PostError, or CancelledError."""

        def cancel(_: Deferred[Any]) -> None:
            factory.sendFinished = True
            connector.disconnect()

        sent: Deferred[Any] = Deferred(cancel)
        tls = optionsForClientTLS(mail.host, **self._trust)
        factory = ESMTPSenderFactory(
            mail.user.encode() or None,
            mail.password.encode() or None,
            mail.sender,
            list(mail.recipients),
            BytesIO(_written(mail)),
            sent,
            retries=0,
            timeout=TIMEOUT,
            contextFactory=tls if mail.secure == "starttls" else None,
            requireAuthentication=bool(mail.user),
            requireTransportSecurity=mail.secure != "plain",
        )
        factory.noisy = False
        factory.protocol = _Sender
        if mail.secure == "tls":
            connector = self._reactor.connectSSL(mail.host, mail.port, factory, tls, TIMEOUT)
        else:
            connector = self._reactor.connectTCP(mail.host, mail.port, factory, TIMEOUT)
        sent.addTimeout(TIMEOUT, self._reactor, late)
        return sent.addCallbacks(_refused_by_some, _explain)


def _written(mail: Mail) -> bytes:
    message = EmailMessage()
    message["Subject"] = mail.subject
    message["From"] = mail.sender
    message["To"] = ", ".join(mail.recipients)
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=mail.sender.rpartition("@")[2])
    message.set_content(mail.text, cte="base64")
    return message.as_bytes()


def _refused_by_some(result: tuple[int, list[tuple[bytes, int, bytes]]]) -> None:
    """The server took it for one recipient at least; the others are told of."""
    taken, answers = result
    if taken < len(answers):
        raise PostError(f"took it for {taken} of {len(answers)} recipients", retry=False)


def _explain(failure: Failure) -> None:
    error: Any = failure.value
    if isinstance(error, SMTPClientError) and error.code in PERMANENT:
        raise PostError(f"answered {error.code}", retry=False)
    if isinstance(error, SMTPClientError) and error.code > 0:
        raise PostError(f"answered {error.code}")
    cause = getattr(error, "__cause__", None)
    if cause is not None:
        failure.value = cause
    explain(failure)
