"""The worker as processes of the operating system.

In reading order:

- `target`: what is run: main.py, a module or a command, and in which folder.
- `launch`: the whole command: which Python, and in which environment.
- `command`: what a guardian is told to run.
- `identity`: what makes a worker another one than others.
- `installed`: which Python and packages the worker has, by the names of their files.
- `interpreters`: asks a Python for its version and the modules that it has.
- `run`: one start of the worker, from the decision until nothing of its tree is left.
- `run_maker`: makes each run, of what all runs share.
- `guarded`: the guardian and its worker as the reactor sees them.
- `obstacles`: why a worker never became a process.
- `guardian`: the program of the guardian process, the worker's parent.
- `guarding/`: what that is made of.
- `orphan`: ends a worker whose guardian was killed.
- `claim`: locks, so that there is one worker at a time, whatever became of the gateway before.
- `predecessor`: waits for the worker that the gateway before left, or takes it over.
- `door`: where a guardian is asked for its worker, from outside.
- `adopted`: a guardian that another gateway started, as a process transport.
- `tenure`: the right to have a worker, where it can end.
- `note`: what the next gateway is to know of a worker.
- `output`: what the worker prints: into the log, and the broker's words in it.
- `lines`: from bytes to lines that can be logged.
- `usage`: CPU and memory, the pids of its tree, and when a process that starts has settled.
- `connections`: which connections to the gateway are the worker's, asked of the system.

`gateway.worker`, `gateway.worker.calendar`, `gateway.app` and `gateway.ops.doctor` import it.
"""
