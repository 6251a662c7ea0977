-- The ledger of one partition: the rules of package quota where they must be
-- atomic. The references are quota.Decide and quota.Apply.
--
-- KEYS[1] holds      hash: job -> its hold, as JSON that ends with the state
-- KEYS[2] held       set: jobs whose hold is held
-- KEYS[3] expiring   sorted set: job by when the last counter of its hold expires
-- KEYS[4] use        hash: counter -> sum
-- KEYS[5] use_until  sorted set: counter by when it expires
-- KEYS[6] totals     hash: sums over the holds
-- KEYS[7] members    hash: seat -> what admins decided, as JSON
-- KEYS[8] teams      hash: team -> what admins decided, as JSON
-- KEYS[9] holds_by_team  sorted set of names in order of reservation
-- KEYS[10] records   sorted set: team, time and id of a change, and its record
--
-- Times are microseconds since 1970, amounts whole numbers below 2^53.
local holds, held, expiring, use, use_until, totals, members, teams, holds_by_team, records = unpack(KEYS, 1, 10)

-- sep stands between the parts of a name.
local sep = '\31'

-- number writes n out in full; by itself Lua would round it to 14 digits.
-- Adding zero makes an ordinary zero of a negative one.
local function number(n) return string.format('%.0f', n + 0) end

-- now is the time of the server.
local function now()
  local t = redis.call('TIME')
  return t[1] * 1000000 + t[2]
end

-- field names the counter of an entry of a hold; counterField in Go is its
-- twin.
local function field(team, e)
  local id = e.scope.id
  if e.scope.kind == 'bot' then team = '' end
  local scope = e.scope.kind
  if id and id ~= '' then scope = scope .. '/' .. id end
  return team .. sep .. scope .. sep .. e.counter
end

-- standing_changed tells whether admins decided something since a plan was
-- made. It returns the present standing if they did.
local function standing_changed(seat, team, member_then, team_then)
  local member_now = redis.call('HGET', members, seat) or ''
  local team_now = redis.call('HGET', teams, team) or ''
  if member_now ~= member_then or team_now ~= team_then then
    return {'stale', member_now, team_now}
  end
end

-- used reads every counter that a decision on counts may look at: a table
-- from its name to its sum, or to false when it does not exist.
local function used(counts)
  local sums, names = {}, {}
  local function want(name)
    if sums[name] == nil then
      sums[name] = false
      names[#names + 1] = name
    end
  end
  for _, c in ipairs(counts) do
    want(c.field)
    for _, name in ipairs(c.also or {}) do want(name) end
    for _, g in ipairs(c.grants or {}) do want(g.field) end
  end
  if #names > 0 then
    local values = redis.call('HMGET', use, unpack(names))
    for i, name in ipairs(names) do
      sums[name] = values[i] and tonumber(values[i])
    end
  end
  return sums
end

-- decide chooses what to add to which counters, or returns nil with the number
-- of the count without room and what is used of it.
local function decide(counts, sums)
  local chosen, drawn = {}, {}
  for i, c in ipairs(counts) do
    local sum = (c.base or 0) + (sums[c.field] or 0)
    for _, name in ipairs(c.also or {}) do sum = sum + (sums[name] or 0) end
    if c.max == 0 or sum + c.add <= c.max then
      chosen[#chosen + 1] = c
    elseif not (c.purse and drawn[c.purse]) then
      local grant
      for _, g in ipairs(c.grants or {}) do
        if (sums[g.field] or 0) + g.add <= g.max then
          grant = g
          break
        end
      end
      if not grant then return nil, i, sum end
      drawn[c.purse] = true
      chosen[#chosen + 1] = grant
    end
  end
  return chosen
end

-- tally adds a hold to the totals, or takes it away again with sign -1.
local function tally(state, cost, charged, sign)
  redis.call('HINCRBY', totals, 'holds', sign)
  if cost ~= 0 then
    redis.call('HINCRBY', totals, 'reserved', number(sign * cost))
    redis.call('HINCRBY', totals, state, number(sign * cost))
  end
  if charged ~= 0 then
    redis.call('HINCRBY', totals, 'charged', number(sign * charged))
  end
end

-- hold_name is how the index of a team's holds names one; holdName in Go is its
-- twin.
local function hold_name(team, since, job) return team .. sep .. string.format('%016.0f', since) .. ' ' .. job end

-- reserve records the hold of a job with the chosen entries. A hold that was
-- released before is replaced.
local function reserve(job, ask, chosen, sums)
  local old = redis.call('HGET', holds, job)
  if old then
    local h = cjson.decode(old)
    tally(h.state, h.cost, h.charged, -1)
    redis.call('ZREM', holds_by_team, hold_name(h.team, h.since, job))
  end
  tally('held', ask.cost, 0, 1)
  redis.call('ZADD', holds_by_team, 0, hold_name(ask.team, ask.since, job))

  local entries, values, expiries, last = {}, {}, {}, 0
  for i, e in ipairs(chosen) do
    entries[i] = ARGV[e.entry]
    if e['until'] > 0 and (not sums[e.field] or e.grant) then
      expiries[#expiries + 1] = number(e['until'])
      expiries[#expiries + 1] = e.field
    end
    last = math.max(last, e['until'])
    sums[e.field] = (sums[e.field] or 0) + e.add
    values[#values + 1] = e.field
    values[#values + 1] = number(sums[e.field])
  end
  if #values > 0 then redis.call('HSET', use, unpack(values)) end
  if #expiries > 0 then redis.call('ZADD', use_until, unpack(expiries)) end
  if last > 0 then redis.call('ZADD', expiring, number(last), job) end
  local hold = ask.head .. ',"entries":[' .. table.concat(entries, ',') .. '],"state":"held","charged":0}'
  redis.call('HSET', holds, job, hold)
  redis.call('SADD', held, job)
end

-- share is what a hold has added to the counter of e.
local function share(e, state, cost, charged)
  if state == 'released' then return 0 end
  if e.unit ~= 'usd' then return e.add end
  if state == 'settled' then return charged end
  return cost
end

-- put_back replaces the hold of a job, if there is one, by what it was later.
-- No limit is asked: what is held is held. expiries are the fields of its
-- entries, each followed by when it expires; 0 = never.
local function put_back(job, value, expiries)
  local old = redis.call('HGET', holds, job)
  if old == value then return end
  local function count(h, sign)
    tally(h.state, h.cost, h.charged, sign)
    for _, e in ipairs(h.entries) do
      local amount, name = share(e, h.state, h.cost, h.charged), field(h.team, e)
      if amount ~= 0 then redis.call('HINCRBY', use, name, number(sign * amount)) end
    end
  end
  if old then count(cjson.decode(old), -1) end
  local h = cjson.decode(value)
  count(h, 1)
  redis.call('HSET', holds, job, value)
  redis.call(h.state == 'held' and 'SADD' or 'SREM', held, job)
  redis.call('ZADD', holds_by_team, 0, hold_name(h.team, h.since, job))
  local last = 0
  for i = 1, #expiries, 2 do
    local ends = tonumber(expiries[i + 1])
    if ends > 0 and redis.call('HEXISTS', use, expiries[i]) == 1 then redis.call('ZADD', use_until, expiries[i + 1], expiries[i]) end
    last = math.max(last, ends)
  end
  if last > 0 then redis.call('ZADD', expiring, number(last), job) end
end

-- bill settles or releases the hold of a job and returns it as it is then;
-- nil when there is none. A counter that was forgotten stays forgotten.
local function bill(job, kind, amount, at)
  local value = redis.call('HGET', holds, job)
  if not value then return nil end
  local h = cjson.decode(value)
  local state, charged
  if kind == 'settle' and h.state ~= 'settled' then
    state, charged = 'settled', tonumber(amount)
  elseif kind == 'release' and h.state == 'held' then
    state, charged = 'released', 0
  else
    return value
  end
  tally(h.state, h.cost, h.charged, -1)
  tally(state, h.cost, charged, 1)
  for _, e in ipairs(h.entries) do
    local delta = share(e, state, h.cost, charged) - share(e, h.state, h.cost, h.charged)
    local name = field(h.team, e)
    if delta ~= 0 and redis.call('HEXISTS', use, name) == 1 then
      redis.call('HINCRBY', use, name, number(delta))
    end
  end
  local head = string.sub(value, 1, string.find(value, ',"state":"', 1, true) - 1)
  value = head .. ',"state":"' .. state .. '","charged":' .. number(charged) .. ',"closed":"' .. at .. '"}'
  redis.call('HSET', holds, job, value)
  redis.call('SREM', held, job)
  return value
end
