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
local seats, first, waits, before = {}, {}, {}, 0
for _, name in ipairs(redis.call('ZRANGEBYLEX', waiting, '[' .. team .. sep, '(' .. team .. sep .. '\255')) do
  local seat, seq = string.match(name, '^([^' .. sep .. ']*' .. sep .. '[^' .. sep .. ']*)' .. sep .. '[%d ]+' .. sep .. '(%d+)')
  seq = tonumber(seq)
  if not first[seat] then seats[#seats + 1] = seat end
  first[seat] = math.min(first[seat] or seq, seq)
  waits[seat] = (waits[seat] or 0) + 1
  if seat == j.seat and seq < j.seq then before = before + 1 end
end
-- So many at once fit on the stack of the interpreter.
local chunk = 1000
for i = 1, #seats, chunk do
  local turns = {}
  for n = i, math.min(i + chunk - 1, #seats) do turns[#turns + 1] = turn_of(seats[n]) end
  look_up(turns)
end
local mine, place = count(turn_of(j.seat)), before + 1
for _, seat in ipairs(seats) do
  if seat ~= j.seat then
    local n, theirs = waits[seat], count(turn_of(seat))
    place = place + math.min(n, before)
    if n > before and (theirs < mine or theirs == mine and first[seat] < first[j.seat]) then place = place + 1 end
  end
end
return place
