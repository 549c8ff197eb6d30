"""Runs a worker with a rule: its options, its keys, its signals, its source."""

from __future__ import annotations

import gc
import os
import queue
import signal
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gateway.client.needs import require

require()  # before they are imported

from gateway.client.backfill import Quota  # noqa: E402
from gateway.client.broker import Broker  # noqa: E402
from gateway.client.connection import Gateway  # noqa: E402
from gateway.client.console import Redactor, log_to_console  # noqa: E402
from gateway.client.demo import Demo  # noqa: E402
from gateway.client.rule import RuleThread  # noqa: E402
from gateway.client.settings import credentials_from, options, truthy  # noqa: E402
from gateway.client.source import NoCredentials  # noqa: E402
from gateway.client.worker import Stopped, Worker  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.client.events import Event
    from gateway.client.rule import Rule
    from gateway.client.source import Source


def run(rule: Rule, argv: Sequence[str]) -> int:
    """Run the worker until a signal, or a failure, ends it; its exit status.

    `argv` are the options of its command line.  It logs in once: starting again is its
    supervisor's business.
    """
    environ = os.environ
    chosen = options(argv, environ)
    credentials = credentials_from(environ)
    parts = urlsplit(chosen.url)  # whose query may hold a token
    redact = Redactor((*credentials.secrets, parts.query, parts.password or ""))
    log_to_console(redact)

    # SimpleQueue.put is reentrant, so that a signal handler may call it.
    stop: queue.SimpleQueue[Exception] = queue.SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda n, _: stop.put(Stopped(signal.Signals(n).name)))

    source: Source
    marks: Event = {"simulation": True, "demo": True} if chosen.demo else {}
    gateway = rule.gateway = Gateway(chosen.url, marks, redact)
    thread = RuleThread(rule, gateway)
    thread.start()
    if chosen.demo:
        demo = partial(Demo, rate=chosen.rate, seed=chosen.seed, codes=chosen.codes)
        source = demo(gateway, hear=thread.hear)
    elif not (credentials.api_key and credentials.secret_key):
        source = NoCredentials(gateway, "SECRET_KEY" if credentials.api_key else "API_KEY")
    else:
        simulation = truthy(environ.get("SIMULATION", ""))
        quota = Quota.of_kbars(environ)
        broker = partial(Broker, simulation=simulation, codes=chosen.codes, quota=quota)
        source = broker(gateway, credentials, stop.put, rule=rule, hear=thread.hear)
    status = Worker(gateway, source, stop).run()
    # The interpreter's last look for garbage takes 0.1 s, more on a busy machine: the next worker
    # waits for the end of this one.
    gc.freeze()
    return status
