-- Save replaces a job, bills its hold and, when that frees a slot, admits the
-- jobs of its team whose turn has come.
--
-- KEYS      all of a partition
-- ARGV[1]   id of the job
-- ARGV[2]   token of this call: a call whose reply was lost is known by it
-- ARGV[3]   seat
-- ARGV[4]   version that is replaced
-- ARGV[5]   "1" when it has its turn
-- ARGV[6]   its class: "slot", "wait" or "none"
-- ARGV[7]   its life: "live", "ended" or "over"
-- ARGV[8]   limits: of the member
-- ARGV[9]   of the team
-- ARGV[10]  of the bot
-- ARGV[11]  record
-- ARGV[12]  billing of the hold: "", "settle" or "release"
-- ARGV[13]  what a settlement charges
-- ARGV[14]  the time, as it is kept with the hold
-- ARGV[15]  "1" to admit jobs here, "0" when that is left to the turnstile
-- ARGV[16]  channel for changes
-- ARGV[17]  "1" when this process works on the job, and knows all of it
--
-- Returns one of
--   {"saved", first line of the job, "1" when a slot became free or was asked for,
--    capped jobs that wait, "1" when a hold to bill is missing, the
--    hold when it was billed}
--   {"missing"}
--   {"conflict"}
--   {"moved"}: the job belongs to somebody else
--   {"settling"}: writes were lost, and somebody may still put them back
local id, token, channel, works = ARGV[1], ARGV[2], ARGV[16], ARGV[17] == '1'
local value = redis.call('HGET', jobs, id)
local old = parse(value)
if not old then return {settling() and 'settling' or 'missing'} end
local version = tonumber(ARGV[4])
if old.version ~= version then
  if old.version > version and old.token == token then
    return {'saved', head_of(value), '1', count('capped'), '0', redis.call('HGET', holds, id) or ''}
  end
  return {works and old.version < version and old.era < era.number and 'settling' or 'conflict'}
end
if old.era < era.number and not works and settling() then return {'settling'} end
if old.seat ~= ARGV[3] then return {'moved'} end

local hold, unbilled = '', '0'
if ARGV[12] ~= '' then
  hold = bill(id, ARGV[12], ARGV[13], ARGV[14])
  if not hold then hold, unbilled = '', '1' end
end

local j = {
  version = advance(version), era = works and era.number or old.era, token = token, seat = old.seat, seq = old.seq, created = old.created, entry = old.entry,
  admitted = ARGV[5], class = ARGV[6], life = ARGV[7],
  member_max = tonumber(ARGV[8]), team_max = tonumber(ARGV[9]), bot_max = tonumber(ARGV[10]),
  record = ARGV[11],
}
if j.class ~= old.class or j.class == 'wait' then
  look_up_seat(j.seat)
  leave(id, old)
  enter(id, j)
end
if unfinished(j) and not unfinished(old) then index(open_jobs, id, j) end
if unfinished(old) and not unfinished(j) then unindex(open_jobs, id, j) end
if unfinished(j) and j.entry == '-' then hand_out(id, j) end
local head = put(id, j)
tell(channel, id, j)

local freed = old.class == 'slot' and j.class ~= 'slot' or j.class == 'wait'
if freed and ARGV[15] == '1' and admit_all(team_of(j.seat), id, channel) then
  head = head_of(redis.call('HGET', jobs, id))
end
keep_line()
return {'saved', head, freed and '1' or '0', count('capped'), unbilled, hold}
