-- Amend changes what admins decided about a member and its team, and keeps the
-- record of it, or does nothing.
--
-- KEYS     those of the ledger
-- ARGV[1]  seat
-- ARGV[2]  team
-- ARGV[3]  the member's standing that was changed
-- ARGV[4]  the team's
-- ARGV[5]  the member's standing from now on; "" = as it is
-- ARGV[6]  the team's
-- ARGV[7]  the record with its place: a call whose reply was lost is known by it
--
-- Returns one of
--   {"amended"}: by this call, or by the same one before
--   {"stale", member's standing, team's standing}: edit again
local seat, team, member_next, team_next, record = ARGV[1], ARGV[2], ARGV[5], ARGV[6], ARGV[7]
if redis.call('ZSCORE', records, record) then return {'amended'} end
local stale = standing_changed(seat, team, ARGV[3], ARGV[4])
if stale then return stale end
if member_next ~= '' then redis.call('HSET', standings, seat, member_next) end
if team_next ~= '' then redis.call('HSET', standings, team, team_next) end
redis.call('ZADD', records, 0, record)
return {'amended'}
