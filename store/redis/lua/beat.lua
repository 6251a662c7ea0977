-- Says that a process lives, and hands out the jobs of those that are silent.
-- KEYS: as handout.lua, then the processes by when they were last heard of.
-- ARGV: consumer, "join", "stay" or "leave", milliseconds of silence, most
-- entries to hand out. Returns the entries that the consumer has claimed, or -1
-- if others have taken them over, and whether there is more to hand out.
local alive, me, most = KEYS[4], ARGV[1], tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.pcall('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
if ARGV[2] == 'stay' and not redis.call('ZSCORE', alive, me) then return {-1, 0} end
redis.call('ZADD', alive, ARGV[2] == 'leave' and 0 or now, me)
local more = 0
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', alive, '-inf', '(' .. (now - ARGV[3]))) do
  local pending = redis.call('XPENDING', stream, group, '-', '+', most, dead)
  for _, entry in ipairs(pending) do
    local found = redis.call('XRANGE', stream, entry[1], entry[1])[1]
    if found then give_back(entry[1], found[2][2]) else drop(entry[1]) end
  end
  if #pending < most then
    redis.call('ZREM', alive, dead)
    redis.call('XGROUP', 'DELCONSUMER', stream, group, dead)
  else
    more = 1
  end
end
local mine = 0
for _, consumer in ipairs(redis.call('XPENDING', stream, group)[4] or {}) do
  if consumer[1] == me then mine = tonumber(consumer[2]) end
  -- Somebody read under a name of before: its entries are handed out next time.
  if not redis.call('ZSCORE', alive, consumer[1]) then redis.call('ZADD', alive, 0, consumer[1]) end
end
return {mine, more}
