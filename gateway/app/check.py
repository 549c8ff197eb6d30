"""`twistd -n sjgateway --check`: checks everything that a start needs, and starts nothing."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

from gateway.app.build import version
from gateway.app.cluster_parts import cluster_settings
from gateway.app.layer_settings import (
    alert_settings,
    bar_settings,
    client_bundle,
    engine_settings,
    guard_settings,
    record_settings,
    relay_settings,
    worker_settings,
)
from gateway.market.hours import Calendar
from gateway.ops import doctor
from gateway.ops.alerts.posting import WebhookClient
from gateway.ops.alerts.receivers import receiver
from gateway.ops.doctor import TOPICS, Finding, Level
from gateway.ops.doctor.finding import fail, ok
from gateway.system.system import this_system
from gateway.web import private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gateway.ops.alerts.alerts import AlertSettings
    from gateway.ops.pidfile import PidFile
    from gateway.options import Settings
    from gateway.web.http.held import Held
    from gateway.worker.settings import WorkerSettings


def run(
    settings: Settings,
    environ: Mapping[str, str],
    say: Callable[[str], object],
    cwd: Path | None = None,
    now: float | None = None,
    *,
    pid_file: PidFile | None = None,
    held: Held | None = None,
) -> int:
    """Print each finding by `say`; returns the exit status: 0 when nothing fails.

    `cwd` and `now` (seconds since 1970) are the process's own by default; `pid_file` is the
    one that twistd would write; `held` is what a hand-over keeps: the new program may have no
    worker if there is none now.
    """
    now = time.time() if now is None else now
    found = _findings(settings, environ, cwd or Path.cwd(), now, held)
    findings = sorted(
        (*found, *check_pid_file(pid_file)),
        key=lambda finding: TOPICS.index(finding.topic),
    )
    for finding in findings:
        say(str(finding))
    count = {level: sum(each.level is level for each in findings) for level in Level}
    say(", ".join(f"{number} {level.value}" for level, number in count.items()))
    return 1 if count[Level.FAIL] else 0


def check_pid_file(pid_file: PidFile | None) -> Iterator[Finding]:
    """The findings on twistd's PID file; None: it writes none."""
    if pid_file is None:
        return
    what, _, cure = pid_file.problem.partition(": ")
    if what:
        yield fail("files", what, cure)
    elif pid_file.stale:
        yield ok("files", f"{pid_file.stale}; the next start removes it")


def _findings(
    settings: Settings,
    environ: Mapping[str, str],
    cwd: Path,
    now: float,
    held: Held | None,
) -> Iterator[Finding]:
    yield ok("packages", version())
    yield from doctor.check_files(settings)
    yield from doctor.check_clock(settings, now)
    yield doctor.check_descriptors(settings)
    yield from doctor.check_system(this_system(portable=settings.portable))
    yield from doctor.check_environment(environ)
    try:
        guard = guard_settings(settings)
        private.check()
        worker = worker_settings(settings, guard, environ)
        engine_settings(settings)
        relay_settings(settings, environ)
        recording = record_settings(settings)
        cluster = cluster_settings(settings)
        _alerts(alert_settings(settings))
        Calendar(settings.holiday_file)
        client_bundle(settings)
    except ValueError as error:
        yield fail("environment", str(error), "correct the option or the file that is named")
        return
    yield from doctor.check_recording(recording.folder if recording else None)
    bars = bar_settings(settings, environ)
    if not bars.mark:  # else they are in memory
        yield from doctor.check_bars(bars.path if bars.days else None)
    if cluster is None:
        yield ok("cluster", "none: this gateway is alone")
    else:
        from gateway.ops.doctor.redis import check_redis  # noqa: PLC0415 - rarely needed

        yield from check_redis(cluster)
    yield from doctor.check_ports(settings, guard, held.places if held else ())
    if not settings.no_worker:
        found = _worker(worker, environ, cwd, now)
        yield from found if held is None or held.has_worker else map(_bearable, found)


def _bearable(finding: Finding) -> Finding:
    """It stands in the way of a worker, and of nothing else."""
    return evolve(finding, level=Level.WARN) if finding.level is Level.FAIL else finding


def _alerts(settings: AlertSettings) -> None:
    """Raises ValueError where a start would."""
    WebhookClient(None, settings.ca_file)
    for each in settings.urls:
        receiver(each)


def _worker(
    settings: WorkerSettings, environ: Mapping[str, str], cwd: Path, now: float
) -> Iterator[Finding]:
    yield from doctor.check_worker(settings, environ, cwd)
    yield from doctor.check_keys(settings, environ, doctor.find_target(settings, environ, cwd))
    yield from doctor.check_state(settings.state_dir, settings.budget, now)
