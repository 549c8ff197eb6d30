import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.forms import POLLING4
from gateway.relay.recovery import WithOffset
from tests.engineio.world import frames
from tests.relay.parts import WEBSOCKET, event, record

FORM = WithOffset(WEBSOCKET)


def encoded(*records):
    return [packet.data for packet in frames(FORM.encode(records))]


def at(position, *args, **more):
    made = event(*args, **more)
    made.epoch, made.position = "E", position
    return made


class WithOffsetTests(SynchronousTestCase):
    def test_the_offset_is_the_last_argument(self):
        self.assertEqual(
            encoded(at(7, '42["a",1]'), at(12, '42["b"]')), [b'42["a",1,"E-7"]', b'42["b","E-12"]']
        )

    def test_blanks_after_the_array(self):
        self.assertEqual(encoded(at(1, '42["a" ] \r\n\t')), [b'42["a" ,"E-1"]'])

    def test_attachments_follow_untouched(self):
        text = '451-["a",{"_placeholder":true,"num":0}]'
        self.assertEqual(
            encoded(at(3, text, attachments=[b"]"])),
            [b'451-["a",{"_placeholder":true,"num":0},"E-3"]', b"]"],
        )

    def test_events_with_an_ack_id_and_what_is_no_event_carry_none(self):
        self.assertEqual(encoded(at(3, '421["a"]', acked=True)), [b'421["a"]'])
        self.assertEqual(encoded(record('40{"sid":"x"}')), [b'40{"sid":"x"}'])

    def test_others_still_get_the_event_as_it_was(self):
        made = at(3, '42["a"]')
        encoded(made)
        self.assertEqual(WEBSOCKET.encode([made]), b'\x81\x0742["a"]')

    def test_it_stands_for_its_form(self):
        form = WithOffset(POLLING4)
        self.assertEqual(form.max_packets, 16)
        self.assertEqual(
            form.encode([at(0, '42["a"]'), at(1, '42["b"]')]), b'42["a","E-0"]\x1e42["b","E-1"]'
        )
        self.assertNotEqual(form.key, POLLING4.key)
        self.assertNotEqual(form.key, FORM.key)

    @settings(deadline=None, max_examples=50)
    @given(
        st.lists(
            st.recursive(
                st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
                st.lists,
                max_leaves=5,
            )
        ),
        st.integers(0, 10**15),
    )
    def test_whatever_the_arguments_are(self, arguments, position):
        payload = orjson.dumps(["name", *arguments], option=orjson.OPT_INDENT_2).decode()
        (text,) = encoded(at(position, "42" + payload))
        self.assertEqual(orjson.loads(text[2:]), ["name", *arguments, f"E-{position}"])
