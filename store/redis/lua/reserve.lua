-- Reserve makes the hold of a job, or nothing. A second call returns the hold
-- that exists.
--
-- KEYS     those of the ledger
-- ARGV[1]  job
-- ARGV[2]  seat
-- ARGV[3]  team
-- ARGV[4]  the member's standing that the plan was made with
-- ARGV[5]  the team's
-- ARGV[6]  when the turnstile closes; 0 = it was not passed
-- ARGV[7]  the reservation as JSON: see ask in ask.go
-- ARGV[8…] the entries it may make, as JSON
--
-- Returns one of
--   {"made", numbers of the arguments that are the entries of the new hold, …}
--   {"hold", the hold that exists}
--   {"stale", member's standing, team's standing}: plan again
--   {"late"}: pass the turnstile again
--   {"limit", number of the count without room, what is used of it}
local job, seat, team = ARGV[1], ARGV[2], ARGV[3]
local old = redis.call('HGET', holds, job)
if old then return {'hold', old} end
local stale = standing_changed(seat, team, ARGV[4], ARGV[5])
if stale then return stale end
local closes = tonumber(ARGV[6])
if closes > 0 and now() > closes then return {'late'} end
local ask = cjson.decode(ARGV[7])
local sums = used(ask.counts or {})
local chosen, number_of, sum = decide(ask.counts or {}, sums)
if not chosen then return {'limit', number(number_of), number(sum)} end
reserve(job, ask, chosen, sums)
local reply = {'made'}
for i, e in ipairs(chosen) do reply[i + 1] = e.entry end
return reply
