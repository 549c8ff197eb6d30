"""Stands for the connection to the gateway."""

import queue

from tests.patience import PATIENCE


class Told:
    """Stands for a `connection.Gateway`: notes what it is given."""

    connected = True

    def __init__(self) -> None:
        self.events: list[tuple[str, dict]] = []
        self.questions: list[tuple[str, dict]] = []
        self.answer: dict = {}
        """To each question; empty as from a gateway that answers none."""
        self.published: queue.SimpleQueue[tuple[str, dict]] = queue.SimpleQueue()

    def emit(self, name: str, data: dict) -> None:
        self.events.append((name, data))

    tell = emit

    def ask(self, name: str, data: dict) -> dict:
        self.questions.append((name, data))
        return self.answer

    def publish(self, name: str, data: dict) -> None:
        self.published.put((name, data))

    def complain(self, error: Exception, service: str) -> None:
        self.events.append(("python_error", {"error": str(error), "service": service}))

    def start(self) -> None:
        self.events.append(("start", {}))

    def close(self) -> None:
        self.events.append(("close", {}))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.events]

    def await_published(self, name: str) -> dict:
        while True:
            found, data = self.published.get(timeout=PATIENCE)
            if found == name:
                return data
