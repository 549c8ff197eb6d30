"""Socket.IO 4 and 5 over any Engine.IO session, sans-IO."""
