"""Load on a gateway of its own, on the loopback interface; see README.md."""
