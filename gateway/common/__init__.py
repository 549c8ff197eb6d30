"""What every layer but the sans-I/O protocols may import.

- `guard`: one guard around what may raise.
- `rate`: for log lines that strangers could cause by the thousand.
- `times`: points in time, for people and for JSON.
- `fields`: fields from outside as a msgspec struct.
- `redact`: secrets are taken out of every line, and so is any beginning of one.
- `keyfile`: a secret that outlives the process: random bytes in a file of the state folder.

A module here imports nothing else of the gateway.
"""
