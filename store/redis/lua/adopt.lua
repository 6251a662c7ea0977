-- Adopt notes which server has some partitions, and begins an era in each that
-- another one had before. A server that does not tell begins none.
--
-- KEYS     era, processes and absent of each partition: see era.lua
-- ARGV[1]  how long a process that was there may have been silent, in
--          microseconds
-- ARGV[2]  how long reports are waited for, in microseconds
-- ARGV[3]  the process that asks
-- ARGV[4]  for how long it has not been heard, in microseconds
-- ARGV[5]  how much may be lost so that processes still know it, in microseconds
-- ARGV[6]  for each partition: the run of the server that it has reported to, and
--          the era; "" and -1 when it has just come
--
-- Returns the run of the server, or "", and the numbers of the eras.
local info = redis.pcall('INFO', 'server')
local run = type(info) == 'string' and string.match(info, 'run_id:(%x+)')
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]

-- begin begins an era after another. Whoever was there is absent until it has
-- reported; "?" stands for those of whom this server does not know.
local function begin(era, processes, absent, before, known)
  local clean = tonumber(redis.call('HGET', era, 'clean') or 0)
  if clean < before then redis.call('HSET', era, 'unclean', before) end
  redis.call('DEL', absent)
  -- Who was silent before the others were has lost its jobs to them already.
  local last = redis.call('ZRANGE', processes, -1, -1, 'WITHSCORES')
  if last[2] then
    local since = string.format('%.0f', last[2] - tonumber(ARGV[1]))
    for _, consumer in ipairs(redis.call('ZRANGEBYSCORE', processes, since, '+inf')) do redis.call('SADD', absent, consumer) end
    local heard = redis.call('ZSCORE', processes, ARGV[3])
    if heard and now - heard - ARGV[4] > tonumber(ARGV[5]) then redis.call('SADD', absent, '?') end
  elseif known then
    redis.call('SADD', absent, '?')
  else
    clean = before + 1
  end
  local settled = string.format('%.0f', now + tonumber(ARGV[2]))
  redis.call('HSET', era, 'run', run, 'number', before + 1, 'clean', clean, 'settled', settled)
  return before + 1
end

local reply = {run or ''}
for i = 1, #KEYS, 3 do
  local was, number = unpack(redis.call('HMGET', KEYS[i], 'run', 'number'))
  local place = 6 + (i - 1) / 3 * 2
  local knows, seen = ARGV[place], tonumber(ARGV[place + 1])
  number = tonumber(number or -1)
  if run and not was and seen < 0 then
    number = 0
    redis.call('HSET', KEYS[i], 'run', run, 'number', 0, 'clean', 0, 'unclean', 0, 'settled', 0)
  elseif run and (was ~= run or seen >= number and knows ~= '' and knows ~= run) then
    number = begin(KEYS[i], KEYS[i + 1], KEYS[i + 2], math.max(number, seen), seen >= 0)
  end
  reply[#reply + 1] = math.max(number, 0)
end
return reply
