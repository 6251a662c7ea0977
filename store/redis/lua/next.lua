-- Next finds the waiting job of a partition whose turn it is, knowing how many
-- jobs of all teams have a slot. It changes nothing.
--
-- KEYS     all of a partition
-- ARGV[1]  slots of all partitions
--
-- Returns {id, turn in which its seat was last admitted, order of arrival}, or
-- false when no job has room.
local found = best(nil, tonumber(ARGV[1]))
return found and {found.id, found.turn, found.seq}
