-- The jobs of one partition. A job is kept as two lines that scripts read and
-- write, and its record, which only Go reads: see record.go.
--
-- KEYS[9]  jobs       hash: id -> job
-- KEYS[10] stream     stream: an entry for each job to hand out
-- KEYS[11] waiting    sorted set: waiting jobs by queue and order of arrival
-- KEYS[12] ready      sorted set: queues whose member has room, in their order
-- KEYS[13] places     sorted set: one name for each waiting job of a team
-- KEYS[14] line       hash: how many hold a slot and wait; last numbers
-- KEYS[15] all_jobs   sorted set: three names of each job, in order of creation
-- KEYS[16] open_jobs  the same of the unfinished
-- KEYS[17…19]         those of era.lua
local jobs, stream, waiting, ready, places, line, all_jobs, open_jobs = unpack(KEYS, 9, 16)

-- group is the consumer group that all processes are in.
local group = 'bot'

-- parse takes a job apart, apart from its record; nil when there is none.
local function parse(value)
  if not value then return nil end
  local j = {value = value}
  local version, era, seq, member_max, team_max, bot_max
  version, era, j.admitted, j.class, j.life, seq, member_max, team_max, bot_max, j.created, j.entry, j.token, j.seat, j.record_at =
    string.match(value, '^(%d+) (%d+) ([01]) (%l+) (%l+) (%d+) (%d+) (%d+) (%d+) (%x+) (%S+) (%S+)\n([^\n]*)\n()')
  if not version then return nil end
  j.version, j.era, j.seq = tonumber(version), tonumber(era), tonumber(seq)
  j.member_max, j.team_max, j.bot_max = tonumber(member_max), tonumber(team_max), tonumber(bot_max)
  return j
end

-- put keeps a job and returns its first line.
local function put(id, j)
  local head = table.concat({
    number(j.version), j.era, j.admitted, j.class, j.life, number(j.seq), j.member_max, j.team_max, j.bot_max, j.created, j.entry, j.token,
  }, ' ')
  local record = j.record or string.sub(j.value, j.record_at)
  redis.call('HSET', jobs, id, head .. '\n' .. j.seat .. '\n' .. record)
  return head
end

-- head_of is the first line of a job as it is kept.
local function head_of(value) return string.match(value, '^[^\n]*') end

-- unfinished tells whether there is still work to do for a job. Its life is
-- "live" until its state is terminal, then "ended" until its requester was told
-- so, then "over".
local function unfinished(j) return j.life ~= 'over' end

-- names of a job in an index: among all, its team's and its member's. indexFor
-- in Go is the twin.
local function names(id, j)
  local team, member = string.match(j.seat, '^([^' .. sep .. ']*)' .. sep .. '(.*)$')
  local name = sep .. j.created .. ' ' .. id
  return name, 't' .. team .. name, 'm' .. member .. name
end

-- index adds a job to an index; unindex removes it.
local function index(key, id, j)
  local one, two, three = names(id, j)
  redis.call('ZADD', key, 0, one, 0, two, 0, three)
end
local function unindex(key, id, j) redis.call('ZREM', key, names(id, j)) end

-- tell says on the channel which version of a job there is. Who may not, or is
-- not heard, is found out by the next beat.
local function tell(channel, id, j) redis.pcall('PUBLISH', channel, id .. ' ' .. number(j.version)) end

-- hand_out puts a job into the stream.
local function hand_out(id, j) j.entry = redis.call('XADD', stream, '*', 'job', id) end

-- withdraw takes an entry out of the stream.
local function withdraw(entry)
  redis.call('XACK', stream, group, entry)
  redis.call('XDEL', stream, entry)
end
