-- Writes a fact down, once: the same event again changes nothing.
--
-- KEYS  1 facts
-- ARGV  1 field  2 value  3 fields at most  4 seconds to live
-- Returns 1 written, 0 known already, -1 full.

if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return 0 end
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then return -1 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
