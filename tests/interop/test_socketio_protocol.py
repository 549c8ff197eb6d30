"""Socket.IO protocol 5, case by case, against `examples/socketio_echo.py` on loopback.

Every case runs at a heartbeat of 300/200 ms and of 25000/20000 ms: with the second, a
close within the clients' patience can only come from a rule.
"""

import json
from base64 import b64decode, b64encode

from twisted.trial.unittest import SynchronousTestCase

from tests.interop.echo import PollingClient, WebSocketClient, echo

CONNECT_TIMEOUT = 1000
ONE, TWO = '{"_placeholder":true,"num":0}', '{"_placeholder":true,"num":1}'


class Case:
    """What every case needs; `OPTIONS` are the server's."""

    OPTIONS = ()

    def setUp(self):
        self.echo = echo(self, "--connect-timeout", str(CONNECT_TIMEOUT), *self.OPTIONS)

    def connect(self, *said, query="EIO=4"):
        """A WebSocket client behind the Engine.IO handshake, that said this."""
        client = WebSocketClient(self.echo.url, query)
        self.addCleanup(client.close)
        self.assertEqual(client.receive_engine()[0], "0")
        client.send(*said)
        return client

    def joined(self, *said):
        """A client in the main namespace, greeted."""
        client = self.connect("0")
        self.assertHears(client, '0{"sid":', '2["auth",{}]')
        client.send(*said)
        return client

    def assertHears(self, client, *messages):
        """CONNECT replies are compared up to the session id."""
        for message in messages:
            heard = client.receive()
            if isinstance(heard, str) and heard[0] == "0" and message.endswith('"sid":'):
                self.assertRegex(heard.removeprefix(message), r'^"[\w-]{20}"\}$')
            else:
                self.assertEqual(heard, message)

    def assertAlive(self, client):
        client.send('2["message","alive"]')
        self.assertHears(client, '2["message-back","alive"]')

    def assertClosed(self, client):
        while (heard := client.receive()) is not None:
            self.assertNotIn("message-back", heard if isinstance(heard, str) else "")


class Joining(Case):
    def test_connect_is_answered_with_a_session_id_and_nothing_else(self):
        client = self.connect("0")
        self.assertEqual(list(json.loads(client.receive()[1:])), ["sid"])
        self.assertHears(client, '2["auth",{}]')

    def test_connect_hands_the_auth_object_on(self):
        client = self.connect('0{"token":"123","n":[1,{}]}')
        self.assertHears(client, '0{"sid":', '2["auth",{"token":"123","n":[1,{}]}]')

    def test_one_connection_may_join_several_namespaces(self):
        client = self.joined('0/custom,{"token":"abc"}')
        self.assertHears(client, '0/custom,{"sid":', '2/custom,["auth",{"token":"abc"}]')
        client.send('2/custom,["message",1]', '2["message",2]')
        self.assertHears(client, '2/custom,["message-back",1]', '2["message-back",2]')

    def test_the_main_namespace_is_not_needed_for_another(self):
        client = self.connect("0/custom")
        self.assertHears(client, '0/custom,{"sid":', '2/custom,["auth",{}]')
        client.send('2["message"]')
        self.assertClosed(client)

    def test_an_unknown_namespace_is_refused_and_the_connection_lives(self):
        client = self.connect("0/random", "0")
        self.assertHears(client, '4/random,{"message":"Invalid namespace"}', '0{"sid":')
        self.assertHears(client, '2["auth",{}]')
        self.assertAlive(client)

    def test_every_session_id_is_another(self):
        clients = [self.connect("0") for _ in range(3)]
        self.assertEqual(len({client.receive() for client in clients}), 3)

    def test_anything_before_connect_closes(self):
        for said in ('2["message"]', "30[]", f'51-["message",{ONE}]', b"1", "1", "4{}", "abc", ""):
            self.assertClosed(self.connect(said))

    def test_no_connect_closes_after_the_timeout(self):
        self.assertClosed(self.connect())
        refused = self.connect("0/random")
        self.assertHears(refused, '4/random,{"message":"Invalid namespace"}')
        self.assertClosed(refused)

    def test_a_second_connect_to_one_namespace_closes(self):
        self.assertClosed(self.joined("0"))
        client = self.joined("0/custom", "0/custom")
        self.assertHears(client, '0/custom,{"sid":', '2/custom,["auth",{}]')
        self.assertClosed(client)

    def test_an_auth_that_is_no_object_closes(self):
        for payload in ("[]", '"token"', "1", "null", "{"):
            self.assertClosed(self.connect("0" + payload))


class Leaving(Case):
    def test_disconnect_leaves_the_connection_open(self):
        client = self.joined("1", "0")
        self.assertHears(client, '0{"sid":', '2["auth",{}]')
        self.assertAlive(client)

    def test_disconnect_leaves_other_namespaces_alone(self):
        client = self.joined("0/custom")
        self.assertHears(client, '0/custom,{"sid":', '2/custom,["auth",{}]')
        client.send("1/custom,")
        self.assertAlive(client)
        client.send('2/custom,["message"]')
        self.assertClosed(client)

    def test_an_event_after_disconnect_closes(self):
        self.assertClosed(self.joined("1", '2["message"]'))


class Messages(Case):
    def test_come_back_as_they_went(self):
        client = self.joined()
        for args in (
            "",
            ',1,"2",{"3":[true]}',
            ',null,false,0,-1.5,1e-7,"",[],{}',
            ',"成交價 \U0001f600","\\u0000\\n\\"",{"é":"\x7f"}',
            "," + "[" * 127 + "]" * 127,
            ',{"_placeholder":true,"num":5}',
        ):
            client.send(f'2["message"{args}]')
            self.assertHears(client, f'2["message-back"{args}]')

    def test_of_many_kilobytes_come_back(self):
        text = "x" * 900_000
        client = self.joined(f'2["message","{text}"]')
        self.assertHears(client, f'2["message-back","{text}"]')

    def test_keep_their_order(self):
        client = self.joined(*[f'2["message",{number}]' for number in range(100)])
        self.assertHears(client, *[f'2["message-back",{number}]' for number in range(100)])

    def test_with_attachments_come_back(self):
        client = self.joined(f'52-["message",{ONE},{{"x":[{TWO},1]}}]', b"\x01\x02\x03", b"")
        self.assertHears(client, f'52-["message-back",{ONE},{{"x":[{TWO},1]}}]')
        self.assertHears(client, b"\x01\x02\x03", b"")

    def test_with_ten_attachments_come_back(self):
        marks = ",".join(ONE.replace("0", str(number)) for number in range(10))
        client = self.joined(f'510-["message",{marks}]', *[bytes([n]) for n in range(10)])
        self.assertHears(client, f'510-["message-back",{marks}]', *[bytes([n]) for n in range(10)])

    def test_are_acknowledged_under_their_id(self):
        client = self.joined()
        for id in ("0", "456", "9007199254740993", "1" * 40):
            client.send(f'2{id}["message-with-ack",1,"2",{{"3":[false]}}]')
            self.assertHears(client, f'3{id}[1,"2",{{"3":[false]}}]')
        client.send('27["message-with-ack"]', f'51-8["message-with-ack",{ONE}]', b"\x04")
        self.assertHears(client, "37[]", f"61-8[{ONE}]", b"\x04")

    def test_nobody_handles_are_not_answered(self):
        client = self.joined('21["error"]', '22[""]', '23["__proto__",{}]', "24[7]", '25["*"]')
        self.assertAlive(client)

    def test_that_answer_nothing_are_ignored(self):
        client = self.joined("30[]", "3" + "9" * 30 + "[1]", f"61-5[{ONE}]", b"1")
        self.assertAlive(client)


class Offences(Case):
    """Each closes its own connection at once, and nobody else's."""

    def test_close_only_the_offender(self):
        bystander = self.joined()
        deep = "[" * 100_000 + "]" * 100_000
        for said in (
            ("abc",), ("7",), ("4{}",), ("2",), ("2{}",), ("2[]",), ("2[null]",), ('2["a"',),
            ('2 ["a"]',), ('2abc["message"]',), ('2-1["message"]',), ('2["connect"]',),
            ('2["disconnecting",1]',), ('2["newListener"]',), ("3[]",), ("31{}",), ("1[]",),
            ('2/random,["message"]',), ('2["message",NaN,]',), (f'2["message",{deep}]',),
            ('5["message"]',), ('50-["message"]',), (f'511-["message",{ONE}]',),
            (f'51-["message",{TWO}]',), ('51-["message",{"_placeholder":true,"num":"0"}]',),
            (b"1",), (f'51-["message",{ONE}]', '2["message"]'),
            (f'51-["message",{ONE}]', "1"), (f'51-["x",{ONE}]', b"1", b"2"),
        ):  # fmt: skip
            self.assertClosed(self.joined(*said))
            self.assertAlive(bystander)

    def test_of_receivers_are_none(self):
        client = self.joined('2["message",NaN,[-Infinity,1e400],"NaN","\\ud800"]')
        self.assertHears(client, '2["message-back",null,[null,null],"NaN","\ufffd"]')


class Transports(Case):
    def test_polling_carries_everything(self):
        client = PollingClient(self.echo.url)
        self.assertEqual(client.post('40{"token":"1"}', '42["message","é"]'), 200)
        self.assertTrue(client.receive().startswith('40{"sid":'))
        self.assertEqual(client.receive(), '42["auth",{"token":"1"}]')
        self.assertEqual(client.receive(), '42["message-back","é"]')
        data = bytes(range(256))
        text = f'451-9["message-with-ack",{ONE}]'
        self.assertEqual(client.post(text, "b" + b64encode(data).decode()), 200)
        self.assertEqual(client.receive(), f"461-9[{ONE}]")
        self.assertEqual(b64decode(client.receive()[1:]), data)

    def test_polling_offenders_are_closed(self):
        client = PollingClient(self.echo.url)
        client.post('42["message"]')
        while (packet := client.receive()) is not None:
            self.assertIn(packet, ("1", "6"))

    def test_upgrading_keeps_the_namespaces(self):
        polling = PollingClient(self.echo.url)
        polling.post("40", "40/custom")
        for start in ('40{"sid":', '42["auth",{}]', '40/custom,{"sid":', '42/custom,["auth",{}]'):
            self.assertTrue(polling.receive().startswith(start))
        client = WebSocketClient(self.echo.url, f"EIO=4&sid={polling.sid}")
        self.addCleanup(client.close)
        client.send_engine("2probe")
        self.assertEqual(client.receive_engine(), "3probe")
        polling.post('42["message","before"]')
        client.send_engine("5")
        client.send('2/custom,["message","after"]')
        self.assertHears(client, '2["message-back","before"]', '2/custom,["message-back","after"]')


class SocketIo2Clients(Case):
    """Socket.IO protocol 4 over Engine.IO 3."""

    def test_are_in_the_main_namespace_unasked(self):
        client = self.connect(query="EIO=3")
        self.assertHears(client, "0", '2["auth",{}]')
        self.assertAlive(client)
        self.assertClosed(self.connect("0", query="EIO=3"))

    def test_join_others_with_a_query(self):
        client = self.connect("0/custom?token=a%20b&uid=,", query="EIO=3")
        self.assertHears(client, "0", '2["auth",{}]')
        self.assertHears(client, "0/custom,", '2/custom,["auth",{"token":"a b","uid":""}]')

    def test_get_errors_as_a_string(self):
        client = self.connect("0/random,", query="EIO=3")
        self.assertHears(client, "0", '2["auth",{}]', '4/random,"Invalid namespace"')
        self.assertAlive(client)

    def test_exchange_attachments_and_acknowledgments(self):
        client = self.connect(f'51-7["message-with-ack",{ONE}]', b"\x04\x01", query="EIO=3")
        self.assertHears(client, "0", '2["auth",{}]', f"61-7[{ONE}]", b"\x04\x01")


class EveryCase(Joining, Leaving, Messages, Offences, Transports, SocketIo2Clients):
    pass


class FastHeartbeat(EveryCase, SynchronousTestCase):
    OPTIONS = ("--eio3", "--ping-interval", "300", "--ping-timeout", "20000")


class DefaultHeartbeat(EveryCase, SynchronousTestCase):
    OPTIONS = ("--eio3", "--ping-interval", "25000", "--ping-timeout", "20000")
