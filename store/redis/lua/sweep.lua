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
  local id = ARGV[i]
  local hold, value = redis.call('HGET', holds, id), redis.call('HGET', jobs, id)
  if hold then
    local state, _, _, _, at = hold_parts(hold)
    local j = parse(value)
    local over = j and j.life ~= 'live'
    if not value then over = at <= ARGV[2] end
    if over and state == 'held' then
      bill(id, 'release', '0', ARGV[1])
      n = n + 1
    end
  else
    redis.call('SREM', held, id)
  end
end
return n
