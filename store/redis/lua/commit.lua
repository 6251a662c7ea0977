-- Applies a batch if what it has read is still so. KEYS: as handout.lua, then
-- the index of keys with their versions, the hash of values, the token of the
-- last commit of this process, and who has the write lease. ARGV:
-- token, process, channel, number of checks, of writes, of news; then min, max,
-- members, key ('' of a range) for each check; key, version, value for each write
-- (no version = delete); job and kind for each piece of news.
-- Returns the numbers of the checks that fail, each with the key's value of now;
-- none = applied, 0 = another one has the write lease.
local index, values, done = KEYS[4], KEYS[5], KEYS[6]
local me, checks, writes, news, at = ARGV[2], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), 7
if redis.call('GET', done) == ARGV[1] then return {} end -- the reply was lost
local lease = redis.call('GET', KEYS[7])
if writes + news > 0 and lease and lease ~= me then return {0, ''} end
local stale = {}
for n = 1, checks do
  if table.concat(redis.call('ZRANGEBYLEX', index, ARGV[at], ARGV[at + 1]), '\n') ~= ARGV[at + 2] then
    stale[#stale + 1] = n
    stale[#stale + 1] = ARGV[at + 3] ~= '' and redis.call('HGET', values, ARGV[at + 3]) or ''
  end
  at = at + 4
end
if #stale > 0 then return stale end
if writes + news == 0 then
  if lease == me then redis.call('DEL', KEYS[7]) end
  return stale
end
-- A server that takes no writes says so here, before anything has changed.
redis.call('SET', done, ARGV[1], 'EX', 3600)
if lease then redis.call('DEL', KEYS[7]) end
for _ = 1, writes do
  local key, version = ARGV[at], ARGV[at + 1]
  for _, old in ipairs(redis.call('ZRANGEBYLEX', index, '[' .. key .. '\0', '(' .. key .. '\1')) do
    redis.call('ZREM', index, old)
  end
  if version == '' then
    redis.call('HDEL', values, key)
  else
    redis.call('ZADD', index, 0, key .. '\0' .. version)
    redis.call('HSET', values, key, version .. ' ' .. ARGV[at + 2])
  end
  at = at + 3
end
local jobs = {}
for n = 1, news do
  jobs[n] = ARGV[at]
  if ARGV[at + 1] == 'retire' then retire(ARGV[at]) else publish(ARGV[at]) end
  at = at + 2
end
if news > 0 then redis.pcall('PUBLISH', ARGV[3], table.concat(jobs, '\n')) end
return {}
