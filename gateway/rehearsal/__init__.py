"""A rehearsal: the user's own worker, unchanged, with a recorded day in place of the broker.

- `script`: what goes wrong, and when.
- `plan`: what the worker is given in its environment.
- `reader`: prints the recording for the stand-in, in a process of its own.

The folder `stand_in` is first on the worker's path.  In it are `shioaji`, and `rehearsed`, the
broker behind it.  They need nothing but Python's library: the worker's Python need not have our
packages.
"""
