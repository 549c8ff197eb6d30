"""Settings of the property tests."""

from hypothesis import HealthCheck, settings


def examples(count):
    """Try `count` examples, on a busy machine too: nothing here is about time."""
    return settings(deadline=None, max_examples=count, suppress_health_check=[HealthCheck.too_slow])
