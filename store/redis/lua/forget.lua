-- Forget removes counters that no window includes any more.
--
-- KEYS     those of the ledger
-- ARGV[1]  the time, in seconds since 1970
-- ARGV[2]  how many to remove at most
--
-- Returns how many were removed.
local names = redis.call('ZRANGEBYSCORE', use_until, '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
if #names > 0 then
  redis.call('HDEL', use, unpack(names))
  redis.call('ZREM', use_until, unpack(names))
end
return #names
