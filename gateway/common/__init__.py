"""What several folders need; all but the protocols and `options` may import it.

A module here imports nothing of the other folders.

- `attempt`: does what may raise, and says what happened: once, again and again, or by a timer.
- `times`: times as text, and daily windows that may pass midnight.
- `rate`: rate limits for log lines and answers that strangers could cause by the thousand.
- `fields`: reads fields that come from outside as a msgspec struct.
- `credentials`: the broker's keys, and what makes them valid.
- `escape`: makes characters visible that could forge a line of a log.
- `redact`: takes secrets out of a text.
- `keyfile`: a secret that outlives the process: random bytes in a file.
- `silent_logger`: for protocols whose peers could make them log without end.
- `shares`: bounds that many owners share, so that none can push out what others put.
"""
