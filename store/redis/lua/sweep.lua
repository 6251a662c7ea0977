-- Sweep releases the holds of jobs that are over or don't exist.
--
-- KEYS     all of a partition
-- ARGV[1]  the time, as it is kept with the hold
-- ARGV[2]  holds without a job that were made after this time are left alone
-- ARGV[3…] the jobs to look at
--
-- Returns how many holds were released.
local n = 0
for i = 3, #ARGV do
  local value = redis.call('HGET', jobs, ARGV[i])
  local j = parse(value)
  local hold = redis.call('HGET', holds, ARGV[i])
  local over = j and j.life ~= 'live'
  if not value and hold then over = cjson.decode(hold).since <= tonumber(ARGV[2]) end
  if over and hold and cjson.decode(hold).state == 'held' then
    bill(ARGV[i], 'release', 0, ARGV[1])
    n = n + 1
  elseif not hold then
    redis.call('SREM', held, ARGV[i])
  end
end
return n
