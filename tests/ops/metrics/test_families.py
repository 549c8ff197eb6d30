from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from twisted.trial.unittest import SynchronousTestCase

from gateway.ops.metrics.families import counter, gauge
from tests.ops.metrics.reading import read


class Given:
    """A collector of these families."""

    def __init__(self, *families):
        self.families = families

    def collect(self):
        return self.families


class FamilyTests(SynchronousTestCase):
    def test_one_number(self):
        found = read(Given(counter("a", "A", 2), gauge("b", "B", 0.5)))
        self.assertEqual(found, {"a_total": 2, "b": 0.5})

    def test_one_for_each_value_of_a_label(self):
        found = read(Given(counter("a", "A", {"x": 1, "y": 2}, "l")))
        self.assertEqual(found, {'a_total{l="x"}': 1, 'a_total{l="y"}': 2})

    def test_nothing_to_measure(self):
        self.assertEqual(read(Given(gauge("a", "A", None))), {})

    @settings(deadline=None, max_examples=200)
    @given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 9)))
    def test_names_from_outside_come_through_as_they_are(self, names):
        registry = CollectorRegistry()
        registry.register(Given(counter("a", "A", names, "event")))
        text = generate_latest(registry).decode()
        (family,) = text_string_to_metric_families(text)
        self.assertEqual({each.labels["event"]: each.value for each in family.samples}, names)
