"""`/metrics` of a whole gateway, and what is written about it."""

from __future__ import annotations

import json
import re
import sys
from itertools import combinations
from pathlib import Path
from shutil import which
from subprocess import run
from typing import Any

import treq
from prometheus_client.parser import text_string_to_metric_families
from twisted.internet import reactor
from twisted.trial.unittest import SynchronousTestCase, TestCase

from gateway.app.assembly import GatewayAssembly
from gateway.options import Settings
from gateway.relay.event import OVERHEAD
from tests.ops.metrics.reading import parse
from tests.patience import PATIENCE
from tests.worker.real import CHILDREN

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
DASHBOARD = json.loads((ROOT / "docs" / "grafana.json").read_text(encoding="utf-8"))
RULES = ROOT / "docs" / "rules.yml"
ROW = re.compile(r"^\| `(\w+)(?:\{([\w,]+)\})?` \| (\w+) \| .+ \|$", re.MULTILINE)


class Client:
    """A Socket.IO client that polls."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/socket.io/?EIO=4&transport=polling"

    async def poll(self) -> str:
        """The packets that are there."""
        answer = await treq.get(self._url, persistent=False)
        return await answer.text()

    async def say(self, *packets: str) -> None:
        answer = await treq.post(self._url, data="\x1e".join(packets).encode(), persistent=False)
        assert await answer.text() == "ok"

    async def connect(self) -> None:
        assert (await self.ask()).startswith("40"), "the namespace is joined"

    async def open(self) -> None:
        """Open a session."""
        opened = json.loads((await self.poll())[1:])
        self._url += f"&sid={opened['sid']}"

    async def ask(self) -> str:
        """The answer to who asks to join the namespace."""
        await self.open()
        await self.say("40")
        return await self.poll()


class WholeTests(TestCase):
    timeout = 2 * PATIENCE

    def start(self, **changes: Any) -> None:
        """A running gateway with a worker that only waits."""
        given = {
            "port": 0,
            "state_dir": Path(self.mktemp()),
            "main": CHILDREN / "polite.py",
            "python": sys.executable,
            "view_token": "",
        }
        assembly = GatewayAssembly(Settings(**{**given, **changes}), reactor)
        gateway = assembly.gateway
        gateway.startService()
        self.url = f"http://127.0.0.1:{assembly.listeners.port}"
        self.addCleanup(gateway.stopService)

    async def scrape(self, **headers: str) -> str:
        answer = await treq.get(f"{self.url}/metrics", headers=headers, persistent=False)
        text: str = await answer.text()
        self.assertEqual(answer.code, 200, text)
        return text

    async def numbers(self) -> dict[str, float]:
        return parse(await self.scrape())

    async def clients(self, count: int) -> list[Client]:
        clients = [Client(self.url) for _ in range(count)]
        for client in clients:
            await client.connect()
        return clients

    async def test_a_scripted_run(self) -> None:
        self.start()
        while not (await self.numbers())['worker_state{state="running"}']:
            pass  # until nothing more is told by the gateway itself
        before = await self.numbers()
        sender, first, second = await self.clients(3)
        await sender.say('42["tick",{"code":"A","price":NaN}]', '42["tick",1]', '42["note"]')
        events = ['42["tick",{"code":"A","price":null}]', '42["tick",1]', '42["note"]']
        for client in (first, second):
            # What the worker's own state was may come before.
            self.assertEqual((await client.poll()).split("\x1e")[-3:], events)
        refused = await treq.get(
            self.url + "/health", headers={"Origin": "https://a.example"}, persistent=False
        )
        self.assertEqual(refused.code, 403)
        await refused.content()
        after = await self.numbers()
        gained = {
            name: after[name] - before.get(name, 0)
            for name in after
            if after[name] != before.get(name, 0)
            and not name.startswith(("cpu", "memory", "reactor", "worker_uptime", "connections"))
        }
        size = sum(map(len, events)) + len(events) - 1
        lag = sum(map(len, events)) + len(events) * OVERHEAD
        sent = gained.pop('sent_bytes_total{namespace="/"}')
        self.assertGreaterEqual(sent, 2 * size)
        self.assertEqual(
            gained,
            {
                'events_total{namespace="/"}': 3,
                'event_bytes_total{namespace="/"}': sum(map(len, events)),
                'events_by_name_total{event="tick"}': 2,
                'events_by_name_total{event="note"}': 1,
                'deliveries_total{namespace="/"}': 6,
                'repaired_events_total{namespace="/"}': 1,
                'clients{transport="polling"}': 3,
                'members{namespace="/"}': 3,
                'lagging_clients{namespace="/"}': 1,  # the sender did not poll again
                'lag_bytes{namespace="/"}': lag,
                'lag_max_bytes{namespace="/"}': lag,
                'refused_requests_total{status="403"}': 1,
            },
        )
        self.assertEqual(after["worker_starts_today"], 1)
        for process in ("gateway", "worker"):
            self.assertGreater(after[f'memory_bytes{{process="{process}"}}'], 0)

    async def test_who_is_refused(self) -> None:
        self.start(view_token="let me see", no_worker=True, max_connections_per_address=1)
        answer = await treq.get(f"{self.url}/metrics", persistent=False)
        self.assertEqual(answer.code, 401)
        await answer.content()
        client = Client(self.url)
        self.assertTrue(await self.refuses(client))
        found = parse(await self.scrape(Authorization="Bearer let me see"))
        self.assertEqual(found['refused_requests_total{status="401"}'], 1)
        self.assertEqual(found["refused_clients_total"], 1)
        self.assertNotIn("worker_up", found)

    async def refuses(self, client: Client) -> bool:
        """Whether `client` is kept out of the namespace."""
        return (await client.ask()).startswith("44")

    async def test_the_document_has_every_name_and_type_and_no_other(self) -> None:
        self.start(record=Path(self.mktemp()))
        served = {}
        for family in text_string_to_metric_families(await self.scrape()):
            total = "_total" if family.type == "counter" else ""
            served[family.name.removeprefix("sjgateway_") + total] = family.type
        documented = {
            name: kind
            for name, _, kind in ROW.findall(DOCUMENT)
            if not name.startswith("cluster_")  # these are in test_cluster
        }
        self.assertEqual(documented, served)

    def test_both_languages_have_the_same_rows(self) -> None:
        chinese = (ROOT / "docs" / "metrics.zh-TW.md").read_text(encoding="utf-8")
        self.assertEqual(ROW.findall(chinese), ROW.findall(DOCUMENT))

    async def test_labels_are_as_documented(self) -> None:
        self.start()
        documented = {name: label for name, label, _ in ROW.findall(DOCUMENT)}
        for name in await self.numbers():
            bare, _, labels = name.partition("{")
            found = re.findall(r'(\w+)="', labels)
            if not bare.startswith("reactor"):
                self.assertEqual(found, sorted(filter(None, documented[bare].split(","))), name)


class DashboardTests(SynchronousTestCase):
    def queries(self) -> list[str]:
        return [
            target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())
        ]

    def test_it_shows_everything_that_there_is_and_nothing_else(self) -> None:
        shown = set(re.findall(r"sjgateway_(\w+)", " ".join(self.queries())))
        known = {name for name, *_ in ROW.findall(DOCUMENT)}
        self.assertEqual({name.removesuffix("_bucket") for name in shown}, known)

    def test_queries_balance_and_ask_for_the_chosen_gateways(self) -> None:
        for query in self.queries():
            for left, right in ("()", "[]", "{}"):
                self.assertEqual(query.count(left), query.count(right), query)
            self.assertEqual(query.count("sjgateway_"), query.count('instance=~"$instance"'), query)

    def test_labels_in_legends_exist(self) -> None:
        labels = {each for _, label, _ in ROW.findall(DOCUMENT) for each in label.split(",")}
        for panel in DASHBOARD["panels"]:
            for target in panel.get("targets", ()):
                for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                    self.assertIn(label, labels)

    def test_panels_do_not_overlap(self) -> None:
        ids = [panel["id"] for panel in DASHBOARD["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
        for a, b in combinations(places, 2):
            apart = (
                a["x"] + a["w"] <= b["x"]
                or b["x"] + b["w"] <= a["x"]
                or a["y"] + a["h"] <= b["y"]
                or b["y"] + b["h"] <= a["y"]
            )
            self.assertTrue(apart, (a, b))
        self.assertLessEqual(max(place["x"] + place["w"] for place in places), 24)

    def test_it_asks_for_its_data_source(self) -> None:
        (source,) = [v for v in DASHBOARD["templating"]["list"] if v["type"] == "datasource"]
        self.assertEqual(source["query"], "prometheus")
        used = re.findall(r'"uid": "([^"]+)"', json.dumps(DASHBOARD))
        self.assertEqual(set(used), {"sjgateway", f"${{{source['name']}}}"})


class RuleTests(SynchronousTestCase):
    """docs/rules.yml, which is written so that its few forms can be read without a YAML library."""

    def rules(self) -> dict[str, str]:
        """The text of each rule, by its name."""
        parts = re.split(r"^ +- alert: (\w+)\n", RULES.read_text("utf-8"), flags=re.MULTILINE)[1:]
        return dict(zip(parts[::2], parts[1::2], strict=True))

    def test_each_has_a_severity_and_says_what_is_wrong_and_what_to_do(self) -> None:
        self.assertGreater(len(self.rules()), 10)
        for name, rule in self.rules().items():
            self.assertRegex(rule, r"\n +severity: (critical|warning)\n", name)
            self.assertRegex(rule, r'\n +summary: "\{\{ \$labels\.instance \}\}: .+"\n', name)
            self.assertRegex(rule, r'\n +description: ".+\."\n', name)

    def test_they_ask_for_what_there_is(self) -> None:
        served = {name for name, *_ in ROW.findall(DOCUMENT)}
        for name, rule in self.rules().items():
            asked = {each.removesuffix("_bucket") for each in re.findall(r"sjgateway_(\w+)", rule)}
            self.assertLessEqual(asked, served, name)
            self.assertTrue(asked or name == "GatewayIsDown", name)

    def test_none_of_the_worker_or_its_quotes_fires_when_it_should_be_down(self) -> None:
        at_any_hour = {"WorkerGaveUp", "BrokerAskedForPause", "BudgetIsNearlySpent"}
        for name, rule in self.rules().items():
            if name.startswith(("Worker", "Broker", "Feed")) and name not in at_any_hour:
                self.assertRegex(rule, "worker_in_session|market_open", name)

    def test_prometheus_takes_them_where_its_tool_is_installed(self) -> None:
        promtool = which("promtool")
        if promtool is not None:
            command = [promtool, "check", "rules", str(RULES)]
            checked = run(command, check=False, capture_output=True, text=True)
            self.assertEqual(checked.returncode, 0, checked.stderr)
