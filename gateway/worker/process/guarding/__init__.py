"""What the guardian is made of; `guardian.py` beside this folder runs it, and says what is spoken.

It runs without site-packages: its modules import Python's own and each other, and nothing else of
the gateway.

- `words`: what the guardian and those who speak with it agree on.
- `course`: signals, each with its patience.
- `tree`: what is asked of the system about the worker's tree, and who answers.
- `linux_tree`: as Linux answers: no process of the tree can leave it.
- `portable_tree`: as any POSIX system does.
- `lease`: the time past which nothing of it may live.
- `printed`: what the worker prints while nobody else reads it.
- `doorway`: who comes to the door, and what is handed over there.
- `program`: the guardian: starts one worker, obeys, keeps it, ends it.
"""
