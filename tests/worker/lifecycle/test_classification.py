"""What a failure is, by the worker's words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.lifecycle import classification as c

TOLD = {
    "{'status_code': 451, 'detail': 'Too Many Connections.'}": c.TOO_MANY,
    "login: status_code=451": c.TOO_MANY,
    "RuntimeError: Too many connections": c.TOO_MANY,
    "登入失敗：連線數已超過上限": c.TOO_MANY,
    "shioaji.error.SystemMaintenance: (503, 'Service is under maintenance.')": c.BAN,
    "StatusCode: 503, Detail: Service is under maintenance.": c.BAN,
    "StatusCode: 451, Detail: Too Many Connections.": c.TOO_MANY,
    "StatusCode: 503, please wait one minute before logging in again": c.BAN,
    '{"status_code": "503"}': c.BAN,
    "login failed (503)": c.BAN,
    "錯誤代碼：503": c.BAN,
    "請於一分鐘後再重新登入": c.BAN,
    "daily login limit exceeded": c.QUOTA,
    "流量超過限制": c.QUOTA,
    "shioaji.error.TokenError: Token doesn't exist": c.AUTHENTICATION,
    "ValueError: invalid api_key": c.AUTHENTICATION,
    "Sign data is timeout": c.AUTHENTICATION,
    "憑證密碼錯誤": c.AUTHENTICATION,
    "TypeError: login() got an unexpected keyword argument 'fetch_contract'": c.VERSION,
    "TypeError: Shioaji.login() missing 1 required positional argument: 'secret_key'": c.VERSION,
    "AttributeError: 'Shioaji' object has no attribute 'Contracts'": c.VERSION,
    "ImportError: cannot import name 'BidAskFOPv1' from 'shioaji'": c.VERSION,
    "ModuleNotFoundError: No module named 'shioaji'": c.DEPENDENCY,
    "ImportError: libstdc++.so.6: cannot open shared object file": c.DEPENDENCY,
    "shioaji.error.SystemMaintenance": c.MAINTENANCE,
    "系統維護中": c.MAINTENANCE,
    "ConnectionError: cannot reach the broker": c.NETWORK,
    "TimeoutError: Topic: api/v1/auth/token_login": c.NETWORK,
    "connected failed, return Not ready": c.NETWORK,
    "socket.gaierror: [Errno -3] Temporary failure in name resolution": c.NETWORK,
    "StatusCode: 503, Detail: 操作異常，請1分鐘後再重新登入": c.BAN,
    "{'status': {'status_code': 451}, 'response': {'detail': 'Too Many Connections.'}}": c.TOO_MANY,
    "\x1b[31mstatus_code\x1b[0m: \x1b[1;33m503\x1b[0m": c.BAN,
    "\\x1b[31mlogin failed\\x1b[0m (\\x1b[33m451\\x1b[0m)": c.TOO_MANY,
    "warn: 3 local token-pool slot(s) after temporary login ban": c.BAN,
    "Error: Authentication failed: Shioaji connect error": c.NETWORK,
    "Authentication failed: connection error": c.NETWORK,
    "RuntimeError: authentication failed (Connect attempt for host 'x' timed out)": c.NETWORK,
    "Authentication failed: login validation error": c.AUTHENTICATION,
    "Authentication failed": c.AUTHENTICATION,
    "Exception: {}": c.NETWORK,
    "builtins.Exception: {}": c.NETWORK,
    "SessionNotEstablished: Unable to wait for session '(c0,s1)_sinopac'": c.NETWORK,
    "[pysolace/core/sol.cpp:504:SendRequest] [E] [thread 41094] Not ready": c.NETWORK,
    "login() got an unexpected keyword argument 'contracts_timeout'": c.VERSION,
    "SolClient.session_down() takes 1 positional argument but 5 were given": c.VERSION,
    "{'status': {'status_code': 401}, 'response': {'detail': 'Token is expired'}}": c.EXPIRED,
    "shioaji.error.TokenError: StatusCode: 401, Detail: Token has expired": c.EXPIRED,
    "登入 token 已過期": c.EXPIRED,
    "shioaji.TWCA.ca.CaError: RTN_CERT_NOT_YET_VALID 5012 憑證尚未生效,無法使用": c.NOT_YET,
    "certificate verify failed: certificate is not yet valid": c.NOT_YET,
    "shioaji.error.CaExpiredError: the certificate": c.AUTHENTICATION,
    "invalid api_key: base58 decode": c.AUTHENTICATION,
    "'detail': 'customer_not_exist'": c.AUTHENTICATION,
    "OSError: [Errno 24] Too many open files": c.SHORTAGE,
    "RuntimeError: can't start new thread": c.SHORTAGE,
    "401 Client Error: Unauthorized for url: https://api.line.me/": None,
    "ClientResponseError: 401, message='Unauthorized', url='https://api.line.me/'": None,
    "shioaji.error.TokenError: StatusCode: 500, Detail: Internal Server Error": c.NETWORK,
    "StatusCode: 504, Detail: Gateway Timeout": c.NETWORK,
    "登入過於頻繁，請稍後再試": c.BAN,
    "Due to exceeding the limit on login attempts": c.BAN,
    "aiohttp.client_exceptions.ServerDisconnectedError: Server disconnected": c.NETWORK,
    "ssl.SSLEOFError: EOF occurred in violation of protocol (_ssl.c:1007)": c.NETWORK,
    "pysolace.SolaceError: Connect failed": c.NETWORK,
    "Session not established": c.NETWORK,
    "Login Error: password error": c.AUTHENTICATION,
    "簽章驗證失敗": c.AUTHENTICATION,
    "Authentication required": c.AUTHENTICATION,
    "OSError: [Errno 122] Disk quota exceeded": c.SHORTAGE,
    "MemoryError": c.SHORTAGE,
    "terminate called after throwing an instance of 'std::bad_alloc'": c.SHORTAGE,
    "main.sh: line 3: 4711 Segmentation fault (core dumped) python main.py": c.CRASH,
    "OperationalError: (1040, 'Too many connections')": None,
    "psycopg.OperationalError: FATAL: too many connections for role": None,
    "Unexpected status code 503 in server response": None,
    "503 Server Error: Service Unavailable for url: http://localhost:3001/": None,
}

ORDINARY = (
    "tick TXO23451 price 1503.0",
    "market_tick code=2451 close=503.5 volume=451",
    "TXO22451L4 451 503",
    "503 contracts loaded in 451 ms",
    "volume: 503",
    "2024-02-25 15:45:03 INFO price 503",
    "code: 4510",
    "code: 503.5",
    "status_code: 1503",
    "INFO Authentication successful",
    "authentication started",
    "logout: not authenticated",
    "Login attempts: 3",
    "error_code 5030",
    "",
)


class ClassifyTests(SynchronousTestCase):
    def test_known_words(self) -> None:
        for words, cause in TOLD.items():
            with self.subTest(words=words):
                self.assertEqual(c.classify(words), cause)

    def test_ordinary_output_tells_nothing(self) -> None:
        for words in ORDINARY:
            with self.subTest(words=words):
                self.assertIsNone(c.classify(words))
                self.assertIsNone(c.imposed(words))

    def test_imposed_finds_what_classify_finds(self) -> None:
        for words, cause in TOLD.items():
            with self.subTest(words=words):
                self.assertEqual(c.imposed(words), cause if cause in c.IMPOSING else None)
                low = words.lower().encode()
                found = any(needle in low for needle in c.NEEDLES)
                self.assertTrue(found or cause not in c.IMPOSING)

    @hypothesis_settings(max_examples=300, deadline=None)
    @given(st.text(alphabet="abcTXO0123456789. :,=", max_size=40), st.sampled_from(["451", "503"]))
    def test_digits_within_a_number_or_a_word_are_no_code(self, around, code) -> None:
        for words in (f"{around}x{code}", f"{around}1{code}", f"code {code}7{around}"):
            self.assertNotIn(c.classify(words), c.IMPOSING)

    def test_on_stdout_the_brokers_own_wording_counts_and_no_bare_status(self) -> None:
        for words, cause in (
            ("{'status': {'status_code': 451}, 'response': {'detail': 'x'}}", c.TOO_MANY),
            ("❌ StatusCode: 503, Detail: Service is under maintenance.", c.BAN),
            ("\x1b[91m登入失敗：451\x1b[0m", c.TOO_MANY),
            ("Login failed, code 503", c.BAN),
            ("TokenError: (451, 'x')", c.TOO_MANY),
            ("Too many connections", c.TOO_MANY),
            ("請於 1 分鐘後再登入", c.BAN),
            ("HTTP 503", None),
            ("status: 503", None),
            ("error 451", None),
            ('{"status_code": 503}', None),
            ("GET /quotes -> 503 (retry)", None),
            ("response code=503 from webhook", None),
            ("成交 503 口, 價 451", None),
        ):
            with self.subTest(words=words):
                self.assertEqual(c.imposed(words, own=True), cause)

    def test_anywhere_in_a_long_line(self) -> None:
        self.assertEqual(c.classify("x " * 3000 + "ValueError: invalid api_key"), c.AUTHENTICATION)


class EventTests(SynchronousTestCase):
    def test_a_python_error_is_read_whatever_its_shape(self) -> None:
        for value, cause in (
            ("Too many connections", c.TOO_MANY),
            ({"error": "login failed", "status_code": 451}, c.TOO_MANY),
            ({"error": {"code": 503}}, c.BAN),
            ({"error": "TimeoutError", "service": "shioaji"}, c.NETWORK),
            (["維護"], c.MAINTENANCE),
            ({"error": "price 1503.0"}, None),
            (None, None),
            ({"error": b"bytes"}, None),
        ):
            with self.subTest(value=value):
                self.assertEqual(c.classify_event(value), cause)


class ExitTests(SynchronousTestCase):
    def test_the_most_telling_word_counts(self) -> None:
        lines = [
            "Connection refused",
            "status_code: 451",
            "TypeError: x() got an unexpected keyword",
        ]
        self.assertEqual(c.classify_exit(lines, [], None), c.TOO_MANY)
        self.assertEqual(c.classify_exit(lines[:1], [c.AUTHENTICATION], None), c.AUTHENTICATION)

    def test_a_native_crash_is_known_by_its_signal(self) -> None:
        self.assertEqual(c.classify_exit([], [], "SIGSEGV"), c.CRASH)
        self.assertEqual(c.classify_exit([], [], "SIGKILL"), c.OTHER)

    def test_a_crash_after_a_451_is_a_451(self) -> None:
        self.assertEqual(c.classify_exit(["Too Many Connections."], [], "SIGSEGV"), c.TOO_MANY)

    def test_killed_by_the_kernel_for_memory(self) -> None:
        for signal, out_of_memory, cause in (
            ("SIGKILL", True, c.MEMORY),
            ("SIGKILL", False, c.OTHER),
            ("SIGSEGV", True, c.CRASH),
        ):
            self.assertEqual(c.classify_exit([], [], signal, out_of_memory=out_of_memory), cause)

    def test_silence_is_other(self) -> None:
        self.assertEqual(c.classify_exit([], [], None), c.OTHER)
