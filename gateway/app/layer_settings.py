"""Makes the settings of each layer of the table of options.

Each function raises ValueError, with one line for the user, for options that make no sense
together.  A new option that a layer needs is one more line here.
"""

from __future__ import annotations

import hmac
from datetime import UTC
from math import inf
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING

from gateway.app.admission import Publish
from gateway.common.keyfile import KeyFile
from gateway.engineio.settings import Settings as EngineSettings
from gateway.history.bar_service import BarSettings
from gateway.history.recordings_folder import RecordSettings
from gateway.market.codes import ContractCodes
from gateway.market.events import READINESS
from gateway.ops.alerts.alerts import AlertSettings
from gateway.options import options
from gateway.relay.event import Keys
from gateway.relay.lagging import SlowClientLimits
from gateway.relay.late_joiners import SnapshotSettings
from gateway.relay.settings import RelaySettings
from gateway.replay.wishes import speed_text
from gateway.socketio.server import Settings as SocketSettings
from gateway.web.security.guard_settings import GuardSettings
from gateway.web.security.token_files import Source, first_tokens
from gateway.web.security.tokens import Role
from gateway.web.websocket.allowance import Allowance
from gateway.worker.calendar.schedule import zone
from gateway.worker.keys.credentials import name_more
from gateway.worker.settings import WorkerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.engineio.session import Session
    from gateway.options import Settings

WORKER_KEY = "worker"
"""The parameter of GATEWAY_URL by which the worker may be known."""


def worker_secret(settings: Settings, environ: Mapping[str, str]) -> Callable[[], str]:
    """What the worker's URL tells besides, by `WORKER_KEY`; the same after a restart.

    A worker that the next gateway takes over still has the URL that it was given.
    """
    key = KeyFile(state_dir(settings, environ) / "recovery.key")
    return lambda: hmac.digest(key(), b"the worker's URL", "sha256").hex()[:32]


def engine_settings(settings: Settings, sid_prefix: str = "") -> EngineSettings:
    """For Engine.IO, whose intervals are in milliseconds; a client may save up 5 s of its rate.

    `sid_prefix`: what the ids of sessions begin with.
    """
    return EngineSettings(
        ping_interval=settings.ping_interval * 1000,
        ping_timeout=settings.ping_timeout * 1000,
        max_payload=settings.max_payload,
        rate=settings.message_rate,
        burst=5 * settings.message_rate,
        eio3=settings.eio3,
        sid_prefix=sid_prefix,
        path="/socket.io/",
        query=frozenset(("token", WORKER_KEY)),
    )


def socket_settings(settings: Settings) -> SocketSettings:
    """For Socket.IO."""
    return SocketSettings(connect_timeout=settings.connect_timeout)


def allowance(
    settings: Settings,
    is_worker: Callable[[Session], bool],
    is_exempt: Callable[[Session], bool],
) -> Allowance:
    """How large messages may be, and of whom at which rate.

    `is_worker(session)`: it may send as large messages as the worker; `is_exempt(session)`: it
    may send at any rate.
    """
    return Allowance(
        max_payload=settings.max_payload,
        worker_payload=settings.worker_max_payload,
        is_worker=is_worker,
        is_exempt=is_exempt,
    )


def relay_settings(
    settings: Settings, environ: Mapping[str, str], pid_key: Callable[[], bytes] | None = None
) -> RelaySettings:
    """For the relay; `environ` may name the state folder, where the key of recovery is.

    `pid_key`: the key of recovery that several gateways share.
    """
    return RelaySettings(
        namespaces=settings.namespaces,
        echo=settings.echo,
        log_bytes=settings.history_size,
        log_records=settings.history_events,
        flush_interval=settings.flush_interval,
        ack_timeout=settings.ack_timeout,
        recovery_time=settings.recovery_time,
        pid_key=pid_key or KeyFile(state_dir(settings, environ) / "recovery.key"),
        keys=Keys(
            names=frozenset(settings.state_events + settings.quote_events),
            field=settings.key_field,
        ),
        aliases=ContractCodes,
        snapshots=SnapshotSettings(
            states=not settings.no_snapshot_states,
            quotes=settings.snapshot_quotes,
            quote_names=frozenset(settings.quote_events),
            readiness_names=READINESS,
        ),
        slow_client_limits=SlowClientLimits(
            bytes=settings.slow_size,
            stall=settings.slow_time,
            longest_stall=settings.stall_time,
            conflate=not settings.no_conflation,
        ),
    )


def record_settings(settings: Settings) -> RecordSettings | None:
    """For recording; None: nothing is recorded."""
    if settings.record is None:
        return None
    if "/" not in settings.namespaces:
        raise ValueError("--record records the namespace / alone: add it to --namespaces")
    return RecordSettings(
        folder=settings.record.absolute(),
        days=settings.record_days,
        max_bytes=settings.record_size,
        everybody=settings.record_events == "everybody",
    )


def publish_choice(settings: Settings, *, has_tokens: bool) -> Publish:
    """Whose events are relayed; `has_tokens`: whether any token is set."""
    if not settings.publish:
        return Publish.by_default(tokens=has_tokens)
    if settings.publish == Publish.WORKER.value and settings.no_worker:
        raise ValueError("--publish worker needs a worker; use --publish token")
    return Publish(settings.publish)


def guard_settings(settings: Settings) -> GuardSettings:
    """For the guard before all routes; reads the token files."""
    return GuardSettings(
        allowed_hosts=settings.allowed_hosts,
        allowed_origins=settings.allowed_origins,
        trusted_proxies=settings.trusted_proxies,
        tokens=first_tokens(token_sources(settings)),
    )


def token_sources(settings: Settings) -> tuple[Source, ...]:
    """Where tokens come from; a file wins over a variable."""
    given = (
        (Role.CONTROL, settings.token_file, settings.token, "SJGATEWAY_TOKEN"),
        (Role.VIEW, settings.view_token_file, settings.view_token, "SJGATEWAY_VIEW_TOKEN"),
    )
    return tuple(
        Source(role, file.absolute() if file else text, what)
        for role, file, text, what in given
        if file or text
    )


RECORDED = frozenset(("replay", "rehearsal"))
"""Marks of days that are over."""


def mark_of(settings: Settings) -> str:
    """What the worker tells instead of the market's data (`WorkerSettings.mark`); "": nothing."""
    given = {
        "--replay": settings.replay,
        "--rehearse": settings.rehearse,
        "--demo": settings.demo,
        "--no-worker": settings.no_worker,
    }
    names = [name for name, is_given in given.items() if is_given]
    if (settings.replay or settings.rehearse) and len(names) > 1:
        raise ValueError(f"{' and '.join(names)} exclude one another: each says who sends events")
    if settings.rehearse:
        return "rehearsal"
    return "replay" if settings.replay else "demo" if settings.demo else ""


def _rehearsing(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """What makes the worker rehearse; empty: it does not."""
    if settings.rehearse is None:
        return {}
    from gateway.rehearsal import plan  # noqa: PLC0415  # else nothing needs zstd

    if not 0 < settings.speed < inf:
        raise ValueError("--rehearse: --speed must be more than 0, and can't be max")
    return plan.environment(
        settings.rehearse.absolute(),
        begin=settings.from_,
        faults=settings.rehearse_faults,
        shioaji=settings.rehearse_shioaji or "",
        speed=settings.speed,
        state=state_dir(settings, environ) / "rehearsal",
        environ=environ,
        variables=name_more(settings.key_names),
    )


def _own_worker(settings: Settings) -> tuple[str, ...]:
    """The module of ours that is the worker, and its arguments; (): it is the user's own."""
    if not settings.replay:
        return ()
    if "/" not in settings.namespaces:
        raise ValueError("--replay plays in the namespace / alone: add it to --namespaces")
    files = [file.absolute() for file in settings.replay]
    for file in files:
        if not file.is_file():
            raise ValueError(f"--replay: there is no file {file}")
    begin = ("--from", settings.from_.at.isoformat()) if settings.from_ else ()
    loop = ("--loop",) if settings.loop else ()
    moved = ("--moved",) if settings.times == "now" else ()
    speed = ("--speed", str(speed_text(settings.speed)))
    return ("gateway.replay", *speed, *begin, *loop, *moved, "--", *map(str, files))


def worker_settings(
    settings: Settings, guard: GuardSettings, environ: Mapping[str, str]
) -> WorkerSettings:
    """For the supervisor; the tokens of `guard` are among what its log leaves out."""
    given = [name for name in ("main", "module", "command") if getattr(settings, name)]
    if len(given) > 1:
        names = " and ".join(f"--{name}" for name in given)
        raise ValueError(f"{names} exclude one another: each says what the worker is")
    mark = mark_of(settings)
    is_recorded = mark in RECORDED  # it is up at any hour, and silent where the recording is
    return WorkerSettings(
        state_dir=state_dir(settings, environ),
        secrets=tuple(token.secret for token in guard.all_tokens),
        withhold=tuple(name for each in options() if each.secret for name in each.variables),
        main=settings.main,
        cwd=settings.cwd,
        module=settings.module or "",
        command=tuple(settings.command or ()),
        python=settings.python,
        arguments=settings.worker_args,
        mark=mark,
        own=_own_worker(settings),
        given=_rehearsing(settings, environ),
        dev=settings.dev,
        variables=name_more(settings.key_names),
        credentials_file=settings.credentials_file,
        patience_login=settings.patience_login,
        patience_interrupt=settings.patience_interrupt,
        patience_terminate=settings.patience_terminate,
        patience_strays=settings.patience_interrupt,
        keep=settings.keep_worker,
        fatal_after=settings.fatal_after,
        budget=settings.budget,
        schedule=() if is_recorded else settings.schedule,
        sessions=() if is_recorded else settings.sessions,
        timezone=settings.timezone,
        quotes=frozenset(settings.quote_events),
        heartbeat=settings.heartbeat,
        watchdog=settings.watchdog,
        ready_within=settings.ready_within,
        restart_silent=0 if is_recorded else settings.restart_silent,
    )


def bar_settings(settings: Settings, environ: Mapping[str, str]) -> BarSettings:
    """For bars; each gateway of the state folder has a file of its own, by its port."""
    path = state_dir(settings, environ) / f"bars-{settings.port}.db"
    return BarSettings(path=path, days=settings.keep_bars, mark=mark_of(settings))


def alert_settings(settings: Settings) -> AlertSettings:
    """For alerts; reads the file of receivers.  Nobody is told of a recorded day."""
    urls = tuple(secret_of("alert", settings.alert_file, settings.alert_urls).split())
    if mark_of(settings) in RECORDED:
        urls = ()
    return AlertSettings(
        urls=urls,
        ca_file=settings.alert_ca,
        interval=settings.alert_interval,
        language=settings.alert_language,
        zone=zone(settings.timezone) if urls else UTC,
        page=settings.alert_link or "",
        gateway=gethostname(),
    )


def secret_of(what: str, file: Path | None, given: str) -> str:
    """The text in `file`, or, without a file, the text of the variable."""
    if file is None:
        return given
    try:
        text = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ValueError(f"the {what} file can't be read: {error}") from None
    if not text:
        raise ValueError(f"the {what} file {file} is empty")
    return text


def client_bundle(settings: Settings) -> bytes | None:
    """The library that browsers get at `socket.io.js`; None: there is none."""
    if settings.client_bundle is None:
        return None
    try:
        return settings.client_bundle.read_bytes()
    except OSError as error:
        raise ValueError(f"--client-bundle can't be read: {error}") from None


def state_dir(settings: Settings, environ: Mapping[str, str]) -> Path:
    """The state folder: the one that is set, else systemd's, else the one of the XDG rules."""
    if settings.state_dir:
        return settings.state_dir
    given = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given)
    home = Path(environ.get("HOME") or "/")
    return Path(environ.get("XDG_STATE_HOME") or home / ".local" / "state") / "sjgateway"
