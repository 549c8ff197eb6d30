"""The supervisor of main.py: one life-cycle machine and the process behind it."""
