-- Admit gives a slot to the waiting job whose turn it is in a partition, if it
-- is still the one that Next has found.
--
-- KEYS     all of a partition
-- ARGV[1]  id of the job
-- ARGV[2]  slots of all other partitions
-- ARGV[3]  when the turnstile closes
-- ARGV[4]  channel for changes
--
-- Returns "admitted", "late" or "changed".
if now() > tonumber(ARGV[3]) then return 'late' end
local found = best(nil, tonumber(ARGV[2]) + count('slots'))
if not found or found.id ~= ARGV[1] then return 'changed' end
local admitted = admit(found, nil, ARGV[4])
keep_line()
return admitted and 'admitted' or 'changed'
