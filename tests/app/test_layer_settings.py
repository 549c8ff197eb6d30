from pathlib import Path

from attrs import fields
from twisted.trial.unittest import SynchronousTestCase

from gateway.app.layer_settings import (
    alert_settings,
    bar_settings,
    client_bundle,
    engine_settings,
    guard_settings,
    mark_of,
    relay_settings,
    worker_settings,
)
from gateway.market.events import QUOTES, READINESS, STATES
from gateway.options import Settings
from gateway.replay.wishes import Place
from gateway.web.security.guard_settings import GuardSettings
from gateway.web.security.tokens import Role
from gateway.worker.settings import WorkerSettings


class LayersTests(SynchronousTestCase):
    def token_file(self, text: str) -> Path:
        path = Path(self.mktemp())
        path.write_text(text)
        return path

    def test_heartbeats_are_told_in_milliseconds(self) -> None:
        engine = engine_settings(Settings(ping_interval=1.5, ping_timeout=20))
        self.assertEqual((engine.ping_interval, engine.ping_timeout), (1500, 20_000))

    def test_conflation_is_on_unless_it_is_switched_off(self) -> None:
        self.assertTrue(relay_settings(Settings(), {}).slow_client_limits.conflate)
        self.assertFalse(
            relay_settings(Settings(no_conflation=True), {}).slow_client_limits.conflate
        )

    def test_which_events_replace_which_and_which_are_quotes(self) -> None:
        relay = relay_settings(
            Settings(
                state_events=("ready",),
                quote_events=("price",),
                key_field="symbol",
                no_snapshot_states=True,
                snapshot_quotes=True,
            ),
            {},
        )
        self.assertEqual(relay.keys.of(["price", {"symbol": "A"}]).key, ("price", "A"))
        self.assertEqual(relay.keys.names, {"ready", "price"})
        self.assertEqual(relay.snapshots.quote_names, {"price"})
        self.assertEqual((relay.snapshots.states, relay.snapshots.quotes), (False, True))

    def test_how_long_a_slow_client_is_borne(self) -> None:
        limits = relay_settings(
            Settings(slow_size=5, slow_time=6, stall_time=7), {}
        ).slow_client_limits
        self.assertEqual(
            (limits.bytes, limits.stall, limits.longest_stall),
            (5, 6, 7),
        )

    def test_nothing_of_a_replay_goes_where_the_market_does(self) -> None:
        day = Path(self.mktemp())
        day.touch()
        replay = Settings(
            replay=(day,),
            speed=10.0,
            from_=Place.read("09:00"),
            loop=True,
            times="now",
            sessions=("Mon-Fri 08:30-13:50",),
            schedule=("40 8 * * *",),
            alert_urls="https://example.com/hook",
        )
        worker = worker_settings(replay, GuardSettings(), {})
        options = ("--speed", "10", "--from", "09:00:00", "--loop", "--moved", "--")
        self.assertEqual(worker.own, ("gateway.replay", *options, str(day.absolute())))
        self.assertEqual((worker.mark, worker.sessions, worker.schedule), ("replay", (), ()))
        self.assertEqual(alert_settings(replay).urls, ())
        self.assertEqual(bar_settings(replay, {}).mark, "replay")

    def test_a_replay_is_the_only_source_of_events(self) -> None:
        for other in ({"demo": True}, {"no_worker": True}):
            settings = Settings(replay=(Path("day"),), **other)
            self.assertRaisesRegex(ValueError, "--replay and --", mark_of, settings)
        elsewhere = Settings(replay=(Path("day"),), namespaces=("/other",))
        with self.assertRaisesRegex(ValueError, "add it to --namespaces"):
            worker_settings(elsewhere, GuardSettings(), {})
        missing = Settings(replay=(Path("missing"),))
        with self.assertRaisesRegex(ValueError, "there is no file .*/missing"):
            worker_settings(missing, GuardSettings(), {})

    def test_a_token_file_counts_before_a_variable(self) -> None:
        file = self.token_file(" from a file\n")
        guard = guard_settings(
            Settings(token_file=file, token="ours, and not used", view_token="theirs alone")
        )
        self.assertEqual(
            [(token.secret, token.role) for token in guard.all_tokens],
            [("from a file", Role.CONTROL), ("theirs alone", Role.VIEW)],
        )

    def test_a_token_file_that_says_nothing_is_no_token(self) -> None:
        for file in (self.token_file("\n"), Path("/nowhere/at/all")):
            with self.assertRaises(ValueError):
                guard_settings(Settings(token_file=file))

    def test_tokens_are_secrets_and_not_for_the_worker(self) -> None:
        settings = Settings(token="for control", view_token="to look on")
        worker = worker_settings(settings, guard_settings(settings), {})
        self.assertEqual(worker.secrets, ("for control", "to look on"))
        names = ("TOKEN", "VIEW_TOKEN", "ALERT_URLS", "CLUSTER_PASSWORD")
        self.assertEqual(set(worker.withhold), {f"SJGATEWAY_{name}" for name in names})

    def test_the_browsers_library(self) -> None:
        self.assertIsNone(client_bundle(Settings()))
        file = Path(self.mktemp())
        with self.assertRaisesRegex(ValueError, "--client-bundle can't be read: .*No such file"):
            client_bundle(Settings(client_bundle=file))
        file.write_bytes(b"var io;")
        self.assertEqual(client_bundle(Settings(client_bundle=file)), b"var io;")

    def test_the_state_folder(self) -> None:
        for given, environ, expected in [
            (Path("/given"), {"STATE_DIRECTORY": "/a"}, "/given"),
            (None, {"STATE_DIRECTORY": "/a:/b", "XDG_STATE_HOME": "/c"}, "/a"),
            (None, {"XDG_STATE_HOME": "/c", "HOME": "/home/u"}, "/c/sjgateway"),
            (None, {"HOME": "/home/u"}, "/home/u/.local/state/sjgateway"),
            (None, {}, "/.local/state/sjgateway"),
        ]:
            settings = Settings(state_dir=given)
            worker = worker_settings(settings, guard_settings(settings), environ)
            self.assertEqual(worker.state_dir, Path(expected))

    def test_the_layers_have_the_defaults_that_the_table_shows(self) -> None:
        settings = Settings()
        worker = worker_settings(settings, guard_settings(settings), {"HOME": "/"})
        default = WorkerSettings(state_dir=worker.state_dir)
        for each in fields(WorkerSettings):
            if each.name not in {"secrets", "withhold"}:
                self.assertEqual(getattr(worker, each.name), getattr(default, each.name), each.name)
        relay = relay_settings(settings, {})
        self.assertEqual(relay.keys.names, frozenset(STATES + QUOTES))
        self.assertEqual(relay.snapshots.quote_names, frozenset(QUOTES))
        self.assertEqual(relay.snapshots.readiness_names, READINESS)
        names = {name: getattr(relay, name) for name in ("keys", "snapshots", "aliases")}
        self.assertEqual(relay, type(relay)(**names))
        self.assertEqual(relay.keys.field, type(relay)().keys.field)
        engine = engine_settings(settings)
        self.assertEqual(
            engine, type(engine)(path="/socket.io/", rate=2000, burst=10_000, query=engine.query)
        )
