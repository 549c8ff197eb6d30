"""What the supervisor can be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from gateway.market.events import QUOTES
from gateway.worker.keys.credentials import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gateway.worker.keys.credentials import Variables


@frozen(kw_only=True)
class WorkerSettings:
    """All durations are in seconds."""

    state_dir: Path
    """Where the ledger of starts is kept; made (0700) when it is missing."""
    gateway_url: str = "http://localhost:3001"
    """Given to the worker as GATEWAY_URL and SOCKET_HUB."""
    secrets: tuple[str, ...] = ()
    """Further texts that no log may hold (tokens)."""
    withhold: tuple[str, ...] = ()
    """Environment variables of the gateway that the worker is not given."""

    main: Path | None = None
    """The worker's script; None: ./main.py, else ../main.py."""
    cwd: Path | None = None
    """Where the worker works; None: main.py's folder, else the gateway's."""
    module: str = ""
    """Run as `python -m` instead of main.py."""
    command: Sequence[str] = ()
    """Run instead of main.py, whatever it is."""
    python: str | None = None
    """The worker's interpreter; None: see `gateway.worker.process.launch`."""
    arguments: tuple[str, ...] = ()
    """What main.py is given on its command line."""
    mark: str = ""
    """`demo`, `replay` or `rehearsal`: what the worker tells instead of the market's own data.  All
    that is said of it has this mark, no keys are needed, and the ledger hears nothing of it."""
    own: Sequence[str] = ()
    """A module of the gateway's own that is the worker, with its arguments; () for none."""
    dev: bool = False
    """Restart when main.py, or a Python file beside it, changed."""
    given: Mapping[str, str] = field(factory=dict)
    """Variables of the worker's environment that win over the gateway's own."""
    variables: Variables = VARIABLES
    """The environment variables in which the worker looks for its keys."""
    credentials_file: Path | None = None
    """Where posted credentials are kept; None: in memory alone."""

    patience_login: float = 35.0
    """Wait after SIGINT, for a worker that was not ready yet: a native login delays the signal."""
    patience_interrupt: float = 10.0
    """Wait after SIGINT, for a worker that was ready."""
    patience_terminate: float = 5.0
    """Wait after SIGTERM; then comes SIGKILL."""
    patience_strays: float = 10.0
    """Wait after SIGTERM, for processes that a worker left: they may have to log out, too."""

    keep: float = 30.0
    """The worker outlives a gateway that was killed for so long, and is taken over by the next."""

    settle: float = 2.0
    """A worker has started when it says something, rests, or lived this long."""
    backoff_first: float = 0.5
    """The pause after the first unexpected exit; each further one doubles it."""
    backoff_max: float = 300.0
    """The longest such pause."""
    fast: float = 60.0
    """A worker that lived less than this failed fast."""
    stable: float = 600.0
    """After a worker was ready for this long the next pause is the shortest again."""
    fatal_after: int = 5
    """Fast failures in a row that end in `fatal`; 0: never."""

    budget: int = 200
    """Starts per trading day past which only a person starts the worker."""
    pause_first: float = 60.0
    """The pause that code 451 or 503 of the broker imposes at first."""
    pause_max: float = 600.0
    """The longest pause that is kept for the broker."""

    schedule: tuple[str, ...] = ()
    """Cron expressions at which the worker is restarted."""
    sessions: tuple[str, ...] = ()
    """Windows such as `Mon-Fri 08:30-13:50` in which alone the worker is up; empty: always."""
    timezone: str = "Asia/Taipei"

    heartbeat: float = 10.0
    """Time between two heartbeats of a worker."""
    quotes: frozenset[str] = frozenset(QUOTES)
    """Events of market data: a worker that sends them has logged in."""
    heartbeats_late: int = 3
    """After this many missed heartbeats the worker is no longer ready."""
    watchdog: int = 0
    """After this many missed heartbeats it is restarted; 0: never."""
    watchdog_grace: float = 60.0
    """The watchdog leaves a worker alone for this long after its start."""
    ready_within: float = 60.0
    """People are told when a worker is not ready this long after its start; 0: never."""
    connected_within: float = 30.0
    """People are told when a worker has not connected this long after its start."""
    restart_silent: float = 0.0
    """A feed that is stale in a session for this long restarts the worker; 0: never."""
    ready_timeout: float = 90.0
    """How long `wait_ready` waits until the new worker is ready."""
    line_length: int = 8192
    """Bytes of a line of output that are kept."""
    line_rate: float = 200.0
    """Lines of output per second that are logged in the long run."""
    line_burst: int = 2000
    """Lines of output that are logged at once, beyond the rate."""
    tail_lines: int = 1000
    """Lines of output that `log_tail` can show."""

    def patience(self, *, ready: bool) -> tuple[float, float, float]:
        """As a guardian takes it: after SIGINT, after SIGTERM, and for strays."""
        interrupt = self.patience_interrupt if ready else self.patience_login
        return interrupt, self.patience_terminate, self.patience_strays
