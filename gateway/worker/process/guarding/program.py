"""The guardian: starts one worker, obeys the lifeline, keeps the worker, and ends it.

What is said over its descriptors: `gateway/worker/process/guardian.py`.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import resource
import select
import signal
import socket
import subprocess
import time
from functools import partial
from typing import Any

from gateway.worker.process.guarding.course import Course
from gateway.worker.process.guarding.doorway import asked, differs, give, visitor
from gateway.worker.process.guarding.lease import Lease
from gateway.worker.process.guarding.printed import Printed
from gateway.worker.process.guarding.tree import Tree, tree
from gateway.worker.process.guarding.words import (
    DOOR,
    LIFELINE,
    LOCK,
    STATUS,
    VERSION,
    encoded,
    is_open,
    raw,
)

FIND_INTERVAL = 1.0
"""Seconds between looks whether the next gateway can find a worker that is kept."""
LEASE_INTERVAL = 1.0
"""Seconds between looks at a lease: a wait does not count what the machine sleeps."""


class Guardian:
    """One worker, from its start until nothing of its tree is left."""

    def __init__(self) -> None:
        self.locks = tuple(filter(is_open, (LOCK,)))
        self.door: socket.socket | None = None
        if self.locks and is_open(DOOR):
            self.door = socket.socket(fileno=DOOR)
            self.door.setblocking(False)  # who came may be gone again
        self.attached = True
        """Whether somebody holds the other end of the lifeline."""
        self.kept_until: float | None = None
        """Until when the next gateway is waited for; None: there is one, or nobody is to come."""
        self.lease = Lease(None)
        self.ending = False
        """Whether the tree is to end: nobody can have the worker any more."""
        self.worker = 0
        self.died: float | None = None
        self.group = 0
        """The worker's process group, which outlives it."""
        self.patience = [0.0, 0.0, 0.0]
        self.company: Course | None = None
        """How those of the worker's group end; None: nobody asked for it."""
        self.strays: Course | None = None
        """How the others end; None while the worker lives."""
        self.sent: signal.Signals | None = None
        self.asked = False
        self.inbox = b""
        self.printed = Printed()
        self.told: list[str] = []
        """The reports so far."""

    def main(self) -> None:
        """Serve one worker."""
        self.wakeup, wake = os.pipe()
        for end in (self.wakeup, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        # Handlers, never SIG_IGN: what is ignored here would be ignored in the worker.
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGHUP, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.ask)
        with contextlib.suppress(PermissionError):  # leads a session already
            os.setsid()
        line = self.first_line()
        if line:
            self.given = json.loads(line)
            self.note = self.given.get("note")
            self.keep = self.given.get("keep", 0.0)
            self.lease = Lease(self.given.get("lease"))
            self.tree: Tree = tree(self.given.get("system"))
            self.tree.prepare()
            if self.has_time() and self.start(self.given):
                self.watch()
                if not self.attached:
                    self.lease.give_back()

    def ask(self, *_: object) -> None:
        """Signal handler: remember that the tree shall end."""
        self.asked = True

    def first_line(self) -> bytes:
        """What to start; empty when the gateway went away."""
        while b"\n" not in self.inbox:
            data = os.read(LIFELINE, 65536)
            if not data:
                return b""
            self.inbox += data
        line, _, self.inbox = self.inbox.partition(b"\n")
        return line

    def has_time(self) -> bool:
        """Whether the lease lasts; that it does not is reported, too."""
        if self.lease.left() > 0:
            return True
        self.report(f"failed {errno.ETIMEDOUT} the right to run a worker has ended")
        return False

    def start(self, what: dict[str, Any]) -> bool:
        """Start the worker; whether that worked is reported, too."""
        self.patience = what["patience"]
        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))  # a core would hold the keys
        try:
            process = subprocess.Popen(  # noqa: S603 - the gateway's own command
                [raw(word) for word in what["argv"]],
                cwd=raw(what["cwd"]),
                env={raw(name): raw(value) for name, value in what["env"].items()},
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=self.locks,
                preexec_fn=partial(follow, self.tree, os.getpid()),  # noqa: PLW1509 - there is one thread
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            self.report(f"failed {getattr(error, 'errno', None) or 0} {' '.join(reason.split())}")
            return False
        self.process = process  # kept: its finaliser must not reap
        self.worker = self.group = process.pid
        self.tree.began(self.worker)
        self.born = time.monotonic()
        self.report(f"started {self.worker}")
        self.printed.open(self.tree.read_end)
        return True

    def watch(self) -> None:
        """Until the tree is gone: reap, obey, keep it for the next gateway, end it when asked."""
        while self.reap() or self.kept_until is not None:
            if self.asked or self.is_lost():
                self.asked = False
                self.end()
                continue
            self.heed_lease()
            self.escalate()
            readable = select.select([self.wakeup, *self.sources()], [], [], self.left())[0]
            if self.wakeup in readable:
                os.read(self.wakeup, 4096)
            if LIFELINE in readable and not self.obey():
                self.detach()
            for output in [each for each in self.printed.sources if each in readable]:
                self.printed.read(output)
            if self.door in readable:
                self.answer()

    def sources(self) -> list[Any]:
        """What is heeded besides signals."""
        if self.attached:
            return [LIFELINE]
        unread = self.printed.sources
        return unread if self.door is None else [*unread, self.door]

    def reap(self) -> bool:
        """Collect the dead; whether anybody is left."""
        if self.tree.reap(self.ended):
            return True
        self.company = self.strays = None
        return False

    def ended(self, pid: int, status: int) -> None:
        """A process of the tree is gone."""
        if pid == self.worker:
            self.worker, self.died = 0, time.monotonic()
            self.report(f"exited {status}")
            self.end_rest()

    def obey(self) -> bool:
        """Read the lifeline; False when it is broken."""
        data = os.read(LIFELINE, 65536)
        *lines, self.inbox = (self.inbox + data).split(b"\n")
        for line in lines:
            command, *words = line.split()
            if command == b"patience":
                self.patience = [float(word) for word in words]
            elif command == b"keep":
                self.keep = float(words[0])
            elif command == b"lease":
                self.lease.renew(float(words[0]))
            elif command == b"note":
                self.note = json.loads(line[len(command) :])
            elif command == b"adopted":
                self.kept_until = None
                self.printed.forget()
            elif command == b"stop":
                self.end()
            elif command == b"kill":
                self.kill()
        return bool(data)

    def detach(self) -> None:
        """Nobody holds the lifeline any more: wait for the next gateway, if it can come."""
        self.attached = False
        if self.kept_until is not None:
            return  # who asked for it was gone before it said so
        can_come = self.door is not None and self.printed.is_whole
        if self.company is not None or not can_come:
            self.end()
        if can_come:
            self.kept_until = time.monotonic() + self.keep

    def is_lost(self) -> bool:
        """Whether nobody comes any more: it is late, or can't find the worker."""
        if self.attached or self.kept_until is None:
            return False
        return time.monotonic() >= self.kept_until or os.fstat(LOCK).st_nlink == 0

    def answer(self) -> None:
        """Somebody is at the door.  Whoever it is, it can do no harm but ask."""
        assert self.door is not None
        with contextlib.suppress(Exception), visitor(self.door) as came:
            refused = differs(asked(came), self.given.get("identity", {}))
            if refused or self.ending:
                self.end()
                known = {"given": self.given, "note": self.note}
                known = {} if refused == ["version"] else known
                came.sendall(encoded({"version": VERSION, "refused": refused, **known}))
            else:
                self.hand_over(came)

    def hand_over(self, came: socket.socket) -> None:
        """Give the worker to the next gateway.  Raises OSError, and then nothing has changed."""
        lifeline, theirs = os.pipe()
        reports, status = os.pipe()
        try:
            give(came, self.header(), [theirs, *self.printed.ends.values(), reports])
            os.dup2(lifeline, LIFELINE)
            os.dup2(status, STATUS)
        finally:
            for end in (lifeline, theirs, reports, status):
                os.close(end)
        self.attached = True
        self.inbox = b""

    def header(self) -> bytes:
        """What is told with it."""
        present = time.monotonic()
        until = self.died or present
        return encoded(
            {
                "version": VERSION,
                "pid": os.getpid(),
                "given": self.given,
                "note": self.note,
                "lease": self.lease.until,
                "age": until - self.born,
                "gone": present - until,
                "reports": self.told,
                "output": [*self.printed.texts()],
                "dropped": self.printed.dropped,
            }
        )

    def end(self) -> None:
        """Begin to end the tree, unless that was begun; nobody is waited for any more."""
        self.kept_until = None
        self.ending = True
        interrupt, terminate, _ = self.patience
        if self.company is None:
            self.company = Course((signal.SIGINT, interrupt), (signal.SIGTERM, terminate))

    def kill(self) -> None:
        """End it now."""
        self.end()
        self.company = self.strays = Course()

    def heed_lease(self) -> None:
        """End the tree in time."""
        if self.lease.until is None:
            return
        interrupt, terminate, _ = self.lease.patience
        if self.lease.left() <= 0 and not self.lease.expired:
            self.lease.expired = True
            self.patience = [interrupt, terminate, interrupt]
            self.report("expired")
            self.end()
            for course in self.courses():
                course.hurry(interrupt)
        if self.lease.expired and self.lease.due() <= 0:
            self.lease.until = None
            self.kill()

    def end_rest(self) -> None:
        """The worker is gone: what it left has its own patience to log out.

        Whoever got SIGINT with the worker may still be at it: a wrapper often ends before
        the program that it wraps.
        """
        patience = self.patience[2]
        if self.strays is None:
            self.strays = Course((signal.SIGTERM, patience))
        if self.company is None:
            self.company = self.strays
        else:
            self.company.hurry(patience)

    def courses(self) -> list[Course]:
        """Those that are under way."""
        return [course for course in (self.company, self.strays) if course is not None]

    def left(self) -> float | None:
        """Seconds until something is due; None: nothing is."""
        present = time.monotonic()
        ends = [course.deadline for course in self.courses()]
        if self.kept_until is not None and not self.attached:
            ends += [self.kept_until, present + FIND_INTERVAL]
        if self.lease.until is not None:
            ends.append(present + min(self.lease.due(), LEASE_INTERVAL))
        if not self.worker and self.tree.look_again is not None:
            ends.append(present + self.tree.look_again)
        return max(0.0, min(ends) - present) if ends else None

    def escalate(self) -> None:
        """Send the signals whose time has come."""
        company = self.company and self.company.next()
        strays = company if self.strays is self.company else self.strays and self.strays.next()
        if company and self.worker and company != self.sent:
            self.sent = company
            self.report(f"sent {company.name}")
        for pid in self.tree.members() if company or strays else ():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                number = company if os.getpgid(pid) == self.group else strays
                if number:
                    self.tree.send(pid, number)
                    os.kill(pid, signal.SIGCONT)  # a stopped process can't die of it

    def report(self, line: str) -> None:
        """Tell the gateway, which may be gone; and remember it for the next one."""
        self.told.append(line)
        with contextlib.suppress(OSError):
            os.write(STATUS, f"{line}\n".encode())


def follow(worker_tree: Tree, guardian: int) -> None:
    """In the new process, just before it becomes the worker.

    A process whose guardian was lost before that must not become a worker, since nobody would know
    of it.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    worker_tree.follow()
    if os.getppid() != guardian:
        os._exit(1)
    with contextlib.suppress(OSError):
        os.write(STATUS, f"forked {os.getpid()}\n".encode())
