"""Questions for bars that wait for the thread which answers them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from gateway.history.bar_query import problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.history.bar_query import Answer, BarQuestion

BREATH: Final = 0.01
"""Seconds between two looks at questions that wait, at least."""
SLICE: Final = 0.02
"""Seconds for which questions are answered before events have their turn again."""
REST: Final = 3
"""For how many times what questions took none is answered: they get a quarter of a core at most."""


class Asked:
    """One question that waits; `asker` shares the thread fairly with others."""

    __slots__ = ("answered", "asker", "is_cancelled", "question")

    def __init__(
        self, question: BarQuestion, asker: str, answered: Callable[[Answer], object]
    ) -> None:
        self.question = question
        self.asker = asker
        self.answered = answered
        """Called in the thread with the answer."""
        self.is_cancelled = False


class BarQuestions:
    """Answers questions for a while, one of each asker after the other, and rests.

    `find(question)` finds an answer; what it raises is raised by `answer`, and costs one asker his
    answer.
    """

    def __init__(self, find: Callable[[BarQuestion], Answer], clock: Callable[[], float]) -> None:
        self._find = find
        self._clock = clock
        self._waiting: dict[str, deque[Asked]] = {}
        self._next = 0.0
        self.answered = 0
        """How many since the start."""

    def ask(self, asked: Asked) -> None:
        """Note a question."""
        self._waiting.setdefault(asked.asker, deque()).append(asked)

    @property
    def are_due(self) -> bool:
        """Whether some wait, and may be answered now."""
        return bool(self._waiting) and self._clock() >= self._next

    @property
    def due_in(self) -> float | None:
        """Seconds until some may be answered; None: none waits."""
        return max(BREATH, self._next - self._clock()) if self._waiting else None

    def answer(self, since: float) -> None:
        """Answer for a while; what was done for it since then counts, too."""
        try:
            end = self._clock() + SLICE
            while self._waiting:
                self._answer(self._take())
                if self._clock() >= end:
                    break
        finally:
            now = self._clock()
            self._next = now + REST * (now - since)

    def _take(self) -> Asked:
        """The next one; who asked it comes after all others."""
        asker, waiting = next(iter(self._waiting.items()))
        del self._waiting[asker]
        asked = waiting.popleft()
        if waiting:
            self._waiting[asker] = waiting
        return asked

    def _answer(self, asked: Asked) -> None:
        self.answered += 1
        if asked.is_cancelled:
            asked.answered(problem(503, "Nobody waits for it"))
            return
        try:
            answer = self._find(asked.question)
        except Exception:
            asked.answered(problem(500, "Internal error: the gateway's log has the reason"))
            raise
        asked.answered(answer)
