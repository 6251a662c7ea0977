-- Budget takes one of a budget that all processes share, or holds it back.
--
-- The budget is a hash. "full" is when it will be full again, in microseconds
-- of the server's time; "held" is until when it was held back, and for how long:
-- a clock that jumps never makes that longer. Each other field is a process, with
-- how many in it want some of the budget and until when that counts: "3
-- 1767225600000000".
--
-- KEYS[1]  the budget
-- ARGV[1]  how long until it has one more, in microseconds
-- ARGV[2]  how many it has when it is full
-- ARGV[3]  for how long to hold it back, in microseconds; 0 to take one
-- ARGV[4]  the process
-- ARGV[5]  how many in the process want some
--
-- Returns {how long there is none, in microseconds, or 0 when one was taken;
-- how many want some in all processes}.
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local every, burst, hold, me, wants = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local minute = 60 * 1000000

local full, held, total, last = now, now, 0, now
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local name, value = fields[i], fields[i + 1]
  if name == 'full' then
    full = math.max(full, tonumber(value))
  elseif name == 'held' then
    local ends, length = string.match(value, '^(%d+) (%d+)$')
    held = math.min(math.max(now, tonumber(ends)), now + length)
  elseif name ~= me then
    local n, ends = string.match(value, '^(%d+) (%d+)$')
    if tonumber(ends) > now then
      total, last = total + tonumber(n), math.max(last, tonumber(ends))
    else
      redis.call('HDEL', KEYS[1], name)
    end
  end
end

local wait = 0
full = math.min(full, held + burst * every)
if hold > 0 then
  if now + hold > held then redis.call('HSET', KEYS[1], 'held', string.format('%.0f %.0f', now + hold, hold)) end
  full = math.max(full, now + hold + (burst - 1) * every)
else
  total = total + wants
  if wants > 0 then
    -- Long enough for each to have been served, and to ask again.
    local ends = now + math.max(minute, 2 * total * every)
    redis.call('HSET', KEYS[1], me, string.format('%d %.0f', wants, ends))
    last = math.max(last, ends)
  else
    redis.call('HDEL', KEYS[1], me)
  end
  wait = math.max(0, full + every - now - burst * every)
  if wait == 0 then full = full + every end
end
redis.call('HSET', KEYS[1], 'full', string.format('%.0f', full))
redis.call('PEXPIRE', KEYS[1], math.ceil((math.max(full, last) - now) / 1000) + 1)
return {wait, total}
