"""A Socket.IO gateway and worker supervisor for twistd."""

__version__ = "0.1.0"
