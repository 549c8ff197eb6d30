"""A Socket.IO echo server: `python examples/socketio_echo.py --port 3000`."""

import argparse

from twisted.internet import endpoints, reactor
from twisted.web.server import Site

from gateway.engineio.deadlines import Deadlines
from gateway.engineio.server import Server as EngineServer
from gateway.engineio.settings import Settings as EngineSettings
from gateway.socketio.handlers import Handlers
from gateway.socketio.server import Server, Settings
from gateway.socketio.socket import Socket
from gateway.web.http.timer import drive
from gateway.web.routes.engine import EngineResource
from gateway.web.websocket.allowance import Allowance
from gateway.web.websocket.upgrade import Upgrader

echo = Handlers()


@echo.on_connect
def connect(socket: Socket, auth: dict[str, object]) -> None:
    socket.accept()
    socket.emit("auth", auth)


@echo.on("message")
def message(socket: Socket, *args: object) -> None:
    socket.emit("message-back", *args)


@echo.on("message-with-ack")
def message_with_ack(_socket: Socket, *args: object) -> tuple[object, ...]:
    return args


parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=3000, help="0: any free one")
parser.add_argument("--ping-interval", type=float, default=25000, help="milliseconds")
parser.add_argument("--ping-timeout", type=float, default=20000, help="milliseconds")
parser.add_argument("--connect-timeout", type=float, default=45000, help="milliseconds")
parser.add_argument("--eio3", action="store_true", help="let Socket.IO 2 clients in")
args = parser.parse_args()

deadlines = Deadlines(reactor.seconds)
drive(reactor, deadlines)
server = Server(Settings(connect_timeout=args.connect_timeout / 1000), deadlines)
server.of("/", echo)
server.of("/custom", echo)
settings = EngineSettings(
    ping_interval=args.ping_interval, ping_timeout=args.ping_timeout, eio3=args.eio3
)
upgrade = Upgrader(reactor, deadlines, Allowance(max_payload=settings.max_payload))
resource = EngineResource(EngineServer(settings, server, deadlines), upgrade)
endpoint = endpoints.TCP4ServerEndpoint(reactor, args.port, interface="127.0.0.1")
listening = endpoint.listen(Site(resource))
listening.addCallback(lambda port: print("listening on port", port.getHost().port, flush=True))
reactor.run()
