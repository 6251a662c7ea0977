-- Open looks at entries of the stream that were delivered to this process and
-- drops those with no work behind them.
--
-- KEYS     all of a partition
-- ARGV     entry, id of its job, and so on
--
-- Returns the entries to work on: {entry, id, job, …}.
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
    out[#out + 1], out[#out + 2], out[#out + 3] = entry, id, value
  end
end
return out
