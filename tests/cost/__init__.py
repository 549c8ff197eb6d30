"""What each kind of input that a stranger can send costs the gateway: `python -m tests.cost`.

Each kind is sent to a gateway in a process of its own, and its processor time is taken from
the kernel.  The measure is a plain event: of a kind that costs more than `MOST` times what
events of the same size cost, strangers could send too little to be noticed and too much to
be served.
"""
