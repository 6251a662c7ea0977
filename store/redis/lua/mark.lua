-- Mark writes a mark: whatever is there, or only where there is none.
--
-- KEYS[1]  the mark, a hash: value, when it expires, token of who wrote it,
--          token of who has taken it
-- ARGV[1]  value
-- ARGV[2]  when it expires, in microseconds since 1970
-- ARGV[3]  the time, the same way
-- ARGV[4]  for how long the key is kept, in milliseconds
-- ARGV[5]  token of this call: a call whose reply was lost is known by it
-- ARGV[6]  "1" to write it only where there is none
--
-- Returns 1 when the mark is of this call.
local m = redis.call('HMGET', KEYS[1], 'expires', 'token', 'taken')
if ARGV[6] == '1' and m[1] and not m[3] and tonumber(m[1]) > tonumber(ARGV[3]) then
  if m[2] == ARGV[5] then return 1 end
  return 0
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'value', ARGV[1], 'expires', ARGV[2], 'token', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
