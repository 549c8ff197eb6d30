import gc
import json
import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.socketio.errors import ParseError
from gateway.socketio.strict import MAX_DEPTH, MAX_LARGE, depth, loads, parse
from tests.socketio.properties import examples
from tests.untraced import untraced

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)

UNFIT = ["NaN", "Infinity", "-Infinity", "1e400", "-1E+999", "1e0000400", "9" * 400, "10e308"]
FIT = ["0", "-0", "1.0", "1e5", "1E-400", "1e308", "12345678901234567890123", "0.1e309", "9" * 300]


def _string(text):
    return json.dumps(text)


def _leaf(text, clean=None):
    return (text, text) if clean is None else (text, clean)


def _array(items):
    return tuple("[" + ", ".join(item[side] for item in items) + "]" for side in (0, 1))


def _object(members):
    return tuple(
        "{" + ",".join(f"{key}:{value[side]}" for key, value in members) + "}" for side in (0, 1)
    )


TRICKY = st.sampled_from(
    ['NaN"', "\\", '\\"', "Infinity", "1e400", "\ud800", "\U0001f600", "[{", "é"]
)
STRINGS = st.builds(_string, st.text() | TRICKY | st.lists(TRICKY).map("".join))
DIRTY = st.recursive(
    st.builds(_leaf, STRINGS | st.sampled_from([*FIT, "true", "null"]))
    | st.builds(_leaf, st.sampled_from(UNFIT), st.just("null")),
    lambda inner: (
        st.builds(_array, st.lists(inner, max_size=4))
        | st.builds(_object, st.lists(st.tuples(STRINGS, inner), max_size=4))
    ),
    max_leaves=20,
)


def reference_depth(value):
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(reference_depth, value), default=0) if isinstance(value, list) else 0


def reject_constant(name):
    raise AssertionError(f"{name} is no JSON")


class ValidText(SynchronousTestCase):
    @untraced
    @examples(100)
    @given(JSON, st.booleans())
    def test_is_not_touched(self, value, ascii):
        text = json.dumps(value, ensure_ascii=ascii).encode()
        found = loads(text)
        self.assertEqual((found.text, found.repaired), (text, 0))

    def test_keeps_numbers_as_written(self):
        for number in FIT:
            text = f"[{number}]".encode()
            self.assertEqual((loads(text).text, loads(text).repaired), (text, 0), number)

    def test_keeps_duplicate_keys_and_blanks(self):
        text = b'{"a": 1,\n"a" :2} '
        self.assertEqual(loads(text), (text, {"a": 2}, 0))

    def test_keeps_lone_surrogate_escapes_and_reads_them_as_replacement_characters(self):
        for text, value in {
            rb'["\ud800"]': ["\ufffd"],
            rb'["\uDFFFx\uD83D\uDE00\ud83d"]': ["\ufffdx\U0001f600\ufffd"],
            rb'["\ud800\ud800\udc00\udc00"]': ["\ufffd\U00010000\ufffd"],
            rb'["\ud800\\udc00\\\udc00"]': ["\ufffd\\udc00\\\ufffd"],
            rb'{"\ud800":1}': {"\ufffd": 1},
        }.items():
            self.assertEqual(loads(text), (text, value, 0))


class InvalidText(SynchronousTestCase):
    def test_is_refused(self):
        for text in (
            b"", b"[", b"[1,]", b"[1 2]", b"{1:2}", b"[01]", b"[.5]", b"[1.]", b"[+1]", b"['a']",
            b"[nan]", b"[-NaN]", b"[+Infinity]", b"[NaNNaN]", b"[1NaN]", b"[Infinit]", b"[N]",
            b"[01e400]", b"[1e400.5]", b"[1e400x]", b"[x1e400]", b"[1e]", b"NaN NaN", b'["\n"]',
            b'["\xff"]', b'["\xed\xa0\x80"]', b"\xef\xbb\xbf[]", b'["NaN]', b'["\\', b'["\\x"]',
            b"[\\ud800]", b'["\\u12"]', "[\u0663]".encode(), "[1\u0663]".encode(), b"[1]]",
            b"[undefined]", b"[-]",
        ):  # fmt: skip
            with self.assertRaises(ParseError, msg=repr(text)):
                loads(text)

    @examples(300)
    @given(st.binary() | st.text(alphabet='[]{}",:\\ud8NaInfity019eE+-. ').map(str.encode))
    def test_raises_only_parse_errors(self, text):
        try:
            found = loads(text)
        except ParseError:
            return
        json.loads(found.text, parse_constant=reject_constant)
        self.assertEqual(loads(found.text), (found.text, found.value, 0))


class Repair(SynchronousTestCase):
    def test_turns_what_receivers_would_refuse_into_null(self):
        for token in UNFIT:
            self.assertEqual(loads(f"[{token}]".encode()), (b"[null]", [None], 1), token)

    def test_counts_what_it_replaced(self):
        found = loads(b'["t",{"a":NaN, "b":[-Infinity,1e400]}]')
        self.assertEqual(found, (b'["t",{"a":null, "b":[null,null]}]', found.value, 3))

    def test_leaves_strings_alone(self):
        text = rb'["NaN","\"NaN","\\",NaN,"-Infinity\\\"1e400"]'
        self.assertEqual(loads(text).text, text.replace(b",NaN,", b",null,"))

    @untraced
    @examples(300)
    @given(DIRTY)
    def test_changes_nothing_else(self, texts):
        dirty, clean = texts
        found = loads(dirty.encode())
        self.assertEqual(found.text.decode(), clean)
        tokens = re.compile(r'"(?:[^"\\]|\\.)*"|null')
        nulls = [tokens.findall(text).count("null") for text in texts]
        self.assertEqual(found.repaired, nulls[1] - nulls[0])

    def test_of_a_text_full_of_escapes_unclosed_strings_and_signs_ends(self):
        for text in (b'["' + b'\\"' * 200000, b'["' + b"\\" * 199999, b"-" * 200000, b"0" * 200000):
            with self.assertRaises(ParseError):
                loads(text)


class Nesting(SynchronousTestCase):
    def nest(self, levels, inner=b"", *, brackets=(b"[", b"]")):
        return brackets[0] * levels + inner + brackets[1] * levels

    def test_of_128_levels_passes(self):
        for inner in (b"", b"NaN", rb'"\ud800"'):
            loads(self.nest(128, inner))

    def test_passes_up_to_the_limit(self):
        loads(self.nest(MAX_DEPTH))
        for levels in (MAX_DEPTH + 1, 1023, 1025, 100_000):
            with self.assertRaises(ParseError):
                loads(self.nest(levels))
            with self.assertRaises(ParseError):
                loads(self.nest(levels, b"1", brackets=(b'{"":', b"}")))

    def test_that_is_never_closed_is_refused(self):
        for text in (b"[" * 1_000_000, b'{"":' * 250_000, b"]" * 1000, b"[" * 300 + b"NaN"):
            with self.assertRaises(ParseError):
                loads(text)

    def test_counts_no_brackets_in_strings_and_no_siblings(self):
        loads(b'["' + b"[" * 1000 + b'","\\"' + b"{" * 1000 + b'"]')
        loads(b"[" + b"[{}]," * 1000 + b"[]]")

    @untraced
    @examples(200)
    @given(JSON | st.lists(TRICKY))
    def test_depth_is_that_of_the_value(self, value):
        self.assertEqual(depth(json.dumps(value).encode()), reference_depth(value))


class Cost(SynchronousTestCase):
    """Of what is in a text, nothing makes it much dearer than another of its size."""

    def test_the_collector_rests_while_a_large_text_is_parsed(self):
        collections = []

        def count(phase, info):
            collections.append(phase)

        text = b"[" + b"[]," * 100_000 + b"0]"
        gc.collect()
        gc.callbacks.append(count)
        try:
            value = parse(text)
        finally:
            gc.callbacks.remove(count)
        self.assertEqual(len(value), 100_001)
        self.assertLessEqual(len(collections), 4)
        self.assertTrue(gc.isenabled())

    def test_a_collector_that_is_off_stays_off(self):
        gc.disable()
        try:
            parse(b"[" + b"[]," * 10_000 + b"0]")
            self.assertFalse(gc.isenabled())
        finally:
            gc.enable()

    def test_numbers_too_large_have_a_bound(self):
        few = b"[" + b"1e999," * MAX_LARGE + b"0]"
        self.assertEqual(loads(few).repaired, MAX_LARGE)
        self.assertRaises(ParseError, loads, b"[1e999," + few[1:])

    def test_words_have_none(self):
        many = b"[" + b"NaN," * 3 * MAX_LARGE + b"0]"
        self.assertEqual(loads(many).repaired, 3 * MAX_LARGE)
