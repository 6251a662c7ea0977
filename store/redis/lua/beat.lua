-- Beat says that a process still works on its claims, and takes over those of
-- processes that no longer say so.
--
-- KEYS     all of a partition
-- ARGV[1]  consumer
-- ARGV[2]  how long a claim must have been silent to be taken over, in
--          milliseconds; 0 = take nothing over
-- ARGV[3]  how many to take over at most
-- ARGV[4]  the era in which the process has reported
-- ARGV[5]  entry, id of its job, version that is known of it, and so on: the
--          claims of this process
--
-- Returns {lost, changed, taken, capped, era}: ids of jobs whose claim somebody
-- else has; id, version, … of jobs that were saved; entry, id, … of claims that
-- were taken over; how many capped jobs wait; which era it is.
local consumer, silent = ARGV[1], tonumber(ARGV[2])
reported(consumer, tonumber(ARGV[4]))
local mine = {}
if #ARGV > 4 then
  for _, p in ipairs(redis.call('XPENDING', stream, group, '-', '+', 1000000, consumer)) do mine[p[1]] = true end
end
local lost, changed, kept = {}, {}, {}
for i = 5, #ARGV, 3 do
  local entry, id, version = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if not mine[entry] then
    lost[#lost + 1] = id
  else
    kept[#kept + 1] = entry
    local now_version = string.match(redis.call('HGET', jobs, id) or '', '^%d+')
    if now_version and now_version ~= version then
      changed[#changed + 1], changed[#changed + 2] = id, now_version
    end
  end
end
-- So many at once fit on the stack of the interpreter.
local chunk = 1000
for i = 1, #kept, chunk do
  local claim = {'XCLAIM', stream, group, consumer, 0, unpack(kept, i, math.min(i + chunk - 1, #kept))}
  claim[#claim + 1] = 'JUSTID'
  redis.call(unpack(claim))
end
local taken, cursor = {}, '0-0'
while silent > 0 do
  local reply = redis.call('XAUTOCLAIM', stream, group, consumer, silent, cursor, 'COUNT', ARGV[3])
  for _, e in ipairs(reply[2]) do
    if e and e[2] then taken[#taken + 1], taken[#taken + 2] = e[1], e[2][2] end
  end
  cursor = reply[1]
  if cursor == '0-0' or #taken >= 2 * tonumber(ARGV[3]) then break end
end
return {lost, changed, taken, count('capped'), era.number}
