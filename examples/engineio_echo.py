"""An Engine.IO echo server: `python examples/engineio_echo.py --port 3000`."""

import argparse

from twisted.internet import endpoints, reactor
from twisted.web.server import Site

from gateway.engineio.deadlines import Deadlines
from gateway.engineio.packet import Packet
from gateway.engineio.server import Server
from gateway.engineio.session import Session
from gateway.engineio.settings import Settings
from gateway.web.engine import EngineResource
from gateway.web.timer import drive
from gateway.web.upgrade import Upgrader


class Echo:
    """Says what it hears."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def message(self, packet: Packet) -> None:
        self._session.send(packet)

    def closed(self, reason: str) -> None:
        print("closed:", reason)


parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=3000)
parser.add_argument("--ping-interval", type=float, default=25000, help="milliseconds")
parser.add_argument("--ping-timeout", type=float, default=20000, help="milliseconds")
parser.add_argument("--eio3", action="store_true", help="let Engine.IO 3 clients in")
args = parser.parse_args()

settings = Settings(
    ping_interval=args.ping_interval, ping_timeout=args.ping_timeout, eio3=args.eio3
)
deadlines = Deadlines(reactor.seconds)
drive(reactor, deadlines)
server = Server(settings, Echo, deadlines)
upgrade = Upgrader(reactor, deadlines, max_payload=settings.max_payload)
endpoint = endpoints.TCP4ServerEndpoint(reactor, args.port, interface="127.0.0.1")
endpoint.listen(Site(EngineResource(server, upgrade)))
reactor.run()
