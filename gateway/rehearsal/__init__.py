"""A rehearsal: the user's own worker, unchanged, with a recorded day in place of the broker.

- `plan`: what the worker is given in its environment.
- `script`: what goes wrong, and when.
- `reader`: prints the recording for the stand-in, in a process of its own.
- `stand_in/`: first on the worker's path: `shioaji`, and `rehearsed`, the broker behind it.  They
  need nothing but Python's library, for the worker's Python need not have our packages.
"""
