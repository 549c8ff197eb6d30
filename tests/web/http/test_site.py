"""Paths, methods, errors: what every request meets before a route."""

from http import HTTPStatus
from typing import Any

import orjson
from prometheus_client import CollectorRegistry
from twisted.internet.task import Clock
from twisted.logger import LogEvent, LogLevel, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from gateway.web.http.request import Request
from gateway.web.http.site import Mount, make_site
from gateway.web.routes.page import page_routes
from gateway.web.routes.route_table import metrics_route
from gateway.web.routes.router import mounts
from gateway.web.security.guard import Guard
from gateway.web.security.guard_settings import GuardSettings
from tests.web.site import Echo, FakeControl, Memory, SocketTestCase, build_site


class Answer:
    """An HTTP answer, taken apart."""

    def __init__(self, raw: bytes) -> None:
        head, _, self.body = raw.partition(b"\r\n\r\n")
        self.first, *lines = head.decode().split("\r\n")
        self.status = int(self.first.split(" ")[1])
        self.lines = lines
        self.headers = dict(line.lower().split(": ", 1) for line in lines)

    @property
    def json(self) -> Any:
        assert self.headers["content-type"].startswith("application/json"), self.headers
        assert int(self.headers["content-length"]) == len(self.body)
        return orjson.loads(self.body)


class Says(Resource):
    isLeaf = True

    def __init__(self, status: int) -> None:
        super().__init__()
        self._status = status

    def render(self, request: Request) -> bytes:
        request.setResponseCode(self._status)
        return b""


class SiteTestCase(SynchronousTestCase):
    settings: GuardSettings | None = None

    def setUp(self) -> None:
        self.control = FakeControl()
        self.clock = Clock()
        self.site = build_site(self.clock, self.control, self.settings)

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        fields = {"Host": "localhost:3001", **headers}
        if body or method == "POST":
            fields.setdefault("Content-Length", str(len(body)))
        lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items()]
        request = f"{method} {path} HTTP/1.1\r\n{''.join(lines)}\r\n".encode("latin-1") + body
        self.connection = Memory(self.site, self.clock)
        return Answer(self.connection.send(request))


class PathTests(SiteTestCase):
    def test_unknown_paths(self) -> None:
        for path in (
            "/",
            "/nothing",
            "/health/",
            "//health",
            "/Health",
            "/health;x",
            "/%68ealth",
            "/health%00",
            "/..%2fhealth",
            "/..%2f..%2fetc%2fpasswd",
            "/%ff",
            "/%",
            "/../health",
            "/<script>",
            "/socket.io",
            "/restart-python/",
            "/restart%2Dpython",
        ):
            answer = self.ask("GET", path)
            self.assertEqual((answer.status, answer.json), (404, {"error": "Not found"}), path)

    def test_everything_below_the_engines_path_is_the_engines(self) -> None:
        for path in ("/socket.io/", "/socket.io/?a=b", "/socket.io/x/y"):
            self.assertEqual(self.ask("POST", path, b"abc").body, b"abc")

    def test_the_engine_may_have_further_paths(self) -> None:
        engine = Mount(Echo().render, body_limit=9)
        self.site = make_site(
            self.clock, Guard(GuardSettings()), {}, engine=engine, more_engine_paths=[b"/feed/"]
        )
        for path in ("/socket.io/", "/feed/", "/feed/?a=b"):
            self.assertEqual(self.ask("POST", path, b"abc").body, b"abc")
            self.assertEqual(self.ask("POST", path, b"x" * 10).status, 413)
            refused = self.ask("GET", path, Origin="http://evil.net")
            self.assertEqual(refused.json["code"], 4)
        for path in ("/feed", "/feed2/", "/x/feed/"):
            self.assertEqual(self.ask("POST", path, b"abc").status, 404)

    def test_what_is_refused_before_it_is_read_is_refused_in_the_terms_of_the_path(self) -> None:
        for path, body in (
            ("/set-sj-key", {"error": "Request Entity Too Large"}),
            ("/socket.io/?a=b", {"code": 3, "message": "Request Entity Too Large"}),
        ):
            answer = self.ask("POST", path, **{"Content-Length": "99999999"})
            self.assertEqual((answer.status, answer.json), (413, body))
        large = {"Content-Length": "99999999", "User-Agent": "node-XMLHttpRequest"}
        answer = self.ask("POST", "/socket.io/?a=b", **large)
        self.assertEqual((answer.status, answer.body), (413, b""))

    def test_wrong_methods(self) -> None:
        for method, path, allowed in (
            ("POST", "/health", "GET, HEAD"),
            ("DELETE", "/healthz", "GET, HEAD"),
            ("GET", "/restart-python", "POST"),
            ("HEAD", "/set-sj-key", "POST"),
            ("PUT", "/set-sj-key", "POST"),
            ("TRACE", "/status", "GET, HEAD"),
            ("FANCY", "/health", "GET, HEAD"),
        ):
            answer = self.ask(method, path)
            self.assertEqual(answer.status, 405, (method, path))
            self.assertEqual(answer.headers["allow"], allowed.lower(), (method, path))
            if method != "HEAD":
                self.assertEqual(answer.json, {"error": "Method Not Allowed"})
        self.assertEqual(self.control.calls, [])

    def test_head_is_get_without_the_body(self) -> None:
        for path in ("/health", "/healthz", "/nothing"):
            head, get = self.ask("HEAD", path), self.ask("GET", path)
            self.assertEqual((head.status, head.lines), (get.status, get.lines))
            self.assertEqual(head.body, b"")

    def test_answers_tell_nothing_about_us(self) -> None:
        for path in ("/health", "/nothing", "/healthz"):
            answer = self.ask("GET", path)
            self.assertNotIn("server", answer.headers)
            self.assertEqual(answer.headers["date"], "sun, 25 feb 2024 15:30:00 gmt")
            self.assertEqual(answer.headers["vary"], "origin")


class GuardTests(SiteTestCase):
    """The guard stands in front of every route."""

    PATHS = (
        ("GET", "/health"),
        ("GET", "/healthz"),
        ("GET", "/status"),
        ("POST", "/restart-python"),
        ("POST", "/set-sj-key"),
        ("GET", "/nothing"),
        ("DELETE", "/health"),
        ("OPTIONS", "/restart-python"),
    )

    def test_foreign_pages_and_hosts_get_nowhere(self) -> None:
        for method, path in self.PATHS:
            for headers in (
                {"Origin": "http://evil.net"},
                {"Origin": "null"},
                {"Host": "evil.net"},
                {"Host": "localhost:3001.evil.net"},
            ):
                answer = self.ask(method, path, **headers)
                self.assertIn(answer.status, (400, 403), (method, path, headers))
                self.assertEqual(set(answer.json), {"error", "details"})
                self.assertNotIn(b"evil", answer.body)
                self.assertNotIn("access-control-allow-origin", answer.headers)
        self.assertEqual(self.control.calls, [])

    def test_what_a_page_sends_without_asking_is_refused(self) -> None:
        """Simple requests, which browsers send without a preflight."""
        for content_type in (
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
        ):
            answer = self.ask(
                "POST",
                "/restart-python",
                b"x=y",
                Origin="http://evil.net",
                Content_Type=content_type,
            )
            self.assertEqual(answer.status, 403)
        self.assertEqual(self.control.calls, [])

    def test_the_engine_refuses_in_its_own_words(self) -> None:
        for method in ("GET", "POST"):
            answer = self.ask(
                method, "/socket.io/?EIO=4&transport=polling", Origin="http://evil.net"
            )
            self.assertEqual((answer.status, answer.json["code"]), (403, 4))
            self.assertIn("--allowed-origins", answer.json["message"])
        answer = self.ask("GET", "/socket.io/?EIO=4&transport=websocket", Host="evil.net")
        self.assertEqual(answer.json["code"], 4)
        self.assertIn("--allowed-hosts", answer.json["message"])

    def test_preflights(self) -> None:
        for path in ("/restart-python", "/set-sj-key", "/socket.io/?EIO=4&transport=polling"):
            answer = self.ask(
                "OPTIONS",
                path,
                Origin="http://localhost:3000",
                Access_Control_Request_Method="POST",
                Access_Control_Request_Headers="content-type",
            )
            self.assertEqual((answer.status, answer.body), (204, b""))
            self.assertEqual(answer.headers["access-control-allow-origin"], "http://localhost:3000")
            self.assertEqual(answer.headers["access-control-allow-headers"], "content-type")
            self.assertNotIn("content-length", answer.headers)

    def test_only_the_engine_takes_credentials(self) -> None:
        """Whatever it answers: errors that no mount gets to see, too."""
        engine, line = "/socket.io/?EIO=4&transport=polling", "access-control-allow-credentials"
        for method, path, headers, status in (
            ("GET", engine, {}, 200),
            ("POST", engine, {}, 200),
            ("OPTIONS", engine, {}, 204),
            ("POST", engine, {"Content-Length": "999999999"}, 413),
        ):
            answer = self.ask(method, path, Origin="http://localhost:5173", **headers)
            self.assertEqual((answer.status, answer.headers.get(line)), (status, "true"), method)
        answer = self.ask("GET", engine, Origin="http://evil.net")
        self.assertEqual((answer.status, answer.headers.get(line)), (403, None))
        for method, path in self.PATHS:
            answer = self.ask(method, path, Origin="http://localhost:5173")
            self.assertNotIn(line, answer.headers, path)

    def test_pages_of_this_machine_may_read_all_answers(self) -> None:
        for method, path in self.PATHS[:-1]:
            answer = self.ask(method, path, Origin="http://localhost:5173")
            self.assertEqual(
                answer.headers["access-control-allow-origin"], "http://localhost:5173", path
            )


class EveryAnswerTests(SiteTestCase):
    """What all answers say, that of the parser and of strangers' requests included."""

    settings = GuardSettings(control_token="sesame")
    LINES = ("X-Content-Type-Options: nosniff", "Cross-Origin-Resource-Policy: same-origin")

    def assert_lines(self, answer: Answer) -> None:
        for line in self.LINES:
            self.assertEqual(answer.lines.count(line), 1, (answer.status, answer.lines))

    def test_of_routes_and_the_guard(self) -> None:
        local = {"Origin": "http://localhost:3000"}
        statuses = set()
        for method, path, headers in (
            ("GET", "/health", {}),
            ("HEAD", "/health", {}),
            ("GET", "/logs?lines=x", {}),
            ("POST", "/health", {}),
            ("POST", "/restart-python", {}),
            ("POST", "/restart-python", {"Authorization": "Bearer sesame"}),
            ("GET", "/nothing", {}),
            ("GET", "/health", {"Host": "evil.net"}),
            ("GET", "/health", {"Host": "/"}),
            ("GET", "/socket.io/", {"Origin": "http://evil.net"}),
            ("POST", "/socket.io/", {}),
            ("OPTIONS", "/status", local),
        ):
            answer = self.ask(method, path, **headers)
            self.assert_lines(answer)
            statuses.add(answer.status)
        self.assertEqual(statuses, {200, 204, 400, 401, 403, 404, 405})

    def test_of_files_and_metrics(self) -> None:
        served = mounts([*page_routes(), metrics_route(CollectorRegistry())])
        self.site = make_site(self.clock, Guard(GuardSettings()), served)
        for path in ("/", "/static/main.js", "/metrics"):
            answer = self.ask("GET", path)
            self.assertEqual(answer.status, 200)
            self.assert_lines(answer)
        again = self.ask("GET", "/", If_None_Match=self.ask("GET", "/").headers["etag"])
        self.assertEqual(again.status, 304)
        self.assert_lines(again)

    def test_of_what_is_refused_while_it_is_read(self) -> None:
        for request, status in (
            (b"nonsense\r\n\r\n", 400),
            (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n", 414),
            (b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\n", 413),
        ):
            answer = Answer(Memory(self.site, self.clock).send(request))
            self.assertEqual(answer.status, status)
            self.assert_lines(answer)

    def test_a_page_may_read_why_its_head_was_too_large_where_its_origin_was_read(self) -> None:
        origin, more = b"Origin: http://localhost:3000\r\n", b"A: b\r\n" * 200
        for begin, status, known in (
            (b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + origin + more, 431, True),
            (b"GET /health HTTP/1.1\r\n" + origin + b"Host: localhost\r\n" + more, 431, True),
            (b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + more + origin, 431, False),
            (b"GET /health HTTP/1.1\r\n" + origin + more + b"Host: localhost\r\n", 431, True),
            (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n" + origin, 414, False),
        ):
            answer = Answer(Memory(self.site, self.clock).send(begin + b"\r\n"))
            self.assertEqual(answer.status, status)
            allowed = answer.headers.get("access-control-allow-origin")
            self.assertEqual(allowed, "http://localhost:3000" if known else None, begin[:80])

    def test_every_status_has_its_phrase(self) -> None:
        for status in (200, 426, 429, 431, 503):
            mount = Mount(Says(status).render)
            self.site = make_site(self.clock, Guard(GuardSettings()), {b"/x": mount})
            answer = self.ask("GET", "/x")
            self.assertEqual(answer.first, f"HTTP/1.1 {status} {HTTPStatus(status).phrase}")

    def test_of_a_failure_of_ours(self) -> None:
        self.control.health = lambda: 1 / 0  # type: ignore[method-assign]
        answer = self.ask("GET", "/health", Origin="http://localhost:3000")
        self.assertEqual(answer.status, 500)
        self.assert_lines(answer)
        self.assertEqual(answer.headers["access-control-allow-origin"], "http://localhost:3000")
        self.flushLoggedErrors(ZeroDivisionError)


class TellingTests(SiteTestCase):
    """The log is told what was refused that an option would let pass, and not too often."""

    def setUp(self) -> None:
        super().setUp()
        self.events: list[LogEvent] = []
        globalLogPublisher.addObserver(self.observe)
        self.addCleanup(globalLogPublisher.removeObserver, self.observe)

    def observe(self, event: LogEvent) -> None:
        self.events.append(event)

    def told(self) -> list[str]:
        self.events = [event for event in self.events if event.get("tag") != "Audit"]
        lines = [formatEvent(event) for event in self.events]
        self.assertEqual({event["log_level"] for event in self.events} - {LogLevel.warn}, set())
        self.events = []
        return lines

    def test_the_line_and_the_body_name_the_option(self) -> None:
        for path in ("/health", "/socket.io/?EIO=4&transport=polling", "/status"):
            self.clock.advance(3600)
            for headers, option in (
                ({"Host": "gw.example.com"}, "--allowed-hosts"),
                ({"Origin": "https://app.example.com"}, "--allowed-origins"),
            ):
                answer = self.ask("GET", path, **headers)
                (line,) = self.told()
                self.assertEqual(answer.status, 403)
                for text in (answer.body.decode(), line):
                    self.assertIn(option, text)
                ((name, value),) = headers.items()
                self.assertIn(f"by its {name} {value}: ", line)
                self.assertNotIn(value, answer.body.decode())
                self.assertIn("127.0.0.1", line)

    def test_the_line_says_what_to_list(self) -> None:
        for name, value, told in (
            ("Host", "GW.example.com.:3001", "gw.example.com"),
            ("Host", "[2001:DB8::0:1]:80", "2001:db8::1"),
            ("Origin", "HTTPS://App.Example.com:443", "https://app.example.com"),
            ("Origin", "ws://192.0.2.1:8080", "http://192.0.2.1:8080"),
            ("Origin", "http://[2001:DB8::1]", "http://[2001:db8::1]"),
            ("Origin", "Capacitor://localhost", "capacitor://localhost"),
            ("Origin", "file://", "file://"),
            ("Origin", "null", "null"),
        ):
            self.clock.advance(61)
            self.assertEqual(self.ask("GET", "/health", **{name: value}).status, 403)
            (line,) = self.told()
            self.assertIn(f"by its {name} {told}: ", line)
            option = {"Host": "allowed_hosts", "Origin": "allowed_origins"}[name]
            self.site = build_site(self.clock, self.control, GuardSettings(**{option: [told]}))
            self.assertEqual(self.ask("GET", "/health", **{name: value}).status, 200, told)
            self.site = build_site(self.clock, self.control)

    def test_nothing_else_that_the_header_holds_is_told(self) -> None:
        for value in (
            "http://user:hunter2@evil.net",
            "http://hunter2@evil.net",
            "http://evil.net/?token=hunter2",
            "http://evil.net#hunter2",
            "http://evil.net hunter2",
            "app://user:hunter2@x",
            "app://x/hunter2",
            "Bearer hunter2",
            "hunter2",
            "http://evil.net\x1b[31mhunter2",
            "\xff\xfehunter2",
        ):
            self.clock.advance(61)
            answer = self.ask("GET", "/health", Origin=value)
            self.assertEqual(answer.status, 403, value)
            (line,) = self.told()
            self.assertIn("by its Origin: ", line)
            self.assertNotIn("hunter2", line)
            self.assertNotIn(b"hunter2", answer.body)

    def test_each_value_has_one_line_a_minute(self) -> None:
        for _ in range(2):
            for _ in range(100):
                self.ask("GET", "/health", Host="one.net")
                self.ask("GET", "/health", Host="two.net")
                self.ask("GET", "/health", Origin="http://one.net")
            lines = self.told()
            self.assertEqual(len(lines), 3)
            for told in ("Host one.net", "Host two.net", "Origin http://one.net"):
                self.assertEqual(len([line for line in lines if f"{told}:" in line]), 1)
            self.clock.advance(61)

    def test_of_too_many_values_only_the_number_is_told(self) -> None:
        for number in range(100):
            self.ask("GET", "/health", Host=f"evil{number}.net")
        self.ask("GET", "/health", Origin="http://app.net")
        lines = self.told()
        self.assertEqual(len(lines), 21)
        self.assertIn("by its Origin http://app.net: ", lines[-1])
        self.clock.advance(61)
        self.ask("GET", "/health", Host="evil.net")
        count, line = self.told()
        self.assertIn("80 more requests were refused by their Host", count)
        self.assertIn("by its Host evil.net: ", line)

    def test_the_line_is_short(self) -> None:
        self.ask("GET", "/health", Origin="http://" + "x" * 4000)
        (line,) = self.told()
        self.assertLess(len(line), 400)

    def test_a_missing_token_is_no_such_line(self) -> None:
        self.site = build_site(self.clock, self.control, GuardSettings(control_token="sesame"))
        self.assertEqual(self.ask("POST", "/restart-python").status, 401)
        self.assertEqual(self.told(), [])


class FetchMetadataTests(SiteTestCase):
    """Images and forms of foreign pages, which send no Origin."""

    def test_what_acts_is_refused_to_other_sites(self) -> None:
        for method, path in (
            ("GET", "/socket.io/?EIO=4&transport=polling"),
            ("POST", "/socket.io/?EIO=4&transport=polling&sid=x"),
            ("POST", "/restart-python"),
            ("POST", "/stop-python"),
        ):
            for value in ("cross-site", "Cross-Site"):
                answer = self.ask(method, path, Sec_Fetch_Site=value)
                self.assertEqual(answer.status, 403, (method, path))
                self.assertIn(b"--allowed-origins", answer.body)
            for value in ("same-origin", "same-site", "none"):
                answer = self.ask(method, path, Sec_Fetch_Site=value)
                self.assertEqual(answer.status, 200, (method, path, value))
            self.assertEqual(self.ask(method, path).status, 200)
        self.assertEqual(len(self.control.calls), 8)

    def test_an_allowed_origin_speaks_for_a_page(self) -> None:
        for path in ("/socket.io/?EIO=4&transport=polling", "/restart-python"):
            answer = self.ask(
                "POST", path, Sec_Fetch_Site="cross-site", Origin="http://127.0.0.1:5173"
            )
            self.assertEqual(answer.status, 200)
            answer = self.ask("POST", path, Sec_Fetch_Site="cross-site", Origin="http://evil.net")
            self.assertEqual(answer.status, 403)

    def test_links_from_anywhere_open(self) -> None:
        self.site = make_site(self.clock, Guard(GuardSettings()), mounts(page_routes()))
        for path in ("/", "/static/main.js"):
            answer = self.ask("GET", path, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")
            self.assertEqual(answer.status, 200)


class TokenTests(SiteTestCase):
    settings = GuardSettings(control_token="sesame", view_token="glance")

    def test_without_a_token(self) -> None:
        for method, path in (("POST", "/restart-python"), ("GET", "/status"), ("GET", "/logs")):
            answer = self.ask(method, path)
            self.assertEqual(answer.status, 401)
            self.assertEqual(answer.headers["www-authenticate"], "bearer")
            self.assertEqual(answer.json["code"], "token_missing")
        for path in ("/health", "/healthz", "/livez", "/readyz", "/sj-ready"):
            self.assertIn(self.ask("GET", path).status, (200, 503))
        self.assertEqual(self.control.calls, [])

    def test_with_tokens(self) -> None:
        self.assertEqual(self.ask("GET", "/status", Authorization="Bearer glance").status, 200)
        for token, lack in (("glance", "token_weak"), ("guessed", "token_wrong")):
            answer = self.ask("POST", "/restart-python", Authorization=f"Bearer {token}")
            self.assertEqual((answer.status, answer.json["code"]), (401, lack))
        self.assertEqual(
            self.ask("POST", "/restart-python", Authorization="Bearer sesame").status, 200
        )


class Broken(Resource):
    isLeaf = True

    def render(self, request: Request) -> bytes:
        raise RuntimeError("a secret: hunter2")


class FailureTests(SiteTestCase):
    def test_our_own_failures_are_for_the_log(self) -> None:
        self.site.resource._mounts[b"/broken"] = Mount(Broken().render)
        answer = self.ask("GET", "/broken")
        self.assertEqual(answer.status, 500)
        self.assertNotIn(b"hunter2", answer.body)
        self.assertEqual(set(answer.json), {"error", "details"})
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertFalse(self.connection.is_closing)

    def test_a_resource_that_takes_only_some_methods(self) -> None:
        class Reading(Resource):
            isLeaf = True

            def render_GET(self, request: Request) -> bytes:
                return request.json(200, [1])

        self.site.resource._mounts[b"/read"] = Mount(Reading().render)
        self.assertEqual(self.ask("GET", "/read").json, [1])
        answer = self.ask("POST", "/read")
        self.assertEqual((answer.status, answer.headers["allow"]), (405, "get, head"))


class MatrixOverSocketsTests(SocketTestCase):
    """A sample of `test_security.MatrixTests`, byte for byte."""

    async def test_matrix(self) -> None:
        from tests.web.security.test_guard import HOSTS, LISTED, ORIGINS

        port = self.listen(GuardSettings(**LISTED))
        requests = {
            b"GET /health": 200,
            b"POST /restart-python": 200,
            b"POST /socket.io/": 200,
            b"OPTIONS /restart-python": 204,
        }
        expected = []
        pipeline = b""
        for host, host_fine in HOSTS.items():
            for origin, origin_fine in ORIGINS.items():
                for request, status in requests.items():
                    lines = b"Host: %s\r\n" % host
                    if origin is not None:
                        lines += b"Origin: %s\r\n" % origin
                    pipeline += b"%s HTTP/1.1\r\n%s\r\n" % (request, lines)
                    expected.append(status if host_fine and origin_fine else 403)
        answers = await self.send(port, pipeline + b"GET / HTTP/1.0\r\n\r\n")
        statuses = [int(answer[:3]) for answer in answers.split(b"HTTP/1.1 ")[1:]]
        self.assertEqual(statuses, expected)
        self.assertEqual(len(self.control.calls), expected[1::4].count(200))
