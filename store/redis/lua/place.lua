-- Place is the place of a waiting job in its team's line, from 1: how many
-- turns until it is admitted if slots become free one by one. Members take
-- turns, so a job that has k jobs of its member before it follows at most k+1
-- jobs of each other member.
--
-- KEYS     all of a partition
-- ARGV[1]  id of the job
--
-- Returns the place; 0 when the job does not wait; false when there is none.
local j = parse(redis.call('HGET', jobs, ARGV[1]))
if not j then return false end
if j.class ~= 'wait' then return 0 end
local team = team_of(j.seat)
local first, waits, before = {}, {}, 0
local line_up = redis.call('ZRANGE', waiting, 0, -1, 'WITHSCORES')
for i = 1, #line_up, 2 do
  local seat = string.match(line_up[i], '^%d+ %d+ %d+ %S+ (.*)$')
  local seq = tonumber(line_up[i + 1])
  if team_of(seat) == team then
    first[seat] = first[seat] or seq
    waits[seat] = (waits[seat] or 0) + 1
    if seat == j.seat and seq < j.seq then before = before + 1 end
  end
end
local function turn(seat) return tonumber(redis.call('HGET', served, seat) or 0) end
local mine, place = turn(j.seat), before + 1
for seat, n in pairs(waits) do
  if seat ~= j.seat then
    place = place + math.min(n, before)
    local theirs = turn(seat)
    if n > before and (theirs < mine or theirs == mine and first[seat] < first[j.seat]) then place = place + 1 end
  end
end
return place
