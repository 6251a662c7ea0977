-- KEYS: as handout.lua. ARGV: jobs. Returns those that nothing hands out.
local stray = {}
for _, job in ipairs(ARGV) do
  local id = redis.call('HGET', entries, job)
  if not id or #redis.call('XRANGE', stream, id, id) == 0 then stray[#stray + 1] = job end
end
return stray
