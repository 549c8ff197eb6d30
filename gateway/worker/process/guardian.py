"""The worker's guardian: the process between the gateway and its worker.

Run as `python -I -S guardian.py`; standard library only, nothing of the gateway: so it must
stay one file, though it is longer than others.  It is the worker's parent in a session of its
own and, on Linux, the reaper of every orphan the worker leaves, so that the whole tree can be
found and ended, even after the gateway was killed.

Descriptors: 0 is the *lifeline*, whose other end only the gateway holds; 1 and 2 are the
worker's output, which the guardian hands on and closes; 3 takes the guardian's reports; 4,
where there is one, is the lock by which the next gateway knows that something of this tree
is still there (`claim.py`): the guardian and the worker hold it as long as they live; 5, where
there is one, is the *door*: a UNIX socket that listens, where the next gateway asks for the worker.

Lifeline, one command a line: first a JSON object with `argv`, `cwd`, `env` (texts that
hold bytes as latin-1), `patience` (seconds after SIGINT, after SIGTERM, for what the worker
leaves), `keep` (seconds; 0 without it), `identity` (texts by name: what makes this worker another
one than others), `note` (an object that only the gateway understands) and perhaps `lease`;
afterwards `patience A B C`, `keep SECONDS`, `lease UNTIL`, `note {...}`, `adopted`, `stop`, `kill`.

A `lease` is an object: `until`, in seconds of a clock that goes on while the machine sleeps
(`now`), and `patience`: seconds after SIGINT, after SIGTERM, and from SIGKILL to `until`.  Nothing
of the tree lives past that time, whatever the gateway does, since another machine may start a
worker then: the guardian ends it by itself, so early that its patience fits.  `lease UNTIL` alone
puts that off.  `after` are `argv`, `cwd` and `input` of a program that gives the lease back: it is
run when nothing of the tree is left, and there is no gateway that could do it.

Reports, one a line: `forked PID`, by the new process itself before it becomes the worker;
`started PID` or `failed ERRNO REASON`; `expired`: it begins to end the tree because of the lease;
`sent SIGNAME`; `exited STATUS` (as waitpid has it), at once when the worker is gone.  The guardian
itself exits when nothing of the tree is left.

When the lifeline ends without a `stop` the gateway was killed, or hands over: the worker is
*kept* for `keep` seconds, and ended as by `stop` when nobody has come.  What it prints meanwhile
is read, and the newest of it is kept.  SIGTERM and SIGINT always mean `stop`.  When the lifeline
ends while the worker is being ended, the guardian stays for as long, even when nothing of the tree
is left: it may be the only one that still knows the keys.

The door is heeded while there is no gateway.  Only the own user is answered.  One message asks: a
JSON object with `version` and `identity`.  One line answers, a JSON object.  Where version and
identity are the guardian's own, four descriptors come with it, as whoever starts a guardian has
them: the new lifeline, the worker's stdout and stderr, the new reports.  It tells `version`, `pid`
(the guardian's), `given` (the first line), `note` (the newest), `lease` (until when; null: for
ever), `age` (seconds since the start of the worker, or from that to its end), `gone` (seconds since
its end), `reports` (all so far), `output` (pairs of descriptor and text) and `dropped` (bytes of
it that were not kept).  The new gateway says `adopted` first of all; if it goes before that, the
worker is still kept, and nothing is lost.  Otherwise, and when the worker is being ended, the
answer is `refused` (what differs; perhaps nothing) and, to the same version, `given` and `note`;
the worker is ended, and nobody is waited for any more: who asks is in charge now, and will not
have it.

The worker and the others of its process group get SIGINT, SIGTERM, SIGKILL, as of Ctrl-C in
a terminal.  Processes with a group of their own get SIGTERM when the worker is gone, and
SIGKILL.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import math
import os
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from functools import partial
from typing import Any

VERSION = 1
"""Of what is said through the door.  Any version tells `version`, in a line of JSON."""
LIFELINE, STATUS, LOCK, DOOR = 0, 3, 4, 5
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
LINUX = sys.platform == "linux"
LIBC = ctypes.CDLL(None)
KILL_INTERVAL = 0.05
"""Seconds between looks at a tree that is being killed: it may fork meanwhile."""
KEPT_OUTPUT = 256 * 1024
"""Bytes of output that are kept for the next gateway."""
PIECE, PIECE_COST = 8192, 128
"""Bytes from which on a new piece of the output is begun; what a piece costs besides."""
FIND_INTERVAL = 1.0
"""Seconds between looks whether the next gateway can find a worker that is kept."""
LEASE_INTERVAL = 1.0
"""Seconds between looks at a lease: a wait does not count what the machine sleeps."""
AFTER_TIMEOUT = 10.0
"""Seconds in which the lease is given back."""
DOOR_TIMEOUT = 5.0
"""Seconds in which one who comes to the door says and takes what it wants."""
MAX_QUESTION = 16384
"""Bytes of what it says."""


def now() -> float:
    """Seconds of a clock that goes on while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def prctl(option: int, value: int) -> None:
    """Linux' prctl(2) with one argument."""
    LIBC.prctl(option, value, 0, 0, 0)


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process; one that Python handles, to its main thread.

    Python runs handlers in the main thread alone, but the kernel may give a process's signal
    to any thread, such as one that is just being started, and leave the main thread asleep.
    """
    tgkill = getattr(LIBC, "tgkill", None)
    if number == signal.SIGKILL or tgkill is None or blocked(pid, number):
        os.kill(pid, number)
    else:
        tgkill(pid, pid, int(number))


def blocked(pid: int, number: signal.Signals) -> bool:
    """Whether the main thread leaves this signal to others, as far as /proc tells."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status") as file:  # noqa: PTH123 - likewise
        for line in file:
            if line.startswith("SigBlk:"):
                return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    return False


def descendants(root: int) -> list[int]:
    """The living processes below `root`, by /proc; empty where there is none."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if LINUX else ():  # noqa: PTH208 - pathlib is slow to import
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123 - likewise
                state, parent = file.read().rpartition(b") ")[2].split()[:2]
        except (OSError, ValueError):
            continue  # gone meanwhile
        if state != b"Z":
            children.setdefault(int(parent), []).append(int(name))
    found, todo = [], [root]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


class Guardian:
    """One worker, from its start until nothing of its tree is left."""

    def __init__(self) -> None:
        self.locks = tuple(filter(is_open, (LOCK,)))
        self.door: socket.socket | None = None
        if LINUX and self.locks and is_open(DOOR):
            self.door = socket.socket(fileno=DOOR)
            self.door.setblocking(False)  # who came may be gone again
        self.attached = True
        """Whether somebody holds the other end of the lifeline."""
        self.kept_until: float | None = None
        """Until when the next gateway is waited for; None: there is one, or nobody is to come."""
        self.lease: float | None = None
        """Until when anything of the tree may live, by `now`; None: for ever."""
        self.last_patience = [0.0, 0.0, 0.0]
        """At the end of the lease: after SIGINT, after SIGTERM, after SIGKILL."""
        self.expired = False
        """Whether that has begun."""
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
        self.outputs: dict[int, int] = {}
        """Where the worker's output can be read; it is the gateway's while that lives."""
        self.unread: list[int] = []
        """Those of 1 and 2 that have not ended."""
        self.printed: list[tuple[int, bytearray]] = []
        """The newest of it, in pieces; `printed_cost` is what they cost."""
        self.printed_cost = 0
        self.dropped = 0
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
        if LINUX:
            prctl(PR_SET_CHILD_SUBREAPER, 1)
        line = self.first_line()
        if line:
            self.given = json.loads(line)
            self.note = self.given.get("note")
            self.keep = self.given.get("keep", 0.0)
            if "lease" in self.given:
                self.lease = self.given["lease"]["until"]
                self.last_patience = self.given["lease"]["patience"]
            if self.has_time() and self.start(self.given):
                self.watch()
                if not self.attached:
                    self.give_back()

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
        if self.time_left() > 0:
            return True
        self.report(f"failed {errno.ETIMEDOUT} the right to run a worker has ended")
        return False

    def time_left(self) -> float:
        """Seconds until the tree is to end because of the lease."""
        until = math.inf if self.lease is None else self.lease
        return until - sum(self.last_patience) - now()

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
                preexec_fn=partial(follow, os.getpid()),  # noqa: PLW1509 - there is one thread
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            self.report(f"failed {getattr(error, 'errno', None) or 0} {' '.join(reason.split())}")
            return False
        self.process = process  # kept: its finaliser must not reap
        self.worker = self.group = process.pid
        self.born = time.monotonic()
        self.report(f"started {self.worker}")
        # Once the gateway is dead somebody must read on: a worker that prints while it logs
        # out would die of a broken pipe before it has.
        for output in (1, 2) if LINUX else ():
            with contextlib.suppress(OSError):
                flags = os.O_RDONLY | os.O_NONBLOCK
                self.outputs[output] = os.open(f"/proc/self/fd/{output}", flags)
        self.unread = [*self.outputs]
        null = os.open(os.devnull, os.O_RDWR)
        for output in (1, 2):
            os.dup2(null, output)
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
            for output in [each for each in self.unread if self.outputs[each] in readable]:
                self.listen(output)
            if self.door in readable:
                self.answer()

    def sources(self) -> list[Any]:
        """What is heeded besides signals."""
        if self.attached:
            return [LIFELINE]
        unread = [self.outputs[each] for each in self.unread]
        return unread if self.door is None else [*unread, self.door]

    def reap(self) -> bool:
        """Collect the dead; whether anybody is left."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return True
                if pid == self.worker:
                    self.worker, self.died = 0, time.monotonic()
                    self.report(f"exited {status}")
                    self.end_rest()
        except ChildProcessError:
            self.company = self.strays = None
            return False

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
                self.lease = float(words[0])
            elif command == b"note":
                self.note = json.loads(line[len(command) :])
            elif command == b"adopted":
                self.kept_until = None
                self.printed.clear()
                self.printed_cost = self.dropped = 0
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
        can_come = self.door is not None and len(self.outputs) > 1
        if self.company is not None or not can_come:
            self.end()
        if can_come:
            self.kept_until = time.monotonic() + self.keep

    def is_lost(self) -> bool:
        """Whether nobody comes any more: it is late, or can't find the worker."""
        if self.attached or self.kept_until is None:
            return False
        return time.monotonic() >= self.kept_until or os.fstat(LOCK).st_nlink == 0

    def listen(self, output: int) -> None:
        """Keep the newest of what the worker prints while nobody else reads it."""
        data = b""
        with contextlib.suppress(OSError):
            data = os.read(self.outputs[output], 65536)
        if not data:
            self.unread.remove(output)
            return
        last, piece = self.printed[-1] if self.printed else (0, bytearray())
        if last != output or len(piece) >= PIECE:
            piece = bytearray()
            self.printed.append((output, piece))
            self.printed_cost += PIECE_COST
        piece += data
        self.printed_cost += len(data)
        while self.printed_cost > KEPT_OUTPUT:
            _, piece = self.printed.pop(0)
            self.printed_cost -= PIECE_COST + len(piece)
            self.dropped += len(piece)

    def answer(self) -> None:
        """Somebody is at the door.  Whoever it is, it can do no harm but ask."""
        assert self.door is not None
        with contextlib.suppress(Exception), self.door.accept()[0] as visitor:
            visitor.settimeout(DOOR_TIMEOUT)
            credentials = visitor.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            if struct.unpack("3i", credentials)[1] != os.getuid():
                return
            refused = self.differs(json.loads(visitor.recv(MAX_QUESTION)))
            if refused or self.ending:
                self.end()
                known = {"given": self.given, "note": self.note}
                known = {} if refused == ["version"] else known
                visitor.sendall(encoded({"version": VERSION, "refused": refused, **known}))
            else:
                self.hand_over(visitor)

    def differs(self, asked: dict[str, Any]) -> list[str]:
        """What is not as it would be with the one who asks."""
        if asked["version"] != VERSION:
            return ["version"]
        own, other = self.given.get("identity", {}), asked["identity"]
        return [name for name in {**own, **other} if own.get(name) != other.get(name)]

    def hand_over(self, visitor: socket.socket) -> None:
        """Give the worker to the next gateway.  Raises OSError, and then nothing has changed."""
        present = time.monotonic()
        until = self.died or present
        header = encoded(
            {
                "version": VERSION,
                "pid": os.getpid(),
                "given": self.given,
                "note": self.note,
                "lease": self.lease,
                "age": until - self.born,
                "gone": present - until,
                "reports": self.told,
                "output": [(output, data.decode("latin-1")) for output, data in self.printed],
                "dropped": self.dropped,
            }
        )
        lifeline, theirs = os.pipe()
        reports, status = os.pipe()
        try:
            given = [theirs, self.outputs[1], self.outputs[2], reports]
            rights = socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("4i", *given)
            sent = visitor.sendmsg([header], [rights])
            if sent < len(header):  # else who has it all may be gone by now
                visitor.sendall(header[sent:])
            os.dup2(lifeline, LIFELINE)
            os.dup2(status, STATUS)
        finally:
            for end in (lifeline, theirs, reports, status):
                os.close(end)
        self.attached = True
        self.inbox = b""

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
        if self.lease is None:
            return
        interrupt, terminate, last = self.last_patience
        if self.time_left() <= 0 and not self.expired:
            self.expired = True
            self.patience = [interrupt, terminate, interrupt]
            self.report("expired")
            self.end()
            for course in self.courses():
                course.hurry(interrupt)
        if self.lease - now() <= last:
            self.lease = None
            self.kill()

    def give_back(self) -> None:
        """Nothing is left of the tree: let another machine have a worker."""
        after = self.given.get("lease", {}).get("after")
        if after is not None:
            with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
                subprocess.run(  # noqa: S603 - the gateway's own command
                    [raw(word) for word in after["argv"]],
                    cwd=raw(after["cwd"]),
                    env={},
                    input=after["input"].encode(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    timeout=AFTER_TIMEOUT,
                    check=False,
                )

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
        ends = [course.deadline for course in self.courses()]
        if self.kept_until is not None and not self.attached:
            ends += [self.kept_until, time.monotonic() + FIND_INTERVAL]
        if self.lease is not None:
            due = self.lease - self.last_patience[2] - now() if self.expired else self.time_left()
            ends.append(time.monotonic() + min(due, LEASE_INTERVAL))
        return max(0.0, min(ends) - time.monotonic()) if ends else None

    def escalate(self) -> None:
        """Send the signals whose time has come."""
        company = self.company and self.company.next()
        strays = company if self.strays is self.company else self.strays and self.strays.next()
        if company and self.worker and company != self.sent:
            self.sent = company
            self.report(f"sent {company.name}")
        if not LINUX and company and self.worker:
            os.killpg(self.worker, company)
            os.killpg(self.worker, signal.SIGCONT)
        for pid in descendants(os.getpid()) if company or strays else ():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                number = company if os.getpgid(pid) == self.group else strays
                if number:
                    send(pid, number)
                    os.kill(pid, signal.SIGCONT)  # a stopped process can't die of it

    def report(self, line: str) -> None:
        """Tell the gateway, which may be gone; and remember it for the next one."""
        self.told.append(line)
        with contextlib.suppress(OSError):
            os.write(STATUS, f"{line}\n".encode())


class Course:
    """Signals, each with its patience in seconds; at last SIGKILL, again and again."""

    def __init__(self, *steps: tuple[signal.Signals, float]) -> None:
        self.steps = [*steps, (signal.SIGKILL, KILL_INTERVAL)]
        self.deadline = time.monotonic()

    def next(self) -> signal.Signals | None:
        """The signal that is due now, if any."""
        if time.monotonic() < self.deadline:
            return None
        number, patience = self.steps[0]
        if len(self.steps) > 1:
            del self.steps[0]
        self.deadline = time.monotonic() + patience
        return number

    def hurry(self, patience: float) -> None:
        """The present signal has no more than `patience` from now on."""
        self.deadline = min(self.deadline, time.monotonic() + patience)


def follow(guardian: int) -> None:
    """In the new process, just before it becomes the worker.

    Should the guardian be killed, that is SIGINT, from the first moment on: until the worker
    has a handler of its own it dies of it.  A process whose guardian was lost before that must
    not become a worker, since nobody would know of it.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if LINUX:
        prctl(PR_SET_PDEATHSIG, signal.SIGINT)
    if os.getppid() != guardian:
        os._exit(1)
    with contextlib.suppress(OSError):
        os.write(STATUS, f"forked {os.getpid()}\n".encode())


def is_open(descriptor: int) -> bool:
    """Whether we were given it."""
    with contextlib.suppress(OSError):
        return bool(os.fstat(descriptor))
    return False


def encoded(value: dict[str, Any]) -> bytes:
    """One line of JSON."""
    return json.dumps(value).encode() + b"\n"


def raw(text: str) -> bytes:
    """The bytes that `text` stands for."""
    return text.encode("latin-1")


if __name__ == "__main__":
    Guardian().main()
