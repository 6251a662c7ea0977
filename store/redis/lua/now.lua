-- KEYS: the latest time that was told. ARGV: a time in microseconds, or "" for
-- the server's; "reset" to tell it though a later one was told. Returns the
-- latest time that was told, and the time itself.
local time = redis.call('TIME')
local now = tonumber(ARGV[1]) or time[1] * 1000000 + time[2]
local latest = tonumber(redis.call('GET', KEYS[1]) or 0)
if now > latest or ARGV[2] == 'reset' then
  redis.call('SET', KEYS[1], string.format('%.0f', now))
  latest = now
end
return {latest, now}
