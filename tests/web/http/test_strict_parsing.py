"""Requests that could be understood in two ways, or are too large: refused, over real sockets."""

import orjson
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.web.site import MAX_PAYLOAD, Memory, SocketTestCase, build_site

POST = b"POST /socket.io/ HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


def chunks(count: int, size: int) -> bytes:
    return (b"%x\r\n" % size + b"a" * size + b"\r\n") * count


GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"

SMUGGLING = {
    "length, then coding": POST
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding, then length": POST
    + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two equal lengths": POST + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 1\r\ncontent-length: 0\r\n\r\n",
    "a list of lengths": POST + b"Content-Length: 0, 0\r\n\r\n",
    "a sign": POST + b"Content-Length: +0\r\n\r\n",
    "a negative length": POST + b"Content-Length: -1\r\n\r\n",
    "a hexadecimal length": POST + b"Content-Length: 0x0\r\n\r\n",
    "an empty length": POST + b"Content-Length:\r\n\r\n",
    "a length with digits of another script": POST + b"Content-Length: \xd9\xa1\r\n\r\n",
    "a length of 5000 digits": POST + b"Content-Length: " + b"0" * 5000 + b"\r\n\r\n",
    "identity": POST + b"Transfer-Encoding: identity\r\n\r\n",
    "identity and a length": POST + b"Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n",
    "two codings": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked in a list": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": POST
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a coding behind a vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "an empty coding": POST + b"Transfer-Encoding:\r\n\r\n",
    "a coding in HTTP/1.0": CHUNKED.replace(b"1.1", b"1.0") + b"0\r\n\r\n",
    "a prefixed chunk size": CHUNKED + b"0x0\r\n\r\n",
    "a signed chunk size": CHUNKED + b"+0\r\n\r\n",
    "a negative chunk size": CHUNKED + b"-1\r\n\r\n",
    "an underscore in a chunk size": CHUNKED + b"1_0\r\n\r\n",
    "space before a chunk size": CHUNKED + b" 0\r\n\r\n",
    "space after a chunk size": CHUNKED + b"0 \r\n\r\n",
    "no chunk size": CHUNKED + b"\r\n\r\n",
    "a chunk size past 64 bits": CHUNKED + b"f" * 17 + b"\r\n",
    "a chunk size of hundreds of digits": CHUNKED + b"f" * 500 + b"\r\n",
    "a chunk size that never ends": CHUNKED + b"0" * 2000,
    "a bare line feed after a chunk size": CHUNKED + b"0\n\r\n\r\n",
    "a bare line feed in an extension": CHUNKED + b"0;a\nb\r\n\r\n",
    "a chunk longer than its size": CHUNKED + b"1\r\nab\r\n0\r\n\r\n",
    "a bare line feed in a trailer": CHUNKED + b"0\r\nA: b\nC: d\r\n\r\n",
    "a request as a trailer": CHUNKED + b"0\r\nGET /health HTTP/1.1\r\n\r\n",
    "bare line feeds only": GET.replace(b"\r\n", b"\n") + b"\n",
    "a bare line feed between headers": GET + b"A: b\nC: d\r\n\r\n",
    "a bare line feed after the request line": b"GET / HTTP/1.1\nHost: localhost\r\n\r\n",
    "a carriage return in a value": GET + b"A: b\rC: d\r\n\r\n",
    "a carriage return in the request line": b"GET /\r HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a folded header": GET + b"A: b\r\n c\r\n\r\n",
    "a folded header, by a tab": GET + b"A: b\r\n\tc\r\n\r\n",
    "a folded first header": b"GET / HTTP/1.1\r\n A: b\r\nHost: localhost\r\n\r\n",
    "space before a colon": GET + b"A : b\r\n\r\n",
    "a tab before a colon": GET + b"A\t: b\r\n\r\n",
    "NUL in a value": GET + b"A: b\x00c\r\n\r\n",
    "NUL in a name": GET + b"A\x00: b\r\n\r\n",
    "no colon": GET + b"Abc\r\n\r\n",
    "no name": GET + b": b\r\n\r\n",
    "a bracket in a name": GET + b"A(b): c\r\n\r\n",
    "no Host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two Hosts": GET + b"Host: localhost\r\n\r\n",
    "two different Hosts": GET + b"HOST: evil.net\r\n\r\n",
    "two Hosts in HTTP/1.0": GET.replace(b"1.1", b"1.0") + b"Host: localhost\r\n\r\n",
    "HTTP/0.9": b"GET /healthz\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "http in lower case": b"GET /healthz http/1.1\r\nHost: localhost\r\n\r\n",
    "two spaces": b"GET  /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a proxy's request": b"GET http://evil.net/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a tunnel": b"CONNECT evil.net:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a path of other bytes": b"GET /caf\xc3\xa9 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "DEL in a path": b"GET /\x7f HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a method that is none": b"GE(T / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "garbage": b"\x16\x03\x01\x00\xa5\x01\r\n\r\n",
}
TOO_LARGE = {
    "a long URL": (414, b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "a URL without an end": (414, b"GET /" + b"a" * 40_000),
    "many headers": (431, GET + b"A: b\r\n" * 120 + b"\r\n"),
    "large headers": (431, GET + (b"A: " + b"b" * 9000 + b"\r\n") * 2 + b"\r\n"),
    "a header without an end": (431, GET + b"A: " + b"b" * 40_000),
    "a large body for an engine": (413, POST + b"Content-Length: %d\r\n\r\n" % (MAX_PAYLOAD + 1)),
    "a large body for a route": (
        413,
        b"POST /set-sj-key HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65537\r\n\r\n",
    ),
    "a body for an unknown path": (
        413,
        b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n",
    ),
    "a chunk larger than all may be": (413, CHUNKED + b"ffffff\r\n"),
    "a thousand chunks of a byte": (413, CHUNKED + chunks(1033, 1)),
    "chunks that sum up": (413, CHUNKED + (b"4000\r\n" + b"a" * 0x4000 + b"\r\n") * 7),
}


def head_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[0]


class RefusalTests(SocketTestCase):
    """Each test opens one connection for each row, all at once."""

    async def answers(self, requests: dict[str, bytes]) -> dict[str, bytes]:
        port = self.listen()
        recorders = {}
        for name, request in requests.items():
            recorders[name] = await self.connect(port)
            # What follows would be the smuggled request.
            recorders[name].transport.write(request + GET + b"\r\n")
        for recorder in recorders.values():
            await recorder.closed
        return {name: recorder.received for name, recorder in recorders.items()}

    def assert_refused(self, name: str, answer: bytes, status: int) -> None:
        head, _, body = answer.partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 %d " % status), f"{name}: {answer!r}")
        self.assertIn(b"\r\nConnection: close", head, name)
        self.assertEqual(answer.count(b"HTTP/1.1 "), 1, f"{name}: {answer!r}")
        self.assertIn(list(orjson.loads(body)), (["error"], ["code", "message"]), name)

    async def test_what_could_be_understood_in_two_ways(self) -> None:
        for name, answer in (await self.answers(SMUGGLING)).items():
            self.assert_refused(name, answer, 400)
        self.assertEqual(self.control.calls, [])

    async def test_what_is_too_large(self) -> None:
        answers = await self.answers({name: request for name, (_, request) in TOO_LARGE.items()})
        for name, answer in answers.items():
            self.assert_refused(name, answer, TOO_LARGE[name][0])

    async def test_a_page_may_read_that_its_body_is_too_large(self) -> None:
        request = POST + b"Origin: http://localhost:3000\r\nContent-Length: 999999\r\n\r\n"
        answer = await self.send(self.listen(), request)
        self.assertIn(b"\r\nAccess-Control-Allow-Origin: http://localhost:3000\r\n", answer)

    async def test_the_answer_arrives_while_the_body_is_still_being_sent(self) -> None:
        """Closing at once would reset the connection, and the answer be lost."""
        body = b"x" * 3_000_000
        request = POST + b"Content-Length: %d\r\n\r\n" % len(body)
        answer = await self.send(self.listen(), request + body)
        self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer)


BAD_ENDS = {
    "LF after a chunk size": CHUNKED + b"5\n",
    "LF after a chunk size, and the chunk": CHUNKED + b"5\nhello\n0\n\n",
    "CR after a chunk size": CHUNKED + b"5\rhello",
    "LF in an extension": CHUNKED + b"5;name=value\n",
    "LF after a chunk": CHUNKED + b"5\r\nhello\n",
    "anything after a chunk": CHUNKED + b"5\r\nhello0",
    "LF after the last size": CHUNKED + b"0\n",
    "LF instead of trailers": CHUNKED + b"0\r\n\n",
    "LF after a trailer": CHUNKED + b"0\r\nX-Sum: 1\n",
    "CR in a trailer": CHUNKED + b"0\r\nX-Sum: 1\rY",
    "LF after a header": GET + b"A: b\n",
    "CR in a header": GET + b"A: b\rC",
    "CR in the request line": b"GET /healthz\rHTTP/1.1",
}


class AtOnceTests(SynchronousTestCase):
    """A wrong end of a line is refused when it comes, not when the time is up."""

    def test_whatever_follows(self) -> None:
        for name, request in BAD_ENDS.items():
            clock = Clock()
            answer = Memory(build_site(clock), clock).send(request)
            self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), f"{name}: {answer!r}")

    def test_byte_by_byte(self) -> None:
        for name, request in BAD_ENDS.items():
            clock = Clock()
            connection = Memory(build_site(clock), clock)
            answer = b"".join(connection.send(bytes((byte,))) for byte in request)
            self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), f"{name}: {answer!r}")

    def test_values_are_looked_at_here_whatever_twisted_lets_pass(self) -> None:
        from twisted.web.http import HTTPChannel

        self.patch(HTTPChannel, "headerReceived", lambda channel, line: True)
        for byte in b"\x00", b"\r", b"\n":
            clock = Clock()
            answer = Memory(build_site(clock), clock).send(GET + b"A: b" + byte + b"c\r\n\r\n")
            self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), f"{byte!r}: {answer!r}")


class AcceptanceTests(SynchronousTestCase):
    """What is fine, however it is cut."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.connection = Memory(build_site(self.clock), self.clock)

    def test_fine_requests(self) -> None:
        for name, request, body in (
            ("a length", POST + b"Content-Length: 3\r\n\r\nabc", b"abc"),
            ("a length with zeros", POST + b"Content-Length: 003\r\n\r\nabc", b"abc"),
            ("chunks", CHUNKED + b"1\r\na\r\n2;x=y\r\nbc\r\n0\r\n\r\n", b"abc"),
            ("as many chunks as fit", CHUNKED + chunks(1000, 1) + b"0\r\n\r\n", b"a" * 1000),
            ("larger ones", CHUNKED + chunks(3000, 32) + b"0\r\n\r\n", b"a" * 96_000),
            ("a trailer", CHUNKED + b"3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n", b"abc"),
            ("no length", POST + b"\r\n", b""),
            ("an empty line first", b"\r\n" + POST + b"Content-Length: 1\r\n\r\na", b"a"),
            ("a coding in capitals", CHUNKED.replace(b"chunked", b"Chunked") + b"0\r\n\r\n", b""),
            (
                "exactly the limit",
                POST + b"Content-Length: %d\r\n\r\n" % MAX_PAYLOAD + b"x" * MAX_PAYLOAD,
                b"x" * MAX_PAYLOAD,
            ),
        ):
            answer = self.connection.send(request)
            self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), f"{name}: {head_of(answer)!r}")
            self.assertTrue(answer.endswith(b"\r\n\r\n" + body), name)

    def test_one_byte_at_a_time(self) -> None:
        request = CHUNKED + b"3\r\nabc\r\n0\r\nX: y\r\n\r\n"
        answer = b"".join(self.connection.send(bytes((byte,))) for byte in request)
        self.assertTrue(answer.endswith(b"\r\n\r\nabc"), answer)

    def test_without_a_host_in_http_1_0(self) -> None:
        """What old health checks send; no browser does."""
        answer = self.connection.send(b"GET /health HTTP/1.0\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.0 200 "), answer)
        self.assertTrue(self.connection.is_closing)

    def test_close_among_other_options(self) -> None:
        for options in (
            b"TE,close",
            b"close, TE",
            b"Close",
            b" ,\tCLOSE ,",
            b"a\r\nConnection: close",
        ):
            self.setUp()
            answer = self.connection.send(2 * (GET + b"Connection: " + options + b"\r\n\r\n"))
            self.assertEqual(answer.count(b"HTTP/1.1 200 "), 1, options)
            self.assertIn(b"\r\nConnection: close\r\n", answer, options)
            self.assertTrue(self.connection.is_closing, options)

    def test_what_is_not_close(self) -> None:
        for options in (b"keep-alive", b"closed", b"", b"a close-b"):
            answer = self.connection.send(2 * (GET + b"Connection: " + options + b"\r\n\r\n"))
            self.assertEqual(answer.count(b"HTTP/1.1 200 "), 2, options)

    def test_a_body_is_invited_only_where_it_would_be_taken(self) -> None:
        expecting = POST + b"Expect: 100-continue\r\n"
        fine = self.connection.send(expecting + b"Content-Length: 3\r\n\r\n")
        self.assertEqual(fine, b"HTTP/1.1 100 Continue\r\n\r\n")
        self.connection.send(b"abc")
        large = self.connection.send(expecting + b"Content-Length: 999999\r\n\r\n")
        self.assertTrue(large.startswith(b"HTTP/1.1 413 "), large)


TOKEN = b"!#$%&'*+-.^_`|~09AZaz"
FINE = {
    "a probe": GET + b"\r\n",
    "HEAD": GET.replace(b"GET", b"HEAD") + b"\r\n",
    "a query": GET.replace(b"/healthz", b"/healthz?a=%20&b") + b"\r\n",
    "a path that is none": GET.replace(b"/healthz", b"/\\~{}") + b"\r\n",
    "an odd name": GET + TOKEN + b": a\r\n\r\n",
    "an empty value": GET + b"A:\r\nB: \t\r\n\r\n",
    "other bytes in a value": GET + b"A: \t caf\xc3\xa9\xff \t\r\n\r\n",
    "DEL in a value": GET + b"A: b\x7f\r\n\r\n",
    "a bell in a value": GET + b"A: b\x07\r\n\r\n",
    "an Origin of another page": GET + b"oRIGIN: https://evil.net\r\n\r\n",
    "two Origins": GET + b"Origin: http://localhost\r\nOrigin: http://localhost\r\n\r\n",
    "close": GET + b"Connection: close\r\n\r\n",
    "a body of a GET": GET + b"content-LENGTH: 3\r\n\r\nabc",
    "chunks of a GET": GET + b"transfer-ENCODING: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "a length between others": GET + b"A: b\r\nContent-Length: 1\r\nC: d\r\n\r\na",
    "a name that only begins like a length": GET + b"Content-Length-X: 3\r\n\r\n",
    "Expect": GET + b"Expect: 100-continue\r\n\r\n",
    "HTTP/1.0": GET.replace(b"1.1", b"1.0") + b"\r\n",
    "an empty line first": b"\r\n" + GET + b"\r\n",
    "two empty lines first": b"\r\n\r\n" + GET + b"\r\n",
    "three at once": 3 * (GET + b"\r\n"),
    "a body between": POST + b"Content-Length: 1\r\n\r\na" + GET + b"\r\n",
}


class CutTests(SynchronousTestCase):
    """A plain head that comes as a whole is taken at once: it must mean what it means in pieces."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.site = build_site(self.clock)

    def answers(self, request: bytes, size: int) -> bytes:
        connection = Memory(self.site, self.clock)
        pieces = [request[at : at + size] for at in range(0, len(request), size)]
        return b"".join(map(connection.send, pieces))

    def assert_same(self, name: str, request: bytes) -> None:
        follows = request + GET + b"\r\n"  # what would be smuggled
        self.assertEqual(self.answers(follows, len(follows)), self.answers(follows, 1), name)

    def test_whatever_is_sent(self) -> None:
        sent = {name: request for name, (_, request) in TOO_LARGE.items() if len(request) < 4096}
        for name, request in {**FINE, **SMUGGLING, **BAD_ENDS, **sent}.items():
            self.assert_same(name, request)

    def test_each_byte_at_each_place(self) -> None:
        head = b"GET / HTTP/1.1\r\nHost: a\r\nTE: b\r\n\r\n"
        for at in range(len(head)):
            for byte in b"\x00\n\r :\xff":
                changed = bytearray(head)
                changed[at] = byte
                self.assert_same(f"{bytes(changed)!r}", bytes(changed))

    def test_numbers_and_sizes_at_their_bounds(self) -> None:
        for count in (98, 99, 100):
            self.assert_same(f"{count} more headers", GET + b"A: b\r\n" * count + b"\r\n")
        for size in (8191 - len(GET), 16384 - len(GET) - 200, 16384 - len(GET), 17000):
            large = (b"A: " + b"b" * (size // 2) + b"\r\n") * 2
            request = GET + large + b"\r\n"
            cut = self.answers(request, 1000)
            self.assertEqual(self.answers(request, len(request))[:12], cut[:12], str(size))

        for size in (8191, 8192, 8193):
            request = GET.replace(
                b"/healthz", b"/healthz?" + b"q" * (size - len("GET /healthz? HTTP/1.1"))
            )
            self.assert_same(f"a line of {size}", request + b"\r\n")

    def test_a_cut_at_the_end_of_any_line(self) -> None:
        for name, request in {**FINE, **SMUGGLING, **BAD_ENDS}.items():
            lines = request.split(b"\r\n")
            whole = self.answers(request, len(request))
            for end in range(1, len(lines)):
                connection = Memory(self.site, self.clock)
                first = b"\r\n".join(lines[:end]) + b"\r\n"
                answers = connection.send(first) + connection.send(request[len(first) :])
                self.assertEqual(answers, whole, (name, end))

    def test_a_head_within_another_one_is_none(self) -> None:
        plain = GET + b"\r\n"
        for begun in (GET, b"GET / HTTP/1.1\r\n", POST, POST + b"Content-Length: 100\r\n\r\n"):
            connection = Memory(self.site, self.clock)
            answers = connection.send(begun) + connection.send(plain)
            self.assertNotIn(b"HTTP/1.1 200 ", answers)

    def test_a_plain_head_is_taken_without_looking_at_its_lines(self) -> None:
        from twisted.web.http import HTTPChannel

        self.patch(HTTPChannel, "lineReceived", lambda *_: self.fail("line by line"))
        connection = Memory(self.site, self.clock)
        for _ in range(2):
            answer = connection.send(2 * (GET + b"Accept: */*\r\nConnection: x, y\r\n\r\n"))
            self.assertEqual(answer.count(b"HTTP/1.1 200 "), 2)
