"""A Socket.IO gateway and worker supervisor for twistd."""
