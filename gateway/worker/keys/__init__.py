"""The broker's credentials that the next worker gets.

In reading order:

- `credentials`: one set of keys, its validation, its variables, and the file that keeps it.
- `store`: which keys count: posted ones, those of the file, or the environment's; how they are
  changed together with the worker, and the previous keys again when that fails.
- `own_files`: which keys and secrets are in the worker's own .env and source.
- `overriding`: whether the worker's own .env or source wins over posted keys.

`gateway.worker`, its settings, `process/`, `readiness/`, `gateway.ops.doctor` and `gateway.app`
import it.
"""
