"""A mail, from a line of the alert file to a real server."""

from __future__ import annotations

from base64 import b64encode
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, cast

import attrs
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import IRealm, Portal
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, succeed
from twisted.internet.protocol import Factory, Protocol
from twisted.mail.smtp import ESMTP, IMessage, IMessageDelivery, LOGINCredentials, SMTPBadRcpt
from twisted.protocols.basic import LineReceiver
from twisted.protocols.policies import WrappingFactory
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from gateway.ops.alerts.delivery import PostError
from gateway.ops.alerts.mailing import Mailer
from gateway.ops.alerts.receivers import Mail
from tests.ops.alerts.receiver import Authority
from tests.patience import PATIENCE
from tests.ports import free_port
from tests.worker.real import soon

SUBJECT = "⚠ [office] 行情程式暫停：連線數過多（451）"
TEXT = "10:44:00 自動再試，今日啟動 9／200\n.\nhttps://desk.example.com/#/ops/log\n"


@implementer(IMessage)
class Taken:
    """One message, as it comes, line by line."""

    def __init__(self, messages: list[bytes]) -> None:
        self._messages = messages
        self._lines: list[bytes] = []

    def lineReceived(self, line: bytes) -> None:
        self._lines.append(line)

    def eomReceived(self) -> Any:
        self._messages.append(b"\n".join(self._lines))
        return succeed(None)

    def connectionLost(self) -> None:
        """Nothing is lost."""


@implementer(IRealm, IMessageDelivery)
class Server(Factory):
    """Takes mails for example.com, of the one user that it has."""

    noisy = False

    def __init__(self, context: Any = None) -> None:
        self.messages: list[bytes] = []
        self._context = context

    def buildProtocol(self, addr: object) -> Any:
        users = InMemoryUsernamePasswordDatabaseDontUse()
        users.addUser(b"me@example.com", b"p4ss/w0rd")
        made = ESMTP({b"LOGIN": LOGINCredentials}, self._context)
        made.portal = Portal(self, [users])
        made.delivery = self  # also for who does not log in
        return made

    def requestAvatar(self, who: object, mind: object, *interfaces: object) -> Any:
        return IMessageDelivery, self, lambda: None

    def receivedHeader(self, *about: object) -> bytes:
        return b"Received: here"

    def validateFrom(self, helo: object, origin: Any) -> Any:
        return origin

    def validateTo(self, user: Any) -> Any:
        if user.dest.domain != b"example.com":
            raise SMTPBadRcpt(user)
        return lambda: Taken(self.messages)


class Odd(LineReceiver):
    """Takes a login, and then speaks no SMTP any more."""

    def connectionMade(self) -> None:
        self._answers = iter(
            (b"250-here\r\n250 AUTH LOGIN", b"334 VXNlcg==", b"334 UGFzcw==", b"odd")
        )
        self.sendLine(b"220 here")

    def lineReceived(self, line: bytes) -> None:
        self.sendLine(next(self._answers, b"221 bye"))


class MailingTests(TestCase):
    timeout = 2 * PATIENCE

    def setUp(self) -> None:
        self.authority = Authority()
        self.ca_file = self.authority.write(Path(self.mktemp()))
        certificate = self.authority.issue("localhost").options()
        self.server = Server(certificate)
        self.visitors = WrappingFactory(self.server)
        self.visitors.noisy = False
        ports: Any = reactor
        plain = ports.listenTCP(0, self.visitors, interface="127.0.0.1")
        secure = ports.listenSSL(0, self.visitors, certificate, interface="127.0.0.1")
        self.ports = {"plain": plain, "starttls": plain, "tls": secure}
        self.addCleanup(self._close)

    async def _close(self) -> None:
        for visitor in list(self.visitors.protocols):
            visitor.transport.abortConnection()
        for port in {*self.ports.values()}:
            await port.stopListening()
        await soon(lambda: not self.visitors.protocols)

    def mail(self, secure: str = "plain", **changes: Any) -> Mail:
        given = Mail(
            "localhost",
            self.ports[secure].getHost().port,
            secure,
            "me@example.com",
            "p4ss/w0rd",
            "gateway@example.com",
            ("desk@example.com", "night@example.com"),
            SUBJECT,
            TEXT,
        )
        return attrs.evolve(given, **changes)

    async def send(self, mail: Mail) -> str:
        """What was wrong; "": the mail arrived."""
        try:
            await Mailer(reactor, self.ca_file).send(mail)
        except PostError as error:
            return f"{error.reason}{'' if error.retry else ', for good'}"
        return ""

    async def test_it_arrives_with_each_kind_of_encryption(self) -> None:
        for secure in ("plain", "starttls", "tls"):
            self.assertEqual(await self.send(self.mail(secure)), "", secure)
        self.assertEqual(len(self.server.messages), 6, "one copy for each recipient")
        message: Any = message_from_bytes(self.server.messages[0], policy=policy.default)
        self.assertEqual(message["subject"], SUBJECT)
        self.assertEqual(message["to"], "desk@example.com, night@example.com")
        self.assertEqual(message.get_content(), TEXT)
        self.assertIn("date", message)

    async def test_no_user_means_no_login(self) -> None:
        self.assertEqual(await self.send(self.mail(user="", password="")), "")

    async def test_a_wrong_password_is_told_and_not_tried_again(self) -> None:
        self.assertEqual(
            await self.send(self.mail("tls", password="secret")), "answered 535, for good"
        )

    async def test_no_reason_has_the_password(self) -> None:
        port = cast("Any", reactor).listenTCP(0, Factory.forProtocol(Odd), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        said = await self.send(attrs.evolve(self.mail(), port=port.getHost().port))
        self.assertIn("odd", said)
        self.assertNotIn(b64encode(b"p4ss/w0rd").decode(), said)

    async def test_who_can_not_be_trusted_gets_nothing(self) -> None:
        self.ca_file = Authority().write(Path(self.mktemp()))
        for secure in ("starttls", "tls"):
            self.assertIn("can't be trusted", await self.send(self.mail(secure)), secure)
        self.assertEqual(self.server.messages, [])

    async def test_who_offers_no_encryption_gets_nothing(self) -> None:
        self.server._context = None
        self.assertIn("answered 502", await self.send(self.mail("starttls")))
        self.assertEqual(self.server.messages, [])

    async def test_recipients_that_are_refused_are_told(self) -> None:
        nobody = self.mail(recipients=("a@b.example",))
        self.assertEqual(await self.send(nobody), "answered 550, for good")
        one = self.mail(recipients=("a@b.example", "desk@example.com"))
        self.assertEqual(await self.send(one), "took it for 1 of 2 recipients, for good")
        self.assertEqual(len(self.server.messages), 1)

    async def test_nobody_there(self) -> None:
        port = free_port()
        self.assertIn("could not be reached", await self.send(self.mail("starttls", port=port)))

    async def test_a_mail_that_is_given_up_hangs_up(self) -> None:
        self.patch(Server, "buildProtocol", lambda *_: Protocol())  # says nothing
        sending = Mailer(reactor, self.ca_file).send(self.mail())
        await soon(lambda: self.visitors.protocols)
        sending.cancel()
        await self.assertFailure(sending, CancelledError)
        await soon(lambda: not self.visitors.protocols)
