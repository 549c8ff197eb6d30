"""Rehearsals as a trader has them: his own worker, a recorded day, what goes wrong in it."""

import shutil
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
from playwright.sync_api import expect

from tests.interop.browser import chromium
from tests.interop.node import node_modules, require_node
from tests.interop.service import ROOT, STAND_INS, Service, ServiceCase
from tests.rehearsal.recorded import day

EXAMPLES = ROOT / "examples"
NO_STAND_IN = {"PYTHONPATH": str(ROOT)}
"""The tests' own stand-ins are not on the worker's path."""


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and prints nothing."""

    def log_message(self, *_: object) -> None:
        pass


class RehearsalCase(ServiceCase):
    def rehearse(self, main: Path, recording: Path, *options: str, **environ: str) -> Service:
        given = (f"--main={main}", f"--rehearse={recording}", *options)
        return self.run_service(*given, **NO_STAND_IN, **environ)


class TraderTests(RehearsalCase):
    def test_an_indicator_buys_in_a_recorded_day_and_is_seen_by_a_page_and_a_script(self) -> None:
        recording = day(self.folder / "day.jsonl.zst", 7200, each=1)
        kept = f"--record={self.folder / 'recorded'}"
        main = EXAMPLES / "indicator_worker.py"
        late = (
            "--state-events=order python_status"  # whoever comes late hears of the newest one, too
        )
        service = self.rehearse(main, recording, "--speed=60", kept, late, SIMULATION="true")
        browser = self.browser(service)
        deal = browser.hears("order", state="FDEAL")
        self.assertEqual((deal["code"], deal["quantity"]), ("TXF", 1))
        self.assertGreater(browser.hears("indicator")["average"], 23000)
        self.assertIs(service.request("/health")[1]["rehearsal"], True)
        self.assertEqual(browser.hears("market_tick", code="TXFL6")["price"] // 100, 230)
        self.check_nothing_leaves(service)
        self.check_script(service)
        self.check_page(service)
        self.assertIn("REHEARSAL: this shioaji is a stand-in", service.log)
        service.stop()
        self.assertEqual(list(self.folder.glob("recorded/*")), [])
        self.assertEqual(list(self.folder.glob("state/bars*")), [])

    def check_nothing_leaves(self, service: Service) -> None:
        """The worker and what it started talk to nobody but the gateway."""
        pid = service.request("/status")[1]["pid"]
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        others = {each.raddr.port for one in family for each in one.net_connections() if each.raddr}
        self.assertEqual(others, {self.port})

    def check_script(self, service: Service) -> None:
        folder = self.folder / "script"
        folder.mkdir()
        shutil.copy(EXAMPLES / "node" / "feed.mjs", folder)
        (folder / "node_modules").symlink_to(node_modules())
        script = subprocess.Popen(
            [require_node(), "feed.mjs", service.url, "TXFR1"],
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(script.wait)
        self.addCleanup(script.stdout.close)
        self.addCleanup(script.kill)
        self.assertEqual(script.stdout.readline(), f"connected to {service.url}\n")
        said = script.stdout.readline()
        self.assertRegex(said, r"2026-11-27T\S+ TXFL6 230\d\d(\.\d+)? x 2 \(not the market's\)\n")

    def check_page(self, service: Service) -> None:
        context = chromium(self).context()
        self.addCleanup(context.close)
        page = context.new_page()
        client = (node_modules() / "socket.io-client/dist/socket.io.esm.min.js").read_text("utf-8")
        page.route("https://cdn.socket.io/**", lambda route: route.fulfill(
            body=client, content_type="text/javascript",
            headers={"Access-Control-Allow-Origin": "*"},
        ))  # fmt: skip
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=EXAMPLES))
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        site = f"http://localhost:{server.server_port}"
        page.goto(f"{site}/page.html?gateway={service.url}&codes=TXFR1")
        expect(page.get_by_role("cell", name="TXFL6")).to_be_visible()
        expect(page.get_by_role("status")).to_have_text("不是現在的報價 not the prices of now")


class OtherWorkersTests(RehearsalCase):
    def test_workers_of_others_run_unchanged(self) -> None:
        recording = day(self.folder / "day.jsonl.zst", 3600, each=1)
        source = (STAND_INS / "public_worker" / "main.py").read_text()
        self.assertIn("localhost:3001", source)
        public = self.folder / "main.py"
        public.write_text(source.replace("localhost:3001", f"localhost:{self.port}"))
        for main, version in ((public, "1.2"), (EXAMPLES / "minimal_worker.py", "1.7")):
            service = self.rehearse(main, recording, f"--rehearse-shioaji={version}")
            browser = self.browser(service)
            browser.hears("shioaji_ready", status="ready")
            tick = browser.hears("market_tick")
            self.assertEqual(tick["datetime"][:10], "2026-11-27")
            browser.hears("heartbeat", status="running")
            browser.close()
            service.stop()
            self.assertEqual(service.log.count("Traceback"), 0, service.log)
