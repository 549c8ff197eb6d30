"""The page of REST routes."""

from twisted.trial.unittest import SynchronousTestCase

from tests.site.rest import reference
from tests.web.site import routes


class ReferenceTests(SynchronousTestCase):
    def test_each_route_and_what_it_answers_is_there(self) -> None:
        page = reference(routes())
        for route in routes():
            self.assertIn(f"## {route.method} {route.path}\n", page)
            for answer in route.answers.values():
                self.assertIn(f"](#{answer.__name__.lower()})", page)
        self.assertIn("| `interval` | `1s` or `1m`", page)
