"""`GET /bars`: the question, the tag, and what is refused."""

from __future__ import annotations

from typing import Any

import orjson
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from gateway.history.bar_query import Answer
from gateway.web.http.site import make_site
from gateway.web.routes.rest import RestHandlers
from gateway.web.routes.route_table import rest_routes
from gateway.web.routes.router import mounts
from tests.web.http.test_site import SiteTestCase
from tests.web.site import FakeControl

FOUND = Answer(200, b'{"code":"TXFR1"}', "abc")


class BarsTests(SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.asked: list[tuple[dict[str, Any], str]] = []
        self.result: Deferred[Answer] | Answer = FOUND
        handlers = RestHandlers(FakeControl(), bars=self.bars)
        guard = self.site.resource.guard
        self.site = make_site(self.clock, guard, mounts(rest_routes(handlers)))

    def bars(self, fields: dict[str, Any], asker: str) -> Deferred[Answer]:
        self.asked.append((fields, asker))
        return self.result if isinstance(self.result, Deferred) else succeed(self.result)

    def test_the_question_is_handed_on_and_the_answer_as_it_is(self) -> None:
        path = "/bars?code=TXFR1&interval=5m&from=&to=2026-11-30&session&other=x"
        answer = self.ask("GET", path)
        self.assertEqual((answer.status, answer.body), (200, FOUND.body))
        self.assertEqual(answer.headers["etag"], 'w/"abc"')
        self.assertEqual(answer.headers["cache-control"], "no-cache, private")
        self.assertEqual(answer.headers["content-type"], "application/json; charset=utf-8")
        self.assertEqual(int(answer.headers["content-length"]), len(FOUND.body))
        ((fields, asker),) = self.asked
        wanted = {"code": "TXFR1", "interval": "5m", "from": "", "to": "2026-11-30"}
        self.assertEqual(fields, {**wanted, "session": ""})
        self.assertEqual(asker, "127.0.0.1")

    def test_who_has_it_already_gets_nothing(self) -> None:
        for header in ('W/"abc"', '"abc"', 'W/"x", W/"abc"'):
            answer = self.ask("GET", "/bars?code=A", If_None_Match=header)
            self.assertEqual((answer.status, answer.body), (304, b""), header)
            self.assertEqual(answer.headers["etag"], 'w/"abc"')
        self.assertEqual(self.ask("GET", "/bars?code=A", If_None_Match='W/"abcd"').status, 200)

    def test_errors_are_told(self) -> None:
        self.result = Answer(400, b'{"error":"code: name one"}')
        answer = self.ask("GET", "/bars", If_None_Match='""')
        self.assertEqual((answer.status, answer.json), (400, {"error": "code: name one"}))
        self.assertNotIn("etag", answer.headers)
        self.assertEqual(self.ask("GET", "/bars?code=A&code=B").status, 400)
        self.assertEqual(self.ask("POST", "/bars").status, 405)

    def test_an_answer_that_comes_later(self) -> None:
        self.result = later = Deferred()
        with self.assertRaises(IndexError):
            self.ask("GET", "/bars?code=A")  # nothing yet
        later.callback(FOUND)
        self.assertIn(FOUND.body, self.connection.transport.value())

    def test_a_client_that_goes_away_cancels_its_question(self) -> None:
        cancelled: list[Any] = []
        self.result = Deferred(cancelled.append)
        with self.assertRaises(IndexError):
            self.ask("GET", "/bars?code=A")
        self.connection.channel.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(cancelled, [self.result])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_the_answer_is_what_the_document_says(self) -> None:
        document = orjson.loads(self.ask("GET", "/openapi.json").body)
        operation = document["paths"]["/bars"]["get"]
        names = [each["name"] for each in operation["parameters"]]
        self.assertEqual(names, ["code", "interval", "from", "to", "session"])
        self.assertEqual(operation["tags"], ["view"])
