-- Forgets events that the broker has, and moves the task's due time once none is left.
-- KEYS: task, due
-- ARGV: task id, due score ('' removes the task from due), ttl s, event ids…
-- Returns: how many events are still unpublished
local task, due = KEYS[1], KEYS[2]
local gone = 0
for i = 4, #ARGV do
  gone = gone + redis.call('HDEL', task, 'o:' .. ARGV[i])
end
local left = 0
if redis.call('EXISTS', task) == 1 then
  left = tonumber(redis.call('HGET', task, 'out') or '0')
  if gone > 0 then
    left = redis.call('HINCRBY', task, 'out', -gone)
  end
end
if left <= 0 then
  if ARGV[2] == '' then
    redis.call('ZREM', due, ARGV[1])
  else
    redis.call('ZADD', due, ARGV[2], ARGV[1])
  end
end
return left
