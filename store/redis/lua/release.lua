-- Gives an entry back that a consumer has claimed. KEYS: as handout.lua.
-- ARGV: consumer, entry, job.
local pending = redis.pcall('XPENDING', stream, group, ARGV[2], ARGV[2], 1)
if not pending.err and pending[1] and pending[1][2] == ARGV[1] then give_back(ARGV[2], ARGV[3]) end
return 1
