-- Notes how a task ended, and counts it: all of it, once, or nothing.
--
-- KEYS  1 tasks' ends  2 counts of all time  3 counts of the day  4 counts of the earlier end's day
--       5 tasks without an end  6 days
-- ARGV  1 task  2 what stands there or ''  3 what shall stand there  4 day  5 number of fields that
--       the earlier end had counted in  6 number of fields of the day, then pairs of field and
--       amount: those of the earlier end, of the day, of all time
-- Returns 'kept'; 'changed' if something else stands there by now: read it, and ask again.

if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 'changed' end

redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('ZREM', KEYS[5], ARGV[1])
redis.call('SADD', KEYS[6], ARGV[4])
local earlier, day = tonumber(ARGV[5]), tonumber(ARGV[6])
for n = 1, (#ARGV - 6) / 2 do
  local field, amount = ARGV[5 + 2 * n], ARGV[6 + 2 * n]
  if n <= earlier then
    redis.call('HINCRBY', KEYS[4], field, -amount)
  elseif n <= earlier + day then
    redis.call('HINCRBY', KEYS[3], field, amount)
  else
    redis.call('HINCRBY', KEYS[2], field, amount)
  end
end
return 'kept'
