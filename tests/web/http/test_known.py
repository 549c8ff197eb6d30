"""Requests that come again on their connection."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.web.http.known import KnownRequest

NOBODY: Any = None


def head(target: str, rest: str = "Host: localhost\r\nAccept: */*\r\n\r\n") -> bytes:
    return f"GET {target} HTTP/1.1\r\n{rest}".encode()


class KnownRequestTests(SynchronousTestCase):
    def equals(self, known: bytes, data: bytes) -> bool:
        return KnownRequest(known, 1, NOBODY).equals(data)

    def test_only_the_same_bytes_are_the_same_request(self) -> None:
        known = head("/socket.io/?EIO=4&transport=polling&sid=abc")
        self.assertTrue(self.equals(known, bytes(bytearray(known))))
        self.assertFalse(self.equals(known, known + known))
        self.assertFalse(self.equals(known, known[:-1]))
        self.assertFalse(self.equals(known, b""))
        for index, byte in enumerate(known):
            changed = known[:index] + bytes((byte ^ 1,)) + known[index + 1 :]
            self.assertFalse(self.equals(known, changed), changed)

    def test_the_time_stamp_may_be_another_one(self) -> None:
        for before, after in (
            ("/socket.io/?EIO=4&transport=polling&t=", "&sid=abc"),
            ("/socket.io/?t=", "&sid=abc"),
            ("/socket.io/?sid=abc&t=", ""),
        ):
            known = head(f"{before}PcB3f.0{after}")
            for stamp in ("PcB3f.1", "1", "1732969200.123", "x" * 64):
                self.assertTrue(self.equals(known, head(before + stamp + after)), stamp)
            for stamp in ("", "x" * 65, "1&sid=def", "1%20", "1 HTTP/1.1\r\nHost:x\r\n\r\n", "1#"):
                self.assertFalse(self.equals(known, head(before + stamp + after)), stamp)
            more = head(before + "2" + after)
            self.assertFalse(self.equals(known, more + more))
            self.assertFalse(self.equals(known, more[:-2]))
            self.assertFalse(self.equals(known, more.replace(b"GET", b"HEAD")))
            self.assertFalse(self.equals(known, more.replace(b"localhost", b"localhosd")))

    def test_what_only_looks_like_a_time_stamp_is_none(self) -> None:
        for target, other in (
            ("/t=1?sid=abc", "/t=2?sid=abc"),
            ("/&t=1?sid=abc", "/&t=2?sid=abc"),
            ("/?sid=abc&at=1", "/?sid=abc&at=2"),
            ("/?sid=abc", "/?sid=abd"),
        ):
            self.assertFalse(self.equals(head(target), head(other)), target)
        known = head("/?sid=abc", "Host: x\r\nReferer: http://x/?t=1&y\r\n\r\n")
        self.assertFalse(self.equals(known, known.replace(b"?t=1", b"?t=2")))

    def test_the_end_of_the_one_is_not_the_beginning_of_the_other(self) -> None:
        known = head("/?t=1&t=1")
        self.assertFalse(self.equals(known, known.replace(b"&t=1", b"", 1)))
