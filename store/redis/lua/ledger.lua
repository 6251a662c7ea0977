-- The ledger of one partition: the rules of package quota where they must be
-- atomic. The references are quota.Decide and quota.Apply.
--
-- KEYS[1] holds      hash: job -> its hold, as lines: see hold.go
-- KEYS[2] held       set: jobs whose hold is held
-- KEYS[3] expiring   sorted set: job by when the last counter of its hold expires
-- KEYS[4] use        hash: counter -> sum, and the totals: sums over the holds
-- KEYS[5] use_until  sorted set: counter by when it expires
-- KEYS[6] standings  hash: seat or team -> what admins decided, as JSON
-- KEYS[7] holds_by_team  sorted set of names in order of reservation
-- KEYS[8] records    sorted set: team, time and id of a change, and its record
--
-- What expires does so at a second since 1970, rounded up; other times are
-- texts that sort as the times do. Amounts are whole numbers below 2^53, which
-- redis.call writes out in full.
local holds, held, expiring, use, use_until, standings, holds_by_team, records = unpack(KEYS, 1, 8)

-- sep stands between the parts of a name.
local sep = '\31'

-- number writes n out in full where it becomes part of a text; by itself Lua
-- would round it to 14 digits.
local function number(n) return string.format('%.0f', n) end

-- now is the time of the server, in microseconds, when the script first asked.
local asked
local function now()
  if not asked then
    local t = redis.call('TIME')
    asked = t[1] * 1000000 + t[2]
  end
  return asked
end

-- standing_changed tells whether admins decided something since a plan was
-- made. It returns the present standing if they did.
local function standing_changed(seat, team, member_then, team_then)
  local decided = redis.call('HMGET', standings, seat, team)
  local member_now, team_now = decided[1] or '', decided[2] or ''
  if member_now ~= member_then or team_now ~= team_then then
    return {'stale', member_now, team_now}
  end
end

-- A reservation is the arguments from ARGV[at] to the last; ask.go writes them:
--
--   at       its hold from the time on, up to the entries
--   at + 1   the entries of its counts, a line each
--   at + 2   when the last of their counters expires
--   at + 3   cost
--   at + 4   how many counts there are; for each the name of its counter and
--            what is added
--   then     how many counters are looked at, and their names
--   then     a rule for each count with a limit:
--              number of the count, limit, what is used in other partitions,
--              how many counters make up what is used here, their numbers,
--              how many grants there are; for each the number of its counter,
--              its amount, and the entry that draws on it
--
-- decide finds out whether all counts have room. It returns by which grant each
-- one without room is covered: a table from its number to {counter, entry}, or
-- to false where a grant was drawn on already. If there is none, it returns nil,
-- the number of the count, and what is used of it.
local function decide(at)
  local adds = at + 4
  local looked_at = adds + 2 * ARGV[adds] + 1
  local row = looked_at + ARGV[looked_at] + 1
  local covered, drawn, sums = {}, {}, nil
  if row > looked_at + 1 then
    sums = redis.call('HMGET', use, unpack(ARGV, looked_at + 1, row - 1))
  end
  local function used(i) return tonumber(sums[tonumber(i)] or 0) end

  while ARGV[row] do
    local i, limit, sum = tonumber(ARGV[row]), tonumber(ARGV[row + 1]), tonumber(ARGV[row + 2])
    local grants = row + 4 + ARGV[row + 3]
    for a = row + 4, grants - 1 do sum = sum + used(ARGV[a]) end
    row = grants + 1 + 3 * ARGV[grants]
    local add = tonumber(ARGV[adds + 2 * i])
    if sum + add > limit then
      -- All grants of one scope and unit are known by the first.
      local purse = row > grants + 1 and ARGV[grants + 1]
      if not (purse and drawn[purse]) then
        for g = grants + 1, row - 1, 3 do
          if used(ARGV[g]) + add <= tonumber(ARGV[g + 1]) then
            covered[i] = {ARGV[looked_at + ARGV[g]], ARGV[g + 2]}
            break
          end
        end
        if not covered[i] then return nil, i, sum end
        drawn[purse] = true
      else
        covered[i] = false
      end
    end
  end
  return covered
end

-- grow adds n to what a counter or total grows by.
local function grow(deltas, name, n) deltas[name] = (deltas[name] or 0) + n end

-- tally counts a hold in with sign 1, or takes it out of the totals with -1.
local function tally(deltas, state, cost, charged, sign)
  grow(deltas, 'holds', sign)
  grow(deltas, 'reserved', sign * cost)
  grow(deltas, state, sign * cost)
  grow(deltas, 'charged', sign * charged)
end

-- post changes counters and totals by deltas. To reserve, it makes those that
-- are not there, those of nothing too, because a bill may add to them, and
-- returns their names as a set. To bill, it leaves counters alone that are not
-- there: what was forgotten stays forgotten.
local function post(deltas, make)
  local names, made, changes = {}, {}, {}
  for name, n in pairs(deltas) do
    if n ~= 0 or make then names[#names + 1] = name end
  end
  if #names == 0 then return made end
  for i, sum in ipairs(redis.call('HMGET', use, unpack(names))) do
    local name = names[i]
    if not sum then made[name] = true end
    if sum or make or not string.find(name, sep, 1, true) then
      changes[#changes + 1] = name
      changes[#changes + 1] = (sum or 0) + deltas[name]
    end
  end
  if #changes > 0 then redis.call('HSET', use, unpack(changes)) end
  return made
end

-- expiry is when the counter of an entry expires; 0 for never.
local function expiry(entry)
  local seconds, fraction = string.match(entry, '^%d+ %S+ (%d+)(%S*)')
  if not seconds then return 0 end
  return tonumber(seconds) + (fraction == '' and 0 or 1)
end

-- hold_parts takes a hold apart: its state, cost, what was charged, the rest
-- from its time on, and the time. The state is nil when it is damaged.
local function hold_parts(value) return string.match(value, '^(%l+) (%S+) (%S+) %S+ ((%S+).*)$') end

-- hold_name is how the index of a team's holds names one, given the hold from
-- its time on; holdName in Go is its twin.
local function hold_name(rest, job)
  local at, team = string.match(rest, '^(%S+)\n([^' .. sep .. ']*)')
  return team .. sep .. at .. ' ' .. job
end

-- remove_hold takes a hold out of the totals and the index.
local function remove_hold(deltas, job, value)
  local state, cost, charged, rest = hold_parts(value)
  tally(deltas, state, tonumber(cost), tonumber(charged), -1)
  redis.call('ZREM', holds_by_team, hold_name(rest, job))
end

-- reserve records the hold of a job for the reservation at ARGV[at], covered as
-- decide says. A hold that was released before is replaced. It returns the
-- entries of the hold.
local function reserve(job, at, covered, old)
  local head, entries, last, cost, adds = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), at + 4
  local deltas, expiries = {}, {}
  if old then remove_hold(deltas, job, old) end
  tally(deltas, 'held', cost, 0, 1)
  if next(covered) == nil then
    for a = adds + 1, adds + 2 * ARGV[adds], 2 do grow(deltas, ARGV[a], ARGV[a + 1]) end
  else
    local chosen, i = {}, 0
    for entry in string.gmatch(entries, '[^\n]+') do
      i = i + 1
      local name, add, by = ARGV[adds + 2 * i - 1], ARGV[adds + 2 * i], covered[i]
      if by then
        name, entry = by[1], by[2]
        last = math.max(last, expiry(entry))
        if expiry(entry) > 0 then
          expiries[#expiries + 1], expiries[#expiries + 2] = expiry(entry), name
        end
      end
      if by ~= false then
        grow(deltas, name, add)
        chosen[#chosen + 1] = entry .. '\n'
      end
    end
    entries = table.concat(chosen)
  end

  local made = post(deltas, true)
  if next(made) ~= nil then
    local i = 0
    for entry in string.gmatch(ARGV[at + 1], '[^\n]+') do
      i = i + 1
      local name = ARGV[adds + 2 * i - 1]
      if made[name] and expiry(entry) > 0 then
        expiries[#expiries + 1], expiries[#expiries + 2] = expiry(entry), name
      end
    end
  end
  if #expiries > 0 then redis.call('ZADD', use_until, unpack(expiries)) end
  if last > 0 then redis.call('ZADD', expiring, last, job) end
  redis.call('HSET', holds, job, 'held ' .. ARGV[at + 3] .. ' 0 - ' .. head .. entries)
  redis.call('ZADD', holds_by_team, 0, hold_name(head, job))
  redis.call('SADD', held, job)
  return entries
end

-- worth is what a hold has added to its counters: how often each video of it
-- counts, and how many dollars.
local function worth(state, cost, charged)
  if state == 'released' then return 0, 0 end
  return 1, tonumber(state == 'settled' and charged or cost)
end

-- spread adds to the counters of a hold, given from its time on: its videos so
-- often, and so many dollars. It returns when each of them expires.
local function spread(deltas, rest, videos, dollars)
  local team, scope_list, entries = string.match(rest, '^%S+\n([^' .. sep .. ']*)[^\n]*\n([^\n]*)\n(.*)$')
  local scopes, expiries = {}, {}
  for scope in string.gmatch(scope_list, '[^' .. sep .. ']+') do
    scopes[#scopes + 1] = (scope == 'bot' and '' or team) .. sep .. scope .. sep
  end
  for entry in string.gmatch(entries, '[^\n]+') do
    local scope, unit, add, counter = string.match(entry, '^(%d+) (%l)(%d+) %S+ (.*)$')
    local name = scopes[tonumber(scope)] .. counter
    grow(deltas, name, unit == 'd' and dollars or videos * add)
    expiries[name] = expiry(entry)
  end
  return expiries
end

-- bill settles or releases the hold of a job and returns it as it is then; nil
-- when there is none.
local function bill(job, kind, amount, at)
  local value = redis.call('HGET', holds, job)
  if not value then return nil end
  local state, cost, charged, rest = hold_parts(value)
  local next_state
  if kind == 'settle' and state and state ~= 'settled' then
    next_state = 'settled'
  elseif kind == 'release' and state == 'held' then
    next_state, amount = 'released', '0'
  else
    return value
  end
  local deltas = {}
  local videos, dollars = worth(state, cost, charged)
  local videos_then, dollars_then = worth(next_state, cost, amount)
  if videos_then ~= videos or dollars_then ~= dollars then
    spread(deltas, rest, videos_then - videos, dollars_then - dollars)
  end
  tally(deltas, state, tonumber(cost), tonumber(charged), -1)
  tally(deltas, next_state, tonumber(cost), tonumber(amount), 1)
  post(deltas, false)
  value = table.concat({next_state, cost, amount, at, rest}, ' ')
  redis.call('HSET', holds, job, value)
  redis.call('SREM', held, job)
  return value
end

-- put_back replaces the hold of a job, if there is one, by what it was later.
-- No limit is asked: what is held is held.
local function put_back(job, value)
  local old = redis.call('HGET', holds, job)
  if old == value then return end
  local deltas = {}
  if old then
    local state, cost, charged, rest = hold_parts(old)
    local videos, dollars = worth(state, cost, charged)
    spread(deltas, rest, -videos, -dollars)
    remove_hold(deltas, job, old)
  end
  local state, cost, charged, rest = hold_parts(value)
  local expiries = spread(deltas, rest, worth(state, cost, charged))
  tally(deltas, state, tonumber(cost), tonumber(charged), 1)
  local made, last = post(deltas, true), 0
  for name, ends in pairs(expiries) do
    if made[name] and ends > 0 then redis.call('ZADD', use_until, ends, name) end
    last = math.max(last, ends)
  end
  if last > 0 then redis.call('ZADD', expiring, last, job) end
  redis.call('HSET', holds, job, value)
  redis.call('ZADD', holds_by_team, 0, hold_name(rest, job))
  redis.call(state == 'held' and 'SADD' or 'SREM', held, job)
end
