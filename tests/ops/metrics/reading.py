"""What a scraper would read."""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families


def parse(text: str) -> dict[str, float]:
    """The samples of an answer of `/metrics`, by `name{label="value"}` without the prefix."""
    samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
            name = sample.name.removeprefix("sjgateway_")
            samples[f"{name}{{{labels}}}" if labels else name] = sample.value
    return samples


def read(*collectors) -> dict[str, float]:
    """The samples of `collectors`."""
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    return parse(generate_latest(registry).decode())
