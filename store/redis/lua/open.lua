-- Open looks at entries of the stream that were delivered to this process and
-- drops those with no work behind them.
--
-- KEYS     all of a partition
-- ARGV     entry, id of its job, and so on
--
-- Returns the entries to work on: {entry, id, job, hold, standing, …}. The
-- standing is "settling" when somebody may still know better than the record,
-- "doubtful" when more may have happened than it says, or "".
local out = {}
for i = 1, #ARGV, 2 do
  local entry, id = ARGV[i], ARGV[i + 1]
  local value = redis.call('HGET', jobs, id)
  local j = parse(value)
  if not j or j.entry ~= entry then
    withdraw(entry)
  elseif not unfinished(j) then
    withdraw(entry)
    j.entry = '-'
    put(id, j)
  else
    local standing = j.era < era.number and settling() and 'settling' or doubtful(j) and 'doubtful' or ''
    for _, part in ipairs({entry, id, value, redis.call('HGET', holds, id) or '', standing}) do out[#out + 1] = part end
  end
end
return out
