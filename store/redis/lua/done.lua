-- Done ends the claim of a job: an unfinished one is handed out again. It does
-- nothing when the claim belongs to somebody else by now, or has ended.
--
-- KEYS     all of a partition
-- ARGV[1]  consumer
-- ARGV[2]  entry, id of its job, and so on
for i = 2, #ARGV, 2 do
  local entry, id = ARGV[i], ARGV[i + 1]
  local pending = redis.call('XPENDING', stream, group, entry, entry, 1)
  if #pending > 0 and pending[1][2] == ARGV[1] then
    withdraw(entry)
    local j = parse(redis.call('HGET', jobs, id))
    if j and j.entry == entry then
      j.entry = '-'
      if unfinished(j) then hand_out(id, j) end
      put(id, j)
    end
  end
end
return 0
