"""An Engine.IO echo server: `python examples/engineio_echo.py --port 3000`."""

import argparse

from twisted.internet import endpoints, reactor

from gateway.engineio.deadlines import Deadlines
from gateway.engineio.interfaces import Connection
from gateway.engineio.packet import Packet
from gateway.engineio.server import Server
from gateway.engineio.session import Session
from gateway.engineio.settings import Settings
from gateway.web.http.site import Mount, make_site
from gateway.web.http.timer import drive
from gateway.web.routes.engine import EngineResource
from gateway.web.security.guard import Guard
from gateway.web.security.guard_settings import GuardSettings
from gateway.web.websocket.allowance import Allowance
from gateway.web.websocket.upgrade import Upgrader


class Echo(Connection):
    """Says what it hears."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def message(self, packet: Packet) -> None:
        self._session.send(packet)

    def closed(self, reason: str) -> None:
        print("closed:", reason, flush=True)


parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=3000)
parser.add_argument("--ping-interval", type=float, default=25000, help="milliseconds")
parser.add_argument("--ping-timeout", type=float, default=20000, help="milliseconds")
parser.add_argument("--eio3", action="store_true", help="let Engine.IO 3 clients in")
options = vars(parser.parse_args())
port = options.pop("port")

settings = Settings(**options)
deadlines = Deadlines(reactor.seconds)
drive(reactor, deadlines)
upgrade = Upgrader(reactor, deadlines, Allowance(max_payload=settings.max_payload))
engine = EngineResource(Server(settings, Echo, deadlines), upgrade)
guard = Guard(GuardSettings(allowed_origins=["*"]))
mount = Mount(engine.render, body_limit=settings.max_payload)
site = make_site(reactor, guard, {}, engine=mount, engine_path=b"/engine.io/")
listening = endpoints.serverFromString(reactor, f"tcp:{port}:interface=127.0.0.1").listen(site)
listening.addCallback(lambda port: print("listening on port", port.getHost().port, flush=True))
reactor.run()
