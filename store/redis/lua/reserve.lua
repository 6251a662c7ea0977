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
-- ARGV[7…] the reservation: see ledger.lua
--
-- Returns one of
--   {"made"}: with the entries of the counts
--   {"covered", entries of the new hold}: some of them draw on grants
--   {"hold", the hold that exists}
--   {"stale", member's standing, team's standing}: plan again
--   {"late"}: pass the turnstile again
--   {"limit", number of the count without room, what is used of it}
local job, reservation = ARGV[1], 7
local old = redis.call('HGET', holds, job)
if old then return {'hold', old} end
local stale = standing_changed(ARGV[2], ARGV[3], ARGV[4], ARGV[5])
if stale then return stale end
local closes = tonumber(ARGV[6])
if closes > 0 and now() > closes then return {'late'} end
local covered, count, sum = decide(reservation)
if not covered then return {'limit', count, sum} end
local entries = reserve(job, reservation, covered, nil)
if next(covered) == nil then return {'made'} end
return {'covered', entries}
