-- Accept records a job with its hold, puts it in line and into the stream, or
-- does nothing.
--
-- KEYS      all of a partition
-- ARGV[1]   id of the job
-- ARGV[2]   token of this call: a call whose reply was lost is known by it
-- ARGV[3]   seat
-- ARGV[4]   team
-- ARGV[5]   the member's standing that the plan was made with
-- ARGV[6]   the team's
-- ARGV[7]   when the turnstile closes; 0 = it was not passed
-- ARGV[8]   slots of all other partitions, if the turnstile was passed
-- ARGV[9]   the reservation as JSON: see ask in ask.go
-- ARGV[10]  record of the job
-- ARGV[11…] the entries the reservation may make, as JSON
--
-- Returns one of
--   {"accepted", job, hold}: by this call, or by the same one before
--   {"exists", job}
--   {"settling"}: writes were lost, and the job may be among them
--   {"stale", member's standing, team's standing}: plan again
--   {"late"}: pass the turnstile again
--   {"limit", number of the count without room, what is used of it}
--   {"full", jobs of the member that wait}
local id, token, seat, team = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local old = redis.call('HGET', jobs, id)
if old then
  local was = parse(old)
  if was and was.token == token then return {'accepted', old, redis.call('HGET', holds, id) or ''} end
  return {'exists', old}
end
if settling() then return {'settling'} end
local stale = standing_changed(seat, team, ARGV[5], ARGV[6])
if stale then return stale end
local closes, total = tonumber(ARGV[7]), nil
if closes > 0 then
  if now() > closes then return {'late'} end
  total = tonumber(ARGV[8]) + count('slots')
end

local ask = cjson.decode(ARGV[9])
local chosen, sums
-- A hold without a job is from before; released, it holds nothing.
local hold = redis.call('HGET', holds, id)
if not hold or cjson.decode(hold).state == 'released' then
  sums = used(ask.counts or {})
  local number_of, sum
  chosen, number_of, sum = decide(ask.counts or {}, sums)
  if not chosen then return {'limit', number(number_of), number(sum)} end
end
local j = {
  version = advance(0), era = era.number, token = token, seat = seat, record = ARGV[10], entry = '-',
  created = ask.created, life = ask.life,
  member_max = ask.member_max, team_max = ask.team_max, bot_max = ask.bot_max,
}
local admitted = room(seat, j.member_max, j.team_max, j.bot_max, total)
if not admitted then
  local before = count('waiting' .. sep .. seat)
  if before >= ask.waiting_max then return {'full', number(before)} end
end

if chosen then reserve(id, ask, chosen, sums) end
j.seq = next_number('seq')
j.admitted = admitted and '1' or '0'
j.class = admitted and ask.class_admitted or ask.class_waiting
if admitted then serve(seat) end
enter(id, j)
index('ZADD', all_jobs, id, j)
if unfinished(j) then
  index('ZADD', open_jobs, id, j)
  hand_out(id, j)
end
return {'accepted', put(id, j), redis.call('HGET', holds, id)}
