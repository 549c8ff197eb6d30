"""A WebSocket echo server: `python examples/websocket_echo.py --port 9001`.

It has the gateway's own protocol and options, and bounds messages where the largest of the
Autobahn test suite just fit.
"""

import argparse

from twisted.internet import endpoints
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from gateway.engineio.deadlines import Deadlines
from gateway.engineio.forms import WEBSOCKETS
from gateway.engineio.outbox import Queue
from gateway.engineio.packet import Packet, Record
from gateway.engineio.websocket import WebSocketSink
from gateway.web.http.timer import drive
from gateway.web.websocket.allowance import Allowance
from gateway.web.websocket.upgrade import UpgradeError, Upgrader


class Echo:
    """Says what it hears, as fast as it is read."""

    session = None  # it has no session of Engine.IO

    def __init__(self, sink: WebSocketSink) -> None:
        sink.form = WEBSOCKETS[4, False]
        self._outbox = Queue()
        self._outbox.attach(sink)
        self.room, self.lost = self._outbox.resume, self._outbox.close

    def excuse(self, seconds: float) -> None:
        """It is not read for so long: nothing here has a deadline."""

    def text(self, data: bytes) -> None:
        self._outbox.send(Record(Packet(data)))

    def texts(self, messages: list[bytes], at: int) -> int:
        self.text(messages[at])
        return at + 1

    def binary(self, data: bytes) -> None:
        self._outbox.send(Record(Packet(data, binary=True)))


class EchoResource(Resource):
    """A WebSocket at every path."""

    isLeaf = True

    def __init__(self, upgrade: Upgrader) -> None:
        super().__init__()
        self._upgrade = upgrade

    def render(self, request: Request) -> bytes | int:
        try:
            self._upgrade(request, Echo)
        except UpgradeError as error:
            request.setResponseCode(error.status)
            return str(error).encode()
        return NOT_DONE_YET


if __name__ == "__main__":
    from twisted.internet import reactor

    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=9001, help="0: any free one")
    parser.add_argument("--max-payload", type=int, default=1 << 24, help="bytes")
    args = parser.parse_args()

    deadlines = Deadlines(reactor.seconds)
    drive(reactor, deadlines)
    upgrade = Upgrader(reactor, deadlines, Allowance(max_payload=args.max_payload))
    endpoint = endpoints.TCP4ServerEndpoint(reactor, args.port, interface="127.0.0.1")
    listening = endpoint.listen(Site(EchoResource(upgrade)))
    listening.addCallback(lambda port: print("listening on port", port.getHost().port, flush=True))
    reactor.run()
