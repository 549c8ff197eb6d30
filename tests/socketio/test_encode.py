from datetime import UTC, datetime

from twisted.trial.unittest import SynchronousTestCase

from gateway.socketio import encode
from gateway.socketio.packet import RESERVED


def sent(record):
    return [packet.data if packet.binary else packet.data.decode() for packet in record.packets]


class Encoding(SynchronousTestCase):
    def test_of_each_type(self):
        for record, packets in (
            (encode.connect("/", {"sid": "a"}), ['40{"sid":"a"}']),
            (encode.connect("/admin"), ["40/admin,"]),
            (encode.connect_error("/", {"message": "no"}), ['44{"message":"no"}']),
            (encode.connect_error("/admin", "no"), ['44/admin,"no"']),
            (encode.disconnect("/"), ["41"]),
            (encode.disconnect("/admin"), ["41/admin,"]),
            (encode.event("/", "a", [1, None, "é"]), ['42["a",1,null,"é"]']),
            (encode.event("/admin", "a", [], 0), ['42/admin,0["a"]']),
            (encode.event("/", 5, []), ["42[5]"]),
            (encode.ack("/", 12, []), ["4312[]"]),
            (encode.ack("/admin", 12, ({},)), ["43/admin,12[{}]"]),
        ):
            self.assertEqual(sent(record), packets)

    def test_takes_bytes_out_in_order_wherever_they_are(self):
        record = encode.event("/n", "a", [b"1", {"x": [bytearray(b"2"), 3]}, memoryview(b"")], 7)
        self.assertEqual(
            sent(record),
            [
                '453-/n,7["a",{"_placeholder":true,"num":0},'
                '{"x":[{"_placeholder":true,"num":1},3]},{"_placeholder":true,"num":2}]',
                b"1",
                b"2",
                b"",
            ],
        )
        self.assertEqual(
            sent(encode.ack("/", 7, [b"x"])), ['461-7[{"_placeholder":true,"num":0}]', b"x"]
        )

    def test_never_says_what_clients_refuse(self):
        for name in RESERVED:
            with self.assertRaises(ValueError):
                encode.event("/", name, [])
        encode.event("/", "a", [b""] * 10)
        with self.assertRaises(ValueError):
            encode.event("/", "a", [b""] * 11)
        with self.assertRaises(TypeError):
            encode.ack("/", 1, [object()])
        self.assertEqual(sent(encode.event("/", "a", [float("nan")])), ['42["a",null]'])

    def test_knows_times(self):
        noon = datetime(2024, 2, 25, 12, tzinfo=UTC)
        self.assertEqual(
            sent(encode.event("/", "a", [noon])), ['42["a","2024-02-25T12:00:00+00:00"]']
        )
