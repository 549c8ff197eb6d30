"""The relay: one event log per namespace, and a cursor into it per subscriber."""
