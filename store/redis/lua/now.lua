-- KEYS: the latest time that was told. ARGV: a time in microseconds, or "" for
-- the server's. Returns the later of the two.
local time = redis.call('TIME')
local now = tonumber(ARGV[1]) or time[1] * 1000000 + time[2]
local latest = tonumber(redis.call('GET', KEYS[1]) or 0)
if now <= latest then return latest end
redis.call('SET', KEYS[1], string.format('%.0f', now))
return now
