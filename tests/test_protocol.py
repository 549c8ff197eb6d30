"""docs/protocol.md, in both languages, says what the code does; its examples are played."""

from __future__ import annotations

import ast
import re
from collections import Counter
from inspect import getsource
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import orjson
from twisted.trial.unittest import SynchronousTestCase

from gateway.app.admission import POLICY_VIOLATION
from gateway.app.worker_events import WorkerEvents
from gateway.engineio.errors import MESSAGES
from gateway.engineio.server import GOING_AWAY
from gateway.history.bar_keeper import BarKeeper
from gateway.history.bar_query import (
    COLUMNS,
    INTERVALS,
    MOST_BARS,
    QuestionError,
    problem,
    read_question,
)
from gateway.history.bar_questions import Asked
from gateway.history.bar_service import MOST_OF_ONE
from gateway.history.trades import MOST_BROKER_BARS
from gateway.market import contracts, freshness
from gateway.market.events import ASK_BARS
from gateway.market.hours import Calendar
from gateway.options import options
from gateway.relay.auth import KEYS
from gateway.relay.late_joiners import SUBSCRIBE
from gateway.relay.refusals import REFUSED
from gateway.relay.services import COST
from gateway.web.routes.schemas import Bars as AnsweredBars
from gateway.web.routes.schemas import BarsQuery, KnownCode
from gateway.web.routes.schemas import Codes as AnsweredCodes
from gateway.worker.lifecycle import states
from gateway.worker.readiness import overdue
from tests.relay.world import WALL, RelayWorld, WebSocketClient
from tests.relay.world import market as market_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PAGES = {
    name: (ROOT / "docs" / name).read_text("utf-8") for name in ("protocol.md", "protocol.zh-TW.md")
}
TABLE = re.compile(r"<!-- (\w+) -->\n(.*?)\n<!-- end -->", re.DOTALL)
CODES = {"GOING_AWAY": GOING_AWAY, "POLICY_VIOLATION": POLICY_VIOLATION}
LIBRARIES = {"forced close", "forced server close"}
"""Ends that only the libraries' users bring about."""
EVERYWHERE = {"Internal error"}
"""Refusals of the libraries alone."""


def table(page: str, name: str) -> list[list[str]]:
    """The cells of one table, without its head."""
    (text,) = [rows for found, rows in TABLE.findall(page) if found == name]
    rows = [re.split(r"(?<!\\) \| ", row.strip("| ")) for row in text.splitlines()]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def first(page: str, name: str) -> list[str]:
    """The first cells of a table, without their quotes."""
    return [row[0].strip("`") for row in table(page, name)]


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Each call in the layers that close or refuse: its name, and the call."""
    files = [path for room in ("engineio", "socketio", "relay", "app") for path in layers(room)]
    for path in files:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                yield name, node


def layers(name: str) -> Iterator[Path]:
    return (ROOT / "gateway" / name).glob("**/*.py")


def text(node: ast.AST) -> str | None:
    """The text that an expression is, with `…` for what depends; None: it is none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(text(part) or "…" for part in node.values)
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "format":
        return re.sub(r"\{.*?\}", "…", text(node.func.value) or "")  # type: ignore[attr-defined]
    return None


class TableTests(SynchronousTestCase):
    def both(self, name: str, wanted: set[str]) -> None:
        """Each of `wanted` is once in that table of both pages, and nothing else."""
        for page in PAGES.values():
            self.assertEqual(Counter(first(page, name)), Counter(wanted), name)

    def test_the_keys_of_auth(self) -> None:
        self.both("auth", set(KEYS))
        read = {
            node.args[0].value
            for name, node in calls()
            if name == "get"
            and isinstance(node.func, ast.Attribute)
            and getattr(node.func.value, "id", "") in ("auth", "wish")
            and isinstance(node.args[0], ast.Constant)
        }
        self.assertEqual(read - set(KEYS), set())

    def test_the_answer_to_connect(self) -> None:
        world = RelayWorld()
        self.both("connected", set(world.client(recover=True).reply))

    def test_events(self) -> None:
        self.both("events", {SUBSCRIBE, ASK_BARS, REFUSED, "python_status", "feed_status"})

    def test_bars(self) -> None:
        asked = {each.encode_name for each in msgspec.structs.fields(BarsQuery)}
        self.both("question", asked)
        answered = [each.encode_name for each in msgspec.structs.fields(AnsweredBars)]
        for page in PAGES.values():
            cells = " ".join(row[0] for row in table(page, "bars"))
            self.assertEqual(re.findall(r"`(\w+)`", cells), answered)
            for name in (*COLUMNS, *INTERVALS):
                self.assertIn(f"`{name}`", page)
            self.assertIn(f"{MOST_BARS:,}", page)
            self.assertIn(f"{MOST_BROKER_BARS:,}", page)
        self.assertEqual((MOST_OF_ONE, COST), (4, 20))

    def test_codes(self) -> None:
        answered = [
            each.encode_name
            for kind in (AnsweredCodes, KnownCode)
            for each in msgspec.structs.fields(kind)
        ]
        for page in PAGES.values():
            self.assertEqual(sorted(first(page, "codes")), sorted(answered))
            self.assertIn(f"{contracts.MOST:,}", page)

    def test_words(self) -> None:
        kinds = [each for each in vars(states).values() if isinstance(each, type)]
        names = {each.__dict__["name"] for each in kinds if "name" in each.__dict__}
        words = {overdue.UNREADY, overdue.READY, overdue.UNCONNECTED, overdue.CONNECTED}
        self.both("statuses", names | words)
        self.both("feeds", {"live", "stale", "closed"})
        for word in ("live", "stale", "closed"):
            self.assertIn(f'"{word}"', getsource(WorkerEvents._feed_changed))
        self.both("reasons", {freshness.SILENT, freshness.GONE, *freshness.ENDED})

    def test_refusals(self) -> None:
        messages = {
            text(node.args[0]) or "" for name, node in calls() if name == "ConnectionRefused"
        }
        self.both("refusals", messages - EVERYWHERE)

    def test_http(self) -> None:
        self.both("http", {str(code) for code in MESSAGES})
        for page in PAGES.values():
            for code, message, *_ in table(page, "http"):
                self.assertEqual(message, MESSAGES[int(code.strip("`"))])

    def test_ends(self) -> None:
        reasons = {"parse error", "slow consumer"}
        packets, codes = set(), {}
        for name, node in calls():
            ends = name in ("abort", "close")
            found = [text(each) for each in node.args[0 if ends else 1 :]][:1]
            if found and found[0] and (ends or name == "ProtocolError"):
                reasons.add(found[0])
                packets |= {found[0]} if name == "close" else set()
                codes.update(
                    (found[0], CODES[each.value.id])
                    for each in node.keywords
                    if each.arg == "code" and isinstance(each.value, ast.Name)
                )
        self.both("closes", reasons - LIBRARIES)
        for page in PAGES.values():
            said = {row[0].strip("`") for row in table(page, "closes") if row[1] in ("yes", "有")}
            self.assertEqual(said, packets - LIBRARIES)
            told = {row[0].strip("`"): int(row[2]) for row in table(page, "closes")}
            self.assertEqual(told, {reason: codes.get(reason, 1000) for reason in told})

    def test_limits(self) -> None:
        defaults = {f"--{each.name}": each.default for each in options()}
        for page in PAGES.values():
            for flag, default, _ in table(page, "limits"):
                self.assertEqual(defaults[flag.strip("`")], default.strip("`"), flag)

    def test_both_pages_have_the_same_examples_and_tables(self) -> None:
        english, chinese = PAGES.values()
        self.assertEqual(
            *(re.findall(r"```wire\n(.*?)```", page, re.DOTALL) for page in (english, chinese))
        )
        names = [[name for name, _ in TABLE.findall(page)] for page in (english, chinese)]
        self.assertEqual(*names)


class Play:
    """Plays an example: in memory, with real Engine.IO and Socket.IO servers."""

    def __init__(self, case: SynchronousTestCase) -> None:
        self.case = case
        self.world = RelayWorld(**market_settings())
        self.world.watcher.is_worker = self.world.watcher.trusts = self.is_worker
        self.clients: dict[str, WebSocketClient] = {}
        self.heard: dict[str, list[str | bytes]] = {}
        self.known: dict[str, str] = {}
        self.keeper = BarKeeper(
            Calendar(),
            None,
            days=30,
            wall=lambda: WALL,
            log=str,  # other examples have ticks without a time
            on_problem=case.fail,
            clock=lambda: 0.0,
        )
        self.keeper.begin()
        self.world.log.taps.append(self.keeper.take)
        self.world.hub.services.by_name[ASK_BARS] = self.bars

    def is_worker(self, sender: Any) -> bool:
        worker = self.clients.get("worker")
        return worker is not None and sender.socket.session is worker.session

    def bars(self, question: dict[str, Any], client: Any, answer: Any) -> Any:
        """The service of bars, in this thread."""
        try:
            asked = read_question(question)
        except QuestionError as error:
            answer(problem(400, str(error)).body)
        else:
            self.keeper.questions.ask(
                Asked(asked, client.socket.session.peer.address, lambda found: answer(found.body))
            )
            self.keeper.tick()
        return lambda: None

    def __call__(self, example: str) -> None:
        for line in example.splitlines():
            name, what, *said = line.split(" ", 2)
            if what == ">":
                self.say(name, *said)
            elif what == "<":
                self.expect(name, *said)
            else:
                self.case.assertEqual(what, "lost", line)
                self.clients.pop(name).lose()
        for name, heard in self.heard.items():
            self.case.assertEqual(heard + self.clients[name].heard, [], name)

    def say(self, name: str, said: str) -> None:
        if name == "gateway":
            self.world.relay.publish(*orjson.loads(said[2:]))
            return
        if name not in self.clients:
            self.clients[name] = WebSocketClient(self.world)
            self.world.flush()
            self.heard[name] = self.clients[name].heard[1:]
        for word, value in self.known.items():
            said = said.replace(word, value)
        self.clients[name].say(said)
        self.world.flush()

    def expect(self, name: str, wanted: str) -> None:
        self.heard[name] += self.clients[name].heard
        self.case.assertTrue(self.heard[name], f"{name} was to get {wanted}")
        heard = str(self.heard[name].pop(0))
        pattern = re.escape(wanted)
        for word in ("SID", "PID", "OFFSET"):
            pattern = re.sub(rf'"{word}"', rf'"(?P<{word}>[^"]+)"', pattern)
        match = re.fullmatch(pattern, heard)
        self.case.assertTrue(match, f"{name} was to get {wanted}, and got {heard}")
        self.known.update(match.groupdict() if match else {})


class ExampleTests(SynchronousTestCase):
    def test_each_comes_out_as_it_is_written(self) -> None:
        examples = re.findall(r"```wire\n(.*?)```", PAGES["protocol.md"], re.DOTALL)
        self.assertGreater(len(examples), 5)
        for example in examples:
            Play(self)(example)
