"""`/metrics` as a scraper asks for it."""

from prometheus_client import CollectorRegistry, Gauge
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.http.site import make_site
from gateway.web.routes.route_table import metrics_route
from gateway.web.routes.router import mounts
from gateway.web.security.guard import Guard
from gateway.web.security.guard_settings import GuardSettings
from tests.ops.metrics.reading import parse
from tests.web.http.test_site import Answer
from tests.web.site import Memory


class MetricsTests(SynchronousTestCase):
    def start(self, settings: GuardSettings | None = None) -> None:
        self.clock = Clock()
        self.registry = CollectorRegistry()
        self.gauge = Gauge("sjgateway_depth", "Depth", registry=self.registry)
        self.site = make_site(
            self.clock, Guard(settings or GuardSettings()), mounts([metrics_route(self.registry)])
        )

    def ask(self, method: str = "GET", *lines: str) -> Answer:
        head = [f"{method} /metrics HTTP/1.1", "Host: localhost:3001", *lines, "", ""]
        return Answer(Memory(self.site, self.clock).send("\r\n".join(head).encode()))

    def test_the_numbers_of_the_moment(self) -> None:
        self.start()
        for depth in (3, 5):
            self.gauge.set(depth)
            answer = self.ask()
            self.assertEqual(answer.status, 200)
            self.assertEqual(parse(answer.body.decode()), {"depth": depth})

    def test_only_ours(self) -> None:
        self.start()
        self.assertNotIn(b"python_info", self.ask().body)

    def test_the_text_format_is_named_and_nothing_is_cached(self) -> None:
        self.start()
        headers = self.ask().headers
        self.assertEqual(headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
        self.assertEqual(headers["cache-control"], "no-store")

    def test_head_and_other_methods(self) -> None:
        self.start()
        answer = self.ask("HEAD")
        self.assertEqual((answer.status, answer.body), (200, b""))
        answer = self.ask("POST", "Content-Length: 0")
        self.assertEqual((answer.status, answer.headers["allow"]), (405, "get, head"))

    def test_it_needs_the_token_for_viewing_where_one_is_set(self) -> None:
        self.start(GuardSettings(view_token="let me see"))
        self.assertEqual(self.ask().status, 401)
        self.assertEqual(self.ask("GET", "Authorization: Bearer let me see").status, 200)

    def test_what_the_guard_refused_is_counted_by_status(self) -> None:
        self.start(GuardSettings(view_token="let me see"))
        for lines in ([], [], ["Origin: https://evil.example"]):
            self.ask("GET", *lines)
        self.ask("OPTIONS", "Origin: http://localhost:3000")
        self.assertEqual(self.site.resource.refused, {401: 2, 403: 1})
