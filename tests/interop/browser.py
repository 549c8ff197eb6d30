"""A real browser: Debian's Chromium, driven by playwright."""

import os
from pathlib import Path
from typing import Any
from unittest import SkipTest

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from benchmarks.chromium import find_chromium
from benchmarks.scenes import Scene
from benchmarks.shots import LANGUAGES, Stage
from tests.interop.kept import Kept
from tests.interop.node import node_modules
from tests.interop.service import ROOT
from tests.patience import PATIENCE

OUTPUT = ROOT / "test-output"
"""Where screenshots are kept; not in version control."""

SIZES = {"desk": (1440, 900), "phone": (390, 844)}

expect.set_options(1000 * PATIENCE)


def require_chromium() -> str:
    """The path of Chromium.

    Where it is missing the test is skipped, or fails under `CI=true`.
    """
    if found := find_chromium():
        return found
    reason = "Chromium is needed; install it and run again"
    if os.environ.get("CI") == "true":
        raise AssertionError(reason)
    raise SkipTest(reason)


class Chromium:
    """A running browser."""

    def __init__(self) -> None:
        path = require_chromium()
        self._playwright = sync_playwright().start()
        self._browser: Browser = self._playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"], timeout=1000 * PATIENCE
        )

    def visit(self, url: str, *args: str, **more: Any) -> "Visit":
        return Visit(self._browser, url, *args, **more)

    def stage(self, scene: Scene, *looks: str, **more: object) -> Stage:
        """The page without a gateway; `looks`: size, language and theme."""
        return Stage(self._browser, scene, *looks, **more)

    def context(self, **options) -> BrowserContext:
        """Somebody who was never there before."""
        return self._browser.new_context(**options)

    def ended(self) -> str | None:
        return None if self._browser.is_connected() else "Chromium has ended"

    def close(self) -> None:
        self._browser.close()
        self._playwright.stop()


chromium = Kept(Chromium)


def barriers(page: Page) -> list[str]:
    """What axe-core finds about the page as it is now."""
    page.evaluate((node_modules() / "axe-core" / "axe.min.js").read_text())
    found = page.evaluate("axe.run()")
    return [
        f"{each['id']}: {node['html']} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


class Visit:
    """The page at `url`, opened by somebody who was never there before.

    `faults` are errors of the console, and requests to other hosts; `expected` are parts of
    what the console may say, since an answer of 401 is an error to it; `script` runs before those
    of the page.
    """

    def __init__(
        self,
        browser: Browser,
        url: str,
        size: str = "desk",
        language: str = "en",
        scheme: str = "light",
        *,
        expected: tuple[str, ...] = (),
        script: str = "",
    ) -> None:
        width, height = SIZES[size]
        self._context = browser.new_context(
            viewport={"width": width, "height": height},
            locale=LANGUAGES[language],
            color_scheme=scheme,
            is_mobile=size == "phone",
            has_touch=size == "phone",
            timezone_id="Asia/Taipei",
        )
        self._context.set_default_timeout(1000 * PATIENCE)
        self._context.add_init_script(script)
        self._url = url
        self._expected = expected
        self.faults: list[str] = []
        self.page: Page = self._context.new_page()
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("request", lambda request: self._requested(request.url))
        self.page.on("websocket", lambda socket: self._requested(socket.url))
        self.page.goto(url)

    def close(self) -> None:
        self._context.close()

    def screenshot(self, name: str) -> Path:
        OUTPUT.mkdir(exist_ok=True)
        path = OUTPUT / f"{name}.png"
        self.page.screenshot(path=path)
        return path

    def barriers(self) -> list[str]:
        return barriers(self.page)

    def run(self, script: str) -> object:
        """What an async function with this body returns, in the page."""
        return self.page.evaluate(f"async () => {{ {script} }}")

    def _said(self, message) -> None:
        if message.type in ("error", "warning") and not any(
            part in message.text for part in self._expected
        ):
            self.faults.append(f"{message.type}: {message.text}")

    def _requested(self, url: str) -> None:
        host = self._url.partition("://")[2]
        if url.partition("://")[2].partition("/")[0] != host:
            self.faults.append(f"a request to {url}")
