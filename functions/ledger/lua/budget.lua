-- Sets or removes one limit if it is still what the caller read, and raises the limits' version.
--
-- KEYS  1 limits
-- ARGV  1 field  2 its text as read, '' if absent  3 its new text, '' to remove it
-- Returns 1, or 0 if somebody else was faster.

if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
redis.call('HINCRBY', KEYS[1], 'version', 1)
return 1
