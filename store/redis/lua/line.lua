-- The waiting line of one partition. The reference is generate.Next. A job
-- with a limit on the jobs of all teams is "capped": only who has passed the
-- turnstile knows how many those are.
--
-- Waiting jobs of one seat under the same limits are a queue: the first of them
-- comes first, and the others have room when it has. Queues whose member has
-- room are ready. Those of a team under the same limits of team and bot are a
-- lane: all of it has room or nothing, so only its first queue is looked at.
--
--   waiting: seat, limits, order of arrival, id
--   ready:   team, limits of team and bot, turn of the seat, order of arrival
--            of the queue's first job, seat, limits
--   places:  team, how many jobs of the seat come before, turn of the seat, order
--            of arrival of the seat's first job
--
-- Members take turns, so the jobs that come first in places are admitted first
-- if slots become free one by one, as far as limits do not matter.

-- counts is what this script knows of the numbers in line, changed the names of
-- those that it has changed. keep_line writes them, at the end.
local counts, changed = {}, {}

-- look_up reads numbers in one go that will be asked for.
local function look_up(names)
  for i, n in ipairs(redis.call('HMGET', line, unpack(names))) do counts[names[i]] = tonumber(n or 0) end
end

local function count(name)
  if not counts[name] then look_up({name}) end
  return counts[name]
end

local function set(name, n) counts[name], changed[name] = n, true end
local function add(name, n) set(name, count(name) + n) end

-- keep_line writes what was changed, and forgets what is zero.
local function keep_line()
  local gone, kept = {}, {}
  for name in pairs(changed) do
    if counts[name] <= 0 then
      gone[#gone + 1] = name
    else
      kept[#kept + 1], kept[#kept + 2] = name, counts[name]
    end
  end
  if #kept > 0 then redis.call('HSET', line, unpack(kept)) end
  if #gone > 0 then redis.call('HDEL', line, unpack(gone)) end
  changed = {}
end

local function team_of(seat) return string.sub(seat, 1, string.find(seat, sep, 1, true) - 1) end

-- The names of numbers that belong to a seat or its team.
local function slots_of(seat_or_team) return 'slots' .. sep .. seat_or_team end
local function waiting_of(seat) return 'waiting' .. sep .. seat end
local function turn_of(seat) return 'turn' .. sep .. seat end

-- look_up_seat reads all that admitting a job of a seat takes.
local function look_up_seat(seat)
  look_up({
    'slots', 'waiting', 'capped', 'seq', 'turn',
    slots_of(team_of(seat)), slots_of(seat), waiting_of(seat), turn_of(seat),
  })
end

-- next_number counts up a number that grows with the time of the server, so
-- that numbers of different partitions are in order as well.
local function next_number(name)
  local n = math.max(count(name) + 1, now())
  set(name, n)
  return n
end

-- sixteen writes a number so that texts sort as the numbers do.
local function sixteen(n) return string.format('%016.0f', n) end

-- first_of is the first name in a sorted set that begins with prefix, or of all
-- when that is empty; next_of is the one after those that begin with skip. What
-- follows either of them is a number, which comes before "~".
local function from(key, bound, prefix)
  local last = prefix == '' and '+' or '(' .. prefix .. '~'
  return redis.call('ZRANGEBYLEX', key, bound, last, 'LIMIT', 0, 1)[1]
end
local function first_of(key, prefix) return from(key, '[' .. prefix, prefix) end
local function next_of(key, prefix, skip) return from(key, '(' .. skip .. '~', prefix) end

-- place_name is the name in places of a seat's job with so many before it.
local function place_name(seat, before, first)
  return table.concat({team_of(seat), sixteen(before) .. ' ' .. sixteen(count(turn_of(seat))) .. ' ' .. first}, sep)
end

-- list adds the ready queues of a seat to the lanes, and its jobs to the places;
-- or removes them with command ZREM, before anything changes that their names
-- are made of.
local function list(command, seat)
  local n = count(waiting_of(seat))
  if n == 0 then return end
  local function change(key, name)
    if command == 'ZADD' then
      redis.call('ZADD', key, 0, name)
    else
      redis.call('ZREM', key, name)
    end
  end
  local prefix, first = seat .. sep, nil
  local name = first_of(waiting, prefix)
  while name do
    local member_max, team_max, bot_max, seq = string.match(name, '^(%d+) (%d+) (%d+)' .. sep .. '(%d+)', #prefix + 1)
    local limits = member_max .. ' ' .. team_max .. ' ' .. bot_max
    if member_max == '0' or count(slots_of(seat)) < tonumber(member_max) then
      local turn = sixteen(count(turn_of(seat)))
      change(ready, table.concat({team_of(seat), team_max .. ' ' .. bot_max, turn .. ' ' .. seq, seat, limits}, sep))
    end
    if not first or seq < first then first = seq end
    name = next_of(waiting, prefix, prefix .. limits .. sep)
  end
  for before = 0, n - 1 do change(places, place_name(seat, before, first)) end
end

-- move counts a job into the line as it is kept, waiting, with a slot, or
-- neither, or out of it again with n = -1.
local function move(id, j, n)
  if j.class == 'none' then return end
  list('ZREM', j.seat)
  if j.class == 'slot' then
    add('slots', n)
    add(slots_of(team_of(j.seat)), n)
    add(slots_of(j.seat), n)
  else
    local name = table.concat({j.seat, j.member_max .. ' ' .. j.team_max .. ' ' .. j.bot_max, sixteen(j.seq), id}, sep)
    if n > 0 then
      redis.call('ZADD', waiting, 0, name)
    else
      redis.call('ZREM', waiting, name)
    end
    add('waiting', n)
    add(waiting_of(j.seat), n)
    if j.bot_max > 0 then add('capped', n) end
  end
  list('ZADD', j.seat)
end
local function enter(id, j) move(id, j, 1) end
local function leave(id, j) move(id, j, -1) end

-- serve notes that it was the turn of a seat.
local function serve(seat)
  list('ZREM', seat)
  set(turn_of(seat), next_number('turn'))
  list('ZADD', seat)
end

-- team_room tells whether jobs of a team with these limits may have a slot, as
-- far as team and bot go. total is how many jobs of all teams have one; nil
-- when that is not known.
local function team_room(team, team_max, bot_max, total)
  if bot_max > 0 and (not total or total >= bot_max) then return false end
  return team_max == 0 or count(slots_of(team)) < team_max
end

-- room tells whether a job with these limits may have a slot.
local function room(seat, member_max, team_max, bot_max, total)
  return team_room(team_of(seat), team_max, bot_max, total) and (member_max == 0 or count(slots_of(seat)) < member_max)
end

-- best is the waiting job whose turn it is: of the team, or of the whole
-- partition when team is nil. It is nil when none has room.
local function best(team, total)
  if count('waiting') == 0 then return nil end
  local found
  local prefix = team and team .. sep or ''
  local entry = first_of(ready, prefix)
  while entry do
    local lane, owner, team_max, bot_max, turn, seq, queue =
      string.match(entry, '^(([^' .. sep .. ']*)' .. sep .. '(%d+) (%d+)' .. sep .. ')(%d+) (%d+)' .. sep .. '(.*)$')
    if not found or turn < found.turn or turn == found.turn and seq < found.seq then
      if team_room(owner, tonumber(team_max), tonumber(bot_max), total) then
        found = {turn = turn, seq = seq, queue = queue}
      end
    end
    entry = next_of(ready, prefix, lane)
  end
  if not found then return nil end
  prefix = found.queue .. sep
  found.id = string.sub(first_of(waiting, prefix), #prefix + #found.seq + 2)
  return found
end

-- admit gives a slot to the job that best has found, and returns it. The job
-- that is being saved gets no version of its own for it. A job without a
-- record loses its turn.
local function admit(found, saved, channel)
  local j = parse(redis.call('HGET', jobs, found.id))
  if not j or j.class ~= 'wait' then
    local seat, member_max, team_max, bot_max = string.match(found.queue, '^(.*)' .. sep .. '(%d+) (%d+) (%d+)$')
    leave(found.id, {
      class = 'wait', seat = seat, seq = tonumber(found.seq),
      member_max = tonumber(member_max), team_max = tonumber(team_max), bot_max = tonumber(bot_max),
    })
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
  tell(channel, found.id, j)
  return j
end

-- admit_all gives the free slots of a team to its jobs whose turn has come. It
-- reports whether the job that is being saved is among them.
local function admit_all(team, saved, channel)
  local among, found = false, best(team)
  while found do
    if admit(found, saved, channel) and found.id == saved then among = true end
    found = best(team)
  end
  return among
end
