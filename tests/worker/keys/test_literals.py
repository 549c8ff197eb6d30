"""Keys that are written in the worker's source."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.keys.own_files import MAX_SOURCE_LENGTH, literals


class LiteralsTests(SynchronousTestCase):
    def test_constants_in_the_call_or_behind_a_name(self) -> None:
        both = [("apiKey", "one"), ("secretKey", "two")]
        for source in (
            "api.login(api_key='one', secret_key='two')",
            "KEY = 'one'\ndef run():\n  secret = 'two'\n  login(secret_key=secret, api_key=KEY)",
        ):
            self.assertEqual(sorted(literals(source)), both, source)
        source = "api.activate_ca(ca_path='a.pfx', ca_passwd='three', person_id='x')"
        self.assertEqual(literals(source), [("caCertPath", "a.pfx"), ("caPassword", "three")])

    def test_what_comes_from_elsewhere_is_none(self) -> None:
        for source in (
            "api.login(api_key=os.environ['API_KEY'], secret_key=key)",
            "KEY = 'default'\nKEY = os.environ['API_KEY']\napi.login(api_key=KEY)",
            "api.login(api_key=f'{key}', secret_key='')",
            "mail.login('a-user', 'a-password')",
            "other(api_key='one')",
            "login(api_key='one'",
            "",
            "login(api_key='one')\n#" + "x" * MAX_SOURCE_LENGTH,
        ):
            self.assertEqual(literals(source), [], source[:60])
