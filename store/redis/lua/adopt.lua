-- Adopt notes which server has some partitions, and begins an era in each that
-- another one had before. A server that does not tell begins none.
--
-- KEYS     era, processes and absent of each partition: see era.lua
-- ARGV[1]  how long a process that was there may have been silent, in
--          microseconds
-- ARGV[2]  how long reports are waited for, in microseconds
-- ARGV[3]  the last era that the process has seen; -1 = it has just come. A
--          server that knows of none has lost everything.
--
-- Returns the numbers of the eras.
local info = redis.pcall('INFO', 'server')
local run = type(info) == 'string' and string.match(info, 'run_id:(%x+)')
local seen = tonumber(ARGV[3])

-- begin begins an era after another.
local function begin(era, processes, absent, before)
  local clean = tonumber(redis.call('HGET', era, 'clean') or 0)
  if clean < before then redis.call('HSET', era, 'unclean', before) end
  redis.call('DEL', absent)
  -- Who was silent before the others were has lost its jobs to them already.
  local last = redis.call('ZRANGE', processes, -1, -1, 'WITHSCORES')
  if last[2] then
    local since = string.format('%.0f', last[2] - tonumber(ARGV[1]))
    redis.call('SADD', absent, unpack(redis.call('ZRANGEBYSCORE', processes, since, '+inf')))
  else
    clean = before + 1
  end
  local t = redis.call('TIME')
  local settled = string.format('%.0f', t[1] * 1000000 + t[2] + tonumber(ARGV[2]))
  redis.call('HSET', era, 'run', run, 'number', before + 1, 'clean', clean, 'settled', settled)
  return before + 1
end

local numbers = {}
for i = 1, #KEYS, 3 do
  local was, number = unpack(redis.call('HMGET', KEYS[i], 'run', 'number'))
  number = tonumber(number or seen)
  if run and not was and seen < 0 then
    number = 0
    redis.call('HSET', KEYS[i], 'run', run, 'number', 0, 'clean', 0, 'unclean', 0, 'settled', 0)
  elseif run and was ~= run then
    number = begin(KEYS[i], KEYS[i + 1], KEYS[i + 2], number)
  end
  numbers[#numbers + 1] = math.max(number, 0)
end
return numbers
