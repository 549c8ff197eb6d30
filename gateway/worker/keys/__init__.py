"""The broker's credentials that the next worker gets.

In reading order:

- `credentials`: one set of keys, its validation, its variables, and the file that keeps it.
- `store`: which keys count: posted ones, those of the file, or the environment's.
- `credential_change`: new keys and a new worker; the previous keys again when that fails.
- `dotenv`: the worker's own .env: its values, and what in it is a secret.
- `literals`: keys that are written in the worker's source.
- `overriding`: whether the worker's own .env or source wins over posted keys.

`gateway.worker`, its settings, `process/`, `readiness/`, `gateway.ops.doctor` and `gateway.app`
import it.
"""
