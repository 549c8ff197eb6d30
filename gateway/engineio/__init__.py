"""Engine.IO 3 and 4, sans-IO: bytes and deadlines in, events and bytes out."""
