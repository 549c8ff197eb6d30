"""A chat with rooms, for any Socket.IO client: `python examples/socketio_chat.py --port 3000`."""

import argparse

from twisted.internet import endpoints, reactor
from twisted.web.server import Site

from gateway.engineio.deadlines import Deadlines
from gateway.engineio.server import Server as EngineServer
from gateway.engineio.settings import Settings as EngineSettings
from gateway.socketio.errors import ConnectionRefused
from gateway.socketio.handlers import Handlers
from gateway.socketio.server import Server, Settings
from gateway.socketio.socket import Socket
from gateway.web.http.timer import drive
from gateway.web.routes.engine import EngineResource, all_headers
from gateway.web.websocket.allowance import Allowance
from gateway.web.websocket.upgrade import Upgrader

chat = Handlers()


@chat.use
def name(socket: Socket, auth: dict[str, str]) -> None:
    socket.data = auth.get("name") or socket.handshake.headers.get("x-name")
    if not socket.data:
        raise ConnectionRefused("Tell your name: auth {name: ...}")


@chat.on("join")
async def join(socket: Socket, room: str) -> list[str]:
    chat.emit("joined", {"room": room, "name": socket.data}, to=room)
    chat.enter_room(socket, room)
    return [other.data for other in chat.sockets.values() if room in chat.rooms(other)]


@chat.on("say")
def say(socket: Socket, room: str, text: str) -> None:
    if room in chat.rooms(socket):
        chat.emit("said", {"room": room, "name": socket.data, "text": text}, to=room, skip=socket)


@chat.on_disconnect
def leave(socket: Socket, _reason: str) -> None:
    chat.emit("left", {"name": socket.data}, to=chat.rooms(socket))


parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=3000, help="0: any free one")
port = parser.parse_args().port

deadlines = Deadlines(reactor.seconds)
drive(reactor, deadlines)
server = Server(Settings(), deadlines)
server.of("/", chat)
settings = EngineSettings()
upgrade = Upgrader(reactor, deadlines, Allowance(max_payload=settings.max_payload))
engine = EngineServer(settings, server, deadlines)
site = Site(EngineResource(engine, upgrade, headers=all_headers))
listening = endpoints.TCP4ServerEndpoint(reactor, port, interface="127.0.0.1").listen(site)
listening.addCallback(lambda port: print("listening on port", port.getHost().port, flush=True))
reactor.run()
