"""The REST routes, as contract.md and the front ends have them."""

from typing import Any

import orjson
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from gateway.common.credentials import Credentials, CredentialsError
from gateway.contract import HeldError, NoWorker, WorkerError
from gateway.web.http.site import make_site
from gateway.web.routes.rest import RestHandlers
from gateway.web.routes.route_table import rest_routes
from gateway.web.routes.router import mounts
from tests.web.http.test_site import Answer, SiteTestCase
from tests.web.site import FakeControl, build_site

KEYS = {"apiKey": "k1", "secretKey": "s1", "caCertPath": "/ca.pfx", "caPassword": "p1"}
MISSING = {"error": "Missing required fields: apiKey, secretKey, caCertPath, caPassword"}


FAILED = WorkerError("The worker could not be started", "main.py does not exist")
HELD = HeldError.until("it is paused", "2024-02-25T15:31:00.000Z")
UNUSABLE = CredentialsError("caCertPath", "caCertPath: the file can't be read")


class ProbeTests(SiteTestCase):
    def test_health(self) -> None:
        answer = self.ask("GET", "/health")
        self.assertEqual(answer.status, 200)
        self.assertEqual(
            answer.json,
            {
                "status": "ok",
                "pythonRunning": True,
                "timestamp": "2024-02-25T15:30:00.000Z",
                "state": "running",
            },
        )

    def test_alive_whatever_the_worker_does(self) -> None:
        self.control.running = False
        for path in ("/healthz", "/livez"):
            answer = self.ask("GET", path)
            self.assertEqual((answer.status, answer.json), (200, {"status": "ok"}))

    def test_running_and_ready(self) -> None:
        for running, ready in ((False, False), (True, False), (True, True)):
            self.control.running, self.control.ready = running, ready
            for path, yes in (("/sj-ready", running), ("/readyz", ready)):
                answer = self.ask("GET", path)
                self.assertEqual(answer.status, 200 if yes else 503)
                self.assertEqual(answer.json, {"ready": yes})

    def test_status(self) -> None:
        told = {"time": 1708875000.0, "access": {"name": "", "role": "view"}}
        answer = self.ask("GET", "/status")
        self.assertEqual(answer.json, {"state": "running", "pid": 4711, **told})

    def test_logs(self) -> None:
        self.assertEqual(self.logs(), (["one", "two", "three"], 1003))
        self.assertEqual(self.logs("?lines=2"), (["two", "three"], 1003))
        for wrong in ("0", "-1", "x", "", "1.5", "10001", "%D9%A1", "2&lines=3"):
            answer = self.ask("GET", f"/logs?lines={wrong}")
            self.assertEqual(answer.status, 400, wrong)
            self.assertEqual(self.ask("GET", f"/logs?since={wrong}x").status, 400, wrong)
        self.assertEqual(self.ask("GET", "/logs?other=x&other=y").status, 200)

    def test_logs_from_a_position_on(self) -> None:
        self.assertEqual(self.logs("?since=1001"), (["two", "three"], 1003))
        self.assertEqual(self.logs("?since=1001&lines=1"), (["two"], 1002))
        self.assertEqual(self.logs("?since=1003"), ([], 1003))
        self.control.lines.append("four")
        self.assertEqual(self.logs("?since=1003"), (["four"], 1004))
        self.assertEqual(self.logs("?since=0&lines=3"), (["two", "three", "four"], 1004))
        self.assertEqual(self.logs("?since=999&lines=3"), (["one", "two", "three"], 1003))
        for ahead in (1005, 2**53 - 1):
            self.assertEqual(self.logs(f"?since={ahead}"), ([], 1004))

    def test_logs_of_the_gateway_itself(self) -> None:
        self.assertEqual(self.logs("?source=worker"), (["one", "two", "three"], 1003))
        self.assertEqual(self.logs("?source=gateway"), (["up", "down"], 502))
        self.assertEqual(self.logs("?source=gateway&since=501"), (["down"], 502))
        self.assertEqual(self.ask("GET", "/logs?source=others").status, 400)

    def test_logs_are_bounded_in_bytes(self) -> None:
        for line in ("x" * 8000, "報價" * 4000, "\\" * 8000, "\U0001f4c8" * 2000):
            lines = [f"{number} {line}" for number in range(1000)]
            self.control.lines = list(lines)
            newest, end = self.logs("?lines=10000")
            self.assertEqual((newest, end), (lines[-len(newest) :], 2000))
            position, seen, answers = 1000, [], 0
            while position < 2000:
                answer = self.ask("GET", f"/logs?lines=10000&since={position}")
                self.assertLess(len(answer.body), 262144 + 100)
                seen += answer.json["lines"]
                position = answer.json["next"]
                answers += 1
            self.assertEqual(seen, lines)
            self.assertGreater(answers, 10)

    def logs(self, query: str = "") -> tuple[list[str], int]:
        answer = self.ask("GET", f"/logs{query}").json
        return answer["lines"], answer["next"]


class ChangeTests(SiteTestCase):
    def test_changes(self) -> None:
        for path, message, call in (
            ("/restart-python", "Python process restarted", ("restart", False)),
            ("/restart-python?force", "Python process restarted", ("restart", True)),
            ("/restart-python?force=1", "Python process restarted", ("restart", True)),
            ("/restart-python?force=true", "Python process restarted", ("restart", True)),
            ("/restart-python?force=false", "Python process restarted", ("restart", False)),
            ("/start-python", "Python process started", ("start",)),
            ("/stop-python", "Python process stopped", ("stop",)),
            ("/hand-over", "The code on disk takes over now", ("hand_over",)),
        ):
            answer = self.ask("POST", path)
            self.assertEqual(answer.status, 200, path)
            self.assertEqual(answer.json, {"success": True, "message": message})
            self.assertEqual(self.control.calls[-1], call)

    def test_facts_come_with_the_answer(self) -> None:
        self.control.result = {"oldPid": 1, "newPid": 2}
        self.assertEqual(
            self.ask("POST", "/restart-python").json,
            {"success": True, "message": "Python process restarted", "oldPid": 1, "newPid": 2},
        )

    def test_a_body_nobody_asked_for_does_no_harm(self) -> None:
        for body in (b"{}", b"null", b"\xff\xfe", b"x" * 1000):
            answer = self.ask("POST", "/restart-python", body, Content_Type="text/plain")
            self.assertEqual(answer.status, 200)

    def test_force_is_yes_or_no(self) -> None:
        answer = self.ask("POST", "/restart-python?force=perhaps")
        self.assertEqual(answer.status, 400)
        self.assertIn("force", str(answer.json))
        self.assertNotIn("perhaps", str(answer.json))
        self.assertEqual(self.control.calls, [])

    def test_failures_say_what_and_why(self) -> None:
        for path in ("/restart-python", "/start-python", "/stop-python", "/hand-over"):
            self.control.result = FAILED
            answer = self.ask("POST", path)
            self.assertEqual(answer.status, 500)
            told = {"error": FAILED.message, "details": FAILED.details, "code": "failed"}
            self.assertEqual(answer.json, told)

    def test_a_pause_says_when_it_ends(self) -> None:
        self.control.result = HELD
        self.assertEqual(
            self.ask("POST", "/restart-python").json,
            {
                "error": HELD.message,
                "details": HELD.details,
                "nextStart": "2024-02-25T15:31:00.000Z",
                "code": "held",
            },
        )

    def test_our_own_failures_are_for_the_log(self) -> None:
        self.control.result = RuntimeError("hunter2")
        answer = self.ask("POST", "/restart-python")
        self.assertEqual(answer.status, 500)
        self.assertEqual(set(answer.json), {"error", "details"})
        self.assertNotIn(b"hunter2", answer.body)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_a_change_is_not_undone_when_the_client_goes_away(self) -> None:
        cancelled: list[Any] = []
        self.control.result = Deferred(cancelled.append)
        self.control.result.addErrback(cancelled.append)
        connection = self.start_restart()
        connection.channel.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(cancelled, [])
        self.control.result.callback(None)

    def test_a_change_that_fails_when_the_client_is_gone(self) -> None:
        self.control.result = Deferred()
        connection = self.start_restart()
        connection.channel.connectionLost(Failure(ConnectionDone()))
        self.control.result.errback(FAILED)  # nobody is left to tell

    def start_restart(self) -> Any:
        from tests.web.site import Memory

        connection = Memory(self.site, self.clock)
        answer = connection.send(
            b"POST /restart-python HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
        )
        self.assertEqual(answer, b"")
        return connection


class CredentialsTests(SiteTestCase):
    def post(self, body: bytes, content_type: str = "application/json", query: str = "") -> Answer:
        return self.ask("POST", f"/set-sj-key{query}", body, Content_Type=content_type)

    def post_json(self, **changes: Any) -> Answer:
        return self.post(orjson.dumps({**KEYS, **changes}))

    def given(self) -> Credentials:
        name, credentials, _ = self.control.calls[-1]
        self.assertEqual(name, "set_credentials")
        return credentials

    def test_json_and_forms(self) -> None:
        form = b"apiKey=k1&secretKey=s1&caCertPath=%2Fca.pfx&caPassword=p1"
        for answer in (
            self.post(orjson.dumps(KEYS)),
            self.post(orjson.dumps(KEYS), "application/json; charset=UTF-8"),
            self.post(orjson.dumps(KEYS), "Application/JSON;charset=utf-8"),
            self.post(form, "application/x-www-form-urlencoded"),
            self.post(form, "application/x-www-form-urlencoded; charset=utf-8"),
        ):
            self.assertEqual(answer.status, 200)
            self.assertEqual(
                answer.json,
                {"success": True, "message": "Credentials updated and Python process restarted"},
            )
            self.assertEqual(self.given(), Credentials("k1", "s1", "/ca.pfx", "p1"))

    def test_values_arrive_exactly(self) -> None:
        for value in (
            "# \" ' = $ {} \\",
            "${HOME}",
            "`id`",
            " edge ",
            "密碼",
            "\t\x01\x7f",
            "a+b%2B",
            "\u2028",
        ):
            self.assertEqual(self.post_json(secretKey=value).status, 200, value)
            self.assertEqual(self.given().secret_key, value)

    def test_values_of_forms_arrive_exactly(self) -> None:
        from urllib.parse import urlencode

        for value in ("# \" ' = $ {} \\", "a+b%2B", "密碼", " edge "):
            form = urlencode({**KEYS, "caPassword": value}).encode()
            self.assertEqual(self.post(form, "application/x-www-form-urlencoded").status, 200)
            self.assertEqual(self.given().ca_password, value)

    def test_further_keys_are_ignored(self) -> None:
        deep: Any = []
        for _ in range(50):
            deep = [deep]
        self.assertEqual(self.post_json(extra="x", __proto__={}, deep=deep).status, 200)

    def test_missing_fields(self) -> None:
        for body in (b"", b"{}", b'{"apiKey": "k1"}', b'{"apikey":"a","secretKey":"b"}'):
            answer = self.post(body)
            self.assertEqual((answer.status, answer.json), (400, MISSING), body)
        for form in (b"", b"apiKey=a", b"apiKey", b"{}"):
            answer = self.post(form, "application/x-www-form-urlencoded")
            self.assertEqual((answer.status, answer.json), (400, MISSING), form)
        for name in KEYS:
            rest = {key: value for key, value in KEYS.items() if key != name}
            self.assertEqual(self.post(orjson.dumps(rest)).json, MISSING)

    def test_wrong_values_are_named_by_their_field_and_not_repeated(self) -> None:
        for name in KEYS:
            for value in (
                "hunter2\n",
                "hunter2\r",
                "\nhunter2",
                "hunter2\0",
                "hunter2" * 1000,
                20072007,
                True,
                ["hunter2"],
                {"hunter2": "hunter2"},
            ):
                answer = self.post_json(**{name: value})
                self.assertEqual(answer.status, 400, (name, value))
                self.assertIn(name, str(answer.json))
                for other in set(KEYS) - {name}:
                    self.assertNotIn(other, str(answer.json))
                for echo in (b"hunter2", b"2007"):
                    self.assertNotIn(echo, answer.body)
        self.assertEqual(self.control.calls, [])

    def test_bodies_that_are_not_what_they_should_be(self) -> None:
        for body in (
            b"null",
            b"[]",
            b'"hunter2"',
            b"2007",
            b"{",
            b'{"apiKey": "hunter2"',
            b'{"apiKey": hunter2}',
            b'{"apiKey": "hunter2",}',
            b"hunter2",
            b"\xef\xbb\xbf{}",
            b'{"apiKey": "\xff"}',
            b'{"apiKey": "\xed\xa0\x80"}',
            b"[" * 60000,
            b'{"a":' * 10000,
            b'{"apiKey": NaN}',
            '{"apiKey": "x"}'.encode("utf-16"),
        ):
            answer = self.post(body)
            self.assertEqual(answer.status, 400, body[:30])
            self.assertEqual(list(answer.json), ["error"])
            self.assertNotIn(b"hunter2", answer.body)
        self.assertEqual(self.control.calls, [])

    def test_half_characters(self) -> None:
        """No environment can hold a lone surrogate."""
        body = orjson.dumps(KEYS).replace(b'"k1"', b'"\\ud800"')
        answer = self.post(body)
        self.assertEqual(answer.status, 400)

    def test_other_content_types(self) -> None:
        for content_type in (
            "text/plain",
            "multipart/form-data; boundary=x",
            "application/xml",
            "application/json; charset=utf-16",
            "application/json; charset=big5",
            "application/json; charset*=utf-16''x",
            f"application/json; charset*{'9' * 5000}=x",
            "application/json; charset*0*=utf-16; charset=utf-8",
            "application/json" + "; charset*0=utf-16" * 300,
            "application/x-www-form-urlencoded; charset=latin-1",
            "nonsense",
            "",
        ):
            answer = self.post(orjson.dumps(KEYS), content_type)
            self.assertEqual(answer.status, 415, content_type[:60])
            self.assertEqual(list(answer.json), ["error"])
        answer = self.ask(
            "POST",
            "/set-sj-key",
            b"\x1f\x8b",
            Content_Type="application/json",
            Content_Encoding="gzip",
        )
        self.assertEqual(answer.status, 415)

    def test_a_certificate_is_optional_in_json_and_form(self) -> None:
        keys = {"apiKey": "k1", "secretKey": "s1"}
        for more in ({}, {"caCertPath": "", "caPassword": ""}, {"caCertPath": None}):
            self.assertEqual(self.post(orjson.dumps(keys | more)).status, 200)
            taken = self.given()
            self.assertEqual((taken.ca_cert_path, taken.ca_password), ("", ""))
        for form in (b"apiKey=k1&secretKey=s1", b"apiKey=k1&secretKey=s1&caCertPath=&caPassword="):
            answer = self.post(form, "application/x-www-form-urlencoded")
            self.assertEqual((answer.status, self.given().api_key), (200, "k1"))

    def test_a_key_that_is_missing_or_empty_is_told_as_ever(self) -> None:
        for name in ("apiKey", "secretKey"):
            for value in ({}, {name: ""}, {name: None}):
                kept = {field: text for field, text in KEYS.items() if field != name}
                answer = self.post(orjson.dumps(kept | value))
                self.assertEqual((answer.status, answer.json), (400, MISSING))

    def test_an_optional_field_of_the_wrong_kind_is_named(self) -> None:
        answer = self.post(orjson.dumps({**KEYS, "caPassword": 5}))
        self.assertEqual(answer.status, 400)
        self.assertIn("caPassword. A string", answer.json["error"])

    def test_broken_forms(self) -> None:
        for form in (
            b"apiKey=%ff&secretKey=b&caCertPath=c&caPassword=d",
            b"apiKey=a\xff&secretKey=b&caCertPath=c&caPassword=d",
            b"apiKey=a&apiKey=hunter2&secretKey=b&caCertPath=c&caPassword=d",
            b"&".join(b"x=%d" % number for number in range(1000)),
            b"apiKey=%0a&secretKey=b&caCertPath=c&caPassword=d",
        ):
            answer = self.post(form, "application/x-www-form-urlencoded")
            self.assertEqual(answer.status, 400, form[:40])
            self.assertNotIn(b"hunter2", answer.body)
        self.assertEqual(self.control.calls, [])

    def test_waiting_until_the_worker_is_ready(self) -> None:
        self.post(orjson.dumps(KEYS), query="?wait=ready")
        self.assertTrue(self.control.calls[-1][2])
        self.post(orjson.dumps(KEYS))
        self.assertFalse(self.control.calls[-1][2])
        self.assertEqual(self.post(orjson.dumps(KEYS), query="?wait=for-ever").status, 400)

    def test_credentials_that_can_not_be_used(self) -> None:
        self.control.result = UNUSABLE
        answer = self.post_json()
        told = {"error": UNUSABLE.message, "code": "keys", "field": UNUSABLE.field}
        self.assertEqual((answer.status, answer.json), (400, told))

    def test_failure(self) -> None:
        self.control.result = FAILED
        answer = self.post_json()
        self.assertEqual(answer.status, 500)
        self.assertEqual(set(answer.json), {"error", "details", "code"})

    def test_credentials_do_not_show_themselves(self) -> None:
        self.assertNotIn("hunter2", repr(Credentials("hunter2", "hunter2", "hunter2", "hunter2")))


class NoWorkerTests(SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.site = build_site(self.clock, NoWorker())

    def test_probes(self) -> None:
        self.assertEqual(self.ask("GET", "/health").json["pythonRunning"], False)
        self.assertEqual(self.ask("GET", "/healthz").status, 200)
        self.assertEqual(self.ask("GET", "/sj-ready").status, 503)
        answer = self.ask("GET", "/readyz")
        self.assertEqual((answer.status, answer.json["ready"]), (200, True))
        self.assertIsNone(answer.json["publisherSpokeAt"])
        self.assertIn("no publisher has spoken", answer.json["reason"])
        self.assertEqual(self.ask("GET", "/status").status, 200)
        self.assertEqual(self.ask("GET", "/logs").json, {"lines": [], "next": 0})

    def test_readiness_says_when_a_publisher_spoke(self) -> None:
        self.site = build_site(self.clock, NoWorker(lambda: 1708875000))
        answer = self.ask("GET", "/readyz")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.json["publisherSpokeAt"], "2024-02-25T15:30:00.000Z")

    def test_control_routes_say_why_not(self) -> None:
        for path in ("/restart-python", "/start-python", "/stop-python"):
            answer = self.ask("POST", path)
            self.assertEqual(answer.status, 500)
            self.assertIn("--no-worker", answer.json["details"])
        answer = self.ask(
            "POST", "/set-sj-key", orjson.dumps(KEYS), Content_Type="application/json"
        )
        self.assertEqual(answer.status, 500)


class FurtherTests(SiteTestCase):
    def serve(self, **handlers: Any) -> None:
        guard = self.site.resource.guard
        rest = RestHandlers(FakeControl(), access=guard.access, **handlers)
        self.site = make_site(self.clock, guard, mounts(rest_routes(rest)))

    def test_status_says_who_asks(self) -> None:
        self.serve()
        told = {"name": "", "role": "control", "others": []}
        self.assertEqual(self.ask("GET", "/status").json["access"], told)

    def test_codes(self) -> None:
        self.serve(codes=lambda: {"codes": {"2330": {"tick": ((10, 0.01), (None, 5))}}})
        answer = self.ask("GET", "/codes")
        self.assertEqual(answer.json["codes"]["2330"]["tick"], [[10, 0.01], [None, 5]])

    def test_a_test_of_alerts(self) -> None:
        self.serve(test_alerts=lambda: succeed({"channels": []}))
        answer = self.ask("POST", "/alerts/test")
        self.assertEqual((answer.status, answer.json["channels"]), (200, []))
        self.serve()
        answer = self.ask("POST", "/alerts/test")
        self.assertEqual(answer.status, 500)
        self.assertIn("--alert-file", answer.json["details"])
