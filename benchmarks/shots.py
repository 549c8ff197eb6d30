"""Screenshots of the page: every state, size, theme and language; needs Chromium and playwright.

The browser gets the page's files and answers that are made up (`scenes`), so that a picture takes
no gateway, and is the same each time.
"""

from __future__ import annotations

import json
import time
from importlib.resources import files
from pathlib import Path, PurePath
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from benchmarks import invented
from benchmarks.scenes import SCENES, Scene
from gateway.web.routes.page import POLICY, TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playwright.sync_api import Browser, Page, Route, WebSocketRoute

STATIC = Path(str(files("gateway.web") / "static"))
SITE = "http://desk.test"
SIZES = {"desk": (1280, 720), "wide": (1440, 900), "tablet": (820, 1180), "phone": (390, 844)}
LANGUAGES = {"en": "en-US", "zh": "zh-TW"}
THEMES = ("light", "dark")
PANES = ("chart", "board")
"""What a phone shows of Market besides the list."""
OPENED = '0{"sid":"a","pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000,"upgrades":[]}'

HEARD = """(codes) => document.getElementById("belief")?.dataset.id !== "asking"
  && document.querySelectorAll("#quotes-body tr").length >= codes"""
"""The page was told how the gateway is, and of every code."""
PAINTED = """() => new Promise((done) => {
  const next = (left) => requestAnimationFrame(() => (left ? next(left - 1) : done()));
  next(3);
})"""
KEEP = """for (const [name, value] of Object.entries(%s)) {
  localStorage.setItem(`sjgateway.${name}`, value);
}"""
WIDTH = "Math.max(document.documentElement.scrollWidth, window.innerWidth)"
"""How wide the page is: a phone makes the window wider for what has no room."""
WRITTEN = 400
"""Milliseconds after which every part has begun to write."""


class Stage:
    """The page in one scene."""

    def __init__(
        self, browser: Browser, scene: Scene, size: str, language: str, theme: str, **more: object
    ) -> None:
        """`more` are options of the browser's context."""
        width, height = SIZES[size]
        touch = size in ("tablet", "phone")
        self._scene = scene
        self._gone = False
        self._began = time.monotonic()
        self._sockets: list[WebSocketRoute] = []
        self.faults: list[str] = []
        self.posted: list[tuple[str, object]] = []
        """What the page has posted: paths, and the JSON."""
        options = {
            "viewport": {"width": width, "height": height},
            "locale": LANGUAGES[language],
            "color_scheme": theme,
            "is_mobile": touch,
            "has_touch": touch,
            "timezone_id": "America/New_York",  # the exchange's time is shown all the same
            **more,
        }
        self.context = browser.new_context(**options)  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._said)
        self.page.clock.set_fixed_time(invented.NOW)
        self.page.route("**/*", self._answer)
        self.page.route_web_socket("**/socket.io/**", self._connect)
        if scene.kept:
            self.page.add_init_script(KEEP % json.dumps(scene.kept))
        self.page.goto(f"{SITE}/{scene.place}")
        codes = {value.get("code") for _, value in scene.events} - {None}
        self.page.wait_for_function(HEARD, arg=len(codes))
        if scene.is_lost:
            self.settle()  # its bars have come
            self._gone = True
            for socket in self._sockets:
                socket.close()
            self.page.wait_for_selector("#belief[data-id=gone]")
        if scene.pressed:
            self.page.keyboard.press(scene.pressed)
        self.settle()

    def settle(self) -> None:
        """Wait until all is written that has come."""
        self.page.wait_for_timeout(WRITTEN)
        self.page.evaluate(PAINTED)

    def close(self) -> None:
        """Close the browser's context."""
        self.context.close()

    def hear(self, events: Iterable[invented.Event]) -> None:
        """Let the page hear `events`."""
        for name, value in events:
            for socket in self._sockets:
                socket.send("42" + json.dumps([name, value]))

    def _said(self, message: object) -> None:
        kind, text = getattr(message, "type", ""), getattr(message, "text", "")
        if kind == "error" and "Failed to load resource" not in text and "WebSocket" not in text:
            self.faults.append(text)

    def _answer(self, route: Route) -> None:
        path = urlsplit(route.request.url).path.lstrip("/") or "static/index.html"
        if route.request.method == "POST":
            self.posted.append((path, route.request.post_data_json))
        if path.startswith("static/"):
            file = STATIC / path.removeprefix("static/")
            headers = {
                "Content-Type": TYPES[PurePath(path).suffix].decode(),
                "Content-Security-Policy": POLICY.decode(),
            }
            route.fulfill(body=file.read_bytes(), headers=headers)
        elif self._gone:
            route.abort()
        elif self._scene.refusal:
            refused = {"error": "Unauthorized", "code": self._scene.lack}
            route.fulfill(status=self._scene.refusal, json=refused)
        else:
            route.fulfill(json=self._told(path, parse_qs(urlsplit(route.request.url).query)))

    def _told(self, path: str, query: dict[str, list[str]]) -> object:
        if path == "status":
            return self._scene.answer(time.monotonic() - self._began)
        if path == "codes":
            return invented.codes()
        if path == "bars":
            told = invented.bars(query["code"][0], query["interval"][0])
            stood = self._scene.contracts
            return told | {
                "contracts": [{"from": at.timestamp(), "code": code} for at, code in stood]
            }
        if path == "logs":
            lines = self._scene.logs[query["source"][0]]
            return {"lines": lines[int(query["since"][0]) :], "next": len(lines)}
        return {"success": True, "message": "done"}

    def _connect(self, socket: WebSocketRoute) -> None:
        if self._gone:
            socket.close()
            return
        self._sockets.append(socket)

        def heard(message: str | bytes) -> None:
            if str(message).startswith("40"):
                if self._scene.refusal:
                    socket.send('44{"message":"a token is needed"}')
                    return
                socket.send('40{"sid":"b"}')
                self.hear(self._scene.events)

        socket.on_message(heard)
        socket.send(OPENED)


def take(browser: Browser, folder: Path, wanted: Iterable[str]) -> list[str]:
    """Take the pictures whose names have one of `wanted` in them; what went wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    words, faults = list(wanted), []
    for name, scene in SCENES.items():
        for size in SIZES:
            for language in LANGUAGES:
                for theme in THEMES:
                    picture = f"{name}-{size}-{language}-{theme}"
                    if words and not any(word in picture for word in words):
                        continue
                    stage = Stage(browser, scene, size, language, theme)
                    stage.page.screenshot(path=folder / f"{picture}.png")
                    for pane in PANES if size == "phone" and "ops" not in scene.place else ():
                        stage.page.locator(f".panes [data-pane={pane}]").click()
                        stage.settle()
                        stage.page.screenshot(path=folder / f"{picture}-{pane}.png")
                    wide = stage.page.evaluate(WIDTH)
                    if wide > SIZES[size][0]:
                        faults.append(f"{picture}: {wide} pixels wide")
                    faults += [f"{picture}: {fault}" for fault in stage.faults]
                    stage.close()
    return faults
