"""What reads the options of a benchmark."""

import argparse


def command(name: str, told: str | None) -> argparse.ArgumentParser:
    """For `python -m benchmarks.NAME`; `--help` shows `told`, its lines as they are."""
    return argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}",
        description=told,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
