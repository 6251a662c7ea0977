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
local before, first = 0, nil
for _, name in ipairs(redis.call('ZRANGEBYLEX', waiting, '[' .. j.seat .. sep, '(' .. j.seat .. sep .. '~')) do
  local seq = string.match(name, '^[^' .. sep .. ']*' .. sep .. '(%d+)', #j.seat + 2)
  if tonumber(seq) < j.seq then before = before + 1 end
  if not first or seq < first then first = seq end
end
local team = team_of(j.seat) .. sep
return redis.call('ZLEXCOUNT', places, '[' .. team, '[' .. place_name(j.seat, before, first))
