"""The worker's guardian: the process between the gateway and its worker.

Run as `python -I -S guardian.py`, by a gateway that may be of the version before: so the file
keeps its name.  What it runs is `guarding/`.  It is the worker's parent in a session of its own
and, on Linux, the reaper of every orphan the worker leaves, so that the whole tree can be found
and ended, even after the gateway was killed.

Descriptors: 0 is the *lifeline*, whose other end only the gateway holds; 1 and 2 are the
worker's output, which the guardian hands on and closes; 3 takes the guardian's reports; 4,
where there is one, is the lock by which the next gateway knows that something of this tree
is still there (`claim.py`): the guardian and the worker hold it as long as they live; 5, where
there is one, is the *door*: a UNIX socket that listens, where the next gateway asks for the worker;
6 and 7, where there are any, are the ends by which the output can be read.

Lifeline, one command a line: first a JSON object with `argv`, `cwd`, `env` (texts that
hold bytes as latin-1), `patience` (seconds after SIGINT, after SIGTERM, for what the worker
leaves), `keep` (seconds; 0 without it), `identity` (texts by name: what makes this worker another
one than others), `note` (an object that only the gateway understands), `system` (how the tree is
found: `linux`, as without it, or `portable`) and perhaps `lease`; afterwards `patience A B C`,
`keep SECONDS`, `lease UNTIL`, `note {...}`, `adopted`, `stop`, `kill`.

A `lease` is an object: `until`, in seconds of a clock that goes on while the machine sleeps
(`words.now`), and `patience`: seconds after SIGINT, after SIGTERM, and from SIGKILL to `until`.
Nothing of the tree lives past that time, whatever the gateway does, since another machine may start
a worker then: the guardian ends it by itself, so early that its patience fits.  `lease UNTIL` puts
that off, unless it has begun.  `after` are `argv`, `cwd` and `input` of a program that gives the
lease back: it is run when nothing of the tree is left, and there is no gateway that could do it.

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

import os
import sys

if __name__ == "__main__":
    # Alone among the files of its folder this one may be run: -I leaves Python's own modules only.
    here = os.path.abspath(__file__)  # noqa: PTH100 - pathlib is slow to import
    sys.path.append(here.rsplit(os.sep, 4)[0] or os.sep)
    from gateway.worker.process.guarding.program import Guardian

    Guardian().main()
    os._exit(0)  # its end is awaited, and nothing of the interpreter has to be tidied up
