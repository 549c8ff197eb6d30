"""The nginx snippets, in a real nginx on loopback with two gateways behind it."""

from functools import partial

from twisted.internet.threads import deferToThread

from tests.deploy.balancers import CLIENTS, PINGS, BalancerCase, ClusterCase
from tests.deploy.programs import require

AROUND = """
daemon off;
worker_processes 1;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path temporary;
    proxy_temp_path temporary;
    fastcgi_temp_path temporary;
    uwsgi_temp_path temporary;
    scgi_temp_path temporary;
{snippet}
}}
"""


class Nginx(BalancerCase):
    bind = "listen 80;"

    def command(self, snippet: str) -> list[str]:
        (self.folder / "nginx.conf").write_text(AROUND.format(snippet=snippet))
        nginx = require("nginx", "nginx-light")
        return [nginx, "-p", str(self.folder), "-c", "nginx.conf", "-e", "error.log"]


class NginxTests(Nginx):
    """Each client has one gateway, by its address."""

    snippet = "nginx.conf"

    async def test_each_client_polls_one_gateway_and_both_have_some(self) -> None:
        found = [await deferToThread(self.poll, client) for client in CLIENTS]
        self.assertEqual([statuses for _, statuses in found], [[200] * 2] * len(CLIENTS))
        self.assertEqual({ping for ping, _ in found}, set(PINGS))
        again = [await deferToThread(self.poll, client) for client in CLIENTS]
        self.assertEqual([ping for ping, _ in again], [ping for ping, _ in found])

    async def test_websockets_pass(self) -> None:
        for client in CLIENTS[:3]:
            answer = await deferToThread(self.upgrade, client)
            self.assertTrue(answer.startswith(b"HTTP/1.1 101 "), answer)
            self.assertIn(b'0{"sid":', answer)

    async def test_what_a_client_says_of_its_address_counts_for_nothing(self) -> None:
        # Our own machine's client may control the worker, of which there is none ...
        ask = partial(deferToThread, self.ask, CLIENTS[0], "/restart-python", b"")
        status, body = await ask()
        self.assertEqual(status, 500, body)
        # ... and the gateway was told that it is ours by nginx alone.
        status, body = await ask(X_Forwarded_For="192.0.2.1")
        self.assertEqual(status, 500, body)

    async def test_a_foreign_host_is_refused(self) -> None:
        status, _ = await deferToThread(self.ask, CLIENTS[0], "/status", Host="evil.example")
        self.assertEqual(status, 403)


class NginxClusterTests(Nginx, ClusterCase):
    snippet = "nginx-cluster.conf"

    async def test_a_session_stays_where_it_began_and_new_ones_go_where_a_gateway_is(self) -> None:
        await self.new_ones_go_to(*PINGS)
        await self.gateways[0].stopService()
        await self.new_ones_go_to(PINGS[1])
        answer = await deferToThread(self.upgrade, CLIENTS[0])
        self.assertIn(b'0{"sid":"g2.', answer)

    async def test_one_that_comes_back_is_there_when_the_others_go(self) -> None:
        await self.new_ones_go_to(*PINGS)  # nginx has found that the third one is not there
        self.gateway(27.0, self.third)
        for gateway in self.gateways[:2]:
            await gateway.stopService()
        await self.new_ones_go_to(27.0)
