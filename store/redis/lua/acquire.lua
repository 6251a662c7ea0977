-- Acquire gets or renews a lease.
--
-- KEYS[1]  the lease
-- ARGV[1]  owner
-- ARGV[2]  for how long, in milliseconds
--
-- Returns {1 when the owner has the lease now, the time of the server in
-- microseconds}.
local t = redis.call('TIME')
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return {0, 0} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {1, t[1] * 1000000 + t[2]}
