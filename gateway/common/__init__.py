"""What every layer but the sans-I/O protocols may import.

- `guard`: one guard around what may raise.

A module here imports nothing else of the gateway.
"""
