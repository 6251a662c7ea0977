-- Drop removes a job that is over, and its hold when that is no longer needed;
-- or only the hold of a job that is not there.
--
-- KEYS     all of a partition
-- ARGV[1]  id of the job
-- ARGV[2]  version of the job to remove; "" = there is none
-- ARGV[3]  the closed hold to remove, as it was read; "" = it stays
--
-- Returns "removed"; "missing" when there is no such job; "conflict" when the
-- job is another version, is not over, or is there although it should not be.
local id = ARGV[1]
local j = parse(redis.call('HGET', jobs, id))
local reply = 'removed'
if ARGV[2] == '' then
  if redis.call('HEXISTS', jobs, id) == 1 then return 'conflict' end
elseif not j then
  reply = 'missing' -- by another call, perhaps: its hold goes all the same
elseif j.version ~= tonumber(ARGV[2]) or unfinished(j) then
  return 'conflict'
else
  if j.entry ~= '-' then withdraw(j.entry) end
  leave(id, j)
  keep_line()
  unindex(all_jobs, id, j)
  unindex(open_jobs, id, j)
  redis.call('HDEL', jobs, id)
end
if ARGV[3] ~= '' and redis.call('HGET', holds, id) == ARGV[3] then
  local deltas = {}
  remove_hold(deltas, id, ARGV[3])
  post(deltas, false)
  redis.call('HDEL', holds, id)
  redis.call('SREM', held, id)
  redis.call('ZREM', expiring, id)
end
return reply
