"""HAProxy's configuration, in a real one on loopback with two gateways of a cluster behind it."""

from functools import partial

from twisted.internet.threads import deferToThread

from gateway.cluster import cluster
from tests.cluster.servers import Proxy
from tests.deploy.balancers import CLIENTS, PINGS, ClusterCase
from tests.deploy.programs import require


class HaproxyTests(ClusterCase):
    snippet = "haproxy.cfg"
    bind = "bind :80"

    def command(self, snippet: str) -> list[str]:
        file = self.folder / "haproxy.cfg"
        file.write_text(snippet.replace("inter 1s", "inter 100ms"))
        return [require("haproxy", "haproxy"), "-db", "-f", str(file)]

    def cluster_url(self, number: int) -> str:
        """The first one has a way of its own to the log."""
        if number > 1:
            return self.redis.url
        self.patch(cluster, "GRACE", 0.1)
        self.proxy = Proxy(self.redis.port)
        self.addCleanup(self.proxy.close)
        return self.proxy.url

    async def test_a_session_stays_and_new_ones_go_where_events_come(self) -> None:
        await self.new_ones_go_to(*PINGS)
        # What a client says of its address counts for nothing: this one may control the worker.
        ask = partial(deferToThread, self.ask, CLIENTS[0], "/restart-python", b"")
        self.assertEqual((await ask(X_Forwarded_For="192.0.2.1"))[0], 500)
        ping, session = 0.0, None
        while ping != PINGS[0]:
            ping, session = await deferToThread(self.begun, CLIENTS[0])
        await self.proxy.close()
        await self.new_ones_go_to(PINGS[1])
        assert session is not None
        self.assertEqual((await deferToThread(session, b"40"))[0], 200, "it is where it was")
        self.assertTrue((await deferToThread(session))[1].startswith(b"40{"))
        self.redis.kill()  # nobody hears the log: then anyone is better than none
        await self.new_ones_go_to(*PINGS)
        answer = await deferToThread(self.upgrade, CLIENTS[0])
        self.assertIn(b'0{"sid":"g', answer)
        await self.gateways[0].stopService()
        await self.new_ones_go_to(PINGS[1])
