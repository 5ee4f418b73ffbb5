"""What Redis does in one step for `eop.aaa.redis_sessions`, in its own language (Lua).

Every key begins with `prefix`, which ends with a hash tag, so that a cluster keeps all of them in
one place. `prefix .. 'session:' .. id` is a hash with a time to live; the sets name sessions:
`sessions` (all), `user:ID`, `ticket:HASH` and `children:ID`.
"""

START = """
local prefix, id, life, remaining = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local user, ticket, parent = ARGV[5], ARGV[6], ARGV[7]
local function file(set, tidy)
  if tidy then
    for _, other in ipairs(redis.call('SMEMBERS', set)) do
      if redis.call('EXISTS', prefix .. 'session:' .. other) == 0 then
        redis.call('SREM', set, other)
      end
    end
  end
  redis.call('SADD', set, id)
  if redis.call('PTTL', set) < remaining then redis.call('PEXPIRE', set, remaining) end
end
if parent ~= '' and redis.call('EXISTS', prefix .. 'session:' .. parent) == 0 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 8))
redis.call('PEXPIRE', KEYS[1], life)
file(prefix .. 'sessions', false)
file(prefix .. 'user:' .. user, true)
if ticket ~= '' then file(prefix .. 'ticket:' .. ticket, true) end
if parent ~= '' then file(prefix .. 'children:' .. parent, true) end
return 1
"""
"""Keep a session and name it in its sets; 0 where the session it is made from is over.

ARGV: prefix, id, milliseconds to live unused, milliseconds to live at all, user, ticket, parent,
then names and values of the hash. Sets forget what is over, and go when the last could have.
"""

TOUCH = """
local prefix, id, now, idle = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
while id and id ~= '' do
  local key = prefix .. 'session:' .. id
  local ends, parent = unpack(redis.call('HMGET', key, 'ends_at', 'parent'))
  if not ends then return end
  redis.call('HSET', key, 'seen_at', ARGV[3])
  local life = tonumber(ends) - now
  if idle > 0 and idle < life then life = idle end
  redis.call('PEXPIRE', key, life)
  id = parent
end
"""
"""A session is in use, and so is the one it was made from. ARGV: prefix, id, now, idle limit."""

END = """
local prefix, waiting, over = ARGV[1], {}, {}
for place = 2, #ARGV do waiting[place - 1] = ARGV[place] end
while #waiting > 0 do
  local id = table.remove(waiting)
  local key = prefix .. 'session:' .. id
  local user, ticket, parent = unpack(redis.call('HMGET', key, 'user_id', 'ticket', 'parent'))
  for _, child in ipairs(redis.call('SMEMBERS', prefix .. 'children:' .. id)) do
    table.insert(waiting, child)
  end
  redis.call('DEL', key, prefix .. 'children:' .. id)
  if user then
    redis.call('SREM', prefix .. 'user:' .. user, id)
    redis.call('SREM', prefix .. 'ticket:' .. ticket, id)
    redis.call('SREM', prefix .. 'children:' .. parent, id)
  end
  if redis.call('SREM', prefix .. 'sessions', id) == 1 then table.insert(over, id) end
end
return over
"""
"""End sessions and all that were made from them; the ids of those that were there.

ARGV: prefix, ids.
"""
