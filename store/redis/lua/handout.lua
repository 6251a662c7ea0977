-- What hands jobs out. KEYS: the stream of jobs, the hash job -> its entry, the
-- set of jobs that were retired while they are claimed.
local stream, entries, retired, group = KEYS[1], KEYS[2], KEYS[3], 'bot'

-- claimed says whether a process works on an entry. Without the group, which
-- goes with a deleted stream, nobody does.
local function claimed(id)
  local pending = redis.pcall('XPENDING', stream, group, id, id, 1)
  return not pending.err and #pending > 0
end

local function drop(id)
  redis.call('XACK', stream, group, id)
  redis.call('XDEL', stream, id)
end

local function add(job)
  redis.call('HSET', entries, job, redis.call('XADD', stream, '*', 'job', job))
end

local function publish(job)
  local id = redis.call('HGET', entries, job)
  if id and claimed(id) then
    redis.call('SREM', retired, job)
  elseif not id or #redis.call('XRANGE', stream, id, id) == 0 then
    add(job)
  end
end

local function retire(job)
  local id = redis.call('HGET', entries, job)
  if id and claimed(id) then
    redis.call('SADD', retired, job)
  elseif id then
    drop(id)
    redis.call('HDEL', entries, job)
  end
end

-- give_back ends the claim of an entry. Its job is handed out again unless it
-- was retired or has another entry by now.
local function give_back(id, job)
  drop(id)
  if redis.call('HGET', entries, job) ~= id then return end
  if redis.call('SREM', retired, job) == 1 then
    redis.call('HDEL', entries, job)
  else
    add(job)
  end
end
