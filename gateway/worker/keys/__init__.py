"""The modules of `gateway/worker/keys/`.

- `choice`: which keys the next worker gets.
- `credentials`: the broker's keys: what may be posted, where it is kept, how the worker gets
  it.
- `dotenv`: the worker's own .env: what it holds, what in it is a secret, and what is damaged.
- `overriding`: whether the worker's own .env wins over posted keys.
"""
