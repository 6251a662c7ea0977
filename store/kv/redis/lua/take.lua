-- KEYS: a bucket. ARGV: tokens to take, tokens when full, tokens a second.
-- Returns 0, or the microseconds until there are enough.
local n, burst, rate = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local had = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = burst
if had[1] then tokens = math.min(burst, tonumber(had[1]) + math.max(0, now - had[2]) * rate / 1000000) end
if tokens < n then return math.ceil((n - tokens) / rate * 1000000) end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens - n), 'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
return 0
