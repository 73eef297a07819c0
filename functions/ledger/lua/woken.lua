-- Forgets what paused tasks were to be told, if nothing else was said meanwhile.
--
-- KEYS  1 what they are to be told
-- ARGV  1 what they were told
-- Returns 1, or 0 if it is something else by now.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
