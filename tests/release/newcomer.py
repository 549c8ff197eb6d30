"""What a newcomer reaches by typing what the documents say, in an empty folder: five goals.

Commands are taken from README.md, docs/start.md and docs/deployment.md as they stand there; only
ports are others, and nginx is not the system's.  A goal is to take five minutes at most.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from typing import TYPE_CHECKING, Final

from tests.commands.desk import Desk, answer
from tests.commands.documents import ROOT, commands
from tests.release.building import expect

if TYPE_CHECKING:
    from tests.release.building import Built

FIVE_MINUTES: Final = 300
OWN_WORKER: Final = """
import os, time, socketio
client = socketio.Client()
client.connect(os.environ["GATEWAY_URL"], retry=True)
tick = {"code": "2330", "datetime": "2026-11-30T09:00:00+08:00", "price": 1000, "volume": 1}
try:
    while True:
        client.emit("market_tick", tick)
        time.sleep(0.2)
except KeyboardInterrupt:
    client.disconnect()
"""
AROUND: Final = """
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path temporary;
    proxy_temp_path temporary;
    fastcgi_temp_path temporary;
    uwsgi_temp_path temporary;
    scgi_temp_path temporary;
    include sjgateway.conf;
}
"""
"""What a system's nginx has around its folder `conf.d`, for one that is not root's."""


def first_steps(built: Built, _: str | None) -> str:
    """The wheel in an empty folder, and from there to each goal."""
    folder = built.folder / "newcomer"
    folder.mkdir()
    shutil.copy(built.wheel, folder)
    desk = Desk(folder)
    took = []
    for goal in (demonstration, own_worker, front_end, tokens, behind_nginx):
        begun = time.monotonic()
        saw = goal(desk)
        seconds = time.monotonic() - begun
        expect(seconds < FIVE_MINUTES, f"{goal.__name__} took {seconds:.0f} s")
        took.append(f"{goal.__name__.replace('_', ' ')} in {seconds:.0f} s ({saw})")
    return "; ".join(took)


def demonstration(desk: Desk) -> str:
    """README: without git, from the file of a release."""
    with desk.gateway(typed("README.md", "py3-none-any.whl"), patience=FIVE_MINUTES):
        page = answer(f"http://127.0.0.1:{desk.ports['3001']}/")
    desk.type(typed("docs/start.md", "cp -R"))
    return f"its page answers {page}"


def own_worker(desk: Desk) -> str:
    """A worker that is there, and a copy of main.py."""
    (desk.folder / "path" / "to").mkdir(parents=True)
    (desk.folder / "path" / "to" / "main.py").write_text(OWN_WORKER)
    with desk.gateway(typed("docs/start.md", "path/to/main.py")):
        trade = first_trade(desk)
    desk.type(typed("docs/start.md", "cp main.py"))
    with desk.gateway(typed("docs/start.md", "--main mine.py")):
        return trade


def front_end(desk: Desk) -> str:
    """A script that prints trades, and a page of one's own."""
    with desk.gateway(typed("docs/start.md", "sjgateway --demo")):
        trade = first_trade(desk)
        with desk.going_on(typed("docs/start.md", "http.server")) as server:
            server.until(lambda: "Serving" in server.said())
            page = answer(f"http://127.0.0.1:{desk.ports['8000']}/page.html")
    expect(page == 200, f"page.html answers {page}")
    return trade


def tokens(desk: Desk) -> str:
    """Who has the token may restart the worker, and nobody else."""
    desk.type(typed("docs/start.md", "openssl"))
    ask = typed("docs/start.md", "Bearer")
    with desk.gateway(typed("docs/start.md", "--token-file"), "/healthz"):
        told = json.loads(desk.type(ask))
        refused = json.loads(desk.type(ask.replace("Bearer", "Nobody")))
    expect(told.get("success") is True, f"{ask}: {told}")
    expect("error" in refused, f"without the token: {refused}")
    return str(told["message"])


def behind_nginx(desk: Desk) -> str:
    """The file for nginx, and the gateway behind it."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if nginx is None:
        return "left out: no nginx here"
    written = (desk.folder / "deploy" / "nginx.conf").read_text("utf-8")
    for place, port in (("listen 80;", "8000"), ("127.0.0.1:3001", "3001")):
        expect(place in written, f"deploy/nginx.conf has no {place}")
        number = re.sub(r"\d+(?=;?$)", desk.ports[port], place)
        written = written.replace(place, number)
    (desk.folder / "sjgateway.conf").write_text(written)
    (desk.folder / "nginx.conf").write_text(AROUND)
    desk.type(f"{nginx} -t -p . -c nginx.conf")
    ask = typed("docs/deployment.md", "curl -H 'Host: ").replace("//localhost", "//localhost:8000")
    with (
        desk.gateway(typed("docs/deployment.md", "--trusted-proxies"), "/healthz"),
        desk.going_on(f"{nginx} -p . -c nginx.conf") as running,
    ):
        running.until(lambda: answer(f"http://127.0.0.1:{desk.ports['8000']}/") != 0)
        told = json.loads(desk.type(ask))
    expect(told.get("status") == "ok", f"{ask}: {told}")
    return ask


def typed(document: str, word: str) -> str:
    """The one command of a document that has this in it."""
    found = {each for each in commands(ROOT / document) if word in each}
    expect(len(found) == 1, f"{document} has {len(found)} commands with {word}")
    return found.pop()


def first_trade(desk: Desk) -> str:
    """What the example of a front end prints when it is connected."""
    with desk.going_on(typed("docs/start.md", "feed.py")) as running:
        running.until(lambda: running.said().count("\n") > 1)
        return running.said().splitlines()[1]
