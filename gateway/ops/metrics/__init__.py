"""What `/metrics` tells: counters that others keep as plain numbers, read when asked for.

docs/metrics.md has the names and what they mean.  Each class here is a collector of
prometheus_client.
"""
