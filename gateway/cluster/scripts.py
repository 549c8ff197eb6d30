"""What Redis does for the gateways, each in one step that nothing comes between.

One namespace has a stream, the *log*, and a hash beside it, the *meta*:

    epoch, head     the name of the log, and the number of all places that were given
    run             the run id of the server that has given them
    lead            the token of the newest entry `l`
    key             a mark of the cluster's key: gateways with another one may not write
    o:GATEWAY       the incarnation of a gateway, and the number of its last batch

The id of an entry is `EPOCH-HEAD`, with the head behind the entry: so places are dense, and an
entry of `c` places ends at its id.  Kinds of entries (`k`):

    b   a batch: c, o (gateway and incarnation), n (its number), t (token), v, b (`record.py`)
    e   an epoch begins: c = 0, e: the last id before it
    c   a checkpoint was written: c = 1
    l   from here on the batches of the worker bear the token t: c = 1
"""

from __future__ import annotations

from functools import cached_property
from hashlib import sha1

import attrs


@attrs.define(eq=False, slots=False)
class Script:
    """A Lua script.  Every connection loads it before it is used (`Link.scripts`)."""

    text: str

    @cached_property
    def sha(self) -> str:
        """The name by which Redis knows it."""
        return sha1(self.text.encode(), usedforsecurity=False).hexdigest()


@attrs.frozen
class Names:
    """The names of all keys of a cluster, which Redis Cluster would keep in one slot."""

    cluster: str

    def _key(self, name: str) -> str:
        return f"{{sjg:{self.cluster}}}:{name}"

    def log(self, namespace: str) -> str:
        """The stream of a namespace."""
        return self._key(f"log:{namespace}")

    def meta(self, namespace: str) -> str:
        """The hash beside it."""
        return self._key(f"meta:{namespace}")

    def checkpoint(self, namespace: str) -> str:
        """The snapshot of a namespace, as of a place in the log."""
        return self._key(f"checkpoint:{namespace}")

    def mail(self, gateway: str) -> str:
        """The stream of what other gateways tell this one."""
        return self._key(f"to:{gateway}")

    @property
    def lease(self) -> str:
        """Who has the worker."""
        return self._key("lease")

    @property
    def members(self) -> str:
        """Who is there."""
        return self._key("members")

    @property
    def state(self) -> str:
        """What the gateway with the worker says of it."""
        return self._key("state")

    @property
    def keys(self) -> str:
        """What the next gateway with the worker needs to know, sealed: the broker's keys, too."""
        return self._key("keys")

    @property
    def printed(self) -> str:
        """What the worker printed, sealed."""
        return self._key("printed")


ENTRY = """
local function put(log, meta, count, ...)
  local epoch, head = unpack(redis.call('HMGET', meta, 'epoch', 'head'))
  head = string.format('%.0f', tonumber(head) + count)
  redis.call('XADD', log, epoch .. '-' .. head, 'k', ...)
  redis.call('HSET', meta, 'head', head)
end
"""
"""Begins scripts that write entries of their own into a log that there is.  Here and below the
entry comes first: Redis takes nothing back of a script that fails, and an entry that it refuses
must not be known as written."""

HELLO = Script("""
local epoch, head, run, key = unpack(redis.call('HMGET', KEYS[2], 'epoch', 'head', 'run', 'key'))
if key and key ~= ARGV[2] then return redis.error_reply('KEY another key') end
if run ~= ARGV[1] then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local before = epoch and (epoch .. '-' .. head) or ''
  epoch = string.format('%.0f', math.max(tonumber(epoch or 0) + 1, tonumber(ARGV[4]) + 1, now))
  head = string.format('%.0f', math.max(tonumber(head or 0), tonumber(ARGV[3])))
  redis.call('XADD', KEYS[1], epoch .. '-' .. head, 'k', 'e', 'c', 0, 'e', before)
  redis.call('HSET', KEYS[2], 'epoch', epoch, 'head', head, 'run', ARGV[1], 'key', ARGV[2])
end
return {epoch, head, redis.call('EXISTS', KEYS[3])}
""")
"""What each connection asks first.  KEYS: log, meta, checkpoint.  ARGV: the server's run id, the
mark of the key, the head and the epoch that the gateway knows.  Returns epoch, head, and whether
there is a checkpoint.

A server that was started anew, or that is another one, begins a new epoch: so nothing can be
written to it under the old one, and everybody learns how much of the old one it still has.
Places go on from the highest that anybody knows, and epochs are milliseconds, so that an emptied
server repeats none of them.
"""

APPEND = Script("""
local epoch, head, last = unpack(redis.call('HMGET', KEYS[2], 'epoch', 'head', 'o:' .. ARGV[2]))
if epoch ~= ARGV[1] then return redis.error_reply('EPOCH another epoch') end
local mine, number = 0, tonumber(ARGV[4])
if last then
  local incarnation, n = string.match(last, '^(%S+) (%d+)$')
  if incarnation == ARGV[3] then mine = tonumber(n) end
end
if number <= mine then return 0 end
if number ~= mine + 1 and ARGV[9] == '' then
  return redis.error_reply('ORDER a batch is missing')
end
head = string.format('%.0f', tonumber(head) + ARGV[5])
redis.call('XADD', KEYS[1], epoch .. '-' .. head, 'k', 'b', 'c', ARGV[5],
  'o', ARGV[2] .. ' ' .. ARGV[3], 'n', ARGV[4], 't', ARGV[6], 'v', ARGV[7], 'b', ARGV[8])
redis.call('HSET', KEYS[2], 'head', head, 'o:' .. ARGV[2], ARGV[3] .. ' ' .. ARGV[4])
return 1
""")
"""Write one batch.  KEYS: log, meta.  ARGV: epoch, gateway, incarnation, number, places, token,
version, batch, and a text that is not empty if batches before it may be missing.  Returns 0 if it
was written before: a batch is sent again when its answer was lost.
"""

CHECKPOINT = Script(
    ENTRY
    + """
if redis.call('HGET', KEYS[2], 'epoch') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[3], ARGV[2])
if ARGV[3] ~= '' then redis.call('XTRIM', KEYS[1], 'MINID', '~', ARGV[3]) end
put(KEYS[1], KEYS[2], 1, 'c', 'c', 1)
return 1
"""
)
"""Keep a snapshot, and forget the log before an id.  KEYS: log, meta, checkpoint.  ARGV: epoch,
snapshot, id or ''.  Returns 0 where another epoch has begun.
"""
