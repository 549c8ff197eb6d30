"""The last words: whoever is between two polls when the gateway stops hears them, too."""

from http.client import HTTPConnection

from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from gateway.app import assembly, child_services
from gateway.options import Settings
from gateway.web.http import limits
from tests.patience import PATIENCE


class Polling:
    """A client that polls when it is told to, on one connection."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._sid = ""

    def join(self) -> None:
        self._sid = self.poll()[1].partition(b'"sid":"')[2].partition(b'"')[0].decode()
        self._ask("POST", "40")
        self.poll()

    def poll(self) -> tuple[int, bytes]:
        return self._ask("GET")

    def _ask(self, method: str, body: str | None = None) -> tuple[int, bytes]:
        query = f"EIO=4&transport=polling{self._sid and '&sid='}{self._sid}"
        self._connection.request(method, f"/socket.io/?{query}", body)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        self._connection.close()


class FarewellTests(TestCase):
    """Over real sockets, in this process and without a worker."""

    def setUp(self) -> None:
        self.patch(child_services, "LAST_POLLS", 30)
        self.patch(limits, "SWEEP_SECONDS", 0.01)  # nothing is left to do when it has stopped
        self.assembly = assembly.GatewayAssembly(Settings(port=0, no_worker=True), reactor)
        self.gateway = self.assembly.gateway
        self.gateway.startService()

    def say(self, number: int) -> None:
        self.assembly.relay.publish("n", {"n": number})

    async def test_who_is_between_two_polls_is_waited_for(self) -> None:
        port = int(self.assembly.listeners.addresses[0].rpartition(":")[2])
        client = Polling(port)
        self.addCleanup(client.close)
        await deferToThread(client.join)
        self.say(1)
        stopped = self.gateway.stopService()
        self.assertIn(b'42["n",{"n":1}]', (await deferToThread(client.poll))[1])
        client.close()
        await stopped
