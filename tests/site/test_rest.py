"""The page of REST routes."""

from twisted.trial.unittest import SynchronousTestCase

from tests.site.chinese import TEXTS
from tests.site.rest import reference
from tests.web.site import routes


class ReferenceTests(SynchronousTestCase):
    def test_each_route_and_what_it_answers_is_there(self) -> None:
        for page in (reference(routes()), reference(routes(), TEXTS.__getitem__)):
            for route in routes():
                self.assertIn(f"## {route.method} {route.path}\n", page)
                for answer in route.answers.values():
                    self.assertIn(f"](#{answer.__name__.lower()})", page)
        self.assertIn("| `interval` | `1s` or `1m`", reference(routes()))

    def test_all_that_it_says_is_in_both_languages_and_no_more(self) -> None:
        said = set()

        def say(text: str) -> str:
            said.add(text)
            return TEXTS[text]

        reference(routes(), say)
        self.assertEqual(said, set(TEXTS))
