"""A replay as its users run it: a gateway in a process, whose worker plays a recording."""

import json
import signal
import tempfile
from functools import partial
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.history.recorded_lines import head_line, line
from gateway.history.zstd_file import compress
from tests.interop.raw import RawClient
from tests.interop.service import ROOT, Service
from tests.ports import free_port

BEGINS = 1796002200.0
"""2026-11-30 09:30 in Taipei."""
EVENTS = (
    b'["market_contract",{"code":"TXFR1","name":"\xe8\x87\xba\xe6\x8c\x87"}]',
    b'["shioaji_ready",{"status":"ready"}]',
    b'["heartbeat", {"status": "running", "shioaji_connected": false}]',
    b'["python_error",{"error":"Status Code: 451, Too Many Connections","code":451}]',
    rb'["odd", {"x" : 1.50, "s":"\u53f0 \"e\":["}, [null ,1e5]]',
    b'["chart",{"_placeholder":true,"num":0}]',
    b'["python_status",{"status":"no credentials"}]',
    *(
        b'["market_tick",{"code":"TXFR1","datetime":"2026-11-30T09:%02d:01+08:00","close":%d,'
        b'"volume":2}]' % (30 + number, 23000 + number)
        for number in range(5)
    ),
)
"""Each a minute after the one before, the ticks at their times."""


def recording(path: Path) -> None:
    lines = [head_line(BEGINS - 1, "1")]
    for number, event in enumerate(EVENTS):
        attachments = [b"AB"] if b"_placeholder" in event else []
        lines.append(line(BEGINS + 60 * max(0, number - 7) + 1, event, attachments))
    path.write_bytes(compress(b"".join(lines)))


class ReplayTests(SynchronousTestCase):
    def start(self, *options: str) -> Service:
        self.folder, self.port = Path(tempfile.mkdtemp()), free_port()
        return self.start_again(*options)

    def start_again(self, *options: str) -> Service:
        service = Service(self.folder, self.port, *options)
        self.addCleanup(service.close)
        service.until("answer", service.answers)
        return service

    def kill(self, service: Service, *options: str) -> Service:
        service.stop(signal.SIGKILL)
        return self.start_again(*options)

    def hand_over(self, service: Service, *_: str) -> Service:
        self.assertEqual(service.request("/hand-over", {})[0], 200)
        return service

    def is_taken_over(self, service: Service, times: int) -> bool:
        """Whether the last gateway has the player, and knows where that is."""
        has_it = service.log.count("Took over the worker") == times
        return has_it and service.request("/status")[1]["replaying"]["time"] is not None

    def client(self, **auth: object) -> RawClient:
        client = RawClient(self.port, **auth)
        self.addCleanup(client.close)
        return client

    def tell(self, service: Service, **wish: object) -> dict:
        status, answer = service.request("/replay", wish)
        self.assertEqual(status, 200, answer)
        return answer["replaying"]

    def hear(self, client: RawClient, last: bytes, behind: int = 0) -> tuple[list[str], list[str]]:
        """What is played, up to `last`; and what the gateway says of itself behind `behind` events,
        at least once."""
        played: list[str] = []
        said: list[str] = []
        for text in client.texts():
            if text.startswith('42["python_status"') and '"replay":true' in text:
                if len(played) >= behind:
                    said.append(json.loads(text[2:])[1]["status"])
            else:
                played.append(text)
            if f"42{last.decode()}" in played and (said or not behind):
                return played, said
        raise AssertionError(f"the connection ended: {played}")

    def test_each_byte_is_as_it_was_and_nothing_takes_it_for_the_market(self) -> None:
        file = Path(tempfile.mkdtemp()) / "day.jsonl.zst"
        recording(file)
        options = (f"--replay={file}", "--speed=0", "--record=recordings")
        service = self.start(*options)
        service.until("worker that is ready", lambda: service.request("/readyz")[1]["ready"])
        client = self.client()
        self.assertEqual(self.tell(service, speed="max")["speed"], "max")
        played, said = self.hear(client, EVENTS[-1], behind=8)  # the recorded python_status
        wanted = [f"42{event.decode()}" for event in EVENTS]
        at = wanted.index(f"42{EVENTS[5].decode()}")
        wanted[at : at + 1] = [wanted[at].replace("42", "451-", 1), "AB"]
        self.assertEqual(played, wanted)
        self.assertEqual(said, ["running"])

        # The worker's own words of that day change nothing of what is said of this one.
        service.until("end", lambda: service.request("/status")[1]["replaying"]["ended"])
        for path in ("/health", "/readyz", "/status"):
            answer = service.request(path)[1]
            self.assertIs(answer["replay"], True, path)
        self.assertTrue(answer["ready"])
        self.assertEqual(
            (answer["pausedFor"], answer["exits"], answer["recording"]), (None, [], None)
        )
        bars = service.request("/bars?code=TXFR1")[1]
        self.assertIs(bars["replay"], True)
        self.assertEqual(bars["bars"]["close"], [23000, 23001, 23002, 23003, 23004])

        # Back: what holds comes first, and bars begin anew.
        self.assertEqual(self.tell(service, to="09:33", speed="max")["round"], 2)
        again, _ = self.hear(client, EVENTS[-1])
        self.assertEqual(again, [f"42{EVENTS[n].decode()}" for n in (0, 1, -2, -1)])
        bars = service.request("/bars?code=TXFR1")[1]
        self.assertEqual(bars["bars"]["close"], [23003, 23004])
        self.assertEqual(service.request("/replay", {"to": "noon"})[0], 400)

        # After kill -9 and after a hand-over the player is found where it was.
        for number, end in enumerate((self.kill, self.hand_over), 1):
            held = self.tell(service, to="09:33", paused=True)
            pid = service.request("/status")[1]["pid"]
            service = end(service, *options)
            service.until("player", partial(self.is_taken_over, service, number))
            status = service.request("/status")[1]
            self.assertEqual((status["pid"], status["replaying"]), (pid, {**held, "round": 1}))
            client = self.client()
            self.tell(service, paused=False)
            rest = [f"42{each.decode()}" for each in EVENTS[-2:]]
            self.assertEqual(self.hear(client, EVENTS[-1])[0], rest)

        # A stop and a start cost nothing of the day, and it begins anew.
        self.assertEqual(service.request("/restart-python", {})[0], 200)
        service.until("answer", lambda: service.request("/status")[1]["replaying"]["paused"])
        self.assertEqual(service.request("/status")[1]["budget"]["used"], 0)
        self.assertIn(service.stop(), (0, -signal.SIGTERM))
        names = {each.name for each in (self.folder / "state").iterdir()}
        self.assertEqual([n for n in names if n.startswith(("ledger", "bars-", "memory-"))], [])
        self.assertFalse((self.folder / "recordings").exists())

    def test_the_session_that_ships_is_played_without_a_main_py(self) -> None:
        session = ROOT / "examples" / "2026-11-30-day.jsonl.zst"
        self.assertLess(session.stat().st_size, 300_000)
        service = self.start("--speed=max", "--from=09:29", "--times=now", "--replay", str(session))
        service.until("end", lambda: service.request("/status")[1]["replaying"]["ended"])
        told = service.request("/status")[1]["replaying"]
        self.assertEqual((told["files"], told["time"][:16]), ([session.name], "2026-11-30T01:29"))
        client = self.client(snapshot=True)
        newest = {}
        for name, value, *_ in client.events():
            newest[name] = value
            if name == "market_snapshot":
                break
        self.assertEqual(newest["contracts_loaded"]["count"], 6)
        self.assertNotIn("2026-11-30T09:29", json.dumps(newest["market_snapshot"]))

    def test_a_file_that_is_missing_is_told_before_anything_starts(self) -> None:
        service = Service(Path(tempfile.mkdtemp()), free_port(), "--replay=missing.jsonl.zst")
        self.addCleanup(service.close)
        self.assertEqual(service.process.wait(), 1)
        self.assertIn("--replay: there is no file", service.log)
