-- Restore puts back what a process knows of a job and the server has lost. It
-- does nothing when somebody works on the job in this era, or when the process
-- knows nothing newer.
--
-- KEYS     all of a partition
-- ARGV[1]  id of the job
-- ARGV[2]  the job as the process last saw it kept
-- ARGV[3]  its hold; "" = not known
-- ARGV[4]  "1" when the process works on the job: what it knows is all there is
-- ARGV[5]  channel for changes
-- ARGV[6]  the era that the process has found
--
-- Returns "restored", "kept", or "elsewhere" when this is not that era: the
-- connection leads to another server.
if era.number ~= tonumber(ARGV[6]) then return 'elsewhere' end
local id, hold, works, channel = ARGV[1], ARGV[3], ARGV[4] == '1', ARGV[5]
local mine, stored = parse(ARGV[2]), parse(redis.call('HGET', jobs, id))
local base = era.number * 2 ^ 32
if stored and stored.era == era.number and stored.version > base then return 'kept' end
if hold ~= '' and redis.call('HEXISTS', holds, id) == 0 then put_back(id, hold) end
if stored and (stored.version == mine.version or stored.version > mine.version and stored.version < base) then
  if works and stored.version == mine.version then
    stored.era = era.number
    put(id, stored)
  end
  return 'kept'
end

if hold ~= '' then put_back(id, hold) end
local entry, open = '-', false
if stored then
  leave(id, stored)
  entry, open = stored.entry, unfinished(stored)
  mine.era = math.max(mine.era, stored.era)
  if stored.version > mine.version then mine.version = advance(stored.version) end
else
  index(all_jobs, id, mine)
end
mine.entry = entry
if works then mine.era = era.number end
enter(id, mine)
if unfinished(mine) and not open then index(open_jobs, id, mine) end
if open and not unfinished(mine) then unindex(open_jobs, id, mine) end
if unfinished(mine) and entry == '-' then hand_out(id, mine) end
put(id, mine)
tell(channel, id, mine)
admit_all(team_of(mine.seat), nil, channel)
keep_line()
return 'restored'
