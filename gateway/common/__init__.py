"""What every layer but the sans-I/O protocols may import.

- `guard`: one guard around what may raise.
- `fields`: fields from outside as a msgspec struct.

A module here imports nothing else of the gateway.

- `keyfile`: a secret that outlives the process: random bytes in a file of the state folder.
- `rate`: for log lines that strangers could cause by the thousand.
- `redact`: secrets are taken out of every line, and so is any beginning of one.
- `times`: points in time, for people and for JSON.
"""
