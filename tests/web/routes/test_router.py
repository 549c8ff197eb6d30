"""What is made of the rows of the route table."""

from twisted.trial.unittest import SynchronousTestCase

from gateway.web.routes.route_table import Route
from gateway.web.routes.router import mounts
from gateway.web.security.guard import Access
from tests.web.http.test_site import SiteTestCase
from tests.web.site import routes


class MountTests(SynchronousTestCase):
    def test_the_guard_knows_the_access_of_every_row(self) -> None:
        made = mounts(routes())
        for route in routes():
            self.assertIs(made[route.path.encode()].access, route.access, route.path)
        self.assertEqual(len(made), len(routes()))

    def test_methods_of_one_path_that_differ_in_their_access_are_refused(self) -> None:
        def row(method: str, access: Access) -> Route:
            return Route(method, "/x", lambda request: b"", access)

        mounts([row("GET", Access.VIEW), row("POST", Access.VIEW)])
        with self.assertRaisesRegex(ValueError, "^/x: "):
            mounts([row("GET", Access.OPEN), row("POST", Access.CONTROL)])


class MethodTests(SiteTestCase):
    def test_other_methods_are_told_which_ones_a_path_takes(self) -> None:
        for route in routes():
            other = "POST" if route.method == "GET" else "GET"
            answer = self.ask(other, route.path)
            self.assertEqual((answer.status, answer.json), (405, {"error": "Method Not Allowed"}))
            self.assertIn(route.method.lower(), answer.headers["allow"])
        self.assertEqual(self.control.calls, [])
