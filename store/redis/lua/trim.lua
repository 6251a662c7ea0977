-- Trim replaces a closed hold by one without the entries whose counters are
-- gone, unless it was changed meanwhile.
--
-- KEYS     those of the ledger
-- ARGV[1]  job
-- ARGV[2]  the hold as it was read
-- ARGV[3]  the hold without the entries
--
-- Returns 1 when it did.
if redis.call('HGET', holds, ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', holds, ARGV[1], ARGV[3])
redis.call('ZREM', expiring, ARGV[1])
return 1
