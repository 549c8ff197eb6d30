"""Random input for everything that reads what strangers send.

The suite runs each target for a moment, with the same inputs every time.  Longer:

    python -m tests.fuzz http --seconds 600 --seed 7

Targets are `http`, `websocket`, `payload`, `packet` and `bars`.  A failure prints the input.
"""
