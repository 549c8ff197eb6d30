"""The guard: Host, Origin, tokens, and who is on this machine, as one judgement."""

from itertools import product
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from gateway.web.security.guard import Access, Guard, Verdict, bearer
from gateway.web.security.guard_settings import GuardSettings
from gateway.web.security.tokens import Role, Token

LISTED = {"allowed_hosts": ["gw.example.com"], "allowed_origins": ["https://app.example.com"]}

HOSTS = {
    b"127.0.0.1:3001": True,
    b"[::1]:3001": True,
    b"localhost:3001": True,
    b"gw.example.com": True,
    b"evil.example.net": False,
    b"192.168.1.5:3001": False,
}
ORIGINS = {
    None: True,
    b"null": False,
    b"http://localhost:3001": True,  # the same
    b"http://localhost:3000": True,  # another port
    b"https://localhost:8443": True,
    b"http://127.0.0.1:5173": True,
    b"http://[::1]:3000": True,
    b"http://[0:0::1]:3000": True,
    b"http://[::ffff:127.0.0.1]:3000": True,
    b"http://[2001:db8::1]": False,
    b"http://[::1": False,
    b"https://app.example.com": True,  # listed
    b"https://app.example.com:443": True,
    b"http://app.example.com": False,  # another scheme
    b"https://app.example.com:8443": False,  # another port
    b"https://evil.example.net": False,
    b"http://localhost.evil.net": False,
    b"http://localhost-evil.net": False,
    b"http://evil.net/localhost": False,
    b"http://127.0.0.1.evil.net": False,
    b"http://evillocalhost": False,
    b"http://user@localhost:3000": False,
    b"http://localhost@evil.net": False,
    b"http://localhost:3000@evil.net": False,
    b"http://localhost.:3000": True,  # RFC 6761: the same name
    b"http://evil.net.": False,
    b"https://app.example.com.": True,
    b"HTTP://LocalHost:3000": True,
    b"HTTPS://APP.example.COM": True,
    b"http://localhost:3000/": False,
    b"http://localhost:3000 http://localhost:3000": False,
    b"chrome-extension://localhost": False,
    b"capacitor://localhost": False,
    b"file://": False,
    b"ws://localhost:3001": True,  # native clients
    b"wss://127.0.0.1": True,
    b"wss://app.example.com": True,
    b"ws://app.example.com": False,
    b"wss://evil.example.net": False,
    b"": False,
}
ROUTES = {
    "health": (Access.OPEN, b"GET"),
    "control": (Access.CONTROL, b"POST"),
    "polling": (Access.OPEN, b"POST"),
    "websocket": (Access.OPEN, b"GET"),
    "preflight": (Access.CONTROL, b"OPTIONS"),
}


def judge(
    guard: Guard,
    access: Access = Access.OPEN,
    method: bytes = b"GET",
    peer: str | None = "127.0.0.1",
    *,
    secure: bool = False,
    **headers: bytes | list[bytes],
) -> Verdict:
    raw = Headers({b"host": [b"localhost:3001"]})
    for name, value in headers.items():
        values = value if isinstance(value, list) else [value]
        raw.setRawHeaders(name.replace("_", "-").encode(), values)
    return guard.judge(access, method, raw, peer, secure=secure)


class MatrixTests(SynchronousTestCase):
    """Origin x Host x route."""

    def test_matrix(self) -> None:
        guard = Guard(GuardSettings(**LISTED))
        for (origin, origin_fine), (host, host_fine), (route, (access, method)) in product(
            ORIGINS.items(), HOSTS.items(), ROUTES.items()
        ):
            headers = {} if origin is None else {"origin": origin}
            verdict = judge(guard, access, method, host=host, **headers)
            case = f"{route} from {origin!r} to {host!r}: {verdict}"
            fine = origin_fine and host_fine
            expected = 403 if not fine else 204 if method == b"OPTIONS" else 0
            self.assertEqual(verdict.status, expected, case)
            self.assertIn(b"Vary: Origin\r\n", verdict.lines, case)
            echoed = origin is not None and b"Allow-Origin: %s\r\n" % origin in verdict.lines
            self.assertEqual(echoed, fine and origin is not None, case)

    def test_routes_never_allow_credentials(self) -> None:
        verdict = judge(Guard(GuardSettings()), method=b"OPTIONS", origin=b"http://localhost:3000")
        self.assertNotIn(b"Allow-Credentials", verdict.lines)


class HostTests(SynchronousTestCase):
    def test_what_is_no_host_is_a_bad_request(self) -> None:
        guard = Guard(GuardSettings())
        for host in (b"", b"local host", b"user@localhost", [b"localhost", b"localhost"]):
            self.assertEqual(judge(guard, host=host).status, 400, host)

    def test_addresses_are_fine_where_others_can_reach_us(self) -> None:
        guard = Guard(GuardSettings())
        guard.exposed = True
        fine = [b"192.168.1.5:3001", b"[2001:db8::7]:3001", b"10.0.0.1"]
        wrong = [b"gw.example.com", b"0.0.0.0:3001", b"[::]:3001", b"192.168.1.5.nip.io"]
        self.assertEqual({judge(guard, host=host).status for host in fine}, {0})
        self.assertEqual({judge(guard, host=host).status for host in wrong}, {403})

    def test_listed_hosts_may_have_any_port_and_case(self) -> None:
        guard = Guard(GuardSettings(allowed_hosts=["GW.example.com", "192.0.2.1"]))
        for host in (b"gw.EXAMPLE.com:8080", b"gw.example.com.", b"192.0.2.1:1"):
            self.assertEqual(judge(guard, host=host).status, 0, host)

    def test_the_page_on_a_phone(self) -> None:
        """An Origin that equals an accepted Host, scheme and port included."""
        guard = Guard(GuardSettings(allowed_hosts=["gw.example.com"]))
        guard.exposed = True

        def status(origin: bytes, host: bytes, *, secure: bool = False) -> int:
            return judge(guard, origin=origin, host=host, secure=secure).status

        self.assertEqual(status(b"http://192.168.1.5:3001", b"192.168.1.5:3001"), 0)
        self.assertEqual(status(b"http://gw.example.com", b"gw.example.com:80"), 0)
        self.assertEqual(status(b"https://gw.example.com", b"gw.example.com", secure=True), 0)
        self.assertEqual(status(b"http://192.168.1.5:3002", b"192.168.1.5:3001"), 403)
        self.assertEqual(status(b"http://192.168.1.6:3001", b"192.168.1.5:3001"), 403)
        self.assertEqual(status(b"https://192.168.1.5:3001", b"192.168.1.5:3001"), 403)
        self.assertEqual(status(b"http://evil.net", b"evil.net"), 403)


class OriginTests(SynchronousTestCase):
    def test_null_can_be_listed(self) -> None:
        guard = Guard(GuardSettings(allowed_origins=["null"]))
        self.assertEqual(judge(guard, origin=b"null").status, 0)
        self.assertEqual(judge(guard, origin=b"http://evil.net").status, 403)

    def test_the_star_lets_everything_in_but_not_two_origins(self) -> None:
        guard = Guard(GuardSettings(allowed_origins=["*"]))
        for origin in (b"null", b"http://evil.net", b"app://desktop"):
            self.assertEqual(judge(guard, origin=origin).status, 0, origin)
        self.assertEqual(judge(guard, origin=[b"http://localhost", b"null"]).status, 403)

    def test_a_native_client_of_the_same_host(self) -> None:
        guard = Guard(GuardSettings(allowed_hosts=["gw.example.com"]))

        def status(origin: bytes, *, secure: bool = False) -> int:
            return judge(guard, origin=origin, host=b"gw.example.com", secure=secure).status

        self.assertEqual(status(b"ws://gw.example.com"), 0)
        self.assertEqual(status(b"WSS://gw.example.com:443", secure=True), 0)
        self.assertEqual(status(b"wss://gw.example.com"), 403)
        self.assertEqual(status(b"ws://gw.example.com:8080"), 403)
        self.assertEqual(status(b"app://gw.example.com"), 403)

    def test_other_schemes_can_be_listed(self) -> None:
        listed = {
            "capacitor://localhost": b"capacitor://LOCALHOST",
            "ionic://localhost": b"ionic://localhost",
            "tauri://localhost": b"Tauri://localhost",
            "chrome-extension://abcdefghijklmnop": b"chrome-extension://abcdefghijklmnop",
            "moz-extension://12345678-1234-1234-1234-123456789abc": (
                b"moz-extension://12345678-1234-1234-1234-123456789abc"
            ),
            "app://.": b"app://.",
            "app://-": b"app://-",
            "com.example.app+x://shell:8080": b"com.example.app+x://shell:8080",
            "file://": b"file://",
        }
        for entry, origin in listed.items():
            guard = Guard(GuardSettings(allowed_origins=[entry]))
            verdict = judge(guard, origin=origin)
            self.assertEqual(verdict.status, 0, entry)
            self.assertIn(b"Allow-Origin: %s\r\n" % origin, verdict.lines)
            for other in (*listed.values(), b"capacitor://localhost:1", b"app://..", b"file:///x"):
                expected = 0 if other == origin else 403
                self.assertEqual(judge(guard, origin=other).status, expected, (entry, other))

    def test_credentials_are_for_origins_that_are_named(self) -> None:
        def allows(origin: bytes, *listed: str, method: bytes = b"GET") -> bool:
            headers = Headers({b"host": [b"localhost:3001"], b"origin": [origin]})
            verdict = Guard(GuardSettings(allowed_origins=listed)).judge(
                Access.OPEN, method, headers, "127.0.0.1", secure=False, credentials=True
            )
            self.assertNotEqual(verdict.status, 403)
            self.assertIn(b"Allow-Origin: %s\r\n" % origin, verdict.lines)
            return b"Access-Control-Allow-Credentials: true\r\n" in verdict.lines

        for method in (b"GET", b"POST", b"OPTIONS"):
            self.assertTrue(allows(b"http://localhost:3000", method=method))
            self.assertTrue(allows(b"https://a.example", "https://a.example", method=method))
            self.assertTrue(allows(b"app://shell", "*", "app://shell", method=method))
            self.assertFalse(allows(b"https://a.example", "*", method=method))
            self.assertFalse(allows(b"null", "*", method=method))
            self.assertFalse(allows(b"null", "null", method=method))

    def test_pages_of_the_internet_may_reach_a_private_network(self) -> None:
        guard = Guard(GuardSettings(allowed_origins=["https://a.example"]))
        line = b"Access-Control-Allow-Private-Network: true\r\n"
        asked = {"access_control_request_private_network": b"true"}

        def answer(method: bytes, **headers: bytes) -> bytes:
            return judge(guard, method=method, **headers, **asked).lines

        self.assertIn(line, answer(b"OPTIONS", origin=b"https://a.example"))
        self.assertNotIn(line, answer(b"OPTIONS", origin=b"https://b.example"))
        self.assertNotIn(line, answer(b"OPTIONS"))
        self.assertNotIn(line, answer(b"GET", origin=b"https://a.example"))

    def test_the_star_is_no_way_around_the_host(self) -> None:
        guard = Guard(GuardSettings(allowed_origins=["*"]))
        self.assertEqual(judge(guard, host=b"evil.net").status, 403)

    def test_preflights_echo_the_headers_that_are_asked_for(self) -> None:
        guard = Guard(GuardSettings())

        def answer(wanted: bytes) -> bytes:
            return judge(
                guard,
                method=b"OPTIONS",
                origin=b"http://localhost:3000",
                access_control_request_headers=wanted,
            ).lines

        self.assertIn(b"Allow-Headers: x-one, x-two\r\n", answer(b"x-one, x-two"))
        self.assertIn(b"Allow-Headers: Authorization, Content-Type\r\n", answer(b"<script>"))

    def test_options_that_make_no_sense(self) -> None:
        for wrong in (
            {"allowed_hosts": ["http://a.example"]},
            {"allowed_hosts": ["a.example:80"]},
            {"allowed_hosts": ["*"]},
            {"allowed_origins": ["a.example"]},
            {"allowed_origins": ["https://a.example/app"]},
            {"allowed_origins": ["app://a/b"]},
            {"allowed_origins": ["file:///"]},
            {"allowed_origins": ["app://user@a"]},
            {"allowed_origins": ["https://"]},
            {"allowed_origins": ["app:a"]},
            {"trusted_proxies": ["proxy"]},
            {"trusted_proxies": ["10.0.0.1/8"]},
        ):
            error = self.assertRaises(ValueError, GuardSettings, **wrong)
            ((option, (entry,)),) = wrong.items()
            self.assertIn(f"--{option.replace('_', '-')}: ", str(error))
            self.assertIn(entry, str(error))


class AccessTests(SynchronousTestCase):
    def statuses(self, guard: Guard, peer: str | None, **headers: bytes) -> list[int]:
        """For open, view and control routes."""
        return [judge(guard, access, peer=peer, **headers).status for access in Access]

    def test_without_tokens_only_this_machine_controls(self) -> None:
        guard = Guard(GuardSettings())
        for peer in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", None):
            self.assertEqual(self.statuses(guard, peer), [0, 0, 0], peer)
        for peer in ("192.168.1.5", "::ffff:10.0.0.1", "fe80::1%eth0", "2001:db8::1"):
            self.assertEqual(self.statuses(guard, peer), [0, 0, 403], peer)

    def test_forwarded_requests_are_not_from_this_machine(self) -> None:
        guard = Guard(GuardSettings())
        for name in (
            "forwarded",
            "x_forwarded_for",
            "x_forwarded_proto",
            "x_real_ip",
            "X_FORWARDED_X",
            "x_forwarded",
            "x_original_forwarded_for",
            "X_Original_Host",
            "via",
            "cdn_loop",
            "CF_Connecting_IP",
            "cf_connecting_ipv6",
            "true_client_ip",
            "x_client_ip",
            "X_Cluster_Client_Ip",
            "fastly_client_ip",
            "fly_client_ip",
            "x_azure_clientip",
            "x_appengine_user_ip",
            "x_envoy_external_address",
            "x_remote_addr",
            "remote_addr",
            "forwarded_for",
            "http_x_forwarded_for",
            "x_forwarded_",
            "x_bluecoat_via",
            "cf_ray",
            "x_azure_socketip",
            "x_envoy_original_path",
        ):
            self.assertEqual(self.statuses(guard, "127.0.0.1", **{name: b"127.0.0.1"})[2], 403)

    def test_what_clients_send_themselves_is_no_sign_of_a_proxy(self) -> None:
        guard = Guard(GuardSettings())
        for name in ("user_agent", "accept", "x_requested_with", "x_zip", "origin_trial", "dnt"):
            self.assertEqual(self.statuses(guard, "127.0.0.1", **{name: b"x"})[2], 0, name)

    def test_a_trusted_proxy_says_who_asks(self) -> None:
        guard = Guard(GuardSettings(trusted_proxies=["127.0.0.1", "10.0.0.0/8"]))

        def control(peer: str, *forwarded: bytes) -> int:
            return self.statuses(guard, peer, x_forwarded_for=b", ".join(forwarded))[2]

        self.assertEqual(control("127.0.0.1", b"127.0.0.1"), 0)
        self.assertEqual(control("127.0.0.1", b"::1", b"10.1.1.1"), 0)
        self.assertEqual(control("127.0.0.1", b"192.168.1.5"), 403)
        self.assertEqual(control("127.0.0.1", b"127.0.0.1", b"192.168.1.5"), 403)
        self.assertEqual(control("192.168.1.5", b"127.0.0.1"), 403)
        self.assertEqual(control("127.0.0.1", b"unknown"), 403)
        self.assertEqual(self.statuses(guard, "127.0.0.1", x_real_ip=b"127.0.0.1")[2], 403)

    def test_a_proxy_behind_a_unix_socket(self) -> None:
        guard = Guard(GuardSettings(trusted_proxies=["unix"]))
        headers = Headers({b"x-forwarded-for": [b"192.0.2.1"]})
        self.assertEqual(guard.proxies.announced(headers, None), "192.0.2.1")
        self.assertEqual(guard.proxies.announced(headers, "192.0.2.9"), "")
        local = {"x_forwarded_for": b"127.0.0.1"}
        self.assertEqual(self.statuses(guard, None, **local)[2], 0)
        self.assertEqual(self.statuses(guard, None, x_forwarded_for=b"192.0.2.1")[2], 403)

    def test_a_control_token_is_needed_here_too_and_viewing_stays_open(self) -> None:
        guard = Guard(GuardSettings(control_token="sesame"))
        for peer in ("127.0.0.1", "192.168.1.5"):
            self.assertEqual(self.statuses(guard, peer), [0, 0, 401])
            self.assertEqual(self.statuses(guard, peer, authorization=b"Bearer sesame"), [0, 0, 0])

    def test_tokens_for_control_and_for_viewing(self) -> None:
        guard = Guard(GuardSettings(control_token="control", view_token="view"))

        def with_token(token: bytes) -> list[int]:
            return self.statuses(guard, "127.0.0.1", authorization=b"bearer " + token)

        self.assertEqual(with_token(b""), [0, 401, 401])
        self.assertEqual(with_token(b"view"), [0, 0, 401])
        self.assertEqual(with_token(b"control"), [0, 0, 0])

    def test_with_a_token_for_viewing_alone_control_needs_it_and_this_machine(self) -> None:
        guard = Guard(GuardSettings(view_token="view"))
        token = {"authorization": b"Bearer view"}
        self.assertEqual(self.statuses(guard, "127.0.0.1"), [0, 401, 401])
        self.assertEqual(self.statuses(guard, "127.0.0.1", **token), [0, 0, 0])
        self.assertEqual(self.statuses(guard, "192.168.1.5", **token), [0, 0, 403])

    def test_roles_of_tokens(self) -> None:
        guard = Guard(GuardSettings(control_token="c", view_token="v"))
        roles = [guard.token_role(token) for token in ("c", "v", "", "x", "cc", "\ud800")]
        self.assertEqual(
            roles, [Role.CONTROL, Role.VIEW, Role.NONE, Role.NONE, Role.NONE, Role.NONE]
        )
        self.assertEqual(Guard(GuardSettings()).token_role("anything"), Role.VIEW)

    def test_only_one_bearer_token_counts(self) -> None:
        for values, token in (
            ([b"Bearer abc"], "abc"),
            ([b"BEARER  abc "], "abc"),
            ([b"Basic abc"], ""),
            ([b"Bearer"], ""),
            ([b"Bearer a", b"Bearer a"], ""),
            ([b"Bearer \xff"], "\ufffd"),
        ):
            self.assertEqual(bearer(Headers({b"authorization": values})), token)

    def test_tokens_stay_out_of_texts(self) -> None:
        text = repr(GuardSettings(control_token="sesame-open", view_token="glance-only"))
        self.assertNotIn("sesame", text)
        self.assertNotIn("glance", text)

    def test_reasons_say_what_to_do(self) -> None:
        guard = Guard(GuardSettings(control_token="sesame"))
        verdicts = [
            judge(guard, host=b"evil.net"),
            judge(guard, origin=b"http://evil.net"),
            judge(guard, Access.CONTROL),
            judge(Guard(GuardSettings()), Access.CONTROL, peer="10.0.0.1"),
        ]
        for verdict, word in zip(
            verdicts,
            ("--allowed-hosts", "--allowed-origins", "Bearer", "--token-file"),
            strict=True,
        ):
            self.assertIn(word, verdict.reason)
            self.assertNotIn("evil", verdict.reason)


class AskerTests(SynchronousTestCase):
    """What a page is told of itself."""

    def access(self, settings: GuardSettings, secret: str, peer: str | None = "192.0.2.1") -> Any:
        headers = Headers({b"Authorization": [f"Bearer {secret}".encode()]} if secret else {})
        return Guard(settings, lambda: 1000.0).access(headers, peer)

    def test_who_may_control_learns_of_the_other_tokens_and_nobody_else_does(self) -> None:
        tokens = (
            Token("desk", "desk-secret", Role.CONTROL),
            Token("screen", "screen-secret", Role.VIEW),
            Token("old", "old-secret", Role.VIEW, expires=999.0),
        )
        settings = GuardSettings(tokens=tokens)
        self.assertEqual(
            self.access(settings, "desk-secret"),
            {
                "name": "desk",
                "role": "control",
                "others": [{"name": "screen", "role": "view"}],
            },
        )
        self.assertEqual(self.access(settings, "screen-secret"), {"name": "screen", "role": "view"})
        self.assertNotIn("secret", str(self.access(settings, "desk-secret")))

    def test_without_tokens_this_machine_controls_and_others_look(self) -> None:
        here = self.access(GuardSettings(), "", "127.0.0.1")
        self.assertEqual(here, {"name": "", "role": "control", "others": []})
        self.assertEqual(self.access(GuardSettings(), ""), {"name": "", "role": "view"})
