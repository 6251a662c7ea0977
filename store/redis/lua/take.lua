-- Take removes a mark. What is left for a while says who has taken it.
--
-- KEYS[1]  the mark: see mark.lua
-- ARGV[1]  the time, in microseconds since 1970
-- ARGV[2]  token of this call: a call whose reply was lost is known by it
-- ARGV[3]  for how long that is remembered, in milliseconds
--
-- Returns the value, or false when there is no mark.
local m = redis.call('HMGET', KEYS[1], 'value', 'expires', 'taken')
if not m[1] then return false end
if m[3] then
  if m[3] == ARGV[2] then return m[1] end
  return false
end
if tonumber(m[2]) <= tonumber(ARGV[1]) then return false end
redis.call('HSET', KEYS[1], 'taken', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return m[1]
