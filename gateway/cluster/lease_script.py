"""The one thing that is asked of Redis about the lease, as arguments of a script, without I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import astuple

from gateway.cluster.election import Record
from gateway.cluster.scripts import ENTRY, Script

if TYPE_CHECKING:
    from gateway.cluster.election import Request

WRITE: Final = Script(
    ENTRY
    + """
local fields = {'holder', 'token', 'beat', 'run', 'lasts'}
local was = redis.call('HMGET', KEYS[1], unpack(fields))
if was[1] and not was[5] then was[5] = '0' end  -- of the version before
local how, fits = ARGV[1], false
if how == 'none' then
  fits = not was[1]
elseif how == 'renew' then
  fits = was[1] == ARGV[7] and was[2] == ARGV[8] and tonumber(was[3]) < tonumber(ARGV[4])
elseif how == 'same' then
  fits = true
  for i = 1, #fields do fits = fits and was[i] == ARGV[6 + i] end
end
if not fits then return was[1] and was end
local new = {}
for i = 1, #fields do
  new[i] = ARGV[1 + i]
  redis.call('HSET', KEYS[1], fields[i], new[i])
end
for i = 2, new[1] ~= '' and #KEYS or 0, 2 do
  local meta = KEYS[i + 1]
  if redis.call('EXISTS', meta) == 1 and redis.call('HGET', meta, 'lead') ~= new[2] then
    put(KEYS[i], meta, 1, 'l', 'c', 1, 't', new[2])
    redis.call('HSET', meta, 'lead', new[2])
  end
end
return new
"""
)
"""What a `Request` asks for.  KEYS: the lease, then log and meta of each namespace.  ARGV: look,
none, renew or same; the fields of the new record, and of the expected one.  Returns the record
as it is then, or nothing.  Who has the lease leads from some place of each log on: from where it
was taken, or from its first renewal after the log began anew.
"""


def written(request: Request) -> list[str]:
    """The arguments of `WRITE` for `request`."""
    new, expected = request.new, request.expected
    if new is None:
        return ["look"]
    how = "renew" if request.renews else "none" if expected is None else "same"
    records = (new,) if expected is None else (new, expected)
    return [how, *(str(field) for record in records for field in astuple(record))]


def read(reply: Any) -> Record | None:
    """The record that `WRITE` returned.  Raises ValueError for nonsense."""
    if not reply:
        return None
    try:
        holder, token, beat, run, lasts = (field.decode() for field in reply)
    except AttributeError:
        raise ValueError(f"fields are missing: {reply}") from None
    return Record(holder, int(token), int(beat), run, int(lasts))
