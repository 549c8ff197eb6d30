"""What options and environment say."""

from contextlib import redirect_stderr
from io import StringIO

from twisted.trial.unittest import SynchronousTestCase

from gateway.client.settings import MAX_CODES, Credentials, credentials_from, options
from gateway.worker.keys.credentials import VARIABLES


class OptionsTests(SynchronousTestCase):
    def test_without_any_it_goes_to_the_usual_port(self) -> None:
        chosen = options([], {})
        self.assertEqual(chosen.url, "http://localhost:3001")
        self.assertEqual((chosen.demo, chosen.rate, chosen.seed, chosen.codes), (False, 20, 1, []))

    def test_the_gateways_url_comes_from_the_environment(self) -> None:
        both = {"GATEWAY_URL": "http://localhost:1", "SOCKET_HUB": "http://localhost:2"}
        self.assertEqual(options([], both).url, "http://localhost:1")
        both["GATEWAY_URL"] = ""
        self.assertEqual(options([], both).url, "http://localhost:2")
        self.assertEqual(options(["--url", "https://x:3"], both).url, "https://x:3")

    def test_each_option_has_a_variable(self) -> None:
        chosen = options(
            [],
            {"SJ_DEMO": "true", "SJ_RATE": "3000", "SJ_SEED": "7", "SJ_CODES": "TXFR1, 2330 2330"},
        )
        self.assertEqual((chosen.demo, chosen.rate, chosen.seed), (True, 3000, 7))
        self.assertEqual(chosen.codes, ["TXFR1", "2330"])

    def test_a_bad_value_ends_it_with_the_reason(self) -> None:
        many = ",".join(f"{number:04}" for number in range(MAX_CODES + 1))
        for argv, reason in (
            (["--url", "localhost:3001"], "http:// or https://"),
            (["--rate", "0"], "more than 0"),
            (["--rate", "nan"], "more than 0"),
            (["--codes", many], "at most 100 contracts"),
        ):
            with redirect_stderr(StringIO()) as said:
                error = self.assertRaises(SystemExit, options, argv, {})
            self.assertEqual(error.code, 2)
            self.assertIn(reason, said.getvalue())

    def test_a_token_in_a_bad_url_is_not_printed(self) -> None:
        with redirect_stderr(StringIO()) as said:
            self.assertRaises(SystemExit, options, [], {"GATEWAY_URL": "ftp://x/?token=tk9"})
        self.assertNotIn("tk9", said.getvalue())


class CredentialsTests(SynchronousTestCase):
    def test_it_knows_every_name_of_a_key_that_the_gateway_knows(self) -> None:
        for number, names in enumerate(VARIABLES.values()):
            for name in names:
                found = credentials_from({name: "value"})
                values = (found.api_key, found.secret_key, found.ca_path, found.ca_password)
                self.assertEqual(values[number], "value", name)

    def test_every_name_of_the_family_is_known(self) -> None:
        for names in (
            ("API_KEY", "SECRET_KEY", "CA_CERT_PATH", "CA_PASSWORD"),
            ("SJ_KEY", "SJ_SEC", "SJ_CA_PATH", "SJ_CA_PASSWD"),
            ("SJ_API_KEY", "SJ_SEC_KEY", "SJ_CA_PATH", "SJ_CA_PASSWD"),
        ):
            given = dict(zip(names, ("k", "s", "p", "w"), strict=True))
            found = credentials_from({"API_KEY": "", **given})
            self.assertEqual(found, Credentials("k", "s", "p", "w"))
