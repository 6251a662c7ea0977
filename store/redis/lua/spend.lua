-- Takes a token from a bucket, or holds it back. KEYS: the bucket, a hash: when
-- it will be full, how far that may be ahead (a clock that jumps never makes it
-- longer), and by process how many want tokens and until when that counts.
-- ARGV: microseconds for one token, tokens when full, microseconds to hold it
-- back (0 = take one), process, how many want tokens, microseconds that counts.
-- Returns the microseconds until there is a token, and how many want one.
local time, bucket = redis.call('TIME'), KEYS[1]
local now = time[1] * 1000000 + time[2]
local every, burst, hold, me = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), 'p' .. ARGV[4]
local kept = redis.call('HMGET', bucket, 'full', 'ahead')
local ahead = tonumber(kept[2]) or burst * every
local full = math.max(now, math.min(tonumber(kept[1]) or now, now + ahead))
local wait, total, last = 0, 0, now
if hold > 0 then
  full = math.max(full, now + hold + (burst - 1) * every)
else
  redis.call('HSET', bucket, me, string.format('%s %.0f', ARGV[5], now + ARGV[6]))
  for _, who in ipairs(redis.call('HKEYS', bucket)) do
    local n, ends = string.match(redis.call('HGET', bucket, who), '^(%d+) (%d+)$')
    if n and (n == '0' or tonumber(ends) <= now) then redis.call('HDEL', bucket, who) end
    if n and tonumber(ends) > now then total, last = total + n, math.max(last, tonumber(ends)) end
  end
  wait = math.max(0, full + every - now - burst * every)
  if wait == 0 then full = full + every end
end
redis.call('HSET', bucket, 'full', string.format('%.0f', full), 'ahead', string.format('%.0f', math.max(full - now, burst * every)))
redis.call('PEXPIRE', bucket, math.ceil((math.max(full, last) - now) / 1000) + 1)
return {wait, total}
