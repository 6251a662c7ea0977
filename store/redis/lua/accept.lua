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
-- ARGV[9]   record of the job
-- ARGV[10]  when it was created
-- ARGV[11]  its life
-- ARGV[12]  its class if its turn comes at once
-- ARGV[13]  and if it does not
-- ARGV[14]  limits: of the member
-- ARGV[15]  of the team
-- ARGV[16]  of the bot
-- ARGV[17]  how many jobs of the member may wait
-- ARGV[18…] the reservation: see ledger.lua
--
-- Returns one of
--   {"accepted", first line of the job, hold}: by this call, or by the same one
--     before; the hold is "" when it is the one that was asked for
--   {"exists", job}
--   {"settling"}: writes were lost, and the job may be among them
--   {"stale", member's standing, team's standing}: plan again
--   {"late"}: pass the turnstile again
--   {"limit", number of the count without room, what is used of it}
--   {"full", jobs of the member that wait}
local id, token, seat, reservation = ARGV[1], ARGV[2], ARGV[3], 18
local existing = redis.call('HGET', jobs, id)
if existing then
  local was = parse(existing)
  if was and was.token == token then return {'accepted', head_of(existing), redis.call('HGET', holds, id) or ''} end
  return {'exists', existing}
end
if settling() then return {'settling'} end
local stale = standing_changed(seat, ARGV[4], ARGV[5], ARGV[6])
if stale then return stale end
look_up_seat(seat)
local closes, total = tonumber(ARGV[7]), nil
if closes > 0 then
  if now() > closes then return {'late'} end
  total = tonumber(ARGV[8]) + count('slots')
end

local covered
-- A hold without a job is from before; released, it holds nothing.
local hold = redis.call('HGET', holds, id)
if not hold or hold_parts(hold) == 'released' then
  local number_of, sum
  covered, number_of, sum = decide(reservation)
  if not covered then return {'limit', number_of, sum} end
end
local j = {
  version = advance(0), era = era.number, token = token, seat = seat, record = ARGV[9], entry = '-', created = ARGV[10], life = ARGV[11],
  member_max = tonumber(ARGV[14]), team_max = tonumber(ARGV[15]), bot_max = tonumber(ARGV[16]),
}
local admitted = room(seat, j.member_max, j.team_max, j.bot_max, total)
if not admitted then
  local before = count(waiting_of(seat))
  if before >= tonumber(ARGV[17]) then return {'full', before} end
end

if covered then reserve(id, reservation, covered, hold) end
j.seq = next_number('seq')
j.admitted = admitted and '1' or '0'
j.class = admitted and ARGV[12] or ARGV[13]
if admitted then serve(seat) end
enter(id, j)
keep_line()
index(all_jobs, id, j)
if unfinished(j) then
  index(open_jobs, id, j)
  hand_out(id, j)
end
local as_asked = covered and next(covered) == nil
return {'accepted', put(id, j), as_asked and '' or redis.call('HGET', holds, id)}
