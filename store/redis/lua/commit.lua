-- Applies a batch if what it has read is still so. KEYS: as handout.lua, then
-- the index of keys with their versions, the hash of values, the token of the
-- last commit of this process, what is there while writers have to wait. ARGV: token, channel, number of checks, of writes,
-- of news; then min, max, members for each check; key, version, value for each
-- write (no version = delete); job and kind for each piece of news.
-- Returns the numbers of the checks that fail; none = applied, 0 = to be tried
-- again.
local index, values, done = KEYS[4], KEYS[5], KEYS[6]
local checks, writes, news, at = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), 6
if redis.call('GET', done) == ARGV[1] then return {} end -- the reply was lost
if writes + news > 0 and redis.call('EXISTS', KEYS[7]) == 1 then return {0} end
local stale = {}
for n = 1, checks do
  if table.concat(redis.call('ZRANGEBYLEX', index, ARGV[at], ARGV[at + 1]), '\n') ~= ARGV[at + 2] then
    stale[#stale + 1] = n
  end
  at = at + 3
end
if #stale > 0 or writes + news == 0 then return stale end
-- A server that takes no writes says so here, before anything has changed.
redis.call('SET', done, ARGV[1], 'EX', 3600)
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
if news > 0 then redis.pcall('PUBLISH', ARGV[2], table.concat(jobs, '\n')) end
return stale
