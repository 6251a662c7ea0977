-- The jobs of one partition. A job is kept as two lines that scripts read and
-- write, and its record, which only Go reads: see record.go.
--
-- KEYS[11]  jobs            hash: id -> job
-- KEYS[12] stream          stream: an entry for each job to hand out
-- KEYS[13] waiting         sorted set: "limits id seat" by order of arrival
-- KEYS[14] line            hash: how many hold a slot and wait; last numbers
-- KEYS[15] served          hash: seat -> turn in which it was last admitted
-- KEYS[16] jobs_by_time, KEYS[17] jobs_by_team, KEYS[18] jobs_by_member
-- KEYS[19] open_by_time, KEYS[20] open_by_team, KEYS[21] open_by_member
--                          sorted sets of names in order of creation
-- KEYS[22…24]              those of era.lua
local jobs, stream, waiting, line, served = unpack(KEYS, 11, 15)

-- Where the indexes of all jobs and of the unfinished begin in KEYS.
local all_jobs, open_jobs = 16, 19

-- group is the consumer group that all processes are in.
local group = 'bot'

-- parse takes a job apart; nil when there is none.
local function parse(value)
  if not value then return nil end
  local j = {}
  j.version, j.era, j.admitted, j.class, j.life, j.seq, j.member_max, j.team_max, j.bot_max, j.created, j.entry, j.token, j.seat, j.record =
    string.match(value, '^(%d+) (%d+) ([01]) (%l+) (%l+) (%d+) (%d+) (%d+) (%d+) (%x+) (%S+) (%S+)\n([^\n]*)\n(.*)$')
  if not j.version then return nil end
  for _, name in ipairs({'version', 'era', 'seq', 'member_max', 'team_max', 'bot_max'}) do
    j[name] = tonumber(j[name])
  end
  return j
end

-- put keeps a job and returns it as it is kept.
local function put(id, j)
  local value = table.concat({
    number(j.version), number(j.era), j.admitted, j.class, j.life, number(j.seq),
    number(j.member_max), number(j.team_max), number(j.bot_max), j.created, j.entry, j.token,
  }, ' ') .. '\n' .. j.seat .. '\n' .. j.record
  redis.call('HSET', jobs, id, value)
  return value
end

-- unfinished tells whether there is still work to do for a job. Its life is
-- "live" until its state is terminal, then "ended" until its requester was told
-- so, then "over".
local function unfinished(j) return j.life ~= 'over' end

-- index adds a job to three indexes, or removes it from them.
local function index(command, first, id, j)
  local team, member = string.match(j.seat, '^([^' .. sep .. ']*)' .. sep .. '(.*)$')
  for i, prefix in ipairs({'', team .. sep, member .. sep}) do
    local name = prefix .. j.created .. ' ' .. id
    if command == 'ZADD' then
      redis.call('ZADD', KEYS[first + i - 1], 0, name)
    else
      redis.call('ZREM', KEYS[first + i - 1], name)
    end
  end
end

-- hand_out puts a job into the stream.
local function hand_out(id, j) j.entry = redis.call('XADD', stream, '*', 'job', id) end

-- withdraw takes an entry out of the stream.
local function withdraw(entry)
  redis.call('XACK', stream, group, entry)
  redis.call('XDEL', stream, entry)
end
