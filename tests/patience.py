"""For how long a test waits."""

PATIENCE = 120
"""Seconds after which whatever is waited for will not come, on however busy a machine."""
