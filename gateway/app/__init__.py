"""The gateway as one Twisted service: what joins relay, web and worker.

In reading order: `assembly.py` (what the gateway is made of), `service.py` (in which order it
starts and stops), `children.py` (its ports, sessions and timer), `senders.py` (which session
is the worker's, and who may send how much), `process.py` (what a process of our own is given).
May import everything; only `tap.py` imports it.
"""
