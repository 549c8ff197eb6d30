"""The modules of `gateway/worker/process/`.

- `claim`: one worker at a time for one main.py and port, whatever became of the gateway before.
- `connections`: whose connections are these?  Recognises the worker by its process tree.
- `guarded`: one worker process and its guardian, as seen from the reactor.
- `guardian`: the worker's guardian: the process between the gateway and its worker.
- `launch`: what is run: which main.py, by which Python, in which environment.
- `lines`: from bytes to lines that can be logged: whole, bounded, escaped, not too many.
- `output`: what the worker prints: into the log, the tail, and to whoever listens for its
  errors.
- `settling`: waits until a process that starts comes to rest.
- `target`: what the worker is: main.py, a module, or any command; and where it works.
- `usage`: what the worker's processes take of the machine.
"""
