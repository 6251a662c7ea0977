-- Leave hands everything out again that was delivered to a process which
-- stops, whether it has heard of it or not, and forgets the process.
--
-- KEYS     all of a partition
-- ARGV[1]  consumer
-- ARGV[2]  the era in which it has reported
--
-- Returns how many jobs are handed out again.
reported(ARGV[1], tonumber(ARGV[2]))
redis.call('ZREM', processes, ARGV[1])
local n = 0
for _, p in ipairs(redis.call('XPENDING', stream, group, '-', '+', 1000000, ARGV[1])) do
  local entry = p[1]
  local e = redis.call('XRANGE', stream, entry, entry)
  withdraw(entry)
  local id = e[1] and e[1][2][2]
  local j = id and parse(redis.call('HGET', jobs, id))
  if j and j.entry == entry then
    j.entry = '-'
    if unfinished(j) then
      hand_out(id, j)
      n = n + 1
    end
    put(id, j)
  end
end
redis.call('XGROUP', 'DELCONSUMER', stream, group, ARGV[1])
return n
