-- The waiting line of one partition. The reference is generate.Next. A job
-- with a limit on the jobs of all teams is "capped": only who has passed the
-- turnstile knows how many those are.

-- add changes a count of the line by n and forgets it at zero.
local function add(name, n)
  if redis.call('HINCRBY', line, name, n) <= 0 then redis.call('HDEL', line, name) end
end

local function count(name) return tonumber(redis.call('HGET', line, name) or 0) end

local function team_of(seat) return string.sub(seat, 1, string.find(seat, sep, 1, true) - 1) end

-- next_number counts up a number that grows with the time of the server, so
-- that numbers of different partitions are in order as well.
local function next_number(name)
  local n = math.max(count(name) + 1, now())
  redis.call('HSET', line, name, number(n))
  return n
end

-- place_of is how a waiting job is written in the line.
local function place_of(id, j)
  return string.format('%d %d %d ', j.member_max, j.team_max, j.bot_max) .. id .. ' ' .. j.seat
end

-- move counts a job into the line as it is kept, waiting, with a slot, or
-- neither, or out of it again with n = -1.
local function move(id, j, n)
  if j.class == 'slot' then
    add('slots', n)
    add('slots' .. sep .. team_of(j.seat), n)
    add('slots' .. sep .. j.seat, n)
  elseif j.class == 'wait' then
    if n > 0 then
      redis.call('ZADD', waiting, number(j.seq), place_of(id, j))
    else
      redis.call('ZREM', waiting, place_of(id, j))
    end
    add('waiting', n)
    add('waiting' .. sep .. j.seat, n)
    if j.bot_max > 0 then add('capped', n) end
  end
end
local function enter(id, j) move(id, j, 1) end
local function leave(id, j) move(id, j, -1) end

-- room tells whether a job with these limits may have a slot. total is how
-- many jobs of all teams have one; nil when that is not known.
local function room(seat, member_max, team_max, bot_max, total)
  if bot_max > 0 and (not total or total >= bot_max) then return false end
  if team_max > 0 and count('slots' .. sep .. team_of(seat)) >= team_max then return false end
  return member_max == 0 or count('slots' .. sep .. seat) < member_max
end

-- best is the waiting job whose turn it is: of the team, or of the whole
-- partition when team is nil. It is nil when none has room.
local function best(team, total)
  if count('waiting') == 0 then return nil end
  local found
  local line_up = redis.call('ZRANGE', waiting, 0, -1, 'WITHSCORES')
  local refused, turns = {}, {} -- what was found out for jobs before
  for i = 1, #line_up, 2 do
    local limits, id, seat = string.match(line_up[i], '^(%d+ %d+ %d+) (%S+) (.*)$')
    if (not team or team_of(seat) == team) and not refused[limits .. seat] then
      local seq = tonumber(line_up[i + 1])
      turns[seat] = turns[seat] or tonumber(redis.call('HGET', served, seat) or 0)
      local turn = turns[seat]
      if not found or turn < found.turn or turn == found.turn and seq < found.seq then
        local member_max, team_max, bot_max = string.match(limits, '(%d+) (%d+) (%d+)')
        if room(seat, tonumber(member_max), tonumber(team_max), tonumber(bot_max), total) then
          found = {id = id, seat = seat, turn = turn, seq = seq, place = line_up[i], capped = bot_max ~= '0'}
        else
          refused[limits .. seat] = true
        end
      end
    end
  end
  return found
end

-- serve notes that it was the turn of a seat.
local function serve(seat) redis.call('HSET', served, seat, number(next_number('turn'))) end

-- admit gives a slot to the job that best has found, and returns it. The job
-- that is being saved gets no version of its own for it. A job without a
-- record loses its turn.
local function admit(found, saved, channel)
  local j = parse(redis.call('HGET', jobs, found.id))
  if not j or j.class ~= 'wait' then
    redis.call('ZREM', waiting, found.place)
    add('waiting', -1)
    add('waiting' .. sep .. found.seat, -1)
    if found.capped then add('capped', -1) end
    return nil
  end
  leave(found.id, j)
  serve(j.seat)
  j.admitted, j.class = '1', 'slot'
  if found.id ~= saved then
    j.version, j.token = advance(j.version), '-'
  end
  enter(found.id, j)
  put(found.id, j)
  redis.call('PUBLISH', channel, found.id .. ' ' .. number(j.version))
  return j
end
