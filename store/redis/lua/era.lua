-- The eras of a partition. Redis answers before its replicas and its disk have
-- what it did, so a server that was promoted or has crashed may lack the last
-- writes. Each time another server has the partition, an era begins. The
-- processes that were there before it report what they know better, and until
-- all have, or their time is over, nothing from before is changed or handed
-- out. If one of them never reports, what was not begun yet is doubtful.
--
-- KEYS[17] era        hash: the run of the server; number; clean and unclean, the
--                     last eras that all have reported in and that they have not;
--                     settled, the time when the wait for reports is over
-- KEYS[18] processes  sorted set: consumer by when it was last heard of
-- KEYS[19] absent     set: consumers that have not reported in this era
local processes, absent = KEYS[18], KEYS[19]

local era = {}
do
  local values = redis.call('HMGET', KEYS[17], 'number', 'clean', 'unclean', 'settled')
  for i, name in ipairs({'number', 'clean', 'unclean', 'settled'}) do era[name] = tonumber(values[i] or 0) end
end

-- settling tells whether somebody may still know better than the records.
local function settling() return era.clean < era.number and now() < era.settled end

-- doubtful tells whether more may have happened to a job than its record says,
-- and nobody is left who knows.
local function doubtful(j) return j.era < era.unclean or j.era < era.number and era.clean < era.number end

-- advance is the version after another. Versions of one era are not used in the
-- next, so that a process whose writes are gone is not taken for its successor.
local function advance(version) return math.max(version, era.number * 2 ^ 32) + 1 end

-- day is how long a process is remembered that is not heard of any more.
local day = 24 * 60 * 60 * 1000000

-- reported notes that a process is there and has reported in an era.
local function reported(consumer, number_of)
  redis.call('ZADD', processes, now(), consumer)
  for _, gone in ipairs(redis.call('ZRANGEBYSCORE', processes, '-inf', now() - day, 'LIMIT', 0, 10)) do
    redis.call('ZREM', processes, gone)
    if #redis.call('XPENDING', stream, group, '-', '+', 1, gone) == 0 then redis.call('XGROUP', 'DELCONSUMER', stream, group, gone) end
  end
  if number_of ~= era.number or era.clean == era.number then return end
  redis.call('SREM', absent, consumer)
  if redis.call('SCARD', absent) == 0 then
    redis.call('HSET', KEYS[17], 'clean', era.number)
    era.clean = era.number
  end
end
